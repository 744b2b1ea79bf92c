"""The time of a photo: the first place in the order that knows it, then its offset and its instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from photoindex.domain.facts.sources import EMBEDDED, TIMES, TimeSource
from photoindex.domain.time.offsets import Offset, Witnesses, difference, offset_of_instant, offset_of_wall
from photoindex.domain.time.path_dates import dates_of_folder, dates_of_mtime
from photoindex.domain.time.wall import PRECISIONS, Wall, offset_text, parse_wall

_CONFIDENCE_OF_PARTIAL = 0.6
_CONFIDENCE_OF_AMBIGUOUS = 0.9
_SOURCE_OF_GPS = "gps"
_SAME = (
    "taken_at",
    "digitized_at",
)  # an instant in UTC can be of another day than the wall time, a change later than both
_CHARACTERS = {"year": 4, "month": 7, "day": 10}


@dataclass(frozen=True, slots=True)
class PhotoTime:
    """When a photo was taken, as the fields of `Resolved` say it.

    instant_source: what made the instant known: the place of the time where that holds UTC, else what gave the offset.
    """

    taken_at: str
    source: str
    confidence: float
    precision: str
    utc: float | None = None
    offset_minutes: int | None = None
    offset_source: str | None = None
    instant_source: str | None = None


def resolve_time(witnesses: Witnesses, folder: bytes, mtime_ns: int) -> PhotoTime | None:
    """Return the time that the first place of `TIMES` with a real date gives, None where none has one.

    A time in UTC is turned into local wall time where an offset can be known. Where none can, it stays in UTC, written
    with `+00:00`: its instant is exact, its `offset_minutes` is None. A date without its seconds has no instant. A mere day,
    month or year that is embedded gives way to what another embedded source says of the same more exactly.
    A person's time that ends in `Z`, not in `+00:00`, is known in UTC alone.
    """
    around: dict[str, Mapping[str, str]] = {}
    for place in TIMES:
        known = witnesses.facts.get(place.source)
        if known is None and place.source in _AROUND:
            # Names and folders are read only where nothing better was found.
            if place.source not in around:
                around[place.source] = _AROUND[place.source](witnesses, folder, mtime_ns)
            known = around[place.source]
        stated = known.get(place.fact) if isinstance(known, Mapping) else None
        wall = parse_wall(stated)
        if wall is not None:
            if place.source == "person" and str(stated).endswith("Z"):
                return _of_instant(place, place.source, wall, offset_of_instant(wall, witnesses))
            return _timed(*_fuller(place, wall, witnesses), witnesses)
    return None


def _fuller(place: TimeSource, wall: Wall, witnesses: Witnesses) -> tuple[TimeSource, Wall]:
    """Return the embedded statement that says the same as an embedded partial date more exactly, else what was given."""
    for other in TIMES if place.source in EMBEDDED and place.fact in _SAME else ():
        length = _CHARACTERS.get(wall.precision)
        if length is None or other.source not in EMBEDDED or other.fact != place.fact:
            continue
        found = witnesses.wall(other.source, other.fact)
        if found is None or PRECISIONS.index(found.precision) <= PRECISIONS.index(wall.precision):
            continue
        if found.minute[:length] == wall.minute[:length]:
            place, wall = other, found
    return place, wall


def _timed(place: TimeSource, wall: Wall, witnesses: Witnesses) -> PhotoTime:
    source = _SOURCE_OF_GPS if place.fact == "gps_at" else place.source
    if wall.precision not in ("second", "minute"):
        is_embedded = place.source not in _AROUND and place.source not in ("person", "neighbours")
        confidence = round(place.confidence * _CONFIDENCE_OF_PARTIAL, 3) if is_embedded else place.confidence
        return PhotoTime(wall.text, source, confidence, wall.precision)
    is_utc = not wall.offset_minutes and (place.is_utc or (place.source == "name" and wall.offset_minutes == 0))
    offset: Offset | None = None
    if is_utc:
        is_wall, offset = _seen_by_a_clock(place, wall, witnesses)
        is_utc = not is_wall
    if is_utc:
        return _of_instant(place, source, wall, offset or offset_of_instant(wall, witnesses))
    return _of_wall(place, source, wall, offset_of_wall(_without_utc(place, wall), source, witnesses))


def _without_utc(place: TimeSource, wall: Wall) -> Wall:
    """Return a time that was taken for UTC and proved to be local, without its `+00:00`."""
    return replace(wall, offset_minutes=None) if place.is_utc and not wall.offset_minutes else wall


def _seen_by_a_clock(place: TimeSource, wall: Wall, witnesses: Witnesses) -> tuple[bool, Offset | None]:
    """Compare a time in UTC with what a clock on the wall showed, in the file's name or in EXIF's date of change.

    Returns whether it is wall time after all, else the offset. Where both show the same, either the place is on UTC or the
    camera writes local time where UTC belongs, as many do in QuickTime's header; only satellites are beyond that doubt.
    """
    for source, fact in (("name", "time"), ("exif", "modified_at")):
        shown = witnesses.wall(source, fact)
        if shown is None or shown.precision != "second" or shown.offset_minutes is not None:
            continue
        minutes = difference(shown, wall)
        if minutes == 0 and place.fact != "gps_at":
            return True, None
        if minutes is not None:
            return False, Offset(minutes, source)
    return False, None


def _of_wall(place: TimeSource, source: str, wall: Wall, offset: Offset | None) -> PhotoTime:
    if offset is None:
        return PhotoTime(wall.text, source, place.confidence, wall.precision)
    is_exact = wall.precision == "second"
    return PhotoTime(
        wall.text + offset_text(offset.minutes),
        source,
        _confidence(place, offset),
        wall.precision,
        wall.instant(offset.minutes) if is_exact else None,
        offset.minutes,
        offset.source,
        offset.source if is_exact else None,
    )


def _of_instant(place: TimeSource, source: str, utc: Wall, offset: Offset | None) -> PhotoTime:
    is_exact = utc.precision == "second"
    instant, instant_source = (utc.instant(0), source) if is_exact else (None, None)
    local = None if offset is None else utc.moved(offset.minutes)
    if offset is None or local is None:
        return PhotoTime(
            utc.text + offset_text(0), source, place.confidence, utc.precision, instant, instant_source=instant_source
        )
    return PhotoTime(
        local.text + offset_text(offset.minutes),
        source,
        _confidence(place, offset),
        utc.precision,
        instant,
        offset.minutes,
        offset.source,
        instant_source,
    )


def _confidence(place: TimeSource, offset: Offset) -> float:
    if offset.is_measured:
        return place.confidence_with_offset
    return round(place.confidence * _CONFIDENCE_OF_AMBIGUOUS, 3) if offset.is_ambiguous else place.confidence


_AROUND: dict[str, Callable[[Witnesses, bytes, int], Mapping[str, str]]] = {
    "name": lambda witnesses, _folder, _mtime_ns: witnesses.of_name,
    "folder": lambda _witnesses, folder, _mtime_ns: dates_of_folder(folder),
    "mtime": lambda witnesses, _folder, mtime_ns: dates_of_mtime(mtime_ns, witnesses.name),
}
"""The sources outside the content and how they are read."""
