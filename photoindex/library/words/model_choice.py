"""Chooses the captioner for `caption`; reads only the lock file of the models."""

from __future__ import annotations

import shlex

from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library


def model_to_caption(library: Library) -> str:
    """Return the model that `caption` uses: the one that is set, the only installed captioner, or the default."""
    config = library.config.caption
    installed = installed_captioners(library)
    if "model" in config.model_fields_set or config.endpoint or len(installed) != 1:
        return config.model
    return installed[0]


def installed_captioners(library: Library) -> list[str]:
    """Return the installed captioners; none if their lock file is damaged."""
    from photoindex.models.lock import CAPTIONS, read_lock

    try:
        models = read_lock(library.models_folder).models
    except ModelUnavailable:
        return []
    return sorted(model_id for model_id, locked in models.items() if locked.task == CAPTIONS)


def command_to_caption(library: Library, model: str) -> str:
    """Return the command that describes photos with a model."""
    command = "photoindex caption"
    return command if model_to_caption(library) == model else f"{command} --model {shlex.quote(model)}"
