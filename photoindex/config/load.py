"""Loads the settings: all layers, merged and validated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photoindex.config.schema import Config, Setting


def load_config(flags: Mapping[str, object] | None = None) -> Config:
    """Return the effective settings.

    `flags` are those given on the command line, nested or dotted: {"library": Path("x"), "scan.jobs": 3}. Raises
    ConfigError for an unknown name, a bad value, an unreadable file, or a deployment that this version does not support.
    """
    from photoindex.config.layers import resolve

    return resolve(flags or {})[0]


def origins(flags: Mapping[str, object] | None = None) -> list[Setting]:
    """Return every setting with its value and origin, in the order of the schema. Raises ConfigError like `load_config`."""
    from photoindex.config.layers import resolve

    return resolve(flags or {})[1]


def config_file() -> Path:
    """Return the path of the user's settings file, whether or not it exists (`PHOTOINDEX_CONFIG` overrides it)."""
    from photoindex.config.layers import user_file

    return user_file()[0]
