"""Finds the events of a library: days and trips."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

import numpy as np

from photoindex.domain.events import titles
from photoindex.domain.events.sessions import (
    DAY_SECONDS,
    WHOLE_DAY_GAP_SECONDS,
    Moments,
    Numbers,
    Sessions,
    find_sessions,
)
from photoindex.domain.events.titles import PlaceName
from photoindex.domain.events.trips import homes, trips
from photoindex.errors import DatabaseFailed, LibraryLocked, NothingFound, StorageFull
from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.store.engine.errors import is_read_only
from photoindex.store.photos import events as event_rows
from photoindex.store.photos.events import EventRow, PhotoTimes, PlaceRow

DEFAULT_GAP_SECONDS = WHOLE_DAY_GAP_SECONDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to return.

    words: a query as command-line words, empty for all photos. gap_seconds: a longer time without a photo ends an event.
    min_photos: events with fewer photos are not returned. limit: only the newest; a trip with its days counts as one.
    of_file: also photos that have no time but the modification time of their file, which says little.
    """

    words: Sequence[str] = ()
    gap_seconds: int = DEFAULT_GAP_SECONDS
    min_photos: int = 1
    limit: int | None = None
    of_file: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One day or trip.

    first_at, last_at: ISO 8601 local wall time to the second, inclusive. days: number of local days with photos. places:
    most photographed first. latitude, longitude: the centre of its photos in degrees, None without positions. parent: key
    of the trip that a day belongs to. of_file: some of its photos have no time but their file's.
    """

    key: str
    kind: str
    title: str
    first_at: str
    last_at: str
    days: int
    photos: int
    places: tuple[PlaceName, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    parent: str | None = None
    of_file: bool = False


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """Events, newest first, each trip followed by its days in chronological order; and counts of photos without event.

    without_day: photos with only a month or year. undated: photos without a time. of_file: photos with only their file's
    time, which were not asked for. not_kept: why the events could not be stored in the library, None if they were.
    """

    events: tuple[Event, ...]
    without_day: int
    undated: int
    not_kept: str | None = None
    of_file: int = 0


def events(library: Library, query: EventQuery) -> FoundEvents:
    """Find the events of the matching photos, store them in the table `event` and return the requested ones.

    New and changed events are written in one transaction, replacing events with the same key. With all photos and the
    default gap, events that are no longer found are removed unless a saved query names them; otherwise they stay. `event:`
    matches every photo between the start and end of an event, whichever query found it. If the library is locked or
    read-only or its disk is full, nothing is stored and `not_kept` says why. Raises UsageError for a query that cannot be parsed.
    """
    found = _find(library, query)
    not_kept = None
    try:
        _store(library, found.tops, query)
    except (LibraryLocked, StorageFull) as error:
        not_kept = str(error)
    except DatabaseFailed as error:
        if not library.unwritable and not is_read_only(error):
            raise
        not_kept = str(error)
    return FoundEvents(_requested(found.tops, query), found.without_day, found.undated, not_kept, found.of_file)


def found_events(library: Library) -> list[Event]:
    """Return the events of all photos in chronological order, each trip followed by its days; nothing is stored."""
    return [event for top in _find(library, EventQuery()).tops for event in top]


@dataclass(frozen=True, slots=True)
class _Found:
    """All events in chronological order, each trip followed by its days; and counts of photos without event."""

    tops: list[list[Event]]
    without_day: int
    undated: int
    of_file: int


def _find(library: Library, query: EventQuery) -> _Found:
    matching = np.asarray(matching_photo_ids(library, query.words), np.int64)
    with library.database.read() as connection:
        times = event_rows.photo_times(connection)
        names = event_rows.place_names(connection)
    moments = _moments(times)
    of_file = np.asarray(times.of_file)
    if not query.of_file:
        moments = moments.chosen(~np.isin(moments.ids, of_file))
    found = find_sessions(moments.chosen(np.isin(moments.ids, matching)), query.gap_seconds)
    return _Found(
        tops=_Namer(found, names, of_file).events([*trips(found, homes(moments))]),
        without_day=int(np.isin(times.without_day, matching).sum()),
        undated=int(np.isin(times.undated, matching).sum()),
        of_file=0 if query.of_file else int(np.isin(of_file, matching).sum()),
    )


def _store(library: Library, tops: list[list[Event]], query: EventQuery) -> None:
    rows = [_row(event) for top in tops for event in top]
    all_found = not query.words and query.gap_seconds == DEFAULT_GAP_SECONDS and not query.of_file
    with library.database.read() as connection:
        changes = event_rows.differences(connection, rows, all_found=all_found)
    if not changes.written and not changes.removed:
        return
    with library.database.write() as connection:
        # A query may have been saved in the meantime.
        changes = event_rows.differences(connection, rows, all_found=all_found)
        event_rows.apply(connection, changes, at=time.time())


def save(library: Library, key: str, name: str | None = None) -> tuple[str, str]:
    """Save the query for an event under a name, by default its key; return the name and the query.

    If the key is not known yet, the events of all photos are found first. Raises NothingFound for an unknown key,
    LibraryLocked and DatabaseFailed if nothing can be written.
    """
    from photoindex.library.search import saved

    known = _known_keys(library)
    if key not in known:
        everything = EventQuery()
        _store(library, _find(library, everything).tops, everything)
        known = _known_keys(library)
    if key not in known:
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "list all with: photoindex events"
        raise NothingFound(f"there is no event {key}; {hint}")
    query = f"event:{key}"
    saved.save(library, name or key, query)
    return name or key, query


def _known_keys(library: Library) -> list[str]:
    with library.database.read() as connection:
        return event_rows.known_keys(connection)


def _requested(tops: list[list[Event]], query: EventQuery) -> tuple[Event, ...]:
    enough = ([event for event in top if event.photos >= query.min_photos] for top in reversed(tops))
    return tuple(event for top in [top for top in enough if top][: query.limit] for event in top)


def _moments(times: PhotoTimes) -> Moments:
    return Moments(
        ids=np.asarray(times.ids),
        seconds=np.asarray(times.seconds),
        day_only=np.asarray(times.day_only).astype(np.bool_),
        latitude=np.asarray(times.latitude),
        longitude=np.asarray(times.longitude),
        place_ids=np.asarray(times.place_ids),
    )


def _row(event: Event) -> EventRow:
    names = [name for place in event.places for name in (place.city, place.region, place.country) if name]
    return EventRow(event.key, event.kind, event.title, tuple(names), event.first_at, event.last_at, event.photos)


class _Namer:
    """Creates events from sessions, with counts, places, titles and keys."""

    def __init__(self, found: Sessions, names: dict[int, PlaceRow], of_file: Numbers) -> None:
        self._found = found
        self._of_file = np.isin(found.moments.ids, of_file)
        self._names = names

    def events(self, of_trips: list[range]) -> list[list[Event]]:
        """Return each trip followed by its days, and each other day alone, in chronological order."""
        tops: list[list[Event]] = []
        session = 0
        for trip in [*of_trips, range(len(self._found), len(self._found))]:
            tops += [[self._event(range(day, day + 1), "day")] for day in range(session, trip.start)]
            if trip:
                tops.append([self._event(trip, "trip"), *(self._event(range(day, day + 1), "day") for day in trip)])
            session = trip.stop
        return _with_unique_keys(tops)

    def _event(self, run: range, kind: str) -> Event:
        found = self._found
        photos = slice(found.photos(run[0]).start, found.photos(run[-1]).stop)
        first, last = int(found.first[run[0]]), int(found.last[run[-1]])
        days = np.unique(found.moments.seconds[photos] // DAY_SECONDS)
        first_day, last_day = _wall(first)[:10], _wall(int(days[-1]) * DAY_SECONDS)[:10]
        places = self._places(found.moments.place_ids[photos])
        latitude, longitude = _centre(found.moments, photos)
        return Event(
            key=titles.key(places, first_day, trip=kind == "trip"),
            kind=kind,
            title=titles.title(places, first_day, last_day, cities_max=3 if kind == "trip" else 2),
            first_at=_wall(first),
            last_at=_wall(last),
            days=len(days),
            photos=photos.stop - photos.start,
            places=places,
            latitude=latitude,
            longitude=longitude,
            of_file=bool(self._of_file[photos].any()),
        )

    def _places(self, place_ids: Numbers) -> tuple[PlaceName, ...]:
        """Return the places, most photographed first; ties by id, so that titles are stable."""
        ids, counts = np.unique(place_ids, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        pairs = zip(ids[order].tolist(), counts[order].tolist(), strict=True)
        known = ((self._names[place_id], photos) for place_id, photos in pairs if place_id in self._names)
        return tuple(PlaceName(row.city, row.region, row.country, row.country_code, photos) for row, photos in known)


def _with_unique_keys(tops: list[list[Event]]) -> list[list[Event]]:
    keys = iter(titles.unique_keys(event.key for top in tops for event in top))
    unique = []
    for top in tops:
        events_of_top = [replace(event, key=next(keys)) for event in top]
        parent = events_of_top[0].key
        unique.append([events_of_top[0], *(replace(day, parent=parent) for day in events_of_top[1:])])
    return unique


def _centre(moments: Moments, photos: slice) -> tuple[float | None, float | None]:
    """Return the centre of positions on the sphere, correct across the date line too; degrees to six decimals."""
    latitude, longitude = np.radians(moments.latitude[photos]), np.radians(moments.longitude[photos])
    known = ~(np.isnan(latitude) | np.isnan(longitude))
    if not known.any():
        return None, None
    latitude, longitude = latitude[known], longitude[known]
    x = float(np.mean(np.cos(latitude) * np.cos(longitude)))
    y = float(np.mean(np.cos(latitude) * np.sin(longitude)))
    z = float(np.mean(np.sin(latitude)))
    return round(float(np.degrees(np.arctan2(z, np.hypot(x, y)))), 6), round(float(np.degrees(np.arctan2(y, x))), 6)


def _wall(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
