"""Resolving the time of a photo: the best source in `TIMES`, then its UTC offset and instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from photoindex.domain.facts.sources import EMBEDDED, TIMES, TimeSource
from photoindex.domain.time.offsets import Offset, TimeEvidence, difference, offset_of_instant, offset_of_wall
from photoindex.domain.time.path_dates import dates_of_folder, dates_of_mtime
from photoindex.domain.time.wall import PRECISIONS, Wall, offset_text, parse_wall

_CONFIDENCE_OF_PARTIAL = 0.6
_CONFIDENCE_OF_AMBIGUOUS = 0.9
_SOURCE_OF_GPS = "gps"
# Not other facts: a UTC time can be on another day than the local time, a modification time is later than both.
_COMPARABLE_FACTS = ("taken_at", "digitized_at")
_CHARACTERS = {"year": 4, "month": 7, "day": 10}


@dataclass(frozen=True, slots=True)
class PhotoTime:
    """When a photo was taken; see the fields of `Resolved`.

    instant_source: what determined the instant: the source of the time if that is UTC, else the source of the offset.
    """

    taken_at: str
    source: str
    confidence: float
    precision: str
    utc: float | None = None
    offset_minutes: int | None = None
    offset_source: str | None = None
    instant_source: str | None = None


def resolve_time(evidence: TimeEvidence, folder: bytes, mtime_ns: int) -> PhotoTime | None:
    """Return the time of the first source in `TIMES` with a valid date, None if there is none.

    A UTC time is converted to local time if its offset can be determined. Otherwise it stays in UTC, written with
    `+00:00`: the instant is exact and `offset_minutes` is None. A date without seconds has no instant. An embedded day,
    month or year is replaced by a consistent, more precise date of another embedded source.
    A user's time that ends in `Z`, not in `+00:00`, is known only in UTC.
    """
    outside: dict[str, Mapping[str, str]] = {}
    for candidate in TIMES:
        known = evidence.facts.get(candidate.source)
        if known is None and candidate.source in _OUTSIDE_SOURCES:
            # Names and folders are parsed only if nothing better was found.
            if candidate.source not in outside:
                outside[candidate.source] = _OUTSIDE_SOURCES[candidate.source](evidence, folder, mtime_ns)
            known = outside[candidate.source]
        text = known.get(candidate.fact) if isinstance(known, Mapping) else None
        wall = parse_wall(text)
        if wall is not None:
            if candidate.source == "person" and str(text).endswith("Z"):
                return _of_instant(candidate, candidate.source, wall, offset_of_instant(wall, evidence))
            return _timed(*_more_precise(candidate, wall, evidence), evidence)
    return None


def _more_precise(candidate: TimeSource, wall: Wall, evidence: TimeEvidence) -> tuple[TimeSource, Wall]:
    """Return a more precise embedded date that is consistent with an embedded partial date, else the date itself."""
    for other in TIMES if candidate.source in EMBEDDED and candidate.fact in _COMPARABLE_FACTS else ():
        length = _CHARACTERS.get(wall.precision)
        if length is None or other.source not in EMBEDDED or other.fact != candidate.fact:
            continue
        found = evidence.wall(other.source, other.fact)
        if found is None or PRECISIONS.index(found.precision) <= PRECISIONS.index(wall.precision):
            continue
        if found.minute[:length] == wall.minute[:length]:
            candidate, wall = other, found
    return candidate, wall


def _timed(candidate: TimeSource, wall: Wall, evidence: TimeEvidence) -> PhotoTime:
    source = _SOURCE_OF_GPS if candidate.fact == "gps_at" else candidate.source
    if wall.precision not in ("second", "minute"):
        is_embedded = candidate.source not in _OUTSIDE_SOURCES and candidate.source not in ("person", "neighbours")
        confidence = round(candidate.confidence * _CONFIDENCE_OF_PARTIAL, 3) if is_embedded else candidate.confidence
        return PhotoTime(wall.text, source, confidence, wall.precision)
    is_utc = not wall.offset_minutes and (candidate.is_utc or (candidate.source == "name" and wall.offset_minutes == 0))
    if candidate.fact == "created_utc" and wall.offset_minutes is None:
        is_utc = False  # the wall clock of an AVI, in libraries that were scanned before the readers told it from UTC
    offset: Offset | None = None
    if is_utc:
        is_wall, offset = _compared_with_local_time(candidate, wall, evidence)
        is_utc = not is_wall
    if is_utc:
        return _of_instant(candidate, source, wall, offset or offset_of_instant(wall, evidence))
    return _of_wall(candidate, source, wall, offset_of_wall(_without_utc(candidate, wall), source, evidence))


def _without_utc(candidate: TimeSource, wall: Wall) -> Wall:
    """Remove `+00:00` from a time that was supposed to be UTC but turned out to be local."""
    return replace(wall, offset_minutes=None) if candidate.is_utc and not wall.offset_minutes else wall


def _compared_with_local_time(candidate: TimeSource, wall: Wall, evidence: TimeEvidence) -> tuple[bool, Offset | None]:
    """Compare a UTC time with the local time in the file name or in EXIF's modification date.

    Returns whether it is local time after all, and otherwise the offset. If both are equal, either local time is UTC or the
    camera wrote local time instead of UTC, as many do in QuickTime's header; GPS time is the exception.
    """
    for source, fact in (("name", "time"), ("exif", "modified_at")):
        shown = evidence.wall(source, fact)
        if shown is None or shown.precision != "second" or shown.offset_minutes is not None:
            continue
        minutes = difference(shown, wall)
        if minutes == 0 and candidate.fact != "gps_at":
            return True, None
        if minutes is not None:
            return False, Offset(minutes, source)
    return False, None


def _of_wall(candidate: TimeSource, source: str, wall: Wall, offset: Offset | None) -> PhotoTime:
    if offset is None:
        return PhotoTime(wall.text, source, candidate.confidence, wall.precision)
    is_exact = wall.precision == "second"
    return PhotoTime(
        wall.text + offset_text(offset.minutes),
        source,
        _confidence(candidate, offset),
        wall.precision,
        wall.instant(offset.minutes) if is_exact else None,
        offset.minutes,
        offset.source,
        offset.source if is_exact else None,
    )


def _of_instant(candidate: TimeSource, source: str, utc: Wall, offset: Offset | None) -> PhotoTime:
    is_exact = utc.precision == "second"
    instant, instant_source = (utc.instant(0), source) if is_exact else (None, None)
    local = None if offset is None else utc.moved(offset.minutes)
    if offset is None or local is None:
        return PhotoTime(
            utc.text + offset_text(0),
            source,
            candidate.confidence,
            utc.precision,
            instant,
            instant_source=instant_source,
        )
    return PhotoTime(
        local.text + offset_text(offset.minutes),
        source,
        _confidence(candidate, offset),
        utc.precision,
        instant,
        offset.minutes,
        offset.source,
        instant_source,
    )


def _confidence(candidate: TimeSource, offset: Offset) -> float:
    if offset.is_measured:
        return candidate.confidence_with_offset
    return round(candidate.confidence * _CONFIDENCE_OF_AMBIGUOUS, 3) if offset.is_ambiguous else candidate.confidence


_OUTSIDE_SOURCES: dict[str, Callable[[TimeEvidence, bytes, int], Mapping[str, str]]] = {
    "name": lambda evidence, _folder, _mtime_ns: evidence.of_name,
    "folder": lambda _evidence, folder, _mtime_ns: dates_of_folder(folder),
    "mtime": lambda evidence, _folder, mtime_ns: dates_of_mtime(mtime_ns, evidence.name),
}
"""Sources outside the file's content and how to read them."""
