"""Resolving a photo's facts, and dates in names and folders."""

from __future__ import annotations

from time import time_ns

import pytest

from photoindex.domain.facts.resolve import resolve
from photoindex.domain.facts.sources import LEVELS, PRIORITIES, TIMES
from photoindex.types import Facts, FactValue, Resolved

MTIME_NS = 1_600_000_000 * 10**9


def resolved(
    facts: Facts | None = None, *, name: str = "a.jpg", folder: str = "", mtime_ns: int = MTIME_NS
) -> Resolved:
    return resolve(facts or {}, name=name.encode(), folder=folder.encode(), mtime_ns=mtime_ns)


def taken(facts: Facts | None = None, **around: str) -> tuple[str | None, str | None]:
    result = resolved(facts, **around)  # type: ignore[arg-type]
    return result.taken_at, result.taken_at_source


def test_confidence_never_increases_down_the_table_of_times() -> None:
    confidences = [place.confidence_with_offset for place in TIMES]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 < place.confidence <= place.confidence_with_offset <= 1 for place in TIMES)


def test_the_user_and_then_a_sidecar_override_every_embedded_source() -> None:
    for order in PRIORITIES.values():
        assert order[:2] == ("person", "sidecar")
    facts = {
        source: {"title": source, "taken_at": f"20{year}-01-01T00:00:00"}
        for source, year in (("exif", 10), ("sidecar", 11))
    }
    assert resolved(facts).title == "sidecar"
    assert taken(facts) == ("2011-01-01T00:00:00", "sidecar")
    assert resolved({**facts, "person": {"title": ""}}).title == ""


def test_every_table_follows_the_common_order_of_sources() -> None:
    level_of = {source: level for level, sources in enumerate(LEVELS) for source in sources}
    for order in PRIORITIES.values():
        assert [level_of[source] for source in order] == sorted(level_of[source] for source in order)
    for facts in ({"taken_at", "created_utc", "time", "day", "month", "year", "kept", "any"}, {"digitized_at"}):
        stated = [place.source for place in TIMES if place.fact in facts]
        assert [level_of[source] for source in stated] == sorted(level_of[source] for source in stated)


def test_taken_ranks_before_digitized_in_every_source_and_both_before_modified() -> None:
    ranks = {
        fact: [rank for rank, place in enumerate(TIMES) if place.fact == fact]
        for fact in ("taken_at", "digitized_at", "modified_at")
    }
    in_the_file_or_beside_it = [
        rank
        for rank in ranks["taken_at"]
        if TIMES[rank].source in ("person", "sidecar", "exif", "xmp", "iptc", "container")
    ]
    assert len(in_the_file_or_beside_it) == 6
    assert max(in_the_file_or_beside_it) < min(ranks["digitized_at"])
    assert max(ranks["digitized_at"]) < min(ranks["modified_at"])


@pytest.mark.parametrize("source", ["sidecar", "exif", "xmp", "iptc", "container"])
@pytest.mark.parametrize("digitizer", ["sidecar", "exif", "xmp", "iptc"])
def test_when_a_print_was_digitized_never_moves_a_photo(source: str, digitizer: str) -> None:
    facts: dict[str, dict[str, str]] = {source: {"taken_at": "1974"}}
    facts.setdefault(digitizer, {})["digitized_at"] = "2021-03-02T10:00:00"
    assert taken(facts) == ("1974-01-01T00:00:00", source)


