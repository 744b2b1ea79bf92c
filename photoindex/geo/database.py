"""Creating and opening the SQLite file of place names in the user's cache, shared by all libraries."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from photoindex.atomic_files import publish
from photoindex.errors import DatabaseFailed, StorageFull
from photoindex.geo.names import name_key, point_km
from photoindex.geo.source import PlaceData, data_versions, read_places

FORMAT = 2
"""Version of the tables below and of the folding of their names; increasing it recreates every user's file."""
BUILDING = "creating the table of place names (only once)"
_ABANDONED_SECONDS = 24 * 3600
_HALF_METRE_KM = 0.0005

_TABLES = """
CREATE TABLE place(
    id INTEGER PRIMARY KEY, city TEXT NOT NULL, region TEXT, county TEXT, country TEXT NOT NULL, country_code TEXT NOT NULL,
    latitude REAL NOT NULL, longitude REAL NOT NULL, population INTEGER NOT NULL, district INTEGER NOT NULL,
    region_number INTEGER NOT NULL, independent INTEGER NOT NULL, region_code TEXT, alternates TEXT NOT NULL
);
CREATE TABLE name(name TEXT NOT NULL, place_id INTEGER NOT NULL, official INTEGER NOT NULL, PRIMARY KEY(name, place_id))
    WITHOUT ROWID;
CREATE VIRTUAL TABLE box USING rtree(place_id, west, east, south, north, bottom, top);
CREATE TABLE complete(places INTEGER NOT NULL);
"""
_INDEXES = (
    "CREATE INDEX place_by_district ON place(district, population)",
    "CREATE INDEX place_independent ON place(region_number, population) WHERE independent",
)


PlacesFile = sqlite3.Connection
DAMAGED = sqlite3.DatabaseError
"""Raised by queries on a damaged file."""


def default_folder() -> Path:
    """Return the user's cache folder."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("photoindex"))


def open_places(folder: Path, progress: Callable[[str], None] | None = None) -> sqlite3.Connection:
    """Return a connection to the places, creating the file in `folder` if it is missing, outdated or damaged.

    If the folder is not writable, a temporary database is used that disappears with the connection. Raises
    DatabaseFailed if the data is not installed, sqlite3.Error if no disk has room.
    """
    path = folder / f"places-{FORMAT}-{data_versions()}.db"
    with contextlib.suppress(sqlite3.Error, OSError):
        return _opened(path)
    if progress is not None:
        progress(BUILDING)
    with _without_collection():
        places = read_places()
        try:
            _build_file(path, places)
            opened = _opened(path)
        except (OSError, sqlite3.Error):
            return _temporary(places)
    _remove_others(path)
    return opened


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Disable garbage collection while creating a million objects that are all kept; it would take half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def remove_places(folder: Path) -> None:
    """Remove a damaged file so that it is created again."""
    with contextlib.suppress(OSError):
        (folder / f"places-{FORMAT}-{data_versions()}.db").unlink(missing_ok=True)


@contextlib.contextmanager
def reported_errors(folder: Path) -> Iterator[None]:
    """Convert errors of the place names file in `folder` to DatabaseFailed, or StorageFull for a full disk."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if _is_full(error):
            raise StorageFull(f"no room for the table of place names in {folder}; free some space") from error
        if not isinstance(error, sqlite3.DatabaseError):
            raise  # a bug of ours
        raise DatabaseFailed(
            f"the table of place names in {folder} cannot be read ({error}); check the disk"
        ) from error


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def _opened(path: Path) -> sqlite3.Connection:
    """Open a finished file read-only. Raises sqlite3.Error or OSError if it is missing or damaged."""
    # A finished file never changes, so SQLite needs neither locks nor a journal check.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    try:
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    complete = connection.execute("SELECT places FROM complete").fetchone()
    if complete is None or complete != connection.execute("SELECT max(id) FROM place").fetchone():
        raise sqlite3.DatabaseError("the file of place names is incomplete")


def _build_file(path: Path, places: list[PlaceData]) -> None:
    """Write the tables to a temporary file and rename it when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".places-", suffix=".new", dir=path.parent)
    os.close(handle)
    building = Path(name)
    try:
        with contextlib.closing(sqlite3.connect(building, isolation_level=None)) as connection:
            _fill(connection, places)
        publish(building, path)
    finally:
        building.unlink(missing_ok=True)


def _temporary(places: list[PlaceData]) -> sqlite3.Connection:
    """Return an unnamed database, which SQLite keeps in its temporary folder."""
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    try:
        _fill(connection, places)
    except BaseException:
        connection.close()
        raise
    return connection


def _fill(connection: sqlite3.Connection, places: list[PlaceData]) -> None:
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(_TABLES)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, places))
    connection.executemany("INSERT INTO name VALUES (?, ?, ?)", sorted(_names(places)))
    connection.executemany("INSERT INTO box VALUES (?, ?, ?, ?, ?, ?, ?)", map(_box, places))
    for index in _INDEXES:
        connection.execute(index)
    connection.execute("INSERT INTO complete VALUES (?)", [len(places)])
    connection.execute("COMMIT")


def _row(place: PlaceData) -> tuple[object, ...]:
    alternates = "\n".join(["", *sorted(place.alternates), ""]) if place.alternates else ""
    return (
        place.id, place.city, place.region, place.county, place.country, place.country_code, place.latitude,
        place.longitude, place.population, place.district, place.region_number, place.independent,
        place.region_code, alternates,
    )  # fmt: skip


def _names(places: list[PlaceData]) -> Iterator[tuple[str, int, bool]]:
    for place in places:
        official = name_key(place.city)
        yield official, place.id, True
        yield from ((name, place.id, False) for name in place.alternates if name != official)


def _box(place: PlaceData) -> tuple[float, ...]:
    # The R*Tree stores 32-bit floats: a margin of half a metre keeps every point inside its box.
    x, y, z = point_km(place.latitude, place.longitude)
    margin = _HALF_METRE_KM
    return place.id, x - margin, x + margin, y - margin, y + margin, z - margin, z + margin


def _remove_others(path: Path) -> None:
    """Remove files of other versions and leftovers of killed builds."""
    with contextlib.suppress(OSError):
        for other in path.parent.glob("places-*.db"):
            if other != path:
                other.unlink(missing_ok=True)
        for left in path.parent.glob(".places-*.new"):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink(missing_ok=True)
