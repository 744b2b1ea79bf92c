"""Settings from environment variables and .env files, through pydantic-settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from photoindex.config.schema import Config


class _Variables(Config, BaseSettings):
    """The settings as pydantic-settings' sources look for them; never made into an object."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="__", env_ignore_empty=True, enable_decoding=False, dotenv_filtering="only_existing"
    )


def read_variables(prefix: str, dotenv: Path | None) -> dict[str, Any]:
    """Return the settings whose variables start with `prefix`, dotted; from the file `dotenv` or, without, the environment.

    Names are not case-sensitive, `__` leads into a section, an empty value counts as not given. Values are text.
    """
    from photoindex.config.names import flat

    if dotenv is None:
        return flat(EnvSettingsSource(_Variables, env_prefix=prefix)())
    return flat(DotEnvSettingsSource(_Variables, env_prefix=prefix, env_file=dotenv)())
