"""Corrections of times: they override metadata, persist, and can be undone as a whole."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from photoindex.config.schema import Config
from photoindex.errors import NothingFound, UsageError
from photoindex.library.backup.backup import BackupRequest, backup
from photoindex.library.backup.restore import RestoreRequest, restore
from photoindex.library.maintenance.journal import undo
from photoindex.library.photos.time_correction import (
    TimeChange,
    TimesCorrected,
    correct_times,
    plan_time_changes,
    reset,
    results_of,
    set_to,
    shift_by,
)
from photoindex.library.photos.time_text import parse_time, read_shift, shift_text, shifted
from photoindex.library.search.targets import choose_targets
from photoindex.store.journal.journal import Change, stored_row
from photoindex.store.photos import corrections
from photoindex.store.schema.tables import correction
from tests.harness import LibraryRunner
from tests.originals import jpeg, write_photo
from tests.synthetic import make_library

NOON = "2019:06:01 12:00:00"


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


@pytest.fixture
def runner(originals: Path, library_folder: Path) -> LibraryRunner:
    """Two photos taken at noon and one without a time, scanned."""
    write_photo(originals / "a.jpg", 1, taken=NOON)
    write_photo(originals / "b.jpg", 2, taken=NOON)
    write_photo(originals / "sub" / "c.jpg", 3)
    os.utime(originals / "sub" / "c.jpg", (1_500_000_000, 1_500_000_000))
    kept = LibraryRunner(library_folder)
    kept.scan(originals)
    return kept


def correct(runner: LibraryRunner, change: TimeChange, *words: str | Path) -> TimesCorrected:
    with runner.open() as library:
        return correct_times(library, choose_targets(library, [os.fspath(word) for word in words]).photo_ids, change)


def times(runner: LibraryRunner) -> dict[str, tuple[str, str, str]]:
    """Name of a present file -> its photo's time, source and precision."""
    rows = runner.rows(
        "SELECT f.name, p.taken_at, p.taken_at_source, p.taken_at_precision FROM photo p JOIN asset a ON a.photo_id = p.id"
        " JOIN file f ON f.asset_id = a.id WHERE f.state = 'present'"
    )
    return {name: tuple(rest) for name, *rest in rows}  # type: ignore[misc]


def undo_newest(runner: LibraryRunner, entry: int | None = None) -> int:
    with runner.open() as library:
        undone = undo(library, entry).undone_by
    assert undone is not None
    return undone


def test_a_time_set_by_the_user_overrides_the_metadata(runner: LibraryRunner, originals: Path) -> None:
    correct(runner, set_to("2001-02-03T04:05:06+01:00"), originals / "a.jpg")
    assert times(runner)["a.jpg"] == ("2001-02-03T04:05:06+01:00", "person", "second")
    assert times(runner)["b.jpg"][:2] == ("2019-06-01T12:00:00", "exif")
    assert runner.value("SELECT taken_at_utc FROM photo WHERE taken_at_source = 'person'") == 981169506.0


@pytest.mark.parametrize(("value", "precision"), [("1974", "year"), ("1974-06", "month"), ("1974-06-30", "day")])
def test_a_partial_date_stays_partial(runner: LibraryRunner, originals: Path, value: str, precision: str) -> None:
    correct(runner, set_to(value), originals / "a.jpg")
    taken_at, source, known = times(runner)["a.jpg"]
    assert (taken_at[: len(value)], source, known) == (value, "person", precision)


def test_a_shift_moves_wall_time_and_instant_together_and_adds_up(runner: LibraryRunner, originals: Path) -> None:
    correct(runner, set_to("2019-06-01T23:30:00.25+02:00"), originals / "a.jpg")
    before = runner.value("SELECT taken_at_utc FROM photo WHERE taken_at_source = 'person'")
    correct(runner, shift_by(3600), originals / "a.jpg")
    assert times(runner)["a.jpg"][0] == "2019-06-02T00:30:00.25+02:00"
    correct(runner, shift_by(-60), originals / "a.jpg")
    assert times(runner)["a.jpg"][0] == "2019-06-02T00:29:00.25+02:00"
    assert runner.value("SELECT taken_at_utc FROM photo WHERE taken_at_source = 'person'") == before + 3540


