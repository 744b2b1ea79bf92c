"""Properties of time resolution: one order of sources decides, and local time, offset and instant are consistent."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from photoindex.domain.facts.resolve import resolve
from photoindex.domain.facts.sources import EMBEDDED, PRIORITIES, TIMES, TimeSource
from photoindex.domain.time.neighbours import Timed, dates_between, neighbour_facts
from photoindex.domain.time.wall import PRECISIONS, is_clock_zero, offset_text, parse_wall
from photoindex.domain.time.zones import offset_of
from photoindex.types import Resolved
from tests.series import SOAKING, examples

repeatable = settings(derandomize=not SOAKING, deadline=None, max_examples=examples())

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "Europe/Berlin", "Europe/Lisbon", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo",
    "America/St_Johns", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Tehran", "Africa/Casablanca", "Pacific/Apia", "America/Caracas", "Antarctica/Troll", "UTC",
)  # fmt: skip
STATED = tuple(place for place in TIMES if place.source not in ("name", "folder", "mtime"))

offsets_minutes = st.one_of(st.integers(-48, 56).map(lambda quarter: quarter * 15), st.integers(-720, 840))
walls = st.datetimes(min_value=datetime.fromisoformat("0001-01-01"), max_value=datetime.fromisoformat("9999-12-31"))
near_walls = st.datetimes(
    min_value=datetime.fromisoformat("1965-01-01"), max_value=datetime.fromisoformat("2037-12-31")
)
zones = st.one_of(st.none(), st.sampled_from(ZONES))


@st.composite
def iso_times(draw: st.DrawFn) -> str:
    """Generate times as in a source: exact or partial, with or without an offset, sometimes a leap second."""
    text = draw(st.one_of(walls, near_walls)).isoformat(timespec=draw(st.sampled_from(["seconds", "milliseconds"])))
    length = draw(st.sampled_from([4, 7, 10, 16, None, None, None, None]))
    if length is None and draw(st.integers(0, 9)) == 0:
        text = f"{text[:16]}:60"
    text = text[:length]
    return text + draw(st.one_of(st.just(""), offsets_minutes.map(offset_text))) if "T" in text else text


@st.composite
def positions(draw: st.DrawFn) -> dict[str, float]:
    return {"latitude": draw(st.floats(-90, 90)), "longitude": draw(st.floats(-180, 180))}


@st.composite
def time_facts(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Generate times of some sources in the table, with possible evidence for their offset."""
    facts: dict[str, dict[str, Any]] = {}
    for place in draw(st.lists(st.sampled_from(STATED), unique=True, max_size=6)):
        facts.setdefault(place.source, {})[place.fact] = draw(iso_times())
    if draw(st.booleans()):
        facts.setdefault(draw(st.sampled_from(["sidecar", "exif", "takeout"])), {}).update(draw(positions()))
    if draw(st.booleans()):
        facts.setdefault("neighbours", {})["utc_offset"] = offset_text(draw(offsets_minutes))
    return facts


names = st.sampled_from(
    [
        "a.jpg",
        "IMG_20190601_123456.jpg",
        "PXL_20190601_103456000.jpg",
        "IMG-20190601-WA0001.jpg",
        "Scan 1985-06-01 12.34",
    ]
)


def resolved(facts: Any, name: str = "a.jpg", home_zone: str | None = None) -> Resolved:
    return resolve(facts, name=name.encode(), folder=b"2015/06", mtime_ns=1_600_000_000 * 10**9, home_zone=home_zone)


def label(place: TimeSource) -> str:
    return "gps" if place.fact == "gps_at" else place.source


def is_fuller(result: Resolved, place: TimeSource, stated: str) -> bool:
    """Return whether a date says more than a partial date: the same more precisely, or a day where that is a year alone."""
    assert result.taken_at is not None
    assert result.taken_at_precision is not None
    precision = {4: "year", 7: "month", 10: "day"}.get(len(stated))
    if precision is None or place.source == "person":
        return False
    if result.taken_at.startswith(stated):
        return PRECISIONS.index(result.taken_at_precision) > PRECISIONS.index(precision)
    files_own = {"sidecar", *EMBEDDED}
    return precision == "year" and files_own >= {place.source, result.taken_at_source} and result.taken_at_precision in (
        "day", "minute", "second",
    )  # fmt: skip


