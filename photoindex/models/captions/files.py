"""The files of a captioner, in the layout of transformers, and what they say about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from photoindex.errors import ModelUnavailable
from photoindex.models.captions.families import OWN_CODE, Family, family_of
from photoindex.models.lock import FoundCaptioner
from photoindex.models.open_clip_loader import CONFIG_NAME as CONFIG_OF_OPEN_CLIP

CONFIG_NAME = "config.json"
INDEX_SUFFIX = ".index.json"
WEIGHTS = (
    "model.safetensors",
    f"model.safetensors{INDEX_SUFFIX}",
    "pytorch_model.bin",
    f"pytorch_model.bin{INDEX_SUFFIX}",
)
"""Whole weights, or the list of their parts; the first that is there is used."""
PARTS = {WEIGHTS[1]: "model-*-of-*.safetensors", WEIGHTS[3]: "pytorch_model-*-of-*.bin"}
"""List of parts -> the parts."""
CODE_MAP = "auto_map"
"""Key of `config.json`: class of transformers -> `module.Class` of the model's own code."""
CODE_SUFFIX = ".py"
_DESCRIPTIONS = ("*.json", "*.jinja", "*.model", "vocab.txt", "merges.txt")
_CONFIG_BYTES_MAX = 10_000_000


def is_captioner(folder: Path) -> bool:
    """Tell whether a folder has the files of a model of a known family, or of one with its own code."""
    return _family(folder) is not None


def names_of(folder: Path) -> list[str]:
    """Return the names of the files that are needed: descriptions and one copy of the weights, and code if the model needs its own.

    Raises ModelUnavailable if there are no weights, or a part of them is missing.
    """
    there = sorted(path.name for path in folder.iterdir())
    weights = next((name for name in WEIGHTS if name in there), None)
    if weights is None:
        raise ModelUnavailable(f"there are no weights in {folder}: expected one of {', '.join(WEIGHTS)}")
    names = [name for name in there if _is_one_of(name, _DESCRIPTIONS) and not name.endswith(INDEX_SUFFIX)]
    names.append(weights)
    if weights.endswith(INDEX_SUFFIX):
        names += _parts(folder / weights, there)
    if _family(folder) is OWN_CODE:
        names += [name for name in there if name.endswith(CODE_SUFFIX)]
    return names


def _parts(index: Path, there: Iterable[str]) -> list[str]:
    try:
        parts = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelUnavailable(f"{index} cannot be read: {error}") from error
    missing = [name for name in parts if name not in there or not fnmatchcase(name, PARTS[index.name])]
    if missing:
        raise ModelUnavailable(f"{index} names {missing[0]}, which is not in its folder")
    return parts


def _is_one_of(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def family_in(folder: Path) -> Family:
    """Return the family of the model in a folder. Raises ModelUnavailable."""
    family = _family(folder)
    if family is None:
        raise ModelUnavailable(
            f"the model in {folder} is of the type '{_config(folder).get('model_type')}', which is not a captioner that "
            f"is known"
        )
    return family


def found_captioner(folder: Path) -> FoundCaptioner:
    """Return what the files of a captioner say about it. Raises ModelUnavailable."""
    family = family_in(folder)
    return FoundCaptioner(captioner=family.name, runs_own_code=family is OWN_CODE)


def _family(folder: Path) -> Family | None:
    config = _config(folder)
    named = config.get("model_type")
    known = family_of(named) if isinstance(named, str) else None
    # Folders of open_clip may have such a file too.
    if known is None and class_with_code(config) and not (folder / CONFIG_OF_OPEN_CLIP).exists():
        return OWN_CODE
    return known


def class_with_code(config: Mapping[str, Any]) -> str | None:
    """Return the class of transformers (AutoModel...) that loads a model through its own code, None without such code."""
    code = config.get(CODE_MAP)
    return next((name for name in code if name.startswith("AutoModel")), None) if isinstance(code, dict) else None


def _config(folder: Path) -> dict[str, Any]:
    """Return the content of `config.json`, nothing if it cannot be read."""
    path = folder / CONFIG_NAME
    try:
        if path.stat().st_size > _CONFIG_BYTES_MAX:
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
