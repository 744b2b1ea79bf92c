"""Make and open the file of place names: a SQLite database in the user's cache, the same for every library."""

from __future__ import annotations

import contextlib
import gc
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from photoindex.errors import DatabaseFailed, StorageFull
from photoindex.geo.names import name_key, point_km
from photoindex.geo.source import PlaceData, data_versions, read_places

FORMAT = 1
"""Of the tables below; a change makes every user's file anew."""
BUILDING = "making the table of place names, once"
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


def default_folder() -> Path:
    """Return the folder of the user's cache."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("photoindex"))


def open_places(folder: Path, progress: Callable[[str], None] | None = None) -> sqlite3.Connection:
    """Return a connection to the places, making the file in `folder` where it is missing, outdated or damaged.

    Where the folder cannot be written the table lies in a temporary file that ends with the connection. Raises
    DatabaseFailed where the data is not installed, sqlite3.Error where no disk has room.
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
    """Keep Python from walking again and again through a million new objects that all stay: it takes half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def remove_places(folder: Path) -> None:
    """Remove a damaged file, so that it is made anew."""
    with contextlib.suppress(OSError):
        (folder / f"places-{FORMAT}-{data_versions()}.db").unlink(missing_ok=True)


@contextlib.contextmanager
def reported_errors(folder: Path) -> Iterator[None]:
    """Raise what goes wrong with the file of place names in `folder` as DatabaseFailed, or StorageFull for a full disk."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise StorageFull(f"no room for the table of place names in {folder}; free some space") from error
        raise DatabaseFailed(
            f"the table of place names in {folder} cannot be read ({error}); check the disk"
        ) from error


def _opened(path: Path) -> sqlite3.Connection:
    """Open a finished file for reading. Raises sqlite3.Error or OSError for one that is missing or damaged."""
    # Nobody changes a finished file, so SQLite needs neither locks nor a look for a journal.
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
        raise sqlite3.DatabaseError("the file of place names is not complete")


def _build_file(path: Path, places: list[PlaceData]) -> None:
    """Write the tables to a file of this process's own and give it its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".places-", suffix=".new", dir=path.parent)
    os.close(handle)
    building = Path(name)
    try:
        with contextlib.closing(sqlite3.connect(building, isolation_level=None)) as connection:
            _fill(connection, places)
        _to_disk(building)
        building.replace(path)
    finally:
        building.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary(places: list[PlaceData]) -> sqlite3.Connection:
    """Return a database without a name, which SQLite keeps in its folder for temporary files."""
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
    # The R*Tree keeps 32-bit numbers: half a metre of room lets no point fall out of its own box.
    x, y, z = point_km(place.latitude, place.longitude)
    room = _HALF_METRE_KM
    return place.id, x - room, x + room, y - room, y + room, z - room, z + room


def _remove_others(path: Path) -> None:
    """Remove files of other versions, and what builders left that were killed."""
    with contextlib.suppress(OSError):
        for other in path.parent.glob("places-*.db"):
            if other != path:
                other.unlink(missing_ok=True)
        for left in path.parent.glob(".places-*.new"):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink(missing_ok=True)