def is_zero(text: str) -> bool:
    wall = parse_wall(text)
    return wall is not None and is_clock_zero(wall)


@repeatable
@given(time_facts(), names, zones, st.randoms(use_true_random=False))
def test_the_order_of_the_sources_does_not_matter(
    facts: dict[str, dict[str, Any]], name: str, zone: str | None, random: Any
) -> None:
    shuffled = []
    for source, values in facts.items():
        inner = list(values.items())
        random.shuffle(inner)
        shuffled.append((source, dict(inner)))
    random.shuffle(shuffled)
    assert resolved(dict(shuffled), name, zone) == resolved(facts, name, zone)


@repeatable
@given(st.lists(st.tuples(st.sampled_from(STATED), iso_times()), min_size=1, max_size=8), positions(), zones)
def test_the_first_source_of_the_table_wins_unless_another_one_says_more(
    stated: list[tuple[TimeSource, str]], position: dict[str, float], zone: str | None
) -> None:
    facts: dict[str, dict[str, Any]] = {"takeout": dict(position)}
    for place, text in stated:
        facts.setdefault(place.source, {})[place.fact] = text
    counting = [
        place for place, _ in stated if place.source == "person" or not is_zero(facts[place.source][place.fact])
    ]
    first = min(counting, key=TIMES.index, default=TIMES[-1])
    if TIMES.index(first) < TIMES.index(next(place for place in TIMES if place.source == "folder")):
        result = resolved(facts, home_zone=zone)
        assert result.sources["taken_at"] == result.taken_at_source
        if result.taken_at_source != label(first):
            assert is_fuller(result, first, facts[first.source][first.fact])
        elif not first.is_utc:
            assert result.taken_at is not None
            assert result.taken_at[:16].startswith(facts[first.source][first.fact][:16])


@repeatable
@given(time_facts(), st.sampled_from(STATED), iso_times(), names)
def test_adding_a_lower_source_never_changes_the_winner(
    facts: dict[str, dict[str, Any]], added: TimeSource, text: str, name: str
) -> None:
    before = resolved(facts, name)
    labels = [label(place) for place in TIMES]
    assert before.taken_at_source is not None
    if before.taken_at_confidence == 0.21:  # a clock that was never set gives way to anything
        return
    if TIMES.index(added) > len(labels) - 1 - labels[::-1].index(before.taken_at_source):
        after = resolved({**facts, added.source: {added.fact: text, **facts.get(added.source, {})}}, name)
        if (after.taken_at_source, after.taken_at_precision) != (before.taken_at_source, before.taken_at_precision):
            winner = next(place for place in TIMES if label(place) == before.taken_at_source)
            length = {"year": 4, "month": 7, "day": 10}.get(before.taken_at_precision or "")
            assert before.taken_at is not None
            assert is_fuller(after, winner, before.taken_at[:length])
            assert added.source != "neighbours"
            assert added.fact != "modified_at"


@repeatable
@given(
    st.sampled_from(["camera_make", "lens", "title", "description"]),
    st.lists(st.sampled_from(["person", "sidecar", "exif", "xmp", "iptc", "container", "takeout"]), unique=True),
)
def test_every_other_fact_is_taken_from_the_first_source_of_its_order(fact: str, sources: list[str]) -> None:
    result = resolved({source: {fact: f"by {source}"} for source in sources})
    first = next((source for source in PRIORITIES[fact] if source in sources), None)
    assert result.sources.get(fact) == first
    assert getattr(result, fact) == (None if first is None else f"by {first}")


SHOWN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d(?:\.\d+)?)([+-]\d\d:\d\d)?")