def test_an_exif_time_with_a_zone_has_more_confidence() -> None:
    without, with_zone = (
        resolved({"exif": {"taken_at": time}}) for time in ("2019-06-01T12:34:56", "2019-06-01T12:34:56.5+02:00")
    )
    assert (without.taken_at_confidence, with_zone.taken_at_confidence) == (0.95, 0.98)
    assert with_zone.taken_at == "2019-06-01T12:34:56.5+02:00"
    assert with_zone.sources["taken_at"] == "exif"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"exif": {"digitized_at": "2019-06-01T10:00:00"}, "xmp": {"taken_at": "2018-05-01T00:00:00"}},
            ("2018-05-01T00:00:00", "xmp"),
        ),
        (
            {"xmp": {"taken_at": "2019-06-01T10:00:00"}, "container": {"taken_at": "2018-05-01T00:00:00"}},
            ("2019-06-01T10:00:00", "xmp"),
        ),
        ({"container": {"taken_at": "2019-06-01T10:00:00+00:00"}}, ("2019-06-01T10:00:00+00:00", "container")),
        (
            {"exif": {"gps_at": "2019-06-01T10:00:00+00:00", "modified_at": "2020-01-01T00:00:00"}},
            ("2019-06-01T10:00:00+00:00", "gps"),
        ),
        ({"exif": {"modified_at": "2019-06-01T10:00:00"}}, ("2019-06-01T10:00:00", "exif")),
        ({"xmp": {"taken_at": "2019-06"}}, ("2019-06-01T00:00:00", "xmp")),
    ],
)
def test_the_best_time_wins(facts: Facts, expected: tuple[str, str]) -> None:
    assert taken(facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"xmp": {"taken_at": "2006-10-29"}, "iptc": {"taken_at": "2006-10-29T06:27:51-05:00"}},
            ("2006-10-29T06:27:51-05:00", "iptc", "second"),
        ),
        (
            {"exif": {"taken_at": "2006"}, "xmp": {"taken_at": "2006-10"}, "iptc": {"taken_at": "2006-11-02"}},
            ("2006-10-01T00:00:00", "xmp", "month"),
        ),
        (
            {"exif": {"taken_at": "2006"}, "xmp": {"taken_at": "2006-10"}, "iptc": {"taken_at": "2006-10-02T10:00"}},
            ("2006-10-02T10:00:00", "iptc", "minute"),
        ),
    ],
)
def test_a_partial_date_is_replaced_by_a_more_precise_embedded_date(
    facts: Facts, expected: tuple[str, str, str]
) -> None:
    result = resolved(facts)
    assert (result.taken_at, result.taken_at_source, result.taken_at_precision) == expected


@pytest.mark.parametrize(
    "second",
    [
        ("exif", "taken_at"),
        ("iptc", "digitized_at"),
        ("container", "created_utc"),
        ("exif", "gps_at"),
        ("takeout", "taken_at"),
        ("name", "time"),
    ],
)
@pytest.mark.parametrize("partial", ["2006", "2006-10", "2006-10-29"])
def test_a_partial_date_gives_way_to_a_fuller_one_of_any_source(partial: str, second: tuple[str, str]) -> None:
    facts = {"sidecar": {"taken_at": partial}, second[0]: {second[1]: "2006-10-29T06:27:51"}}
    result = resolved(facts)
    assert (result.taken_at or "")[:19] == "2006-10-29T06:27:51"
    assert result.taken_at_source == ("gps" if second[1] == "gps_at" else second[0])


