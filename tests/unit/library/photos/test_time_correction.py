"""Corrections of times: they stand above all that files say, last, and can be taken back as a whole."""

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
    foresee,
    results_of,
    set_to,
    shift_by,
    take_back,
)
from photoindex.library.photos.time_text import read_shift, read_when, shift_text, shifted
from photoindex.library.search.targets import choose_targets
from photoindex.store.journal.journal import Change, stored_row
from photoindex.store.photos import corrections
from photoindex.store.schema.tables import correction
from tests.harness import Keeper
from tests.originals import jpeg, write_photo
from tests.synthetic import make_library

NOON = "2019:06:01 12:00:00"


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


@pytest.fixture
def keeper(originals: Path, library_folder: Path) -> Keeper:
    """Two photos of noon and one of no time of its own, scanned."""
    write_photo(originals / "a.jpg", 1, taken=NOON)
    write_photo(originals / "b.jpg", 2, taken=NOON)
    write_photo(originals / "sub" / "c.jpg", 3)
    os.utime(originals / "sub" / "c.jpg", (1_500_000_000, 1_500_000_000))
    kept = Keeper(library_folder)
    kept.scan(originals)
    return kept


def correct(keeper: Keeper, change: TimeChange, *words: str | Path) -> TimesCorrected:
    with keeper.open() as library:
        return correct_times(library, choose_targets(library, [os.fspath(word) for word in words]).photo_ids, change)


def times(keeper: Keeper) -> dict[str, tuple[str, str, str]]:
    """Name of a present file -> its photo's time, source and precision."""
    rows = keeper.rows(
        "SELECT f.name, p.taken_at, p.taken_at_source, p.taken_at_precision FROM photo p JOIN asset a ON a.photo_id = p.id"
        " JOIN file f ON f.asset_id = a.id WHERE f.state = 'present'"
    )
    return {name: tuple(rest) for name, *rest in rows}  # type: ignore[misc]


def undo_newest(keeper: Keeper, entry: int | None = None) -> int:
    with keeper.open() as library:
        undone = undo(library, entry).undone_by
    assert undone is not None
    return undone


def test_a_time_that_a_person_sets_stands_above_what_the_file_says(keeper: Keeper, originals: Path) -> None:
    correct(keeper, set_to("2001-02-03T04:05:06+01:00"), originals / "a.jpg")
    assert times(keeper)["a.jpg"] == ("2001-02-03T04:05:06+01:00", "person", "second")
    assert times(keeper)["b.jpg"][:2] == ("2019-06-01T12:00:00", "exif")
    assert keeper.value("SELECT taken_at_utc FROM photo WHERE taken_at_source = 'person'") == 981169506.0


@pytest.mark.parametrize(("value", "precision"), [("1974", "year"), ("1974-06", "month"), ("1974-06-30", "day")])
def test_a_part_of_a_date_stays_one(keeper: Keeper, originals: Path, value: str, precision: str) -> None:
    correct(keeper, set_to(value), originals / "a.jpg")
    taken_at, source, known = times(keeper)["a.jpg"]
    assert (taken_at[: len(value)], source, known) == (value, "person", precision)


def test_a_shift_moves_wall_time_and_instant_together_and_adds_up(keeper: Keeper, originals: Path) -> None:
    correct(keeper, set_to("2019-06-01T23:30:00.25+02:00"), originals / "a.jpg")
    before = keeper.value("SELECT taken_at_utc FROM photo WHERE taken_at_source = 'person'")
    correct(keeper, shift_by(3600), originals / "a.jpg")
    assert times(keeper)["a.jpg"][0] == "2019-06-02T00:30:00.25+02:00"
    correct(keeper, shift_by(-60), originals / "a.jpg")
    assert times(keeper)["a.jpg"][0] == "2019-06-02T00:29:00.25+02:00"
    assert keeper.value("SELECT taken_at_utc FROM photo WHERE taken_at_source = 'person'") == before + 3540


def test_a_shift_of_a_time_known_in_utc_alone_leaves_its_offset_unknown(keeper: Keeper) -> None:
    known = "SELECT taken_at, utc_offset_minutes, taken_at_utc FROM photo JOIN asset ON asset.photo_id = photo.id"
    known += " JOIN file ON file.asset_id = asset.id WHERE name = 'c.jpg'"
    assert keeper.rows(known) == [("2017-07-14T02:40:00+00:00", None, 1_500_000_000.0)]
    for seconds, moved in ((3600, "2017-07-14T03:40:00+00:00"), (7200, "2017-07-14T05:40:00+00:00")):
        correct(keeper, shift_by(seconds), "name:c.jpg")
        assert keeper.rows(known)[0][:2] == (moved, None)
    assert keeper.rows(known)[0][2] == 1_500_010_800.0
    assert times(keeper)["c.jpg"] == (moved, "person", "second")