def test_a_shift_of_a_time_known_in_utc_only_leaves_its_offset_unknown(runner: LibraryRunner) -> None:
    known = "SELECT taken_at, utc_offset_minutes, taken_at_utc FROM photo JOIN asset ON asset.photo_id = photo.id"
    known += " JOIN file ON file.asset_id = asset.id WHERE name = 'c.jpg'"
    assert runner.rows(known) == [("2017-07-14T02:40:00+00:00", None, 1_500_000_000.0)]
    for seconds, moved in ((3600, "2017-07-14T03:40:00+00:00"), (7200, "2017-07-14T05:40:00+00:00")):
        correct(runner, shift_by(seconds), "name:c.jpg")
        assert runner.rows(known)[0][:2] == (moved, None)
    assert runner.rows(known)[0][2] == 1_500_010_800.0
    assert times(runner)["c.jpg"] == (moved, "person", "second")


def test_photos_without_a_time_of_day_are_skipped_with_a_reason(runner: LibraryRunner, originals: Path) -> None:
    correct(runner, set_to("1974-06"), originals / "a.jpg")
    done = correct(runner, shift_by(3600), originals / "a.jpg", originals / "b.jpg")
    assert list(done.skipped.values()) == ["only the month is known (1974-06)"]
    assert times(runner)["b.jpg"][0] == "2019-06-01T13:00:00"
    assert times(runner)["a.jpg"][0].startswith("1974-06")


def test_a_reset_removes_corrections_and_leaves_other_photos_alone(runner: LibraryRunner, originals: Path) -> None:
    before = times(runner)
    correct(runner, set_to("1990"), originals / "a.jpg")
    done = correct(runner, reset(), originals)
    assert len(done.before) == 1
    assert len(done.skipped) == 2
    assert times(runner) == before


def test_undo_reverts_all_times_of_one_command_and_redo_corrects_again(runner: LibraryRunner, originals: Path) -> None:
    before = times(runner)
    correct(runner, shift_by(86400), originals)
    after = times(runner)
    assert {name for name in after if after[name] != before[name]} == {"a.jpg", "b.jpg", "c.jpg"}
    undone = undo_newest(runner)
    assert times(runner) == before
    undo_newest(runner, undone)
    assert times(runner) == after
    correct(runner, reset(), originals)
    assert times(runner) == before
    undo_newest(runner)
    assert times(runner) == after


def test_a_correction_without_effect_writes_no_entry(runner: LibraryRunner, originals: Path) -> None:
    assert correct(runner, set_to("1990"), originals / "a.jpg").entry_id is not None
    again = correct(runner, set_to("1990"), originals / "a.jpg")
    assert (again.entry_id, list(again.skipped.values())) == (None, ["it already has this time"])
    assert runner.value("SELECT count(*) FROM journal") == 1


def test_many_corrections_are_journaled_row_for_row_with_few_statements(library_folder: Path) -> None:
    make_library(library_folder, 1005)
    kept = LibraryRunner(library_folder)
    assets = [number for (number,) in kept.rows("SELECT id FROM asset ORDER BY id")]
    assert len(assets) > 1000
    statements = 0

    def count(*_arguments: object) -> None:
        nonlocal statements
        statements += 1

    def changes_of(connection: Connection, wanted: dict[int, str | None]) -> list[Change]:
        return list(corrections.correct(connection, [(number, "taken_at", value) for number, value in wanted.items()]))

    def stored(connection: Connection) -> dict[object, object]:
        return {
            number: stored_row(connection, correction, {"asset_id": number, "fact": "taken_at"}) for number in assets
        }

    with kept.open() as library, library.database.write() as connection:
        changes_of(connection, dict.fromkeys(assets[:700], "1974"))
        before = stored(connection)
        wanted = {number: ("1974", "1975-06", None)[number % 3] for number in assets}
        event.listen(connection, "before_cursor_execute", count)
        changes = changes_of(connection, wanted)
        event.remove(connection, "before_cursor_execute", count)
        after = stored(connection)
    assert statements < 20
    differing = {number for number in assets if before[number] != after[number]}
    assert {change.key["asset_id"] for change in changes} == differing
    assert len(changes) == len(differing) > 600
    for change in changes:
        assert change.key["fact"] == "taken_at"
        assert (change.before, change.after) == (before[change.key["asset_id"]], after[change.key["asset_id"]])


def test_a_correction_survives_rescan_rename_move_and_edit(
    runner: LibraryRunner, originals: Path, tmp_path: Path
) -> None:
    correct(runner, set_to("1990-05-05"), originals / "a.jpg")
    runner.scan()
    assert times(runner)["a.jpg"][1] == "person"
    (originals / "a.jpg").rename(originals / "renamed.jpg")
    runner.scan()
    assert times(runner)["renamed.jpg"][1] == "person"
    other = tmp_path / "other"
    other.mkdir()
    (originals / "renamed.jpg").rename(other / "moved.jpg")
    runner.scan(originals, other)
    assert times(runner)["moved.jpg"][0].startswith("1990-05-05")
    (other / "moved.jpg").write_bytes(jpeg(77, taken="2020:01:01 00:00:00"))
    runner.scan()
    assert times(runner)["moved.jpg"] == ("1990-05-05T00:00:00", "person", "day")


