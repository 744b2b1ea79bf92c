"""Empty libraries for tests, as copies of one: making the tables takes a quarter of a second, and hundreds of tests need them."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import uuid
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.library.handle import DATABASE_NAME


def ensure_library(folder: Path) -> None:
    """Make a folder with an empty library, which has an id of its own; do nothing if the folder is there."""
    if folder.exists():
        return
    folder.mkdir(mode=0o700, parents=True)
    shutil.copy(_new_library() / DATABASE_NAME, folder)  # with its permissions
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection, connection:
        connection.execute("UPDATE library SET id = ?", (str(uuid.uuid4()),))


@cache
def _new_library() -> Path:
    """Make the library that is copied, once a process."""
    folder = Path(mkdtemp(prefix="photoindex-new-library-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with open_library(Config(library=folder), create=True):
        pass
    return folder