def test_what_has_no_time_of_day_is_passed_over_and_named(keeper: Keeper, originals: Path) -> None:
    correct(keeper, set_to("1974-06"), originals / "a.jpg")
    done = correct(keeper, shift_by(3600), originals / "a.jpg", originals / "b.jpg")
    assert list(done.passed.values()) == ["only the month is known (1974-06)"]
    assert times(keeper)["b.jpg"][0] == "2019-06-01T13:00:00"
    assert times(keeper)["a.jpg"][0].startswith("1974-06")


def test_a_reset_takes_corrections_back_and_leaves_other_photos_alone(keeper: Keeper, originals: Path) -> None:
    before = times(keeper)
    correct(keeper, set_to("1990"), originals / "a.jpg")
    done = correct(keeper, take_back(), originals)
    assert len(done.before) == 1
    assert len(done.passed) == 2
    assert times(keeper) == before


def test_undo_puts_back_every_time_of_one_command_and_redo_corrects_again(keeper: Keeper, originals: Path) -> None:
    before = times(keeper)
    correct(keeper, shift_by(86400), originals)
    after = times(keeper)
    assert {name for name in after if after[name] != before[name]} == {"a.jpg", "b.jpg", "c.jpg"}
    undone = undo_newest(keeper)
    assert times(keeper) == before
    undo_newest(keeper, undone)
    assert times(keeper) == after
    correct(keeper, take_back(), originals)
    assert times(keeper) == before
    undo_newest(keeper)
    assert times(keeper) == after


def test_doing_again_what_is_so_already_writes_no_entry(keeper: Keeper, originals: Path) -> None:
    assert correct(keeper, set_to("1990"), originals / "a.jpg").entry_id is not None
    again = correct(keeper, set_to("1990"), originals / "a.jpg")
    assert (again.entry_id, list(again.passed.values())) == (None, ["it is so already"])
    assert keeper.value("SELECT count(*) FROM journal") == 1


def test_many_corrections_are_journaled_row_for_row_with_few_statements(library_folder: Path) -> None:
    make_library(library_folder, 1005)
    kept = Keeper(library_folder)
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


def test_a_correction_lasts_through_rescan_rename_move_and_edit(
    keeper: Keeper, originals: Path, tmp_path: Path
) -> None:
    correct(keeper, set_to("1990-05-05"), originals / "a.jpg")
    keeper.scan()
    assert times(keeper)["a.jpg"][1] == "person"
    (originals / "a.jpg").rename(originals / "renamed.jpg")
    keeper.scan()
    assert times(keeper)["renamed.jpg"][1] == "person"
    other = tmp_path / "other"
    other.mkdir()
    (originals / "renamed.jpg").rename(other / "moved.jpg")
    keeper.scan(originals, other)
    assert times(keeper)["moved.jpg"][0].startswith("1990-05-05")
    (other / "moved.jpg").write_bytes(jpeg(77, taken="2020:01:01 00:00:00"))
    keeper.scan()
    assert times(keeper)["moved.jpg"] == ("1990-05-05T00:00:00", "person", "day")


def test_a_correction_before_an_edit_does_not_come_up_again(keeper: Keeper, originals: Path) -> None:
    first = (originals / "a.jpg").read_bytes()
    correct(keeper, set_to("1990"), originals / "a.jpg")
    (originals / "a.jpg").write_bytes(jpeg(77, taken="2020:01:01 00:00:00"))
    keeper.scan()
    correct(keeper, set_to("1991"), originals / "a.jpg")
    (originals / "a.jpg").write_bytes(first)
    keeper.scan()
    correct(keeper, set_to("1990"), originals / "a.jpg")
    assert times(keeper)["a.jpg"][0].startswith("1990")
    correct(keeper, take_back(), originals / "a.jpg")
    assert times(keeper)["a.jpg"][:2] == ("2019-06-01T12:00:00", "exif")
    assert keeper.value("SELECT count(*) FROM correction") == 0


def test_a_correction_lasts_through_backup_and_restore(keeper: Keeper, originals: Path, tmp_path: Path) -> None:
    correct(keeper, set_to("1990-05-05"), originals / "a.jpg")
    with keeper.open() as library:
        made = backup(library, BackupRequest(tmp_path / "snapshots"))
    restore(Config(), RestoreRequest(made.snapshot.path, tmp_path / "again"))
    again = Keeper(tmp_path / "again")
    assert times(again)["a.jpg"][1] == "person"
    again.scan()
    assert times(again)["a.jpg"] == ("1990-05-05T00:00:00", "person", "day")


