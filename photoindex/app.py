"""The composition root: opens a library from settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from photoindex.errors import DatabaseFailed, LibraryNotFound, UnsuitableLocation

if TYPE_CHECKING:
    from photoindex.config.schema import Config
    from photoindex.library.handle import Library
    from photoindex.pipeline.run.executor import Executor
    from photoindex.pipeline.run.messages import ProcessSettings


def library_folder(config: Config) -> Path:
    """Return the library's folder: the configured one or `photoindex` in the user's data folder (platformdirs)."""
    if config.library is not None:
        return Path(config.library).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("photoindex")


def database_path(config: Config) -> Path:
    """Return the path of the library's database: in its folder, or the file of a `sqlite:///` DATABASE_URL."""
    from photoindex.library.handle import DATABASE_NAME

    return config.database_file or library_folder(config) / DATABASE_NAME


@contextmanager
def open_library(config: Config, *, create: bool = False, on_trial: bool = False) -> Iterator[Library]:
    """Open the library that `config` names; with `create`, create it if there is none.

    With `on_trial` a missing library is created in a temporary folder and removed with the block, for dry runs.
    Backs up and upgrades an older database. Raises LibraryNotFound, SchemaTooNew, UnsuitableLocation, DatabaseFailed.
    """
    from photoindex.library.handle import Library
    from photoindex.library.location import check_location
    from photoindex.library.maintenance.upgrade import bring_library_up_to_date
    from photoindex.models.offline import offline
    from photoindex.store.engine.database import Database

    # Only `models pull` uses the network, and turns this off where it does.
    offline()
    folder = library_folder(config)
    path = database_path(config)
    check_location(path.parent)
    if on_trial and not path.exists():
        with TemporaryDirectory(prefix="photoindex-") as temporary:
            trial = config.model_copy(update={"library": Path(temporary), "database_url": None, "derived_path": None})
            with open_library(trial, create=True) as library:
                yield library
        return
    _refuse_emptied(path, create=create)
    if not path.exists():
        if not create:
            raise LibraryNotFound(f"there is no library in {folder}; create one with: photoindex scan PATH")
        for needed in (folder, path.parent):
            _make_folder(needed)
    database = Database(
        path,
        cache_mb=config.database.cache_mb,
        mmap_mb=config.database.mmap_mb,
        busy_seconds=config.database.busy_seconds,
    )
    library = Library(folder=folder, config=config, database=database, model_executor=_local_process)
    try:
        bring_library_up_to_date(library)
        yield library
    finally:
        database.close()


def _local_process(settings: ProcessSettings, hang_seconds: float | None) -> Executor:
    from photoindex.pipeline.run.model_process import ModelProcess

    return ModelProcess(settings, hang_seconds=hang_seconds)


def _refuse_emptied(path: Path, *, create: bool) -> None:
    """Raise DatabaseFailed for an empty database file, unless it may belong to a library that is just being created."""
    try:
        emptied = path.stat().st_size == 0 and not Path(f"{path}-wal").exists()
    except FileNotFoundError:
        return
    if emptied and (not create or (path.parent / "derived").exists()):
        raise DatabaseFailed(
            f"{path} is empty: its content was lost. Restore the newest snapshot with photoindex restore SNAPSHOT --library "
            f"NEW, or remove the file to start over"
        )


def _make_folder(folder: Path) -> None:
    try:
        # The library holds private data: faces, places, texts.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnsuitableLocation(f"the library folder {folder} cannot be created: {error.strerror}") from error
