"""How far from UTC the clock on the wall stood when a photo was taken: every witness in its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from photoindex.domain.time.path_dates import dates_of_name
from photoindex.domain.time.wall import Wall, parse_offset, parse_wall
from photoindex.domain.time.zones import ZoneOffset, is_at_sea, offset_at, offset_of
from photoindex.types import Facts

_STATING = tuple(
    (source, fact)
    for source in ("sidecar", "exif", "xmp", "container", "iptc")
    for fact in ("taken_at", "digitized_at", "modified_at")
)
_SATELLITES = (("exif", "gps_at"), ("xmp", "gps_at"), ("sidecar", "gps_at"))
_STEP_SECONDS = 15 * 60
_TOLERANCE_SECONDS = 120
_WEST_MINUTES, _EAST_MINUTES = -12 * 60, 14 * 60
# Besides whole hours. A clock that was read late lands on a quarter of an hour in four of fifteen cases; on an offset that
# some place on earth has had in the time of digital cameras, less often.
_ODD_MINUTES = frozenset(
    {-570, -270, -210, -150, 210, 270, 330, 345, 390, 510, 525, 570, 630, 690, 765, 825}
)  # -9:30 -4:30 -3:30 -2:30 +3:30 +4:30 +5:30 +5:45 +6:30 +8:30 +8:45 +9:30 +10:30 +11:30 +12:45 +13:45


@dataclass(frozen=True, slots=True)
class Offset:
    """An offset and who gave it.

    is_measured: a clock showed it, rather than a map or a setting. is_ambiguous: the hour has two answers.
    """

    minutes: int
    source: str
    is_measured: bool = True
    is_ambiguous: bool = False


@dataclass(frozen=True)
class Witnesses:
    """What there is to ask: all facts, the file's name, the zone at the position and the zone of the user's home."""

    facts: Facts
    name: bytes
    position_zone: str | None
    home_zone: str | None

    @cached_property
    def of_name(self) -> Mapping[str, str]:
        """The dates in the file's name, which are looked for only where nothing better is known."""
        return dates_of_name(self.name)

    def wall(self, source: str, fact: str) -> Wall | None:
        """Return a stated time taken apart, None where there is none that can be read."""
        known = self.of_name if source == "name" else self.facts.get(source)
        return parse_wall(known.get(fact)) if isinstance(known, Mapping) else None

    def stated(self, source: str) -> int | None:
        """Return the bare offset that a person gave or neighbours have, in minutes."""
        known = self.facts.get(source)
        return parse_offset(known.get("utc_offset")) if isinstance(known, Mapping) else None


def offset_of_wall(wall: Wall, source: str, witnesses: Witnesses) -> Offset | None:
    """Return the offset of a time on the wall that `source` gave; the first witness that knows it is believed.

    What another source states behind the same wall time is heard after satellites, which cannot be set wrong. A zero of
    another's proves little, as programs write `Z` behind local time, and so does IPTC's offset, which the format does not
    let a program leave away: both are heard after the position. A zero of Takeout's or of a container's is not heard at
    all: Google takes local time for UTC where it has no better idea, and so do cameras in the header of a video.
    """
    corrected = witnesses.stated("person")
    if corrected is not None:
        return Offset(corrected, "person")
    if wall.offset_minutes is not None:
        return Offset(wall.offset_minutes, source)
    satellites = _against_satellites(wall, witnesses)
    if satellites is not None:
        return satellites
    firm, weak = _stated_by_others(wall, witnesses)
    return (
        firm or _of_position(wall, witnesses) or _against_instants(wall, witnesses) or weak or _assumed(wall, witnesses)
    )


def offset_of_instant(wall: Wall, witnesses: Witnesses) -> Offset | None:
    """Return the offset of a time in UTC; there is no clock on the wall to compare with, so zones answer without doubt."""
    corrected = witnesses.stated("person")
    if corrected is not None:
        return Offset(corrected, "person")
    zones = ((witnesses.position_zone, "position"), (witnesses.home_zone, "home"))
    for zone, source in zones:
        known = offset_at(zone, wall.seconds) if zone and not is_at_sea(zone) else None
        if known is not None:
            return Offset(known.minutes, source, is_measured=False)
    minutes = witnesses.stated("neighbours")
    return None if minutes is None else Offset(minutes, "neighbours", is_measured=False)


def difference(wall: Wall, utc: Wall) -> int | None:
    """Return the offset in minutes that a wall time has if it names the same moment as a time in UTC.

    Both may be two minutes apart (a satellite's fix is older than the photo); None where what is left is no offset that
    any place has.
    """
    seconds = wall.seconds - utc.seconds
    minutes = round(seconds / _STEP_SECONDS) * 15
    if abs(seconds - minutes * 60) > _TOLERANCE_SECONDS or not _WEST_MINUTES <= minutes <= _EAST_MINUTES:
        return None
    return minutes if minutes % 60 == 0 or minutes in _ODD_MINUTES else None


def _stated_by_others(wall: Wall, witnesses: Witnesses) -> tuple[Offset | None, Offset | None]:
    """Return what the file's other sources state behind the same wall time, to the minute: one to be relied on, a weak one."""
    weak = None
    for source, fact in _STATING:
        known = witnesses.facts.get(source)
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


def _against_satellites(wall: Wall, witnesses: Witnesses) -> Offset | None:
    for source, fact in _SATELLITES:
        utc = witnesses.wall(source, fact)
        if utc is not None and utc.precision == "second":
            minutes = difference(wall, utc)
            if minutes is not None:
                return Offset(minutes, "gps")
    return None


def _against_instants(wall: Wall, witnesses: Witnesses) -> Offset | None:
    for source, fact in (("container", "created_utc"), ("takeout", "taken_at"), ("name", "time")):
        utc = witnesses.wall(source, fact)
        if utc is None or utc.precision != "second" or (source == "name" and utc.offset_minutes is None):
            continue
        minutes = difference(wall, utc)
        if minutes or (minutes == 0 and source == "name"):
            return Offset(minutes, source)
    return None


def _of_position(wall: Wall, witnesses: Witnesses) -> Offset | None:
    zone = witnesses.position_zone
    known = offset_of(zone, wall.clock) if zone and not is_at_sea(zone) else None
    return None if known is None else _settled(known, "position", wall, witnesses)


def _settled(known: ZoneOffset, source: str, wall: Wall, witnesses: Witnesses) -> Offset:
    """Choose between the two answers of an hour that has two: by an instant or the neighbours, else the first with doubt."""
    if known.other_minutes is None:
        return Offset(known.minutes, source, is_measured=False)
    measured = _against_instants(wall, witnesses)
    for minutes in (measured.minutes if measured else None, witnesses.stated("neighbours")):
        if minutes is not None and minutes in (known.minutes, known.other_minutes):
            return Offset(minutes, source, is_measured=False)
    return Offset(known.minutes, source, is_measured=False, is_ambiguous=True)


def _assumed(wall: Wall, witnesses: Witnesses) -> Offset | None:
    known = offset_of(witnesses.home_zone, wall.clock) if witnesses.home_zone else None
    if known is not None:
        return _settled(known, "home", wall, witnesses)
    minutes = witnesses.stated("neighbours")
    return None if minutes is None else Offset(minutes, "neighbours", is_measured=False)
