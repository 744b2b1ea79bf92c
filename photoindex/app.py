"""The composition root: opens a library from settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from photoindex.errors import DatabaseFailed, LibraryNotFound, StorageFull, UnsuitableLocation
from photoindex.file_access import from_root
from photoindex.paths import shell_word

if TYPE_CHECKING:
    from photoindex.config.schema import Config
    from photoindex.library.handle import Library
    from photoindex.pipeline.run.executor import Executor
    from photoindex.pipeline.run.messages import ProcessSettings
    from photoindex.store.engine.database import Database


def library_folder(config: Config) -> Path:
    """Return the library's folder: the configured one or `photoindex` in the user's data folder (platformdirs)."""
    if config.library is not None:
        return from_root(config.library)
    import platformdirs

    return platformdirs.user_data_path("photoindex")


def database_path(config: Config) -> Path:
    """Return the path of the library's database: in its folder, or the file of a `sqlite:///` DATABASE_URL."""
    from photoindex.library.handle import DATABASE_NAME

    return config.database_file or library_folder(config) / DATABASE_NAME


def models_folder(config: Config) -> Path:
    """Return the folder of the library's models."""
    return config.models_path or library_folder(config) / "models"


@contextmanager
def open_library(
    config: Config, *, create: bool = False, on_trial: bool = False, reading: bool = False
) -> Iterator[Library]:
    """Open the library that `config` names; with `create`, create it if there is none.

    With `on_trial` a missing library is created in a temporary folder and removed with the block, for dry runs.
    With `reading` a library that cannot be written (read-only, full disk) is opened all the same; its `unwritable` says why.
    Backs up and upgrades an older database. Raises LibraryNotFound, SchemaTooNew, UnsuitableLocation, DatabaseFailed.
    """
    from photoindex.library.handle import Library
    from photoindex.library.location import check_location
    from photoindex.library.maintenance.upgrade import bring_library_up_to_date
    from photoindex.models.offline import offline
    from photoindex.permissions import limited_to
    from photoindex.store.engine.errors import is_unwritable, why_unwritable

    # Of what uses the libraries of the hub, only `models pull` may use the network, and turns this off where it does.
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
    with limited_to(config.permissions):
        if not path.exists():
            _finish_restore(folder, path, create=create)
        if not path.exists():
            if not create:
                raise LibraryNotFound(f"there is no library in {folder}; create one with: photoindex scan PATH")
            for needed in (folder, path.parent):
                _make_folder(needed)
        with ExitStack() as stack:
            library = Library(
                folder=folder, config=config, database=_database(config, stack), model_executor=_local_process
            )
            try:
                bring_library_up_to_date(library)
            except (DatabaseFailed, StorageFull) as error:
                if not reading or not is_unwritable(error):
                    raise
                library = _unwritable_library(library, error, stack)
            if reading and not library.unwritable:
                # Where the log's shared memory is left over, SQLite reads without writing anything.
                library = replace(library, unwritable=why_unwritable(path.parent))
            yield library


def _database(config: Config, stack: ExitStack, *, unwritable: Path | None = None) -> Database:
    from photoindex.store.engine.database import Database

    settings = config.database
    database = Database(
        database_path(config), cache_mb=settings.cache_mb, mmap_mb=settings.mmap_mb, busy_seconds=settings.busy_seconds,
        unwritable=unwritable,
    )  # fmt: skip
    stack.callback(database.close)
    return database


def _unwritable_library(library: Library, error: Exception, stack: ExitStack) -> Library:
    """Return the library opened for reading alone. Raises `error` where it needs an upgrade first, DatabaseFailed."""
    from photoindex.store.engine.unwritable import readable_file
    from photoindex.store.schema import migrate

    library.database.close()
    file = stack.enter_context(readable_file(library.database.path))
    database = _database(library.config, stack, unwritable=file)
    if migrate.check_supported(database) != migrate.HEAD:
        raise error
    return replace(library, database=database, unwritable=str(error).partition(";")[0])


def _local_process(settings: ProcessSettings, hang_seconds: float | None) -> Executor:
    from photoindex.pipeline.run.model_process import ModelProcess

    return ModelProcess(settings, hang_seconds=hang_seconds)


def _finish_restore(folder: Path, path: Path, *, create: bool) -> None:
    """Complete a restore that was killed. Raises LibraryNotFound if only a library before a restore is left."""
    from photoindex.library.backup.restore import finish_interrupted

    old = finish_interrupted(folder)
    if old is not None and not create and not path.exists():
        raise LibraryNotFound(
            f"there is no library in {folder}; the one before a restore is in {old}. To go back to it: "
            f"mv {shell_word(os.fsencode(old))} {shell_word(os.fsencode(folder))}"
        )


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
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnsuitableLocation(f"the library folder {folder} cannot be created: {error.strerror}") from error