def test_a_correction_before_an_edit_does_not_take_effect_again(runner: LibraryRunner, originals: Path) -> None:
    first = (originals / "a.jpg").read_bytes()
    correct(runner, set_to("1990"), originals / "a.jpg")
    (originals / "a.jpg").write_bytes(jpeg(77, taken="2020:01:01 00:00:00"))
    runner.scan()
    correct(runner, set_to("1991"), originals / "a.jpg")
    (originals / "a.jpg").write_bytes(first)
    runner.scan()
    correct(runner, set_to("1990"), originals / "a.jpg")
    assert times(runner)["a.jpg"][0].startswith("1990")
    correct(runner, reset(), originals / "a.jpg")
    assert times(runner)["a.jpg"][:2] == ("2019-06-01T12:00:00", "exif")
    assert runner.value("SELECT count(*) FROM correction") == 0


def test_a_correction_survives_backup_and_restore(runner: LibraryRunner, originals: Path, tmp_path: Path) -> None:
    correct(runner, set_to("1990-05-05"), originals / "a.jpg")
    with runner.open() as library:
        made = backup(library, BackupRequest(tmp_path / "snapshots", initialise=True))
    restore(Config(), RestoreRequest(made.snapshot.path, tmp_path / "again"))
    again = LibraryRunner(tmp_path / "again")
    assert times(again)["a.jpg"][1] == "person"
    again.scan()
    assert times(again)["a.jpg"] == ("1990-05-05T00:00:00", "person", "day")


def test_photos_with_unavailable_files_can_be_corrected(runner: LibraryRunner, originals: Path) -> None:
    shutil.move(originals, originals.with_name("away"))
    correct(runner, shift_by(3600), originals / "a.jpg")
    shutil.move(originals.with_name("away"), originals)
    assert times(runner)["a.jpg"][0] == "2019-06-01T13:00:00"


def test_originals_are_not_changed(runner: LibraryRunner, originals: Path) -> None:
    def state() -> list[tuple[bytes, int, int]]:
        found = sorted(path for path in originals.rglob("*") if path.is_file())
        return [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in found]

    before = state()
    names = sorted(originals.rglob("*"))
    correct(runner, shift_by(3600), originals)
    undo_newest(runner)
    assert state() == before
    assert sorted(originals.rglob("*")) == names


@pytest.mark.parametrize("change", [set_to("1974-06"), set_to("2019-06-01T12:34"), shift_by(90), reset()])
def test_a_dry_run_predicts_the_result(runner: LibraryRunner, originals: Path, change: TimeChange) -> None:
    correct(runner, set_to("1999-01-01T01:01"), originals / "b.jpg")
    with runner.open() as library:
        ids = choose_targets(library, [str(originals)]).photo_ids
        foreseen = list(plan_time_changes(library, ids, change))
        entries = runner.value("SELECT count(*) FROM journal")
        assert entries == 1
        assert list(results_of(library, correct_times(library, ids, change))) == foreseen


def test_a_query_chooses_photos_and_paths_do_not_mix_with_one(runner: LibraryRunner, originals: Path) -> None:
    with runner.open() as library:
        assert len(choose_targets(library, ["date:2019", "-name:b"]).photo_ids) == 1
        assert choose_targets(library, [str(originals)]).photo_ids == tuple(
            runner.rows("SELECT id FROM photo ORDER BY id")[number][0] for number in range(3)
        )
        with pytest.raises(UsageError, match="cannot be combined with a query"):
            choose_targets(library, [str(originals), "date:2019"])
        with pytest.raises(NothingFound, match="no photo matches"):
            choose_targets(library, ["date:1901"])
        with pytest.raises(UsageError, match="name the photos"):
            choose_targets(library, ["", " "])


