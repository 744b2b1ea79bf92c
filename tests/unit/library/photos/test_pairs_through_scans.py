"""Photos with several contents after files are excluded, pruned, edited, moved, and restored."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from photoindex.library.maintenance.journal import undo
from photoindex.library.maintenance.prune import PruneRequest, prune
from photoindex.library.photos.pairs import join
from photoindex.library.photos.show import Shown, as_json, show
from photoindex.library.photos.time_correction import correct_times, set_to
from photoindex.library.photos.why import why
from photoindex.library.search.targets import choose_targets
from tests.harness import LibraryRunner
from tests.metadata_blocks import exif_segment, position, tiff
from tests.originals import jpeg
from tests.pairing_files import write_raw, write_still
from tests.unit.media.media_pictures import video

LATER = "2019:06:05 12:00:00"


@pytest.fixture
def runner(library_folder: Path) -> LibraryRunner:
    return LibraryRunner(library_folder)


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """An extra picture, so that the volume does not look unmounted when other files are removed."""
    folder = tmp_path / "originals"
    write_still(folder / "lone.jpg", 90, taken=LATER)
    return folder


def roles(runner: LibraryRunner) -> dict[str, str]:
    """The role of each known file in its photo."""
    rows = runner.rows("SELECT f.name, a.role FROM file f JOIN asset a ON a.id = f.asset_id WHERE f.name <> 'lone.jpg'")
    return dict(rows)


def join_files(runner: LibraryRunner, *paths: Path) -> None:
    with runner.open() as library:
        join(library, choose_targets(library, [str(path) for path in paths]))


def forget_missing(runner: LibraryRunner) -> int:
    with runner.open() as library:
        entry = prune(library, PruneRequest()).entry_id
    assert entry is not None
    return entry


def joined_pictures(runner: LibraryRunner, originals: Path) -> tuple[Path, Path]:
    """Two pictures that no rule pairs, joined by hand: the primary one and the other one."""
    both = [write_still(originals / "a.jpg", 1), write_still(originals / "b.jpg", 2, taken=LATER)]
    runner.scan(originals)
    join_files(runner, *both)
    first, other = sorted(both, key=lambda path: roles(runner)[path.name] != "primary")
    return first, other


def test_a_raw_that_was_excluded_for_a_while_rejoins_its_photo(runner: LibraryRunner, originals: Path) -> None:
    write_still(originals / "a.jpg", 1)
    write_raw(originals / "a.dng", 2)
    runner.scan(originals)
    runner.scan(originals, exclude=("*.dng",))
    assert roles(runner)["a.jpg"] == "primary"
    runner.scan(originals, exclude=())
    assert roles(runner) == {"a.jpg": "primary", "a.dng": "raw"}


def test_half_of_a_pair_that_was_pruned_rejoins_it_when_it_returns(runner: LibraryRunner, originals: Path) -> None:
    write_still(originals / "a.jpg", 1)
    raw = write_raw(originals / "a.dng", 2)
    runner.scan(originals)
    raw.unlink()
    runner.scan(accept_missing=True)
    forget_missing(runner)
    write_raw(raw, 2)
    runner.scan()
    assert roles(runner) == {"a.jpg": "primary", "a.dng": "raw"}


def test_undoing_a_prune_restores_the_pair_immediately(runner: LibraryRunner, originals: Path) -> None:
    write_still(originals / "a.jpg", 1)
    write_raw(originals / "a.dng", 2)
    runner.scan(originals)
    (originals / "a.dng").unlink()
    runner.scan(accept_missing=True)
    entry = forget_missing(runner)
    with runner.open() as library:
        undo(library, entry)
    assert roles(runner) == {"a.jpg": "primary", "a.dng": "raw"}


def test_a_photo_joined_by_hand_stays_joined_without_a_pruned_content(runner: LibraryRunner, originals: Path) -> None:
    first, other = joined_pictures(runner, originals)
    first.unlink()
    runner.scan(accept_missing=True)
    entry = forget_missing(runner)
    assert roles(runner) == {other.name: "primary"}
    with runner.open() as library:
        undo(library, entry)
    assert roles(runner) == {first.name: "primary", other.name: "alternate"}


def test_a_photo_joined_by_hand_stays_joined_without_an_excluded_content(
    runner: LibraryRunner, originals: Path
) -> None:
    first, other = joined_pictures(runner, originals)
    runner.scan(originals, exclude=(first.name,))
    assert roles(runner)[other.name] == "primary"
    runner.scan(originals, exclude=())
    assert roles(runner) == {first.name: "primary", other.name: "alternate"}


def test_an_edited_file_keeps_its_role_in_its_photo(runner: LibraryRunner, originals: Path) -> None:
    first, other = joined_pictures(runner, originals)
    as_it_was = other.read_bytes()
    write_still(other, 3, taken=LATER)
    runner.scan()
    assert roles(runner) == {first.name: "primary", other.name: "alternate"}
    other.write_bytes(as_it_was)
    runner.scan()
    assert roles(runner) == {first.name: "primary", other.name: "alternate"}


def test_an_old_raw_that_turns_up_does_not_replace_a_picture(
    runner: LibraryRunner, originals: Path, tmp_path: Path
) -> None:
    picture = write_still(originals / "a.jpg", 1)
    raw = write_raw(originals / "a.dng", 2)
    runner.scan(originals)
    write_raw(raw, 3)
    runner.scan()
    picture.rename(tmp_path / "away.jpg")
    runner.scan(accept_missing=True)
    write_raw(originals / "old" / "z.dng", 2)
    runner.scan()
    (tmp_path / "away.jpg").rename(picture)
    runner.scan()
    assert (roles(runner)["a.jpg"], roles(runner)["a.dng"]) == ("primary", "raw")


def test_the_movie_of_a_live_photo_can_move_to_another_folder_and_back(runner: LibraryRunner, originals: Path) -> None:
    still = write_still(originals / "b" / "still.jpg", 1)
    movie = write_still(originals / "b" / "movie.jpg", 2, taken=LATER)
    runner.scan(originals)
    with runner.open() as library, library.database.write() as connection:
        # As written by a phone; the rules only use the metadata of the contents.
        of_both = "WHERE id IN (SELECT asset_id FROM file WHERE name IN ('still.jpg', 'movie.jpg'))"
        connection.exec_driver_sql(f"UPDATE asset SET content_identifier = 'ABC-1' {of_both}")
        of_movie = "WHERE id = (SELECT asset_id FROM file WHERE name = 'movie.jpg')"
        connection.exec_driver_sql(f"UPDATE asset SET kind = 'video' {of_movie}")
        connection.exec_driver_sql("UPDATE folder SET unrelated = 1")
    live = {still.name: "primary", movie.name: "movie"}
    runner.scan()
    assert roles(runner) == live
    for target in (originals / "movie.jpg", movie, originals / "later" / "movie.jpg"):
        (current,) = originals.rglob("movie.jpg")
        target.parent.mkdir(exist_ok=True)
        shutil.move(current, target)
        runner.scan()
        assert roles(runner) == live
        assert runner.value("SELECT count(*) FROM pair_link") == 1


@pytest.mark.parametrize("taken", ["1980:01:01 00:00:00", "2019:06:01 25:61:61"])
def test_shots_of_a_clock_that_was_never_set_or_of_a_day_alone_are_no_burst(
    runner: LibraryRunner, originals: Path, taken: str
) -> None:
    for number in range(1, 6):
        write_still(originals / f"IMG_100{number}.jpg", number, taken=taken)
    runner.scan(originals)
    assert runner.value("SELECT count(*) FROM photo WHERE burst IS NOT NULL") == 0


def test_a_moved_shot_leaves_its_burst(runner: LibraryRunner, originals: Path) -> None:
    for number in range(5):
        write_still(originals / "dcim" / f"IMG_{1001 + number}.jpg", number)
    runner.scan(originals)
    assert runner.rows("SELECT count(*), count(DISTINCT burst) FROM photo WHERE burst IS NOT NULL") == [(5, 1)]
    (originals / "best").mkdir()
    shutil.move(originals / "dcim" / "IMG_1005.jpg", originals / "best")
    runner.scan()
    assert runner.value("SELECT count(*) FROM photo WHERE burst IS NOT NULL") == 4


def test_copies_of_some_shots_in_another_folder_do_not_break_a_burst(runner: LibraryRunner, originals: Path) -> None:
    for number in range(5):
        write_still(originals / "dcim" / f"IMG_{1001 + number}.jpg", number)
    runner.scan(originals)
    (originals / "best").mkdir()
    for number in range(1, 4):
        shutil.copy(originals / "dcim" / f"IMG_{1001 + number}.jpg", originals / "best")
    runner.scan()
    assert runner.rows("SELECT count(*), count(DISTINCT burst) FROM photo WHERE burst IS NOT NULL") == [(5, 1)]


def person_times(runner: LibraryRunner) -> dict[str, str]:
    rows = runner.rows(
        "SELECT f.name, p.taken_at FROM file f JOIN asset a ON a.id = f.asset_id JOIN photo p ON p.id = a.photo_id "
        "WHERE p.taken_at_source = 'person'"
    )
    return dict(rows)


def test_a_decision_on_a_file_survives_its_edit_while_a_copy_of_the_old_bytes_stays(
    runner: LibraryRunner, originals: Path
) -> None:
    both = joined_pictures(runner, originals)
    with runner.open() as library:
        chosen = choose_targets(library, [str(originals / "a.jpg")])
        correct_times(library, chosen.photo_ids, set_to("1980-05-05T10:00"))
    shutil.copyfile(originals / "a.jpg", originals / "a-backup.jpg")
    runner.scan()
    write_still(originals / "a.jpg", 7)
    runner.scan()
    assert {path.name for path in both} | {"a-backup.jpg"} == person_times(runner).keys()
    photos = dict(runner.rows("SELECT f.name, a.photo_id FROM file f JOIN asset a ON a.id = f.asset_id"))
    assert photos["a.jpg"] == photos["b.jpg"]


def test_a_file_reverted_to_its_old_bytes_has_a_photo_while_the_new_bytes_stay_elsewhere(
    runner: LibraryRunner, originals: Path
) -> None:
    path = write_still(originals / "a.jpg", 1)
    old = path.read_bytes()
    runner.scan(originals)
    write_still(path, 2)
    runner.scan()
    shutil.copyfile(path, originals / "copy.jpg")
    runner.scan()
    path.write_bytes(old)
    runner.scan()
    assert roles(runner) == {"a.jpg": "primary", "copy.jpg": "primary"}
    assert runner.value("SELECT count(DISTINCT photo_id) FROM asset WHERE role = 'primary'") == 3


def movie(seed: int, container: str = "mp4") -> bytes:
    """Two seconds without any time."""
    return video([np.full((48, 64, 3), seed * 20 + frame, np.uint8) for frame in range(20)], container)


def shown(runner: LibraryRunner, path: Path) -> dict[str, object]:
    with runner.open() as library:
        (found,) = show(library, [os.fsencode(path)])
    assert isinstance(found, Shown)
    return as_json(found)


def test_exiftools_backup_is_beside_its_file_and_brings_nothing_back(runner: LibraryRunner, originals: Path) -> None:
    changed = write_still(originals / "a.jpg", 1)
    there = position([(52, 1), (0, 1), (0, 1)], "N", [(13, 1), (0, 1), (0, 1)], "E")
    before = jpeg(1)
    (originals / "a.jpg_original").write_bytes(before[:2] + exif_segment(tiff(gps=there)) + before[2:])
    runner.scan(originals)
    assert roles(runner) == {"a.jpg": "primary", "a.jpg_original": "backup"}
    photo = shown(runner, changed)
    assert (photo["latitude"], photo["taken_at"]) == (None, "2019-06-01T12:00:00")
    assert sorted(file["role"] for file in photo["files"]) == ["backup", "primary"]  # type: ignore[index]
    with runner.open() as library:
        (verdict,) = why(library, [os.fsencode(originals / "a.jpg_original")])
    assert "a.jpg_original is what ExifTool kept of a.jpg" in verdict.because
    changed.unlink()
    runner.scan(accept_missing=True)
    forget_missing(runner)
    runner.scan()
    assert roles(runner) == {"a.jpg_original": "primary"}
    assert shown(runner, originals / "a.jpg_original")["latitude"] is not None


def test_a_cameras_thumbnail_gives_a_movie_its_facts_and_does_not_stand_for_it(
    runner: LibraryRunner, originals: Path
) -> None:
    write_still(originals / "MVI_0001.THM", 1)
    (originals / "MVI_0001.AVI").write_bytes(movie(1, "avi"))
    (originals / "MVI_0002.MP4").write_bytes(movie(2))
    (originals / "MVI_0002.LRV").write_bytes(movie(3))
    runner.scan(originals)
    assert roles(runner) == {
        "MVI_0001.THM": "companion", "MVI_0001.AVI": "primary", "MVI_0002.LRV": "companion", "MVI_0002.MP4": "primary",
    }  # fmt: skip
    photo = shown(runner, originals / "MVI_0001.THM")
    assert (photo["kind"], photo["format"]) == ("video", "avi")
    assert photo["taken_at"] == "2019-06-01T12:00:00"


def test_a_takeout_movie_without_a_time_joins_the_picture_whose_json_it_shares(
    runner: LibraryRunner, originals: Path
) -> None:
    write_still(originals / "20190601_120000.jpg", 1)
    (originals / "20190601_120000.mp4").write_bytes(movie(1))
    runner.scan(originals)
    assert roles(runner) == {"20190601_120000.jpg": "primary", "20190601_120000.mp4": "primary"}
    told = {"title": "20190601_120000.jpg", "photoTakenTime": {"timestamp": "1559383200"}}
    (originals / "20190601_120000.jpg.supplemental-metadata.json").write_text(json.dumps(told))
    runner.scan(originals)
    assert roles(runner) == {"20190601_120000.jpg": "primary", "20190601_120000.mp4": "movie"}
