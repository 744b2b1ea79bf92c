"""The composition root: settings in, an opened library out. The only place that wires."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from photoindex.errors import LibraryNotFound

if TYPE_CHECKING:
    from photoindex.config import Config
    from photoindex.library.context import Library


def library_folder(config: Config) -> Path:
    """Return the library's folder: the configured one or `photoindex` in the user's data folder (platformdirs)."""
    if config.library is not None:
        return Path(config.library).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("photoindex")


@contextmanager
def open_library(config: Config, *, create: bool = False) -> Iterator[Library]:
    """Open the library that `config` names; with `create`, make it where there is none.

    Upgrades an older database after a backup. Raises LibraryNotFound, SchemaTooNew, UnsuitableLocation.
    """
    from photoindex.library.context import DATABASE_NAME, Library
    from photoindex.store.database import Database
    from photoindex.store.migrate import bring_up_to_date

    folder = library_folder(config)
    path = folder / DATABASE_NAME
    if not path.exists():
        if not create:
            raise LibraryNotFound(f"there is no library in {folder}; make one with: photoindex scan PATH")
        folder.mkdir(parents=True, exist_ok=True)
    database = Database(
        path,
        cache_mb=config.database.cache_mb,
        mmap_mb=config.database.mmap_mb,
        busy_seconds=config.database.busy_seconds,
    )
    try:
        bring_up_to_date(database)
        yield Library(folder=folder, config=config, database=database)
    finally:
        database.close()
