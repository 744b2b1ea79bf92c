"""`photoindex events`: output for people and programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from photoindex.store.schema.tables import place
from tests.command_line import run, run_on_terminal
from tests.rows import VolumeRows, library_in

HOME = {"latitude": 52.524, "longitude": 13.41, "taken_at_precision": "second"}
AWAY = {"latitude": 38.717, "longitude": -9.133, "taken_at_precision": "second", "place_id": 1}
TRIP = "2019-06-01-trip-portugal"

Capture = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def volume_rows(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    (tmp_path / "originals").mkdir()
    with library_in(library_folder) as library:
        made = VolumeRows(library, tmp_path / "originals")
        lisbon = {"id": 1, "city": "Lisbon\x1b[31m", "region": None, "country": "Portugal", "country_code": "PT"}
        with made.writing() as connection:
            connection.execute(
                insert(place).values(
                    **lisbon, latitude=38.7, longitude=-9.1, population=1, words=" lisbon ", alternates="\n"
                )
            )
        for month in (2, 4, 8):
            made.add_whole_photo(f"home-{month}.jpg", taken_at=f"2019-{month:02}-10T12:00:00", **HOME)
        for day in (1, 2):
            made.add_whole_photo(f"away-{day}.jpg", taken_at=f"2019-06-0{day}T12:00:00", **AWAY)
        made.add_whole_photo("month.jpg", taken_at="2019-06-01T00:00:00", taken_at_precision="month")
        yield made


def test_in_a_pipe_events_are_their_keys(capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "events")
    assert (ran.code, ran.err) == (0, b"")
    assert ran.out.decode().splitlines() == [
        "2019-08-10", TRIP, "2019-06-01-lisbon-31m", "2019-06-02-lisbon-31m", "2019-04-10", "2019-02-10",
    ]  # fmt: skip


def test_events_are_json_lines(capsysbinary: Capture) -> None:
    lines = run(capsysbinary, "events", "--json").json
    assert lines[1] == {
        "schema": 1, "key": TRIP, "kind": "trip", "title": "Lisbon\x1b[31m, Portugal",
        "first_at": "2019-06-01T12:00:00", "last_at": "2019-06-02T12:00:00", "days": 2, "photos": 2,
        "places": [{"city": "Lisbon\x1b[31m", "region": None, "country": "Portugal", "country_code": "PT", "photos": 2}],
        "latitude": 38.717, "longitude": -9.133, "parent": None,
    }  # fmt: skip
    assert [one["parent"] for one in lines] == [None, None, TRIP, TRIP, None, None]


def test_events_are_csv_and_templates(capsysbinary: Capture) -> None:
    head, first, *_ = run(capsysbinary, "events", "--csv").out.decode().splitlines()
    assert head == "key,kind,title,first_at,last_at,days,photos,latitude,longitude,parent"
    assert first.startswith("2019-08-10,day,2019-08-10,2019-08-10T12:00:00,")
    filled = run(capsysbinary, "events", "-n", "1", "--format", r"{key}\t{photos}\n")
    assert filled.out == b"2019-08-10\t1\n"


def test_a_terminal_gets_a_table_with_days_below_their_trip_and_escaped_names() -> None:
    ran = run_on_terminal("events", "--min-photos", "1")
    lines = ran.out.decode().splitlines()
    assert ran.code == 0
    (trip,) = (index for index, line in enumerate(lines) if TRIP in line)
    assert lines[trip].startswith("2019-06-01 to 2019-06-02 ")
    assert lines[trip + 1].startswith("  2019-06-01 12:00 ")
    assert r"  Lisbon\x1b[31m, Portugal" in lines[trip + 1]
    assert b"\x1b[31m" not in ran.out
    assert "1 photo belongs to no event: only the month or year is known" in ran.out.decode()


def test_times_of_files_make_no_event_unless_asked_for_and_are_marked(
    volume_rows: VolumeRows, capsysbinary: Capture
) -> None:
    copied = {"taken_at_precision": "second", "taken_at_source": "mtime"}
    volume_rows.add_whole_photo("copy.jpg", taken_at="2024-06-01T10:00:00+00:00", **copied)
    volume_rows.add_whole_photo("copy-in-august.jpg", taken_at="2019-08-10T12:00:00+00:00", **copied)
    ran = run_on_terminal("events")
    assert "2024" not in ran.out.decode()
    assert "2 photos belong to no event: only the time of the file is known; --mtime includes it" in ran.out.decode()
    assert run(capsysbinary, "search", "event:2019-08-10", "--count").out == b"1\n"

    lines = run_on_terminal("events", "--mtime").out.decode().splitlines()
    assert [line.split()[0] for line in lines if "2024" in line or "2019-08" in line] == ["~2024-06-01", "~2019-08-10"]
    assert run(capsysbinary, "search", "event:2024-06-01", "--count").out == b"1\n"
    assert run(capsysbinary, "events", "--mtime", "--json").json[0]["first_at"] == "2024-06-01T10:00:00"
    assert b"2024-06-01" not in run(capsysbinary, "events").out


def test_a_query_may_exclude_photos_and_the_gap_can_be_changed(capsysbinary: Capture) -> None:
    assert run(capsysbinary, "events", "-date:2019-06", "--gap", "2d").out.splitlines() == [
        b"2019-08-10", b"2019-04-10", b"2019-02-10",
    ]  # fmt: skip
    refused = run(capsysbinary, "events", "--gap", "soon")
    assert (refused.code, b"--gap: 'soon' is not a length of time" in refused.err) == (2, True)
    assert run(capsysbinary, "events", "--gap", "1mo").code == 2
    assert run(capsysbinary, "events", "dat:2019").code == 2


def test_an_event_is_searched_and_saved(capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "events", "--save", f"{TRIP}=lisbon-trip")
    assert ran.out == f"saved event:{TRIP} as @lisbon-trip; use it with: photoindex search @lisbon-trip\n".encode()
    assert run(capsysbinary, "search", "@lisbon-trip", "--count").out == b"2\n"
    assert run(capsysbinary, "search", f"event:{TRIP}", "--count").out == b"2\n"


@pytest.mark.parametrize("words", [["=name"], [f"{TRIP}="], [TRIP, "beach"], [TRIP, "--json"]])
def test_saving_takes_a_key_and_no_listing_options(words: list[str], capsysbinary: Capture) -> None:
    assert run(capsysbinary, "events", "--save", *words).code == 2


def test_saving_an_unknown_event_finds_nothing(capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "events", "--save", "2019-08-11")
    assert (ran.code, b"did you mean 2019-08-10?" in ran.err) == (11, True)
