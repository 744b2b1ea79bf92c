"""Finds the events of a library: days and trips."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        runs: list[list[tuple[range, bool]]] = []
        session = 0
        for trip in [*of_trips, range(len(self._found), len(self._found))]:
            runs += [[(range(day, day + 1), False)] for day in range(session, trip.start)]
            if trip:
                runs.append([(trip, True), *((range(day, day + 1), False) for day in trip)])
            session = trip.stop
        events = iter(self._events([run for top in runs for run in top]))
        tops = [[next(events) for _ in top] for top in runs]
        return [[top[0], *(replace(day, parent=top[0].key) for day in top[1:])] for top in tops]

    def _events(self, runs: list[tuple[range, bool]]) -> Iterator[Event]:
        """Yield the event of each run of sessions, which comes with whether it is a trip."""
        found, moments = self._found, self._found.moments
        if not runs:
            return
        bounds = np.append(found.starts, len(moments.ids))
        firsts, pasts = [run.start for run, _ in runs], [run.stop for run, _ in runs]
        is_trip = [trip for _, trip in runs]
        begins, ends = bounds[firsts], bounds[pasts]
        first_at, last_at = _walls(found.first[firsts]), _walls(found.last[np.subtract(pasts, 1)])
        days, last_days = _days(moments, begins, ends)
        centres = _centres(moments, begins, ends)
        of_file = (_sums(self._of_file.astype(np.int64), begins, ends) > 0).tolist()
        places = self._places(begins, ends)
        keys = titles.unique_keys(
            titles.key(there, at[:10], trip=trip) for there, at, trip in zip(places, first_at, is_trip, strict=True)
        )
        for index, key in enumerate(keys):
            title = titles.title(
                places[index], first_at[index][:10], last_days[index][:10], cities_max=3 if is_trip[index] else 2
            )
            yield Event(
                key=key,
                kind="trip" if is_trip[index] else "day",
                title=title,
                first_at=first_at[index],
                last_at=last_at[index],
                days=days[index],
                photos=int(ends[index] - begins[index]),
                places=places[index],
                latitude=centres[index][0],
                longitude=centres[index][1],
                of_file=of_file[index],
            )

    def _places(self, begins: Numbers, ends: Numbers) -> list[tuple[PlaceName, ...]]:
        """Return the places of each event, most photographed first; ties by id, so that titles are stable."""
        place_ids = self._found.moments.place_ids.tolist()
        return [
            tuple(
                PlaceName(row.city, row.region, row.country, row.country_code, photos)
                for place_id, photos in sorted(
                    Counter(place_ids[begin:end]).items(), key=lambda counted: (-counted[1], counted[0])
                )
                if (row := self._names.get(place_id)) is not None
            )
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        ]


def _days(moments: Moments, begins: Numbers, ends: Numbers) -> tuple[list[int], list[str]]:
    """Return the number of days with photos of each event, and the last of them as its first moment."""
    days = moments.seconds // DAY_SECONDS
    lowest, highest = _reduced(np.minimum, days, begins, ends), _reduced(np.maximum, days, begins, ends)
    counts = np.ones(len(begins), np.int64)
    for index in np.flatnonzero(lowest != highest).tolist():
        counts[index] = len(np.unique(days[begins[index] : ends[index]]))
    return counts.tolist(), _walls(highest * DAY_SECONDS)


def _centres(moments: Moments, begins: Numbers, ends: Numbers) -> list[tuple[float | None, float | None]]:
    """Return the centres of the positions of each event on the sphere, correct across the date line too.

    Degrees to six decimals, None without a position.
    """
    known = ~(np.isnan(moments.latitude) | np.isnan(moments.longitude))
    latitude = np.radians(np.where(known, moments.latitude, 0.0))
    longitude = np.radians(np.where(known, moments.longitude, 0.0))
    across = np.where(known, np.cos(latitude), 0.0)
    x, y, z = (
        _reduced(np.add, one, begins, ends)
        for one in (across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude))
    )
    counts = _sums(known.astype(np.int64), begins, ends)
    x, y, z = (one / np.maximum(counts, 1) for one in (x, y, z))
    degrees = np.degrees(np.arctan2(z, np.hypot(x, y))).tolist(), np.degrees(np.arctan2(y, x)).tolist()
    return [
        (round(one, 6), round(other, 6)) if there else (None, None)
        for one, other, there in zip(*degrees, (counts > 0).tolist(), strict=True)
    ]


def _sums(values: Numbers, begins: Numbers, ends: Numbers) -> Numbers:
    """Return the sum of whole numbers from each begin to each end."""
    totals = np.concatenate(([0], np.cumsum(values)))
    return totals[ends] - totals[begins]


def _reduced(operation: np.ufunc, values: NDArray[Any], begins: Numbers, ends: Numbers) -> NDArray[Any]:
    """Return what an operation makes of the values from each begin to each end, which are not empty."""
    # What lies between an end and the next begin is made, too, and left out; an end may be one beyond the last value.
    pairs = np.stack((begins, ends), axis=1).ravel()
    found: NDArray[Any] = operation.reduceat(np.append(values, values[-1:]), pairs)[::2]
    return found


def _walls(seconds: Numbers) -> list[str]:
    """Return seconds since 1970 as ISO 8601 wall times."""
    return np.datetime_as_string(seconds.astype("datetime64[s]")).tolist()  # type: ignore[no-any-return]
