"""Loads the settings: all layers, merged and validated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photoindex.config.schema import Config, Setting


_FOLDERS = frozenset({"library", "database_url", "derived_path", "models_path"})


def load_config(flags: Mapping[str, object] | None = None) -> Config:
    """Return the effective settings.

    `flags` are those given on the command line, nested or dotted: {"library": Path("x"), "scan.jobs": 3}. Raises
    ConfigError for an unknown name, a bad value, an unreadable file, or a deployment that this version does not support.
    """
    from photoindex.config.layers import resolve

    return resolve(flags or {})[0]


def load_with_redirections(flags: Mapping[str, object] | None = None) -> tuple[Config, list[Setting]]:
    """Return the settings like `load_config`, and those by which the .env of the current folder moves what is stored."""
    from photoindex.config.layers import DOTENV, resolve

    config, settings = resolve(flags or {})
    return config, [one for one in settings if one.name in _FOLDERS and one.origin.startswith(f"{DOTENV}:")]


def origins(flags: Mapping[str, object] | None = None) -> list[Setting]:
    """Return every setting with its value and origin, in the order of the schema. Raises ConfigError like `load_config`."""
    from photoindex.config.layers import resolve

    return resolve(flags or {})[1]


def config_file() -> Path:
    """Return the path of the user's settings file, whether or not it exists (`PHOTOINDEX_CONFIG` overrides it)."""
    from photoindex.config.layers import user_file

    return user_file()[0]
