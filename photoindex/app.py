"""The composition root: settings in, an opened library out. The only place that wires."""

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


def library_folder(config: Config) -> Path:
    """Return the library's folder: the configured one or `photoindex` in the user's data folder (platformdirs)."""
    if config.library is not None:
        return Path(config.library).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("photoindex")


def database_path(config: Config) -> Path:
    """Return where the library's database lies: in its folder, or where a `sqlite:///` DATABASE_URL says."""
    from photoindex.library.handle import DATABASE_NAME

    return config.database_file or library_folder(config) / DATABASE_NAME


@contextmanager
def open_library(config: Config, *, create: bool = False, on_trial: bool = False) -> Iterator[Library]:
    """Open the library that `config` names; with `create`, make it where there is none.

    `on_trial` makes a new one in a temporary folder that goes with the block, for what must not change anything.
    Upgrades an older database after a backup. Raises LibraryNotFound, SchemaTooNew, UnsuitableLocation, DatabaseFailed.
    """
    from photoindex.library.handle import Library
    from photoindex.library.location import check_location
    from photoindex.library.maintenance.upgrade import bring_library_up_to_date
    from photoindex.models.offline import offline
    from photoindex.store.database import Database

    # Only `models pull` reaches out, and says so where it does.
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
            raise LibraryNotFound(f"there is no library in {folder}; make one with: photoindex scan PATH")
        for needed in (folder, path.parent):
            _make_folder(needed)
    database = Database(
        path,
        cache_mb=config.database.cache_mb,
        mmap_mb=config.database.mmap_mb,
        busy_seconds=config.database.busy_seconds,
    )
    library = Library(folder=folder, config=config, database=database)
    try:
        bring_library_up_to_date(library)
        yield library
    finally:
        database.close()


def _refuse_emptied(path: Path, *, create: bool) -> None:
    """Raise DatabaseFailed for a database of no bytes, unless it may be one that was just being made."""
    try:
        emptied = path.stat().st_size == 0 and not Path(f"{path}-wal").exists()
    except FileNotFoundError:
        return
    if emptied and (not create or (path.parent / "derived").exists()):
        raise DatabaseFailed(
            f"{path} is empty: its content was lost. Restore the newest snapshot: photoindex restore SNAPSHOT --library "
            f"NEW, or remove the file to begin anew"
        )


def _make_folder(folder: Path) -> None:
    try:
        # What the library holds (faces, places, words) is the user's own business.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnsuitableLocation(f"the library folder {folder} cannot be made: {error.strerror}") from error
