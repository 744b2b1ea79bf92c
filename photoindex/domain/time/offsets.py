"""Determining the UTC offset of a photo's time from all available evidence, in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from photoindex.domain.time.path_dates import dates_of_name
from photoindex.domain.time.wall import Wall, parse_offset, parse_wall
from photoindex.domain.time.zones import ZoneOffset, is_at_sea, offset_at, offset_of
from photoindex.types import Facts

_FACTS_WITH_OFFSET = tuple(
    (source, fact)
    for source in ("sidecar", "exif", "xmp", "container", "iptc")
    for fact in ("taken_at", "digitized_at", "modified_at")
)
_GPS_TIMES = (("exif", "gps_at"), ("xmp", "gps_at"), ("sidecar", "gps_at"))
_STEP_SECONDS = 15 * 60
_TOLERANCE_SECONDS = 120
_WEST_MINUTES, _EAST_MINUTES = -12 * 60, 14 * 60
# Besides whole hours. A wrong difference falls on a quarter of an hour in four of fifteen cases; on an offset that has been
# in use anywhere since digital cameras exist, less often.
_ODD_MINUTES = frozenset(
    {-570, -270, -210, -150, 210, 270, 330, 345, 390, 510, 525, 570, 630, 690, 765, 825}
)  # -9:30 -4:30 -3:30 -2:30 +3:30 +4:30 +5:30 +5:45 +6:30 +8:30 +8:45 +9:30 +10:30 +11:30 +12:45 +13:45


@dataclass(frozen=True, slots=True)
class Offset:
    """An offset and its source.

    is_measured: it comes from a clock instead of a map or a setting. is_ambiguous: the hour has two possible offsets.
    """

    minutes: int
    source: str
    is_measured: bool = True
    is_ambiguous: bool = False


@dataclass(frozen=True)
class TimeEvidence:
    """Everything known about a photo's time: all facts, the file name, the zone at the position and the user's home zone."""

    facts: Facts
    name: bytes
    position_zone: str | None
    home_zone: str | None

    @cached_property
    def of_name(self) -> Mapping[str, str]:
        """The dates in the file name, parsed only if nothing better is known."""
        return dates_of_name(self.name)

    def wall(self, source: str, fact: str) -> Wall | None:
        """Return the parsed time of a fact, None if it is missing or invalid."""
        known = self.of_name if source == "name" else self.facts.get(source)
        return parse_wall(known.get(fact)) if isinstance(known, Mapping) else None

    def stated(self, source: str) -> int | None:
        """Return an offset without a time, given by the user or inferred from neighbours, in minutes."""
        known = self.facts.get(source)
        return parse_offset(known.get("utc_offset")) if isinstance(known, Mapping) else None


def offset_of_wall(wall: Wall, source: str, evidence: TimeEvidence) -> Offset | None:
    """Return the offset of a local time from `source`; the first evidence that gives one wins.

    The offset of another source with the same local time ranks after GPS, whose clock cannot be set wrong. An offset of
    zero from another source proves little, because programs write `Z` after local times, and so does IPTC's offset, which
    the format makes mandatory: both rank after the position. A zero from Takeout or a container is ignored: Google treats
    local time as UTC if it does not know better, and so do cameras in video headers.
    """
    corrected = evidence.stated("person")
    if corrected is not None:
        return Offset(corrected, "person")
    if wall.offset_minutes is not None:
        return Offset(wall.offset_minutes, source)
    by_gps = _compared_with_gps(wall, evidence)
    if by_gps is not None:
        return by_gps
    firm, weak = _of_other_facts(wall, evidence)
    return (
        firm
        or _of_position(wall, evidence)
        or _compared_with_instants(wall, evidence)
        or weak
        or _assumed(wall, evidence)
    )


def offset_of_instant(wall: Wall, evidence: TimeEvidence) -> Offset | None:
    """Return the offset of a time in UTC, from the zone of the position or of home, or from the neighbours."""
    corrected = evidence.stated("person")
    if corrected is not None:
        return Offset(corrected, "person")
    zones = ((evidence.position_zone, "position"), (evidence.home_zone, "home"))
    for zone, source in zones:
        known = offset_at(zone, wall.seconds) if zone and not is_at_sea(zone) else None
        if known is not None:
            return Offset(known.minutes, source, is_measured=False)
    minutes = evidence.stated("neighbours")
    return None if minutes is None else Offset(minutes, "neighbours", is_measured=False)


def difference(wall: Wall, utc: Wall) -> int | None:
    """Return the offset in minutes between a local time and a UTC time of the same moment.

    They may be two minutes off (a GPS fix is older than the photo); None if the difference is not an offset in use.
    """
    seconds = wall.seconds - utc.seconds
    minutes = round(seconds / _STEP_SECONDS) * 15
    if abs(seconds - minutes * 60) > _TOLERANCE_SECONDS or not _WEST_MINUTES <= minutes <= _EAST_MINUTES:
        return None
    return minutes if minutes % 60 == 0 or minutes in _ODD_MINUTES else None


def _of_other_facts(wall: Wall, evidence: TimeEvidence) -> tuple[Offset | None, Offset | None]:
    """Return the offsets of the file's other facts with the same local time, to the minute: a reliable and a weak one."""
    weak = None
    for source, fact in _FACTS_WITH_OFFSET:
        known = evidence.facts.get(source)
        text = known.get(fact) if isinstance(known, Mapping) else None
        if not isinstance(text, str) or not text.startswith(wall.minute):
            continue
        other = parse_wall(text)
        if other is not None and other.offset_minutes is not None:
            found = Offset(other.offset_minutes, source)
            if found.minutes and source != "iptc":
                return found, weak
            weak = weak or found
    return None, weak


