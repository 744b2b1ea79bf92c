"""Labels from looking at pictures: what the stages objects, labels and sensitive need to run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library
from photoindex.library.words.tagging.work import LabelWork
from photoindex.models.labels.description import LabelModelFiles, read_label_model
from photoindex.models.labels.open_nsfw import DESCRIPTION, network_file
from photoindex.stages import labels, objects, sensitive
from photoindex.stages.base import Stage
from photoindex.stages.labels import Opening
from photoindex.stages.tags import KEPT_FROM


def object_works(library: Library) -> Sequence[LabelWork]:
    """Return the work of every detector of objects that the settings name. Raises ModelUnavailable."""
    return _works_of(library, objects.STAGE, "finding objects")


def label_works(library: Library) -> Sequence[LabelWork]:
    """Return the work of every classifier that the settings name. Raises ModelUnavailable."""
    return _works_of(library, labels.STAGE, "labelling")


def sensitive_works(library: Library) -> Sequence[LabelWork]:
    """Return the work of telling sensitive pictures. Raises ModelUnavailable if its package is not installed."""
    network = network_file()
    files = read_label_model(DESCRIPTION, network)
    return [_work(library, sensitive.STAGE, files, "looking for sensitive pictures", lambda _key: True, network)]


def _works_of(library: Library, stage: Stage, phase: str) -> Sequence[LabelWork]:
    paths = [Path(one).expanduser().absolute() for one in library.config.tags.models]
    found = [files for files in map(read_label_model, paths) if files.description.kind == stage.name]
    if not found:
        raise ModelUnavailable(
            f'no model is set: name the TOML file of one of the kind "{stage.name}" in the setting tags.models, see '
            f"docs/auto-tags.md"
        )
    names = [files.model for files in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ModelUnavailable(
            f"two descriptions in the setting tags.models are called {twice}; rename one of the files"
        )
    return [_work(library, stage, files, phase, _is_of(files.model)) for files in found]


def _is_of(model: str) -> Callable[[str], bool]:
    """Return whether a variant's key is that of an earlier state of the model; other models' labels stay."""
    return lambda key: bool(json.loads(key).get("model") == model)


def _work(
    library: Library,
    stage: Stage,
    files: LabelModelFiles,
    phase: str,
    replaces: Callable[[str], bool],
    network: Path | None = None,
) -> LabelWork:
    kept_from = min(KEPT_FROM, library.config.ai_confidence_threshold / 100)
    opening = Opening(files.path, files.digest, library.config.tags.device, kept_from, network)
    return LabelWork(
        stage=stage,
        model=files.model,
        variant=labels.variant(stage, model=files.model, digest=files.digest, kept_from=kept_from),
        opening=lambda _emit, _stop: opening,
        replaces=replaces,
        phase=phase,
        batch_size=library.config.tags.batch_size,
    )