def test_relative_paths_odd_names_and_unknown_files_are_distinguished(
    runner: LibraryRunner, originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = originals / os.fsdecode(b"-x \xff\n.jpg")
    write_photo(odd, 9)
    (originals / "note.txt").write_text("no photo")
    runner.scan()
    monkeypatch.chdir(originals)
    with runner.open() as library:
        (one,) = choose_targets(library, [odd.name]).files
        assert one.photo_id == choose_targets(library, [str(odd)]).photo_ids[0]
        assert len(choose_targets(library, ["sub", "a.jpg"]).photo_ids) == 2
        for unknown in ("./nothing.jpg", "note.txt"):
            with pytest.raises(NothingFound, match="photoindex why"):
                choose_targets(library, [unknown])


@pytest.mark.parametrize(
    ("text", "zone", "fact"),
    [
        ("2019-06-01T12:00", None, "2019-06-01T12:00"),
        ("2019-06-01 12:00:30+02:00", None, "2019-06-01T12:00:30+02:00"),
        ("2019-06-01 12:00:30 +02:00", None, "2019-06-01T12:00:30+02:00"),
        ("2019-06-01T12:00:30.5Z", None, "2019-06-01T12:00:30.5+00:00"),
        ("1974", None, "1974"),
        ("1826-06", None, "1826-06"),
        ("1974-06-30", None, "1974-06-30"),
        ("2019-06-01 12:00", "+05:45", "2019-06-01T12:00+05:45"),
        ("2019-06-01 12:00", "Europe/Lisbon", "2019-06-01T12:00+01:00"),
        ("2019-12-01 12:00", "Europe/Lisbon", "2019-12-01T12:00+00:00"),
        ("2019-10-27 03:00", "Europe/Berlin", "2019-10-27T03:00+01:00"),
    ],
)
def test_times_are_parsed(text: str, zone: str | None, fact: str) -> None:
    assert parse_time(text, zone) == fact


@pytest.mark.parametrize(
    ("text", "zone", "what"),
    [
        ("yesterday", None, "write 2019"),
        ("", None, "write 2019"),
        ("2019-02-30", None, "day"),
        ("1825", None, "1826"),
        ("2999", None, "1826"),
        ("2019-06-01 12:00:30 PM", None, "write 2019"),
        ("2019-06-01T25:00", None, "hour"),
        ("2019-06-01T12:00+15:00", None, "14 hours"),
        ("2019-06-01T12:00+02:00", "+02:00", "do not use --zone"),
        ("2019-06-01", "+02:00", "time of day"),
        ("2019-06-01T12:00", "+15:00", "is not a zone"),
        ("2019-06-01T12:00", "Europe/Nowhere", "is not a zone"),
        ("2019-06-01T12:00", "../../etc/passwd", "is not a zone"),
        ("2019-10-27T02:30", "Europe/Berlin", r"occurred twice in Europe/Berlin.*\+02:00 or \+01:00"),
        ("2019-03-31T02:30", "Europe/Berlin", "clocks went forward"),
    ],
)
def test_an_impossible_time_is_refused_with_the_reason(text: str, zone: str | None, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        parse_time(text, zone)


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("+1h30m", 5400, "+1h30m"),
        ("-2d", -172_800, "-2d"),
        ("90s", 90, "+1m30s"),
        ("1w", 604_800, "+7d"),
        ("+00:05:30", 330, "+5m30s"),
        ("-01:00", -3600, "-1h"),
        ("1h 5min", 3900, "+1h5m"),
    ],
)
def test_shifts_are_parsed(text: str, seconds: int, shown: str) -> None:
    assert read_shift(text) == seconds
    assert shift_text(seconds) == shown
    assert read_shift(shown) == seconds


@pytest.mark.parametrize("text", ["", "+", "1", "1y", "0s", "0.5s", "soon", "1m1h", "--1h", "1:99"])
def test_an_invalid_shift_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"length of time|vary in length|shifts nothing|whole number of seconds"):
        read_shift(text)


@pytest.mark.parametrize(
    ("taken_at", "precision", "seconds", "moved"),
    [
        ("2019-06-01T12:00:00", "minute", 3600, "2019-06-01T13:00"),
        ("2019-06-01T12:00:00+02:00", "minute", 30, "2019-06-01T12:00:30+02:00"),
        ("2019-12-31T23:59:60+00:00", "second", 1, "2020-01-01T00:00:01+00:00"),
        ("1969-12-31T23:59:59.5", "second", 1, "1970-01-01T00:00:00.5"),
        ("1826-01-01T00:00:00", "second", -1, None),
        ("2019-06-01T12:00:00", "second", 10**11, None),
    ],
)
def test_a_moved_time_keeps_its_offset_and_its_precision(
    taken_at: str, precision: str, seconds: int, moved: str | None
) -> None:
    assert shifted(taken_at, precision, seconds) == moved