@repeatable
@given(time_facts(), names, zones)
def test_local_time_minus_offset_is_the_instant(facts: dict[str, dict[str, Any]], name: str, zone: str | None) -> None:
    result = resolved(facts, name, zone)
    match = SHOWN.fullmatch(result.taken_at or "")
    assert match is not None
    minute, second, suffix = match.groups()
    assert (result.taken_at_utc is not None) == (suffix is not None and result.taken_at_precision == "second")
    assert ("taken_at_utc" in result.sources) == (result.taken_at_utc is not None)
    assert (result.utc_offset_minutes is None) == (result.zone_source is None)
    shown = 0 if suffix is None else (int(suffix[1:3]) * 60 + int(suffix[4:])) * (-1 if suffix[0] == "-" else 1)
    if result.utc_offset_minutes is not None:
        assert shown == result.utc_offset_minutes
    if result.taken_at_utc is not None:
        wall = (datetime.fromisoformat(f"{minute}+00:00") - EPOCH) // timedelta(seconds=1)
        assert abs(result.taken_at_utc - (wall - shown * 60 + float(second))) < 1e-4
        assert "." in second or result.taken_at_utc == wall - shown * 60 + int(second)


def around_changes(zone: str, year: int) -> list[datetime]:
    """Return instants a second, half an hour and an hour around every clock change of a zone in a year."""
    rules = ZoneInfo(zone)
    start = datetime(year, 1, 1, tzinfo=UTC)
    found = []
    for day in range(366):
        low, high = start + timedelta(days=day), start + timedelta(days=day + 1)
        if low.astimezone(rules).utcoffset() != high.astimezone(rules).utcoffset():
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                same = middle.astimezone(rules).utcoffset() == low.astimezone(rules).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            change = high.replace(microsecond=0)
            found += [change + timedelta(seconds=step) for step in (-3600, -1800, -1, 0, 1, 1800, 3599, 3600, 5400)]
    return found


CHANGES = [(zone, at) for zone in ZONES for year in (1968, 1996, 2011, 2023) for at in around_changes(zone, year)]


@repeatable
@given(st.sampled_from(CHANGES))
def test_an_instant_near_a_clock_change_is_converted_to_the_zones_local_time(change: tuple[str, datetime]) -> None:
    zone, at = change
    result = resolved({"takeout": {"taken_at": at.isoformat()}}, home_zone=zone)
    local = at.astimezone(ZoneInfo(zone))
    offset = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    assert result.utc_offset_minutes == offset
    assert result.taken_at_utc == at.timestamp()
    assert result.taken_at == (at.replace(tzinfo=None) + timedelta(minutes=offset)).isoformat() + offset_text(offset)


@repeatable
@given(st.sampled_from(CHANGES), st.sampled_from([timedelta(), timedelta(minutes=30), timedelta(hours=1)]))
def test_a_local_time_near_a_clock_change_gets_the_offset_a_camera_would_have(
    change: tuple[str, datetime], later: timedelta
) -> None:
    zone, at = change
    rules = ZoneInfo(zone)
    wall = at.astimezone(rules).replace(tzinfo=None) + later
    known = offset_of(zone, wall)
    assert known is not None
    minutes = {known.minutes} if known.other_minutes is None else {known.minutes, known.other_minutes}
    shown = {
        offset
        for offset in range(-720, 841, 15)
        if ((wall - timedelta(minutes=offset)).replace(tzinfo=UTC)).astimezone(rules).replace(tzinfo=None) == wall
    }
    result = resolved({"exif": {"taken_at": wall.isoformat()}}, home_zone=zone)
    assert result.utc_offset_minutes == known.minutes
    if len(shown) == 1:  # every clock agrees
        assert minutes == shown
        assert result.taken_at_confidence == 0.95
    elif len(shown) == 2:  # the repeated hour: its first occurrence, which has the larger offset
        assert (minutes, known.minutes) == (shown, max(shown))
        assert result.taken_at_confidence == 0.855
    elif known.other_minutes is not None:  # the skipped hour: as before the change
        assert known.minutes < known.other_minutes
        assert result.taken_at_confidence == 0.855


