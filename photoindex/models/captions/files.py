"""The files of a captioner, in the layout of transformers, and what they say about it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from photoindex.errors import ModelUnavailable
from photoindex.models.captions.families import Family, family_of
from photoindex.models.lock import FoundCaptioner

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
_DESCRIPTIONS = ("*.json", "*.jinja", "*.model", "vocab.txt", "merges.txt")
_CONFIG_BYTES_MAX = 10_000_000


def is_captioner(folder: Path) -> bool:
    """Tell whether a folder has the files of a model of a known family."""
    return _model_type(folder) is not None and family_of(_model_type(folder) or "") is not None


def names_of(folder: Path) -> list[str]:
    """Return the names of the files that are needed: descriptions and one copy of the weights, without code.

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
    found = _model_type(folder)
    family = None if found is None else family_of(found)
    if family is None:
        raise ModelUnavailable(
            f"the model in {folder} is of the type '{found}', which is not a captioner that is known"
        )
    return family


def found_captioner(folder: Path) -> FoundCaptioner:
    """Return what the files of a captioner say about it. Raises ModelUnavailable."""
    return FoundCaptioner(captioner=family_in(folder).name)


def _model_type(folder: Path) -> str | None:
    path = folder / CONFIG_NAME
    try:
        if path.stat().st_size > _CONFIG_BYTES_MAX:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    named = found.get("model_type") if isinstance(found, dict) else None
    return named if isinstance(named, str) else None
