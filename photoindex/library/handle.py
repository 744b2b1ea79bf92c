"""The handle of an open library, the first argument of every operation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from photoindex.config.schema import Config

if TYPE_CHECKING:
    # Completion in a shell needs only the name of the file.
    from photoindex.pipeline.run.executor import Executor
    from photoindex.pipeline.run.messages import ProcessSettings
    from photoindex.store.engine.database import Database

DATABASE_NAME = "photoindex.db"


class ModelExecutor(Protocol):
    """Makes the executor of a stage that runs a model; `app` decides where that is."""

    def __call__(self, settings: ProcessSettings, hang_seconds: float | None) -> Executor:
        """Return an executor that is not started yet."""
        ...


@dataclass(frozen=True, slots=True)
class Library:
    """A library folder with its open database and its settings; created by `app.open_library`.

    unwritable: why nothing can be saved in it, empty as a rule.
    """

    folder: Path
    config: Config
    database: Database
    model_executor: ModelExecutor
    unwritable: str = ""

    @property
    def derived_folder(self) -> Path:
        """The folder of previews and thumbnails."""
        return self.config.derived_path or self.folder / "derived"

    @property
    def log_folder(self) -> Path:
        """The folder of the rotating logs."""
        return self.folder / "logs"

    @property
    def models_folder(self) -> Path:
        """The folder of the models and their lock file."""
        return self.config.models_path or self.folder / "models"

    @property
    def indices_folder(self) -> Path:
        """The folder of the vector indices, one subfolder per space; a cache that can be rebuilt from the database."""
        return self.folder / "indices"
