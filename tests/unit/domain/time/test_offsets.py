"""Local time, offset and instant of a photo: the order of the evidence, and ambiguous hours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from photoindex.domain.facts.resolve import resolve
from photoindex.domain.time.wall import offset_text, parse_offset, parse_wall
from photoindex.domain.time.zones import ZoneOffset, is_zone, offset_at, offset_of, zone_at
from photoindex.types import Resolved

WALL = "2019-06-01T12:34:56"
BERLIN = {"latitude": 52.52, "longitude": 13.4}
LISBON = {"latitude": 38.72, "longitude": -9.14}
LONDON = {"latitude": 51.5, "longitude": -0.12}
NEW_YORK = {"latitude": 40.7, "longitude": -74.0}
OPEN_SEA = {"latitude": 0.0, "longitude": -30.0}


def resolved(name: str = "a.jpg", home_zone: str | None = None, mtime_ns: int = 0, **facts: Any) -> Resolved:
    return resolve(facts, name=name.encode(), folder=b"", mtime_ns=mtime_ns, home_zone=home_zone)


def offset(name: str = "a.jpg", home_zone: str | None = None, **facts: Any) -> tuple[int | None, str | None]:
    result = resolved(name, home_zone, **facts)
    return result.utc_offset_minutes, result.zone_source


def seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def test_every_field_of_a_resolved_time_is_set() -> None:
    result = resolved(exif={"taken_at": f"{WALL}.25", **BERLIN})
    assert (result.taken_at, result.taken_at_precision) == (f"{WALL}.25+02:00", "second")
    assert result.taken_at_utc == seconds(f"{WALL}.25+02:00")
    assert (result.utc_offset_minutes, result.zone, result.zone_source) == (120, "Europe/Berlin", "position")
    assert result.sources["taken_at_utc"] == "position"
    assert resolved(exif={"taken_at": WALL}).taken_at_utc is None


def test_the_evidence_for_the_offset_is_used_in_its_order() -> None:
    facts: dict[str, Any] = {
        "person": {"utc_offset": "-01:00"},
        "exif": {"taken_at": f"{WALL}+08:00", "gps_at": "2019-06-01T09:34:50+00:00", **NEW_YORK},
        "xmp": {"taken_at": "2019-06-01T12:34:00+07:00"},
        "container": {"created_utc": "2019-06-01T06:34:56+00:00"},
        "takeout": {"taken_at": "2019-06-01T07:34:56+00:00"},
        "neighbours": {"utc_offset": "+04:30"},
    }
    found = [offset(home_zone="Asia/Tokyo", **facts)]
    for source, fact in (
        ("person", "utc_offset"), ("exif", "taken_at"), ("exif", "gps_at"), ("xmp", "taken_at"), ("exif", "latitude"),
        ("container", "created_utc"), ("takeout", "taken_at"),
    ):  # fmt: skip
        facts[source] = {**facts[source], "taken_at": WALL} if fact == "taken_at" else dict(facts[source])
        if fact != "taken_at" or source == "takeout":
            del facts[source][fact]
        found.append(offset(home_zone="Asia/Tokyo", **facts))
    assert found == [
        (-60, "person"), (480, "exif"), (180, "gps"), (420, "xmp"), (-240, "position"), (360, "container"),
        (300, "takeout"), (540, "home"),
    ]  # fmt: skip
    assert offset(**facts) == (270, "neighbours")


@pytest.mark.parametrize(
    ("gps_at", "expected"),
    [
        ("2019-06-01T10:34:56+00:00", 120),
        ("2019-06-01T10:32:57+00:00", 120),
        ("2019-06-01T10:36:56+00:00", 120),
        ("2019-06-01T10:37:30+00:00", None),
        ("2019-06-01T12:34:50+00:00", 0),
        ("2019-06-01T06:49:56+00:00", 345),
        ("2019-06-01T22:04:56+00:00", -570),
        ("2019-05-31T22:34:56+00:00", 840),
        ("2019-05-31T21:34:56+00:00", None),
        ("2019-06-02T00:34:56+00:00", -720),
        ("2019-06-02T01:34:56+00:00", None),
        ("2019-06-01", None),
        ("nonsense", None),
    ],
)
def test_gps_time_gives_only_offsets_in_use_somewhere(gps_at: str, expected: int | None) -> None:
    assert offset(exif={"taken_at": WALL, "gps_at": gps_at}) == (expected, None if expected is None else "gps")


def test_the_mandatory_offset_of_iptc_ranks_after_the_position() -> None:
    iptc = {"taken_at": f"{WALL}-04:00"}
    assert offset(xmp={"taken_at": WALL}, iptc=iptc) == (-240, "iptc")
    assert offset(xmp={"taken_at": WALL, **BERLIN}, iptc=iptc) == (120, "position")
    assert offset(iptc=iptc, exif=BERLIN) == (-240, "iptc")


def test_a_zero_offset_of_another_fact_ranks_after_the_position() -> None:
    exif = {"taken_at": WALL}
    assert offset(exif=exif, xmp={"taken_at": f"{WALL}+00:00"}) == (0, "xmp")
    assert offset(exif={**exif, **BERLIN}, xmp={"taken_at": f"{WALL}+00:00"}) == (120, "position")
    assert offset(exif=exif, takeout={"taken_at": f"{WALL}+00:00"}) == (None, None)
    assert offset(exif=exif, container={"created_utc": f"{WALL}+00:00"}) == (None, None)


def test_the_utc_time_in_a_pixels_file_name_gives_the_offset() -> None:
    assert offset("PXL_20190601_103456000.jpg", exif={"taken_at": WALL}) == (120, "name")
    assert offset("IMG_20190601_103456.jpg", exif={"taken_at": WALL}) == (None, None)


@pytest.mark.parametrize(
    ("position", "wall", "minutes", "is_sure"),
    [
        (BERLIN, "2019-03-31T01:59:59", 60, True),
        (BERLIN, "2019-03-31T02:00:00", 60, False),
        (BERLIN, "2019-03-31T02:59:59", 60, False),
        (BERLIN, "2019-03-31T03:00:00", 120, True),
        (BERLIN, "2019-10-27T01:59:59", 120, True),
        (BERLIN, "2019-10-27T02:00:00", 120, False),
        (BERLIN, "2019-10-27T02:59:59", 120, False),
        (BERLIN, "2019-10-27T03:00:00", 60, True),
        ({"latitude": -33.87, "longitude": 151.2}, "2019-01-15T12:00:00", 660, True),
        ({"latitude": -33.87, "longitude": 151.2}, "2019-04-07T02:30:00", 660, False),
        ({"latitude": -31.55, "longitude": 159.08}, "2019-04-07T01:45:00", 660, False),
        ({"latitude": 28.6, "longitude": 77.2}, "2019-06-01T12:00:00", 330, True),
        ({"latitude": 27.7, "longitude": 85.3}, "2019-06-01T12:00:00", 345, True),
        ({"latitude": 55.75, "longitude": 37.6}, "2013-01-01T12:00:00", 240, True),
        ({"latitude": 55.75, "longitude": 37.6}, "2015-01-01T12:00:00", 180, True),
        (LISBON, "1900-01-01T12:00:00", -37, True),
    ],
)
def test_the_zone_at_the_position_gives_historical_offsets_and_ambiguous_hours(
    position: dict[str, float], wall: str, minutes: int, is_sure: bool
) -> None:
    result = resolved(exif={"taken_at": wall, **position})
    assert (result.utc_offset_minutes, result.zone_source) == (minutes, "position")
    assert result.taken_at_confidence == (0.95 if is_sure else 0.855)
    assert result.taken_at == wall + offset_text(minutes)


def test_takeout_or_the_neighbours_decide_the_repeated_hour() -> None:
    exif = {"taken_at": "2019-10-27T02:30:00", **BERLIN}
    assert offset(exif=exif, takeout={"taken_at": "2019-10-27T01:30:00+00:00"}) == (60, "position")
    assert offset(exif=exif, takeout={"taken_at": "2019-10-27T00:30:00+00:00"}) == (120, "position")
    assert offset(exif=exif, neighbours={"utc_offset": "+01:00"}) == (60, "position")
    assert offset(exif=exif, neighbours={"utc_offset": "-05:00"}) == (120, "position")
    assert resolved(exif=exif, neighbours={"utc_offset": "+01:00"}).taken_at_confidence == 0.95


def test_the_open_sea_has_a_zone_but_gives_no_offset() -> None:
    result = resolved(exif={"taken_at": WALL, **OPEN_SEA})
    assert (result.zone, result.utc_offset_minutes) == ("Etc/GMT+2", None)
    assert resolved("a.jpg", "Europe/Berlin", exif={"taken_at": WALL, **OPEN_SEA}).zone_source == "home"


@pytest.mark.parametrize("home_zone", ["", "Nowhere/Land", "../etc/passwd", "Europe", "/etc/localtime", "a\0b"])
def test_an_unknown_home_zone_is_ignored(home_zone: str) -> None:
    assert not is_zone(home_zone)
    assert offset("a.jpg", home_zone, exif={"taken_at": WALL}) == (None, None)
    assert resolved("a.jpg", home_zone, mtime_ns=10**18).taken_at == "2001-09-09T01:46:40+00:00"


def test_a_utc_time_becomes_local_if_a_zone_is_known() -> None:
    created = {"created_utc": "2019-06-01T23:34:56+00:00"}
    local = resolved(container={**created, **BERLIN})
    assert (local.taken_at, local.zone_source) == ("2019-06-02T01:34:56+02:00", "position")
    assert resolved(container=created, neighbours={"utc_offset": "-05:00"}).taken_at == "2019-06-01T18:34:56-05:00"
    assert resolved("a.jpg", "Asia/Tokyo", container=created).taken_at == "2019-06-02T08:34:56+09:00"
    plain = resolved(container=created)
    assert (plain.taken_at, plain.utc_offset_minutes, plain.zone_source) == ("2019-06-01T23:34:56+00:00", None, None)
    instants = {each.taken_at_utc for each in (local, plain)}
    assert instants == {seconds("2019-06-01T23:34:56+00:00")}
    assert local.sources["taken_at_utc"] == plain.sources["taken_at_utc"] == "container"


def test_the_repeated_hour_is_unambiguous_for_a_utc_time() -> None:
    for utc, local in (("00:30:00", "02:30:00+02:00"), ("01:30:00", "02:30:00+01:00")):
        result = resolved(takeout={"taken_at": f"2019-10-27T{utc}+00:00", **BERLIN})
        assert (result.taken_at, result.taken_at_confidence) == (f"2019-10-27T{local}", 0.68)


@pytest.mark.parametrize("source", ["created_utc", "takeout"])
def test_the_local_time_in_a_file_name_gives_the_offset_of_a_utc_time(source: str) -> None:
    utc = "2019-06-01T10:35:30+00:00"
    facts = {"container": {"created_utc": utc}} if source == "created_utc" else {"takeout": {"taken_at": utc}}
    result = resolved("VID_20190601_123456.mp4", **facts)
    assert (result.taken_at, result.zone_source) == ("2019-06-01T12:35:30+02:00", "name")


def test_local_time_written_as_utc_is_detected_by_the_file_name() -> None:
    created = {"created_utc": "2019-06-01T12:34:56+00:00"}
    alone = resolved("VID_20190601_123456.mp4", container=created)
    assert (alone.taken_at, alone.taken_at_utc, alone.taken_at_source) == (WALL, None, "container")
    assert resolved("VID_20190601_123456.mp4", container={**created, **BERLIN}).taken_at == f"{WALL}+02:00"
    gps = resolved("IMG_20190601_123456.jpg", exif={"gps_at": "2019-06-01T12:34:50+00:00"})
    assert (gps.taken_at, gps.utc_offset_minutes) == ("2019-06-01T12:34:50+00:00", 0)


def test_a_local_modification_date_gives_the_offset_of_gps_time() -> None:
    result = resolved(exif={"gps_at": "2019-06-01T10:34:50+00:00", "modified_at": WALL})
    assert (result.taken_at, result.taken_at_source, result.zone_source) == (
        "2019-06-01T12:34:50+02:00", "gps", "exif",
    )  # fmt: skip


def test_the_modification_time_is_shown_in_the_zone_at_the_position() -> None:
    assert resolved(mtime_ns=1559392496 * 10**9, exif=BERLIN).taken_at == "2019-06-01T14:34:56+02:00"


@pytest.mark.parametrize(
    ("written", "taken_at", "precision"),
    [
        ("2019", "2019-01-01T00:00:00", "year"),
        ("2019-06", "2019-06-01T00:00:00", "month"),
        ("2019-06-01", "2019-06-01T00:00:00", "day"),
        ("2019-06-01T12:34", "2019-06-01T12:34:00+02:00", "minute"),
        ("2019-06-01T12:34+05:00", "2019-06-01T12:34:00+05:00", "minute"),
    ],
)
def test_a_date_without_seconds_has_no_instant(written: str, taken_at: str, precision: str) -> None:
    result = resolved(person={"taken_at": written}, exif=BERLIN)
    assert (result.taken_at, result.taken_at_precision, result.taken_at_utc) == (taken_at, precision, None)
    assert result.taken_at_confidence == 1.0
    assert "taken_at_utc" not in result.sources


@pytest.mark.parametrize(
    ("iso", "instant"),
    [
        ("1969-12-31T23:59:59+00:00", -1.0),
        ("1969-12-31T23:59:59.5+00:00", -0.5),
        ("0001-01-01T00:00:00+00:00", -62135596800.0),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
        ("9999-12-31T23:59:59-12:00", 253402343999.0),
        ("2016-12-31T23:59:60+00:00", 1483228800.0),
        ("2017-01-01T01:59:60.25+02:00", 1483228800.25),
    ],
)
def test_instants_are_exact_at_the_ends_of_the_calendar_and_in_leap_seconds(iso: str, instant: float) -> None:
    result = resolved(person={"taken_at": iso})
    assert (result.taken_at, result.taken_at_utc) == (iso, instant)


def test_a_utc_time_outside_the_calendar_in_local_time_stays_in_utc() -> None:
    result = resolved(takeout={"taken_at": "0001-01-01T01:00:00+00:00", **NEW_YORK})
    assert (result.taken_at, result.utc_offset_minutes) == ("0001-01-01T01:00:00+00:00", None)
    late = resolved(takeout={"taken_at": "9999-12-31T23:00:00+00:00", **BERLIN})
    assert (late.taken_at, late.utc_offset_minutes) == ("9999-12-31T23:00:00+00:00", None)


@pytest.mark.parametrize(
    "value",
    [
        "2019-02-29T00:00:00", "2019-13-01", "2019-06-01T24:00:00", "2019-06-01T12:34:61", "0000-01-01", "20190601",
        "2019-06-01T12:34:56+1", "x" * 10_000, "", None, 5, 1.5, True, ["2019"], "\uff12\uff10\uff11\uff19", float("nan"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_a_date_falls_through_to_the_next_source(value: object) -> None:
    assert parse_wall(value) is None
    result = resolved(person={"taken_at": value}, exif={"taken_at": WALL})
    assert (result.taken_at, result.taken_at_source) == (WALL, "exif")


def test_offsets_round_trip_through_text() -> None:
    for text, minutes in (("+00:00", 0), ("-00:30", -30), ("+05:45", 345), ("-12:00", -720), ("+14:00", 840)):
        assert (parse_offset(text), offset_text(minutes)) == (minutes, text)
    assert [parse_offset(text) for text in ("Z", "+0200", "+02:60", "+17:00", "02:00", "", 5)] == [
        0, 120, None, None, None, None, None,
    ]  # fmt: skip


def test_zones_are_found_by_position_and_give_offsets_of_local_times_and_instants() -> None:
    assert (zone_at(**LISBON), zone_at(**LONDON), zone_at(90.0, 180.0)) == (
        "Europe/Lisbon", "Europe/London", "Etc/GMT-12",
    )  # fmt: skip
    assert [zone_at(91.0, 0.0), zone_at(0.0, 181.0), zone_at(float("nan"), 0.0)] == [None, None, None]
    assert offset_of("Europe/Berlin", datetime.fromisoformat("2019-10-27T02:30")) == ZoneOffset(120, 60)
    assert offset_of("Nowhere", datetime.fromisoformat("2019-10-27")) is None
    noon = datetime(2019, 7, 1, 12, tzinfo=UTC).timestamp()
    assert offset_at("America/New_York", noon) == ZoneOffset(-240)
    assert (offset_at("America/New_York", -62135596800.0), offset_at("Nowhere", noon)) == (None, None)
