"""The rows of events, and the times and positions of photos from which events are found."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, case, delete, func, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import upsert, wall_seconds
from photoindex.store.schema.tables import event, photo, place, saved_query
from photoindex.text import fold

_CHUNK_ROWS = 10_000
_KEYS_PER_STATEMENT = 500
_MENTION = re.compile(r"\bevent:", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class PhotoTimes:
    """When and where photos were taken: parallel arrays, some 50 bytes per photo.

    seconds: local wall time as if it were UTC, since 1970. day_only: 1 if only the day is known. latitude, longitude:
    degrees, NaN if unknown. place_ids: -1 if unknown. of_file: ids of those with only the modification time of their file.
    without_day, undated: ids of the photos that are not in the other arrays, because only their month or year is known, or
    no date at all.
    """

    ids: array[int] = field(default_factory=lambda: array("q"))
    seconds: array[int] = field(default_factory=lambda: array("q"))
    day_only: array[int] = field(default_factory=lambda: array("b"))
    latitude: array[float] = field(default_factory=lambda: array("d"))
    longitude: array[float] = field(default_factory=lambda: array("d"))
    place_ids: array[int] = field(default_factory=lambda: array("q"))
    of_file: array[int] = field(default_factory=lambda: array("q"))
    without_day: array[int] = field(default_factory=lambda: array("q"))
    undated: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """The names of one place."""

    id: int
    city: str
    region: str | None
    country: str
    country_code: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; first_at, last_at: ISO 8601 local wall time to the second; names: of its places, for search."""

    key: str
    kind: str
    title: str
    names: tuple[str, ...]
    first_at: str
    last_at: str
    photos: int


def photo_times(connection: Connection) -> PhotoTimes:
    """Return when and where all photos of the library were taken, ordered by id."""
    seconds = wall_seconds(func.substr(photo.c.taken_at, 1, 19))
    # A position needs both coordinates.
    located = photo.c.latitude.is_not(None) & photo.c.longitude.is_not(None)
    precision = case(
        (func.length(photo.c.taken_at) < 19, None), else_=func.coalesce(photo.c.taken_at_precision, "second")
    )
    statement = select(
        photo.c.id,
        seconds.label("seconds"),
        precision.label("precision"),
        case((located, photo.c.latitude), else_=None).label("latitude"),
        case((located, photo.c.longitude), else_=None).label("longitude"),
        func.coalesce(photo.c.place_id, -1).label("place_id"),
        (func.coalesce(photo.c.taken_at_source, "") == "mtime").label("of_file"),
    ).order_by(photo.c.id)
    found = PhotoTimes()
    for rows in connection.execute(statement.execution_options(yield_per=_CHUNK_ROWS)).partitions():
        _add(found, rows)
    return found


def _add(found: PhotoTimes, rows: Sequence[Any]) -> None:
    nowhere = float("nan")
    for photo_id, seconds, precision, latitude, longitude, place_id, of_file in rows:
        if seconds is None or precision is None:
            found.undated.append(photo_id)
            continue
        if precision in ("month", "year"):
            found.without_day.append(photo_id)
            continue
        if of_file:
            found.of_file.append(photo_id)
        day_only = precision == "day"
        found.ids.append(photo_id)
        found.seconds.append(seconds - seconds % 86_400 if day_only else seconds)
        found.day_only.append(day_only)
        found.latitude.append(nowhere if latitude is None else latitude)
        found.longitude.append(nowhere if longitude is None else longitude)
        found.place_ids.append(place_id)


def place_names(connection: Connection) -> dict[int, PlaceRow]:
    """Return place id -> names, for all places."""
    rows = connection.execute(select(place.c.id, place.c.city, place.c.region, place.c.country, place.c.country_code))
    return {row.id: PlaceRow(*row) for row in rows}


def known_keys(connection: Connection) -> list[str]:
    """Return the keys of all events, sorted."""
    return list(connection.execute(select(event.c.key).order_by(event.c.key)).scalars())


@dataclass(frozen=True, slots=True)
class EventChanges:
    """Differences between the table `event` and the events found: rows to write, keys to remove."""

    written: tuple[EventRow, ...]
    removed: tuple[str, ...]


def differences(connection: Connection, found: Iterable[EventRow], *, all_found: bool) -> EventChanges:
    """Compare events with the stored ones; each replaces the one with the same key.

    all_found: `found` is complete, so other stored events are removed, except those that a saved query names.
    """
    wanted = {one.key: one for one in found}
    stored = {row.key: tuple(row) for row in connection.execute(_stored)}
    written = tuple(one for one in wanted.values() if stored.get(one.key) != _columns(one))
    gone = stored.keys() - wanted.keys() if all_found else set()
    return EventChanges(written, tuple(sorted(gone - _named_by_saved_queries(connection)) if gone else ()))


def apply(connection: Connection, changes: EventChanges, *, at: float) -> None:
    """Write and remove events; `at`: when they were found (UTC seconds since 1970)."""
    names = [column.name for column in _stored.selected_columns]
    rows = [{**dict(zip(names, _columns(one), strict=True)), "found_at": at} for one in changes.written]
    if rows:
        statement = upsert(event)
        changed = {column.name: statement.excluded[column.name] for column in event.c if not column.primary_key}
        connection.execute(statement.on_conflict_do_update(index_elements=[event.c.key], set_=changed), rows)
    for some in chunks(changes.removed, _KEYS_PER_STATEMENT):
        connection.execute(delete(event).where(event.c.key.in_(some)))


_stored = select(
    event.c.key, event.c.kind, event.c.title, event.c.words, event.c.first_at, event.c.last_at, event.c.photos
)


def _columns(one: EventRow) -> tuple[object, ...]:
    """Return the stored columns of an event, in the order of `_stored`."""
    return one.key, one.kind, one.title, _words(one.title, *one.names), one.first_at, one.last_at, one.photos


def _named_by_saved_queries(connection: Connection) -> set[str]:
    """Return every possible key in saved queries that use `event:`; words that are not keys do no harm."""
    queries = connection.execute(select(saved_query.c.query)).scalars()
    return {key.lower() for query in queries if _MENTION.search(query) for key in _KEY.findall(query)}


def _words(*texts: str) -> str:
    """Return the folded words once each, separated and enclosed by spaces, so that ` word ` matches whole words."""
    words = dict.fromkeys(word for text in texts for word in re.findall(r"\w+", fold(text)))
    return f" {' '.join(words)} "