def test_a_year_gives_way_to_the_date_of_a_name_or_folder() -> None:
    year: Facts = {"exif": {"taken_at": "2019"}}
    assert taken(year, name="IMG_20190501_101112.jpg") == ("2019-05-01T10:11:12", "name")
    assert taken(year, folder="2019/2019-05-01 Rome") == ("2019-05-01T00:00:00", "folder")
    assert taken(year, folder="2018/2018-05-01 Rome") == ("2019-01-01T00:00:00", "exif")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("person", "taken_at"), ("exif", "taken_at")),
        (("xmp", "taken_at"), ("exif", "modified_at")),
        (("exif", "digitized_at"), ("exif", "modified_at")),
    ],
)
def test_a_correction_and_modification_dates_leave_a_partial_date_as_it_is(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    facts: dict[str, dict[str, str]] = {first[0]: {first[1]: "2006-10-29"}}
    facts.setdefault(second[0], {})[second[1]] = "2006-10-29T06:27:51"
    assert taken(facts) == ("2006-10-29T00:00:00", first[0])


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"xmp": {"taken_at": "2019"}, "iptc": {"taken_at": "2018-06-01T10:00:00"}},
            ("2018-06-01T10:00:00", "iptc"),
        ),
        (
            {"container": {"taken_at": "2019", "created_utc": "2018-12-31T23:30:00+00:00"}},
            ("2018-12-31T23:30:00+00:00", "container"),
        ),
        (
            {"sidecar": {"taken_at": "2019"}, "exif": {"taken_at": "2018-06-01"}},
            ("2018-06-01T00:00:00", "exif"),
        ),
        (
            {"xmp": {"taken_at": "1974"}, "container": {"created_utc": "2021-03-02T10:00:00"}},
            ("1974-01-01T00:00:00", "xmp"),
        ),
        (
            {"person": {"taken_at": "1974"}, "exif": {"taken_at": "2021-03-02T10:00:00"}},
            ("1974-01-01T00:00:00", "person"),
        ),
        ({"xmp": {"taken_at": "1974-05"}, "iptc": {"taken_at": "2018-06-01"}}, ("1974-05-01T00:00:00", "xmp")),
    ],
)
def test_a_bare_year_never_beats_a_full_date_of_the_same_statement(facts: Facts, expected: tuple[str, str]) -> None:
    assert taken(facts) == expected


@pytest.mark.parametrize(
    ("fact", "expected"),
    [("2010", ("2019-06-01T10:11:12", "name")), ("2010-05-06", ("2010-05-06T00:00:00", "container"))],
)
def test_a_bare_year_in_a_container_gives_way_to_the_name(fact: str, expected: tuple[str, str]) -> None:
    assert taken({"container": {"taken_at": fact}}, name="VID_20190601_101112.mp4") == expected


ZEROS = [
    "1904-01-01T00:00:00", "1970-01-01T00:00:00", "1970-01-01T08:03:12", "1969-12-31T19:00:00", "1978-01-01T00:10:00",
    "1980-01-01T00:00:00", "1980-01-06T00:00:00", "1998-01-01T00:00:00", "2000-01-01T00:00:00", "2001-01-01T00:00",
    "2002-12-08T12:00:00",
]  # fmt: skip
NEW_YEARS = frozenset({"1998-01-01T00:00:00", "2000-01-01T00:00:00", "2001-01-01T00:00"})
"""Zeros of cameras, and what programs write for a year that a person types."""


@pytest.mark.parametrize(
    ("facts", "name", "expected"),
    [
        (
            {"sidecar": {"taken_at": "2005-01-01T00:00:00"}, "exif": {"digitized_at": "2018-05-05T10:00:00"}},
            "",
            "sidecar",
        ),
        ({"sidecar": {"taken_at": "1980-01-01"}, "exif": {"digitized_at": "2018-05-05T10:00:00"}}, "", "sidecar"),
        ({"exif": {"taken_at": "2019-01-01T00:00:00+01:00", "modified_at": "2019-03-05T10:00:00"}}, "", "exif"),
        ({"exif": {"taken_at": "2019-01-01T00:00:00.482", "modified_at": "2019-03-05T10:00:00"}}, "", "exif"),
        ({"exif": {"modified_at": "2015-05-05T10:00:00"}}, "1980-01-01 Grandma.jpg", "name"),
    ],
)
def test_a_date_that_a_person_or_a_set_clock_gave_is_no_zero(facts: Facts, name: str, expected: str) -> None:
    assert resolved(facts, name=name or "a.jpg").taken_at_source == expected