@repeatable
@given(iso_times())
def test_times_round_trip_through_parsing(text: str) -> None:
    wall = parse_wall(text)
    assert wall is not None
    suffix = "" if wall.offset_minutes is None else offset_text(wall.offset_minutes)
    again = parse_wall(wall.text + suffix)
    assert again is not None
    assert replace(again, precision=wall.precision) == wall
    moved = wall.moved(90)
    assert moved is None or moved.seconds == wall.seconds + 5400


junk = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.binary(max_size=8), iso_times(),
        st.sampled_from(["", "Z", "+99:99", "0000-00-00", "2019-06-01T25:00:00", "nan", 10**400, -(10**400)]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=4,
)  # fmt: skip
fact_names = st.sampled_from(
    [place.fact for place in TIMES] + list(PRIORITIES) + ["latitude", "longitude", "utc_offset"]
)
sources = st.sampled_from(sorted({place.source for place in TIMES} | {"iptc", "other"}))


@repeatable
@given(
    st.dictionaries(sources, st.one_of(junk, st.dictionaries(fact_names, junk, max_size=6)), max_size=6),
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.integers(-(1 << 70), 1 << 70),
    st.one_of(st.none(), st.text(max_size=10), st.sampled_from(ZONES)),
)
def test_any_facts_names_and_times_resolve_without_an_error(
    facts: Any, name: bytes, folder: bytes, mtime_ns: int, home_zone: str | None
) -> None:
    result = resolve(facts, name=name, folder=folder, mtime_ns=mtime_ns, home_zone=home_zone)
    assert result.taken_at is None or parse_wall(result.taken_at) is not None
    assert result.latitude is None or -90 <= result.latitude <= 90
    for value in (result.camera_make, result.lens, result.title, *result.keywords):
        assert value is None or isinstance(value, str)
    for number in (result.iso, result.rating, result.aperture):
        assert number is None or abs(number) < 1 << 53


@st.composite
def timed(draw: st.DrawFn, photo_id: int) -> Timed:
    """Generate a photo of one week, dated or not, without anything inferred from neighbours."""
    taken_at = (datetime.fromisoformat("2019-06-01") + timedelta(minutes=draw(st.integers(0, 7 * 1440)))).isoformat()
    utc = (datetime.fromisoformat(f"{taken_at}+00:00") - EPOCH).total_seconds()
    offset = draw(st.sampled_from([None, None, 120, 120, -240]))
    instant = utc - offset * 60 if offset is not None else draw(st.sampled_from([None, utc]))
    confidence = draw(st.sampled_from([0.95, 0.95, 0.2]))
    return Timed(photo_id, taken_at, offset, instant, "second", confidence, draw(st.integers(1, 60)), 1)


photos = st.integers(0, 14).flatmap(lambda count: st.tuples(*(timed(number) for number in range(count)))).map(list)


@repeatable
@given(photos, st.randoms(use_true_random=False))
def test_neighbours_do_not_depend_on_the_order_of_the_photos(of_camera: list[Timed], random: Any) -> None:
    shuffled = list(of_camera)
    random.shuffle(shuffled)
    assert neighbour_facts(shuffled) == neighbour_facts(of_camera)
    assert dates_between(shuffled) == dates_between(of_camera)


@repeatable
@given(photos)
def test_inferred_facts_do_not_change_on_a_second_run(of_camera: list[Timed]) -> None:
    offsets, dates = neighbour_facts(of_camera), dates_between(of_camera)
    again = [
        replace(each, taken_at=f"{dates[each.photo_id]['taken_at']}:00", precision="minute", confidence=0.22)
        if each.photo_id in dates
        else each
        for each in of_camera
    ]
    assert dates_between(again) == dates
    dated = set(dates)
    assert {key: value for key, value in neighbour_facts(again).items() if key not in dated} == {
        key: value for key, value in offsets.items() if key not in dated
    }
    for photo in of_camera:
        if photo.photo_id in offsets:
            assert photo.utc_offset_minutes is None
            assert offsets[photo.photo_id]["utc_offset"] in {
                offset_text(other.utc_offset_minutes) for other in of_camera if other.utc_offset_minutes is not None
            }
