"""An opened library: what every operation takes as its first argument."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from photoindex.config.schema import Config
from photoindex.store.database import Database

DATABASE_NAME = "photoindex.db"


@dataclass(frozen=True, slots=True)
class Library:
    """A library folder with its open database and the settings it was opened with; `app.open_library` makes it."""

    folder: Path
    config: Config
    database: Database

    @property
    def derived_folder(self) -> Path:
        """Where previews and thumbnails are kept."""
        return self.config.derived_path or self.folder / "derived"

    @property
    def log_folder(self) -> Path:
        """Where the rotating logs are kept."""
        return self.folder / "logs"

    @property
    def models_folder(self) -> Path:
        """Where the models and their lock file are kept."""
        return self.config.models_path or self.folder / "models"

    @property
    def indices_folder(self) -> Path:
        """Where the vector indices are kept, one folder a space; a cache that can be made again from the database."""
        return self.folder / "indices"
