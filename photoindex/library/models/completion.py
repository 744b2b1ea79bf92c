"""The models that are installed, and those that can be pulled, for completion in a shell; light on imports."""

from __future__ import annotations

from pathlib import Path

from photoindex.models.catalog import load_catalog
from photoindex.models.lock import read_lock


def installed_models(models_folder: Path, task: str | None = None) -> list[str]:
    """Return the ids of the installed models; task: `image-text`, `faces` or `captions`, None for any."""
    models = read_lock(models_folder).models
    return sorted(name for name, one in models.items() if task in (None, one.task))


def models_to_pull(models_folder: Path) -> list[str]:
    """Return the ids of the models of the catalogue that have a source."""
    return sorted(name for name, one in load_catalog(models_folder).items() if one.sources)