def test_photos_whose_files_are_away_can_be_corrected(keeper: Keeper, originals: Path) -> None:
    shutil.move(originals, originals.with_name("away"))
    correct(keeper, shift_by(3600), originals / "a.jpg")
    shutil.move(originals.with_name("away"), originals)
    assert times(keeper)["a.jpg"][0] == "2019-06-01T13:00:00"


def test_originals_stay_as_they_are(keeper: Keeper, originals: Path) -> None:
    def state() -> list[tuple[bytes, int, int]]:
        found = sorted(path for path in originals.rglob("*") if path.is_file())
        return [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in found]

    before = state()
    names = sorted(originals.rglob("*"))
    correct(keeper, shift_by(3600), originals)
    undo_newest(keeper)
    assert state() == before
    assert sorted(originals.rglob("*")) == names


@pytest.mark.parametrize("change", [set_to("1974-06"), set_to("2019-06-01T12:34"), shift_by(90), take_back()])
def test_what_is_foreseen_is_what_comes(keeper: Keeper, originals: Path, change: TimeChange) -> None:
    correct(keeper, set_to("1999-01-01T01:01"), originals / "b.jpg")
    with keeper.open() as library:
        ids = choose_targets(library, [str(originals)]).photo_ids
        foreseen = list(foresee(library, ids, change))
        entries = keeper.value("SELECT count(*) FROM journal")
        assert entries == 1
        assert list(results_of(library, correct_times(library, ids, change))) == foreseen


def test_a_query_chooses_photos_and_paths_do_not_mix_with_one(keeper: Keeper, originals: Path) -> None:
    with keeper.open() as library:
        assert len(choose_targets(library, ["date:2019", "-name:b"]).photo_ids) == 1
        assert choose_targets(library, [str(originals)]).photo_ids == tuple(
            keeper.rows("SELECT id FROM photo ORDER BY id")[number][0] for number in range(3)
        )
        with pytest.raises(UsageError, match="do not go together"):
            choose_targets(library, [str(originals), "date:2019"])
        with pytest.raises(NothingFound, match="no photo matches"):
            choose_targets(library, ["date:1901"])
        with pytest.raises(UsageError, match="name the photos"):
            choose_targets(library, ["", " "])


def test_relative_paths_odd_names_and_unknown_files_are_told_apart(
    keeper: Keeper, originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = originals / os.fsdecode(b"-x \xff\n.jpg")
    write_photo(odd, 9)
    (originals / "note.txt").write_text("no photo")
    keeper.scan()
    monkeypatch.chdir(originals)
    with keeper.open() as library:
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
def test_a_time_is_read_as_a_person_writes_it(text: str, zone: str | None, fact: str) -> None:
    assert read_when(text, zone) == fact


@pytest.mark.parametrize(
    ("text", "zone", "what"),
    [
        ("yesterday", None, "write it as"),
        ("", None, "write it as"),
        ("2019-02-30", None, "day"),
        ("1825", None, "1826"),
        ("2999", None, "1826"),
        ("2019-06-01 12:00:30 PM", None, "write it as"),
        ("2019-06-01T25:00", None, "hour"),
        ("2019-06-01T12:00+15:00", None, "14 hours"),
        ("2019-06-01T12:00+02:00", "+02:00", "not twice"),
        ("2019-06-01", "+02:00", "time of day"),
        ("2019-06-01T12:00", "+15:00", "is no zone"),
        ("2019-06-01T12:00", "Europe/Nowhere", "is no zone"),
        ("2019-06-01T12:00", "../../etc/passwd", "is no zone"),
        ("2019-10-27T02:30", "Europe/Berlin", r"came twice in Europe/Berlin.*\+02:00 or \+01:00"),
        ("2019-03-31T02:30", "Europe/Berlin", "put forward"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_the_reason(text: str, zone: str | None, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_when(text, zone)


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
def test_a_length_of_time_is_read_as_a_person_writes_it(text: str, seconds: int, shown: str) -> None:
    assert read_shift(text) == seconds
    assert shift_text(seconds) == shown
    assert read_shift(shown) == seconds


@pytest.mark.parametrize("text", ["", "+", "1", "1y", "0s", "0.5s", "soon", "1m1h", "--1h", "1:99"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
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