def _compared_with_gps(wall: Wall, evidence: TimeEvidence) -> Offset | None:
    for source, fact in _GPS_TIMES:
        utc = evidence.wall(source, fact)
        if utc is not None and utc.precision == "second":
            minutes = difference(wall, utc)
            if minutes is not None:
                return Offset(minutes, "gps")
    return None


def _compared_with_instants(wall: Wall, evidence: TimeEvidence) -> Offset | None:
    for source, fact in (("container", "created_utc"), ("takeout", "taken_at"), ("name", "time")):
        utc = evidence.wall(source, fact)
        if utc is None or utc.precision != "second" or (source == "name" and utc.offset_minutes is None):
            continue
        minutes = difference(wall, utc)
        if minutes or (minutes == 0 and source == "name"):
            return Offset(minutes, source)
    return None


def _of_position(wall: Wall, evidence: TimeEvidence) -> Offset | None:
    zone = evidence.position_zone
    known = offset_of(zone, wall.clock) if zone and not is_at_sea(zone) else None
    return None if known is None else _disambiguated(known, "position", wall, evidence)


def _disambiguated(known: ZoneOffset, source: str, wall: Wall, evidence: TimeEvidence) -> Offset:
    """Choose between two possible offsets: by an instant or the neighbours, or else the first, marked as ambiguous."""
    if known.other_minutes is None:
        return Offset(known.minutes, source, is_measured=False)
    measured = _compared_with_instants(wall, evidence)
    for minutes in (measured.minutes if measured else None, evidence.stated("neighbours")):
        if minutes is not None and minutes in (known.minutes, known.other_minutes):
            return Offset(minutes, source, is_measured=False)
    return Offset(known.minutes, source, is_measured=False, is_ambiguous=True)


def _assumed(wall: Wall, evidence: TimeEvidence) -> Offset | None:
    known = offset_of(evidence.home_zone, wall.clock) if evidence.home_zone else None
    if known is not None:
        return _disambiguated(known, "home", wall, evidence)
    minutes = evidence.stated("neighbours")
    return None if minutes is None else Offset(minutes, "neighbours", is_measured=False)