@pytest.mark.parametrize("zero", ZEROS)
@pytest.mark.parametrize(
    ("source", "fact"),
    [(place.source, place.fact) for place in TIMES if place.source not in ("person", "folder", "neighbours", "mtime")],
)
def test_a_clock_that_was_never_set_is_weaker_than_name_and_folder_in_every_source(
    source: str, fact: str, zero: str
) -> None:
    facts: Facts = {source: {fact: zero}}
    if zero in NEW_YEARS and source in ("sidecar", "takeout"):
        assert (resolved(facts, folder="2011 Norwegen").taken_at or "").startswith(zero)
        return
    if source != "name":
        assert taken(facts, name="IMG_20190501_101112.jpg") == ("2019-05-01T10:11:12", "name")
    assert taken(facts, folder="2011 Norwegen") == ("2011-01-01T00:00:00", "folder")
    assert taken({**facts, "neighbours": {"taken_at": "2011-05-01T10:00"}}) == ("2011-05-01T10:00:00", "neighbours")
    alone = resolved(facts)
    assert (alone.taken_at or "").startswith(zero)
    assert alone.taken_at_source == ("gps" if fact == "gps_at" else source)
    assert alone.taken_at_confidence == 0.21


@pytest.mark.parametrize(
    "time",
    [
        "1970-01-01T12:00:00",
        "1980-01-02T00:00:00",
        "1985-01-01T00:00:00",
        "2000-01-01",
        "2002-12-08T12:00:01",
        "2005-01-01T00:00:01",
        "1970",
        "1980-01",
    ],
)
def test_a_time_near_a_zero_of_clocks_counts(time: str) -> None:
    assert taken({"exif": {"taken_at": time}}, folder="2011 Norwegen")[1] == "exif"


