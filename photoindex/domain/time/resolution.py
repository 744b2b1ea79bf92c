"""Resolving the time of a photo: the best source in `TIMES`, then its UTC offset and instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from photoindex.domain.facts.sources import EMBEDDED, TIMES, TimeSource
from photoindex.domain.time.offsets import Offset, TimeEvidence, difference, offset_of_instant, offset_of_wall
from photoindex.domain.time.path_dates import dates_of_folder, dates_of_mtime
from photoindex.domain.time.wall import PRECISIONS, Wall, is_clock_zero, offset_text, parse_wall

_CONFIDENCE_OF_PARTIAL = 0.6
_CONFIDENCE_OF_AMBIGUOUS = 0.9
_SOURCE_OF_GPS = "gps"
_CONFIDENCE_OF_ZERO = 0.21  # of a clock that was never set: between neighbours and the modification time
_CHARACTERS = {"year": 4, "month": 7, "day": 10}
_STATING_SOURCES = frozenset({"sidecar", *EMBEDDED, "takeout", "name", "folder"})


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
    `+00:00`: the instant is exact and `offset_minutes` is None. A date without seconds has no instant. A day, month or year
    gives way to a date that says more (see `_fullest`). Where a clock starts that was never set (see `is_clock_zero`) counts
    only before the modification time.
    A user's time that ends in `Z`, not in `+00:00`, is known only in UTC.
    """
    stated = _Stated(evidence, folder, mtime_ns)
    zero: PhotoTime | None = None
    for candidate in TIMES:
        if candidate.source == "mtime" and zero is not None:
            break
        wall = stated.wall(candidate)
        if wall is None:
            continue
        if candidate.source == "person":
            if str(evidence.facts[candidate.source][candidate.fact]).endswith("Z"):
                return _of_instant(candidate, candidate.source, wall, offset_of_instant(wall, evidence))
            return _timed(candidate, wall, evidence)
        if not _is_zero(candidate, wall):
            return _fullest(candidate, wall, stated)
        zero = zero or replace(_timed(candidate, wall, evidence), confidence=_CONFIDENCE_OF_ZERO)
    return zero


@dataclass(slots=True)
class _Stated:
    """The dates of all sources; names and folders are parsed only when they are asked for."""

    evidence: TimeEvidence
    folder: bytes
    mtime_ns: int
    _outside: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def wall(self, candidate: TimeSource) -> Wall | None:
        """Return the parsed date of a source, None if it has none that is valid."""
        known = self.evidence.facts.get(candidate.source)
        if known is None and candidate.source in _OUTSIDE_SOURCES:
            if candidate.source not in self._outside:
                read = _OUTSIDE_SOURCES[candidate.source]
                self._outside[candidate.source] = read(self.evidence, self.folder, self.mtime_ns)
            known = self._outside[candidate.source]
        return parse_wall(known.get(candidate.fact)) if isinstance(known, Mapping) else None


def _is_zero(candidate: TimeSource, wall: Wall) -> bool:
    if candidate.source in ("person", "folder"):
        return False
    return is_clock_zero(wall, with_new_year=candidate.source not in ("sidecar", "takeout"))


def _fullest(candidate: TimeSource, wall: Wall, stated: _Stated) -> PhotoTime:
    """Return a source's time, or what another source states more precisely about the same day, month or year.

    Modification dates do not count, as a photo can be saved on its day. A year alone in the file or a sidecar also gives
    way to a date with a day that says the same kind of thing, even of another year; a container's also to names.
    """
    best = _timed(candidate, wall, stated.evidence)
    fuller: tuple[TimeSource, Wall] | None = None
    for other in TIMES if best.precision in _CHARACTERS else ():
        found = stated.wall(other) if other.source in _STATING_SOURCES and other.fact != "modified_at" else None
        if found is None or _rank(found.precision) <= _rank(best.precision) or _is_zero(other, found):
            continue
        time = _timed(other, found, stated.evidence)
        length = _CHARACTERS.get(best.precision)
        if time.taken_at[:length] == best.taken_at[:length]:
            best = time
        elif fuller is None and _is_same_statement(candidate, other) and _rank(found.precision) >= _rank("day"):
            fuller = other, found
    if best.precision == "year" and fuller is not None:
        return _timed(*fuller, stated.evidence)
    return best


def _is_same_statement(one: TimeSource, other: TimeSource) -> bool:
    if (one.source, other.fact) == ("container", "created_utc"):
        return one.fact == "taken_at"  # a video's tag and its header
    if one.source == "container" and other.source in ("takeout", "name", "folder"):
        return one.fact == "taken_at"  # programs write the year of a film's release there
    return {one.source, other.source} <= {"sidecar", *EMBEDDED} and one.fact == other.fact


def _rank(precision: str) -> int:
    return PRECISIONS.index(precision)


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
