"""Settings from environment variables and .env files, through pydantic-settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from photoindex.config.schema import Config


class _Variables(Config, BaseSettings):
    """The settings as a model for pydantic-settings' sources; never instantiated."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="__", env_ignore_empty=True, enable_decoding=False, dotenv_filtering="only_existing"
    )


def read_variables(prefix: str, dotenv: Path | None) -> dict[str, Any]:
    """Return settings by dotted name, from variables that start with `prefix` in the file `dotenv` or in the environment.

    Names are not case-sensitive, `__` separates section and setting, an empty value counts as not set. Values are text.
    """
    from photoindex.config.names import flat

    if dotenv is None:
        return flat(EnvSettingsSource(_Variables, env_prefix=prefix)())
    return flat(DotEnvSettingsSource(_Variables, env_prefix=prefix, env_file=dotenv)())