def test_a_clock_that_was_never_set_gives_way_to_every_other_statement() -> None:
    zero = "1970-01-01T00:00:00"
    assert taken({"exif": {"taken_at": zero, "digitized_at": zero, "gps_at": "2019-05-01T10:00:00+00:00"}})[1] == "gps"
    assert taken({"exif": {"taken_at": "2019-05-01T10:00:00", "digitized_at": "2002-12-08T12:00:00"}})[1] == "exif"
    assert taken({"exif": {"taken_at": "1970", "digitized_at": zero}}) == (zero, "exif")
    assert resolved({"exif": {"taken_at": "1970", "digitized_at": zero}}).taken_at_precision == "year"
    assert taken({"person": {"taken_at": zero}}, folder="2011 Norwegen") == (zero, "person")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_20190601_123456.jpg", "2019-06-01T12:34:56"),
        ("VID_20190601_123456_00_001.mp4", "2019-06-01T12:34:56"),
        ("IMG20190601123456.jpg", "2019-06-01T12:34:56"),
        ("PXL_20210203_101112345.MP.jpg", "2021-02-03T10:11:12.345+00:00"),
        ("Screenshot_2019-06-01-12-34-56-123_com.app.png", "2019-06-01T12:34:56.123"),
        ("Screenshot_20190601-123456_Chrome.jpg", "2019-06-01T12:34:56"),
        ("2019-06-01 12.34.56.jpg", "2019-06-01T12:34:56"),
        ("2019-06-01T123456.heic", "2019-06-01T12:34:56"),
        ("signal-2019-06-01-123456.jpg", "2019-06-01T12:34:56"),
        ("signal-2019-06-01-12-34-56-789.jpg", "2019-06-01T12:34:56.789"),
        ("WhatsApp Image 2019-06-01 at 12.34.56.jpeg", "2019-06-01T12:34:56"),
        ("Screen Shot 2019-06-01 at 1.34.56 PM.png", "2019-06-01T13:34:56"),
        ("Screenshot 2019-06-01 at 12.34.56\u202fAM.png", "2019-06-01T00:34:56"),
        ("DJI_20230601123456_0001_D.JPG", "2023-06-01T12:34:56"),
        ("date_20170101_010101.jpg", "2017-01-01T01:01:01"),
        ("FB_IMG_1559392496123.jpg", "2019-06-01T12:34:56.123+00:00"),
        ("IMG-20190601-WA0001.jpg", "2019-06-01T00:00:00"),
        ("2019_06_01 at the lake.jpg", "2019-06-01T00:00:00"),
        ("20190601_holiday.jpg", "2019-06-01T00:00:00"),
        ("20190601_999999.jpg", "2019-06-01T00:00:00"),
        ("photo_2019-06-01_12-34-56.jpg", "2019-06-01T12:34:56"),
        ("photo_2019-06-01_12-34-56 (2).jpg", "2019-06-01T12:34:56"),
        ("WP_20190601_12_34_56_Pro.jpg", "2019-06-01T12:34:56"),
        ("WP_20190601_001.jpg", "2019-06-01T00:00:00"),
        ("VID-20190601-WA0001.mp4", "2019-06-01T00:00:00"),
        ("2019_06_01_12_34_56.tif", "2019-06-01T12:34:56"),
        ("Scan_20190601.jpg", "2019-06-01T00:00:00"),
        ("Scan_20190601 (3).jpg", "2019-06-01T00:00:00"),
        ("Scan 2019-06-01 12 34 56.png", "2019-06-01T12:34:56"),
        ("Screenshot from 2019-06-01 12-34-56.png", "2019-06-01T12:34:56"),
        ("Bildschirmfoto 2019-06-01 um 12.34.56.png", "2019-06-01T12:34:56"),
        ("Capture d\u2019e\u0301cran 2019-06-01 a\u0300 12.34.56.png", "2019-06-01T12:34:56"),
        ("Captura de pantalla 2019-06-01 a las 1.34.56 p. m..png", "2019-06-01T13:34:56"),
        ("Schermata 2019-06-01 alle 12.34.56.png", "2019-06-01T12:34:56"),
        ("Sk\u00e4rmavbild 2019-06-01 kl. 12.34.56.png", "2019-06-01T12:34:56"),
        ("20190601T123456Z.jpg", "2019-06-01T12:34:56+00:00"),
        ("19-06-01 12-34-56 4411.jpg", "2019-06-01T12:34:56"),
        ("mmexport1559392496123.jpg", "2019-06-01T12:34:56.123+00:00"),
        ("2019-06-01 12.34.jpg", "2019-06-01T12:34:00"),
        ("WhatsApp Image 2019-06-01 at 1.34 PM.jpg", "2019-06-01T13:34:00"),
        ("00100dPORTRAIT_00100_BURST20190601123456789_COVER.jpg", "2019-06-01T12:34:56.789"),
        ("IMG_20190601_123456_1920x1080.jpg", "2019-06-01T12:34:56"),
        ("IMG_20150822_240819.jpg", "2015-08-22T00:08:19"),
        ("1974-06-00 Lake.tif", "1974-06-01T00:00:00"),
        ("1974-00-00_003.tif", "1974-01-01T00:00:00"),
    ],
)
def test_the_time_in_a_file_name_is_found(name: str, expected: str) -> None:
    assert taken(name=name) == (expected, "name")


@pytest.mark.parametrize(
    "name",
    [
        "IMG_1234.jpg",
        "DSC_20191399.jpg",
        "DSC_20190000.jpg",
        "1974-13-00.jpg",
        "IMG_20190230_120000.jpg",
        "IMG_29990101_120000.jpg",
        "120190601.jpg",
        "201906011.jpg",
        "1920x1080.jpg",
        "3f20120415c98a7e6d5c4b3a2f1e0d.jpg",
        "9781234567897.jpg",
        "scan0001.jpg",
        "GX010123.MP4",
        "received_20190601123456.jpeg",
        "received_10156201906011234.jpeg",
        "12345678_10201906011234567_20190601_n.jpg",
        "a3f20190601c9.jpg",
        "20190601-1234-4abc-89ab-1234567890ab.jpg",
        "Recording +49 170 20190601.jpg",
        "20191231x1080.jpg",
        "wallpaper-2048x1536.jpg",
        "99-13-41 12-34-56 1.jpg",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1") + ".jpg",
        "",
    ],
)
def test_digits_that_are_not_a_date_are_ignored(name: str) -> None:
    assert resolved(name=name).taken_at_source == "mtime"


