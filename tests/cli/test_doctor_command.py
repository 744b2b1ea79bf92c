"""`photoindex doctor` and `doctor --sizing`: output, exit codes, with and without a library."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from photoindex.library.doctor.doctor import LIBRARY_CHECKS, MACHINE_CHECKS
from photoindex.store.night import measurements, throughput
from photoindex.store.night.throughput import Piece
from tests.command_line import run, run_on_terminal
from tests.harness import LibraryRunner
from tests.originals import write_photos
from tests.unit.media.test_rereading import damage


@pytest.fixture
def runner(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """Six scanned photos; the library is that of the environment."""
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    write_photos(tmp_path / "photos", 6)
    runner = LibraryRunner(library_folder)
    runner.scan(tmp_path / "photos")
    return runner


def test_without_a_library_the_computer_alone_is_examined(
    library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "doctor", "--library", library_folder, "--json")
    assert ran.code == 0
    assert [row["check"] for row in ran.json] == [*(name for name, _ in MACHINE_CHECKS), "library"]
    assert ran.json[-1] == {
        "schema": 1, "level": "warn", "check": "library", "text": "there is no library yet",
        "remedy": "create one with: photoindex scan PATH",
    }  # fmt: skip
    assert not library_folder.exists()


def test_each_check_has_a_line_and_each_warning_a_remedy(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "doctor", "--json")
    assert ran.code == 0
    assert {row["check"] for row in ran.json} == {name for name, _ in (*MACHINE_CHECKS, *LIBRARY_CHECKS)}
    assert all(row["remedy"] for row in ran.json if row["level"] != "ok")
    warned = sum(row["level"] == "warn" for row in ran.json)
    assert f"{len(ran.json)} findings: 0 fail, {warned} warn".encode() in ran.err


def test_a_failure_exits_with_18(runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    damage(os.fsencode(runner.folder.parent / "photos" / "0" / "IMG_0000.jpg"))
    run(capsysbinary, "verify", "--originals")
    ran = run(capsysbinary, "doctor")
    assert ran.code == 18
    assert b"fail\toriginals\t1 damaged or unreadable when read last" in ran.out
    assert b"each names its remedy" in ran.err


def test_a_library_that_cannot_be_opened_is_a_failure_among_the_others(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (runner.folder / "photoindex.db").write_bytes(b"no database" * 1000)
    ran = run(capsysbinary, "doctor", "--json")
    assert ran.code == 18
    assert (ran.json[-1]["check"], ran.json[-1]["level"]) == ("library", "fail")
    assert len(ran.json) == len(MACHINE_CHECKS) + 1


def test_on_a_terminal_there_is_a_table(runner: LibraryRunner) -> None:
    shown = run_on_terminal("doctor")
    assert b"what was found" in shown.out
    assert b"schedule" in shown.out


def test_sizing_forecasts_by_the_plan_until_there_is_enough_to_measure(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (found,) = run(capsysbinary, "doctor", "--sizing", "--json").json
    assert (found["profile"], found["contents"], found["measured"]) == ("P1", 6, False)
    assert [(one["photos"], one["profile"]) for one in found["forecasts"]] == [
        (photos, profile) for photos in (200_000, 500_000, 1_000_000, 2_000_000) for profile in ("P1", "P2", "P3", "P4")
    ]
    assert found["forecasts"][0]["originals_bytes"] == 200_000 * 2_500_000
    assert run(capsysbinary, "doctor", "--sizing", "--library", runner.folder / "none").code == 4


def test_sizing_measures_a_larger_library_and_says_in_words_what_differs(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photoindex.library.doctor.sizing._ENOUGH", 6)
    before = run(capsysbinary, "doctor", "--sizing", "--json").json[0]["triggers"]
    assert [one["value"] for one in before if one["name"].startswith("write")] == [None], "too few writes to say"
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE asset SET size_bytes = 5000000")
        connection.exec_driver_sql("UPDATE asset SET kind = 'raw' WHERE id <= 3")
        connection.exec_driver_sql("UPDATE photo SET faces = id % 2 * 3")
        connection.exec_driver_sql("DELETE FROM throughput")
        throughput.record(connection, Piece("ingest", 1000, 100.0))
        connection.exec_driver_sql("UPDATE task SET state = 'pending' WHERE id <= 2")
        for _ in range(1000):
            measurements.record(connection, measurements.WRITE, 0.2)
    (found,) = run(capsysbinary, "doctor", "--sizing", "--json").json
    measured = {one["name"]: (one["measured"], one["diverges"]) for one in found["assumptions"]}
    assert measured["average original"] == (5_000_000, True)
    assert measured["RAW files"] == (0.5, True)
    assert measured["photos with faces"] == (0.5, False)
    assert measured["faces in a photo with faces"] == (3.0, True)
    assert found["forecasts"][0]["originals_bytes"] == 200_000 * 5_000_000
    assert found["forecasts"][0]["hours"]["ingest"]["median"] == pytest.approx(200_000 * 0.1 / 3600)
    triggers = {one["name"]: (one["value"], one["met"]) for one in found["triggers"]}
    assert triggers["write to the database, p95"] == (0.2, True)
    assert triggers["backlog"] == (pytest.approx(0.2 / 3600), False)
    words = run(capsysbinary, "doctor", "--sizing").out.decode()
    assert "average original: 5.0 MB, 2.0 times the 2.5 MB that was planned" in words
    assert "RAW files: 50.0 %, 5.0 times the 10.0 % that was planned" in words
    assert "time to move to PostgreSQL" in words
