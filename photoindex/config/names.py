"""Dotted names of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from photoindex.config.schema import Config


def is_section(name: str) -> bool:
    """Tell whether a name is a section of settings, such as `scan`."""
    field = Config.model_fields.get(name)
    return field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by dotted name; a value that is not a section stays as it is, so that validation can report it."""
    dotted: dict[str, Any] = {}
    for name, value in values.items():
        if is_section(name) and isinstance(value, Mapping):
            dotted.update({f"{name}.{inner}": part for inner, part in value.items()})
        else:
            dotted[name] = value
    return dotted