def test_a_name_of_any_bytes_is_accepted() -> None:
    assert (
        resolve({}, name=b"\xff\xfe 2019-06-01 12.34.56.jpg", folder=b"\xff", mtime_ns=0).taken_at
        == "2019-06-01T12:34:56"
    )


@pytest.mark.parametrize(
    ("folder", "expected", "confidence"),
    [
        ("photos/2019-06-01 trip", "2019-06-01T00:00:00", 0.4),
        ("photos/2019/06/01", "2019-06-01T00:00:00", 0.4),
        ("2018/20190601", "2019-06-01T00:00:00", 0.4),
        ("photos/2019/06", "2019-06-01T00:00:00", 0.3),
        ("photos/2019-06 Rome", "2019-06-01T00:00:00", 0.3),
        ("Photos from 2019", "2019-01-01T00:00:00", 0.25),
        ("2019/2019-13", "2019-01-01T00:00:00", 0.25),
        ("2019 Summer", "2019-01-01T00:00:00", 0.25),
        ("Sommer2019", "2019-01-01T00:00:00", 0.25),
        ("20190601 trip", "2019-06-01T00:00:00", 0.4),
        ("June 2019", "2019-06-01T00:00:00", 0.3),
        ("Juni 2019", "2019-06-01T00:00:00", 0.3),
        ("2019/06 June/lake", "2019-06-01T00:00:00", 0.3),
        ("2019/ao\u00fbt", "2019-08-01T00:00:00", 0.3),
        ("ma\u0308rz_2019", "2019-03-01T00:00:00", 0.3),
        ("14. Juli 2019 Paris", "2019-07-14T00:00:00", 0.4),
        ("3 de mayo de 2019", "2019-05-03T00:00:00", 0.4),
        ("2018/2019 summer of 2017-06-01/2016/05", "2017-06-01T00:00:00", 0.4),
    ],
)
def test_the_most_precise_date_in_a_folders_path_is_used(folder: str, expected: str, confidence: float) -> None:
    result = resolved(folder=folder)
    assert (result.taken_at, result.taken_at_source, result.taken_at_confidence) == (expected, "folder", confidence)


@pytest.mark.parametrize(
    "folder",
    [
        "",
        "DCIM/100CANON",
        "backup 12019",
        "resolution 2000x1000",
        "1920 x 1080",
        "Nikon D2000",
        "2015-2019",
        "may",
        "2b20190601ac3e",
    ],
)
def test_a_folder_without_a_date_gives_no_time(folder: str) -> None:
    assert resolved(folder=folder).taken_at_source == "mtime"


def test_a_date_in_the_name_ranks_before_the_folder_and_the_modification_date() -> None:
    assert taken(name="IMG-20190601-WA0001.jpg", folder="2018/05") == ("2019-06-01T00:00:00", "name")
    edited = {"exif": {"modified_at": "2020-01-02T03:04:05"}}
    assert taken(edited, folder="2018/05/01") == ("2020-01-02T03:04:05", "exif")
    assert taken(edited, name="IMG-20190601-WA0001.jpg") == ("2019-06-01T00:00:00", "name")
    assert taken(edited, name="IMG_20190601_123456.jpg") == ("2019-06-01T12:34:56", "name")


def test_the_modification_time_ranks_last_and_has_more_confidence_with_a_camera_file_name() -> None:
    camera, renamed = resolved(name="DSC_0042.JPG"), resolved(name="lake.jpg")
    assert camera.taken_at == renamed.taken_at == "2020-09-13T12:26:40+00:00"
    assert (camera.taken_at_confidence, renamed.taken_at_confidence) == (0.2, 0.1)


@pytest.mark.parametrize("mtime_ns", [0, -1, 10**9, 1 << 63, 946_684_800 * 10**9])
def test_an_implausible_modification_time_is_not_used(mtime_ns: int) -> None:
    result = resolved(mtime_ns=mtime_ns)
    assert (result.taken_at, result.taken_at_source, result.taken_at_confidence) == (None, None, None)
    assert "taken_at" not in result.sources


def test_zero_zero_is_no_position_unless_a_person_says_so() -> None:
    nowhere: dict[str, FactValue] = {"latitude": 0.0, "longitude": 0.0}
    result = resolved({"sidecar": nowhere, "exif": nowhere, "container": {"latitude": 52.5, "longitude": 13.25}})
    assert (result.latitude, result.longitude) == (52.5, 13.25)
    assert resolved({"exif": nowhere}).latitude is None
    assert resolved({"person": nowhere}).latitude == 0.0


def test_a_modification_time_after_tomorrow_says_nothing() -> None:
    hours = 3600 * 10**9
    assert resolved(mtime_ns=time_ns() + 20 * hours).taken_at_source == "mtime"
    assert resolved(mtime_ns=time_ns() + 26 * hours).taken_at is None


def test_a_position_is_never_combined_from_two_sources() -> None:
    facts = {
        "exif": {"latitude": 52.5, "altitude_m": 99.0},
        "xmp": {"latitude": 48.0, "longitude": 11.0},
        "container": {"latitude": 1.0, "longitude": 2.0, "altitude_m": 3.0},
    }
    result = resolved(facts)
    assert (result.latitude, result.longitude, result.altitude_m) == (48.0, 11.0, 99.0)
    assert (result.sources["latitude"], result.sources["altitude_m"]) == ("xmp", "exif")


def test_text_written_by_people_is_taken_from_xmp_and_iptc_before_exif() -> None:
    facts = {
        "exif": {"title": "e", "description": "e", "rating": 1, "lens": "EF50mm"},
        "iptc": {"title": "i", "description": "i"},
        "xmp": {"title": "x", "rating": 5, "lens": "XF50mm"},
    }
    result = resolved(facts)
    assert (result.title, result.description, result.rating, result.lens) == ("x", "i", 5, "EF50mm")
    assert dict(result.sources) == {
        "title": "xmp",
        "description": "iptc",
        "rating": "xmp",
        "lens": "exif",
        "taken_at": "mtime",
        "taken_at_utc": "mtime",
    }


def test_stock_texts_of_cameras_are_ignored() -> None:
    facts = {"exif": {"description": "OLYMPUS DIGITAL CAMERA         ".strip()}, "xmp": {"description": "SONY DSC"}}
    assert resolved(facts).description is None
    assert resolved({**facts, "iptc": {"description": "At the lake"}}).description == "At the lake"


@pytest.mark.parametrize(
    "comment",
    [
        "AppleMark",
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 95",
        "File written by Adobe Photoshop® 4.0",
        "Intel(R) JPEG Library, version [1.51.13.45]",
        "LEAD Technologies Inc. V1.01",
        "Software: Microsoft Office",
        "Lavc58.54.100",
    ],
)
def test_the_name_of_an_encoder_describes_no_photo(comment: str) -> None:
    assert resolved({"container": {"description": comment}}).description is None
    assert resolved({"container": {"description": comment}, "takeout": {"description": "Us"}}).description == "Us"


def test_embedded_keywords_are_merged_and_a_sidecars_keywords_replace_them() -> None:
    facts = {"xmp": {"keywords": ["sea", "Places/Rome"]}, "iptc": {"keywords": ["sea", "dog"]}}
    assert resolved(facts).keywords == ("sea", "Places/Rome", "dog")
    assert resolved({**facts, "sidecar": {"keywords": ["cat"]}}).keywords == ("cat",)
    assert resolved({**facts, "person": {"keywords": []}}).keywords == ()


def test_the_same_keyword_in_two_unicode_forms_is_one() -> None:
    facts = {"xmp": {"keywords": ["Ete\u0301", "\u00c9t\u00e9"]}, "iptc": {"keywords": ["\u00c9te\u0301", "Et\u00e9"]}}
    assert resolved(facts).keywords == ("Et\u00e9", "\u00c9t\u00e9")


def test_camera_facts_keep_their_types() -> None:
    facts = {
        "exif": {
            "camera_make": "Canon",
            "camera_model": "EOS R5",
            "lens": "RF50",
            "iso": 400,
            "aperture": 4,
            "exposure_seconds": 0.004,
            "focal_length_mm": 50.0,
        }
    }
    result = resolved(facts)
    assert (result.camera_make, result.camera_model, result.lens, result.iso) == ("Canon", "EOS R5", "RF50", 400)
    assert (result.aperture, result.exposure_seconds, result.focal_length_mm) == (4.0, 0.004, 50.0)
    assert set(result.sources) == {*facts["exif"], "taken_at", "taken_at_utc"}
    assert result.place is None


@pytest.mark.parametrize(("ending", "minutes"), [("Z", None), ("+00:00", 0)])
def test_a_users_utc_time_has_an_offset_only_if_it_is_written(ending: str, minutes: int | None) -> None:
    result = resolved(
        {"person": {"taken_at": f"2019-06-01T10:00:00{ending}"}, "exif": {"modified_at": "2019-06-01T12:00:00"}}
    )
    assert (result.taken_at, result.taken_at_source) == ("2019-06-01T10:00:00+00:00", "person")
    assert (result.utc_offset_minutes, result.taken_at_utc) == (minutes, 1559383200.0)


def test_a_users_utc_time_gets_the_offset_of_the_position() -> None:
    result = resolved({"person": {"taken_at": "2019-06-01T10:00:00Z"}, "exif": {"latitude": 52.5, "longitude": 13.4}})
    assert (result.taken_at, result.utc_offset_minutes) == ("2019-06-01T12:00:00+02:00", 120)


def lens(facts: Facts) -> tuple[str | None, str | None]:
    result = resolved(facts)
    return result.lens, result.sources.get("lens")


def test_a_lens_named_in_words_comes_before_one_in_numbers_of_a_better_source() -> None:
    numbers, words = {"lens_range": "24-70mm f/2.8"}, {"lens": "AF-S Nikkor 24-70mm f/2.8E ED VR"}
    assert lens({"exif": numbers}) == ("24-70mm f/2.8", "exif")
    assert lens({"sidecar": numbers, "exif": numbers}) == ("24-70mm f/2.8", "sidecar")
    assert lens({"exif": numbers, "exiv2": words}) == (words["lens"], "exiv2")
    assert lens({"exif": {"lens": "EF50mm f/1.8"}, "exiv2": words}) == ("EF50mm f/1.8", "exif")
    assert lens({"person": {"lens": "Unknown"}, "exif": words}) == ("Unknown", "person")
    assert lens({"person": {"lens": ""}, "exif": words}) == ("", "person")


def test_what_names_no_lens_is_left_out_though_an_older_version_stored_it() -> None:
    assert lens({"exif": {"lens": "\x01"}, "xmp": {"lens": "EF50mm f/1.8"}}) == ("EF50mm f/1.8", "xmp")
    assert lens({"exif": {"lens": "X100", "camera_model": "X100"}}) == (None, None)
    assert lens({"exif": {"lens": "24.0-70.0 mm f/2.8"}}) == ("24-70mm f/2.8", "exif")
    assert lens({"exif": {"lens": "24.0-70.0 mm f/2.8"}, "exiv2": {"lens": "AF-S 24-70mm"}}) == (
        "AF-S 24-70mm",
        "exiv2",
    )


def test_what_an_encoder_begins_with_may_begin_a_persons_text() -> None:
    text = "Creator: Maria, summer 1998"
    assert resolved({"sidecar": {"description": text}}).description == text
    assert resolved({"exif": {"description": "CREATOR: gd-jpeg v1.0"}}).description is None
