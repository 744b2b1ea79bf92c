"""Scan: files are identified by content, counted once and not reopened; unavailable is not the same as deleted."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from photoindex.errors import DatabaseFailed, LibraryLocked, UsageError, VolumeOffline
from photoindex.library.lock import exclusive
from photoindex.library.scan.scan import ScanRequest, scan
from photoindex.progress import Notice, PhaseAdvanced
from tests.harness import LibraryRunner, counts, refuse_listing
from tests.originals import jpeg, write_photo, write_photos


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    return LibraryRunner(tmp_path / "library")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    write_photos(folder, 6)
    return folder


def photo_ids(runner: LibraryRunner) -> dict[str, int]:
    rows = runner.rows("SELECT file.name, asset.photo_id FROM file JOIN asset ON asset.id = file.asset_id")
    return {os.fsdecode(name): photo for name, photo in rows}


def remove_derived(runner: LibraryRunner) -> None:
    """Remove the previews, so that a preview that exists later proves a decode."""
    shutil.rmtree(runner.folder / "derived")


def test_a_first_scan_ingests_every_photo_with_preview_and_thumbnail(runner: LibraryRunner, photos: Path) -> None:
    summary = runner.scan(photos)
    assert counts(summary) == {"new": 6}
    assert summary.bytes == sum(path.stat().st_size for path in photos.rglob("*.jpg"))
    assert len(runner.derived_files()) == 12
    assert runner.value("SELECT count(*) FROM task WHERE state = 'done'") == 6
    assert runner.value("SELECT count(*) FROM asset WHERE perceptual_hash IS NOT NULL AND derived") == 6


def test_a_second_scan_finds_everything_unchanged_and_opens_no_file(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "notes.txt").write_text("not a photo")
    runner.scan(photos)
    opened: list[object] = []
    monkeypatch.setattr("photoindex.library.scan.ingest.ingest_file", opened.append)
    monkeypatch.setattr("photoindex.pipeline.workers.isolation.workers", lambda *_: opened.append("workers"))
    assert counts(runner.scan(photos)) == {"unchanged": 6, "excluded": 1}
    assert opened == []


def test_without_a_path_the_known_roots_are_scanned(runner: LibraryRunner, photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_photo(other / "x.jpg", 100)
    runner.scan(photos)
    runner.scan(other)
    write_photo(other / "y.jpg", 101)
    assert counts(runner.scan()) == {"unchanged": 7, "new": 1}


def test_without_a_path_and_without_roots_the_error_says_what_to_do(runner: LibraryRunner) -> None:
    with pytest.raises(UsageError, match="photoindex scan PATH"):
        runner.scan()


def test_a_path_that_does_not_exist_is_named(runner: LibraryRunner, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        runner.scan(tmp_path / "nowhere")


def test_renamed_and_moved_files_keep_their_photos_and_are_not_decoded_again(
    runner: LibraryRunner, photos: Path
) -> None:
    runner.scan(photos)
    before = photo_ids(runner)
    (photos / "0/IMG_0000.jpg").rename(photos / "0/renamed.jpg")
    (photos / "new folder").mkdir()
    (photos / "1/IMG_0001.jpg").rename(photos / "new folder/IMG_0001.jpg")
    stamps = {path: path.stat().st_mtime_ns for path in (runner.folder / "derived").rglob("*.jpg")}
    summary = runner.scan(photos)
    assert counts(summary) == {"moved": 2, "unchanged": 4}
    after = photo_ids(runner)
    assert after["renamed.jpg"] == before["IMG_0000.jpg"]
    assert after["IMG_0001.jpg"] == before["IMG_0001.jpg"]
    assert runner.value("SELECT count(*) FROM file") == 6
    assert {path: path.stat().st_mtime_ns for path in (runner.folder / "derived").rglob("*.jpg")} == stamps


def test_a_file_moved_to_another_root_is_recognised_when_only_that_root_is_scanned(
    runner: LibraryRunner, photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write_photo(other / "x.jpg", 100)
    runner.scan(photos)
    runner.scan(other)
    before = photo_ids(runner)
    (photos / "0/IMG_0000.jpg").rename(other / "IMG_0000.jpg")
    assert counts(runner.scan(other)) == {"moved": 1, "unchanged": 1}
    assert photo_ids(runner) == before
    assert counts(runner.scan(photos)) == {"unchanged": 5}


def test_a_copy_belongs_to_the_same_photo_and_is_not_decoded(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    derived = runner.derived_files()
    shutil.copy(photos / "0/IMG_0000.jpg", photos / "copy.jpg")
    assert counts(runner.scan(photos)) == {"duplicate": 1, "unchanged": 6}
    assert photo_ids(runner)["copy.jpg"] == photo_ids(runner)["IMG_0000.jpg"]
    assert runner.derived_files() == derived
    assert runner.value("SELECT count(*) FROM photo") == 6


def test_two_equal_files_in_a_first_scan_are_one_asset(runner: LibraryRunner, tmp_path: Path) -> None:
    folder = tmp_path / "twins"
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        write_photo(folder / name, 1)
    assert counts(runner.scan(folder)) == {"new": 1, "duplicate": 2}
    assert runner.value("SELECT count(*) FROM asset") == 1


def test_a_file_edited_in_place_keeps_its_photo(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    before = photo_ids(runner)
    write_photo(photos / "0/IMG_0000.jpg", 50, size=(200, 100))
    assert counts(runner.scan(photos)) == {"changed": 1, "unchanged": 5}
    assert photo_ids(runner) == before
    assert runner.value("SELECT count(*) FROM photo") == 6
    assert runner.value("SELECT width FROM photo WHERE id = ?", before["IMG_0000.jpg"]) == 200


def test_a_reverted_edit_restores_the_first_content(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    before = photo_ids(runner)
    write_photo(photos / "0/IMG_0000.jpg", 50, size=(200, 100))
    runner.scan(photos)
    write_photo(photos / "0/IMG_0000.jpg", 0)
    assert counts(runner.scan(photos)) == {"changed": 1, "unchanged": 5}
    assert photo_ids(runner) == before
    assert runner.value("SELECT width FROM photo WHERE id = ?", before["IMG_0000.jpg"]) == 160


def test_editing_one_of_two_copies_creates_a_new_photo(runner: LibraryRunner, photos: Path) -> None:
    shutil.copy(photos / "0/IMG_0000.jpg", photos / "copy.jpg")
    runner.scan(photos)
    before = photo_ids(runner)
    write_photo(photos / "copy.jpg", 50)
    assert counts(runner.scan(photos)) == {"changed": 1, "unchanged": 6}
    after = photo_ids(runner)
    assert after["IMG_0000.jpg"] == before["IMG_0000.jpg"]
    assert after["copy.jpg"] != before["copy.jpg"]


def test_a_new_file_under_a_moved_files_name_does_not_take_over_its_photo(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    before = photo_ids(runner)
    (photos / "0/IMG_0000.jpg").rename(photos / "0/holiday.jpg")
    write_photo(photos / "0/IMG_0000.jpg", 77)
    assert counts(runner.scan(photos)) == {"moved": 1, "changed": 1, "unchanged": 5}
    after = photo_ids(runner)
    assert after["holiday.jpg"] == before["IMG_0000.jpg"]
    assert after["IMG_0000.jpg"] not in before.values()


def test_two_files_that_swap_names_keep_their_photos(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    before = photo_ids(runner)
    one, two = photos / "0/IMG_0000.jpg", photos / "0/IMG_0003.jpg"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    summary = runner.scan(photos)
    assert summary.changed == 2
    after = photo_ids(runner)
    assert after["IMG_0000.jpg"] == before["IMG_0003.jpg"]
    assert after["IMG_0003.jpg"] == before["IMG_0000.jpg"]


def test_a_touched_file_is_read_again_and_counts_as_unchanged(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    os.utime(photos / "0/IMG_0000.jpg", ns=(1, 1_000_000_000))
    assert counts(runner.scan(photos)) == {"unchanged": 6}
    assert runner.value("SELECT mtime_ns FROM file WHERE name = 'IMG_0000.jpg'") == 1_000_000_000


def test_missing_files_keep_their_facts_and_return_without_being_read(
    runner: LibraryRunner, photos: Path, tmp_path: Path
) -> None:
    runner.scan(photos)
    away = tmp_path / "away.jpg"
    (photos / "0/IMG_0000.jpg").rename(away)
    summary = runner.scan(photos)
    assert counts(summary) == {"unchanged": 5, "missing": 1}
    assert summary.newly_missing == 1
    assert runner.value("SELECT count(*) FROM photo") == 6
    assert runner.scan(photos).newly_missing == 0
    away.rename(photos / "0/IMG_0000.jpg")
    summary = runner.scan(photos)
    assert counts(summary) == {"unchanged": 6}
    assert summary.bytes == 0


def test_files_of_a_removed_folder_are_missing(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    shutil.rmtree(photos / "1")
    assert counts(runner.scan(photos)) == {"unchanged": 4, "missing": 2}


def test_an_emptied_root_stops_the_scan_and_no_file_is_marked_missing(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    shutil.rmtree(photos)
    photos.mkdir()
    with pytest.raises(VolumeOffline, match="accept-missing"):
        runner.scan(photos)
    with pytest.raises(VolumeOffline):
        runner.scan()
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 6
    assert counts(runner.scan(photos, accept_missing=True)) == {"missing": 6}


def test_a_removed_root_stops_the_scan_and_no_file_is_marked_missing(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    shutil.rmtree(photos)
    with pytest.raises(VolumeOffline, match="No file was marked"):
        runner.scan(photos)
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 6
    assert counts(runner.scan(photos, accept_missing=True)) == {"missing": 6}


def test_an_unavailable_root_does_not_prevent_scanning_the_others(
    runner: LibraryRunner, photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write_photo(other / "x.jpg", 100)
    runner.scan(photos, other)
    shutil.rmtree(other)
    other.mkdir()
    write_photo(photos / "y.jpg", 101)
    summary = runner.scan()
    assert counts(summary) == {"unchanged": 6, "new": 1}
    assert summary.roots_away == [str(other)]
    assert runner.value("SELECT count(*) FROM file WHERE state <> 'present'") == 0


def test_many_missing_files_stop_the_scan_and_none_is_marked_missing(runner: LibraryRunner, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    content = jpeg(1)
    for index in range(120):
        # Cheap way to make contents differ: data after the end of the picture is ignored.
        (folder / f"{index:03d}.jpg").write_bytes(content + index.to_bytes(4, "big"))
    runner.scan(folder, derive=False)
    for index in range(101):
        (folder / f"{index:03d}.jpg").unlink()
    with pytest.raises(VolumeOffline, match="101 of 120"):
        runner.scan(folder)
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 120
    assert counts(runner.scan(folder, derive=False, accept_missing=True)) == {"unchanged": 19, "missing": 101}


def test_unreadable_folders_are_reported_and_their_files_stay_known(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.scan(photos)
    refuse_listing(monkeypatch, b"/1")
    summary = runner.scan(photos)
    assert summary.unreadable_folders == 1
    assert counts(summary) == {"unchanged": 4}
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 6


def test_a_broken_photo_is_quarantined_by_name_and_the_rest_is_done(runner: LibraryRunner, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(jpeg(9)[:400])
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "page.jpg").write_bytes(b"<html>404</html>" * 10)
    (photos / "readme.txt").write_text("hello")
    summary = runner.scan(photos)
    assert counts(summary) == {"new": 6, "quarantined": 3, "excluded": 1}
    errors = dict(
        runner.rows(
            "SELECT file.name, task.error_class FROM task JOIN file ON file.id = task.subject_id"
            " WHERE task.state = 'quarantined'"
        )
    )
    assert errors == {"broken.jpg": "undecodable", "empty.jpg": "empty", "page.jpg": "not_media"}
    again = runner.scan(photos)
    assert counts(again) == {"unchanged": 6, "quarantined": 3, "excluded": 1}
    assert again.bytes == 0


def test_a_quarantined_file_that_is_repaired_is_ingested(runner: LibraryRunner, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(jpeg(9)[:400])
    runner.scan(photos)
    write_photo(photos / "broken.jpg", 9)
    summary = runner.scan(photos)
    assert summary.quarantined == 0
    assert summary.changed + summary.new == 1
    assert runner.value("SELECT count(*) FROM task WHERE state = 'done'") == 7


def test_the_format_is_detected_by_content_never_by_name(runner: LibraryRunner, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    write_photo(folder / "picture.txt", 1)
    write_photo(folder / "really-a-jpeg.png", 2)
    assert counts(runner.scan(folder)) == {"new": 2}
    assert set(runner.rows("SELECT format FROM asset")) == {("jpeg",)}


def test_previews_skipped_by_one_scan_are_made_by_a_later_one(runner: LibraryRunner, photos: Path) -> None:
    assert counts(runner.scan(photos, derive=False)) == {"new": 6}
    assert not (runner.folder / "derived").exists()
    assert counts(runner.scan(photos, derive=False)) == {"unchanged": 6}
    assert counts(runner.scan(photos)) == {"unchanged": 6}
    assert len(runner.derived_files()) == 12
    assert runner.scan(photos).bytes == 0


def test_a_dry_run_reports_and_changes_nothing(runner: LibraryRunner, photos: Path) -> None:
    summary = runner.scan(photos, dry_run=True)
    assert counts(summary) == {"new": 6}
    assert runner.value("SELECT count(*) FROM file") == 0
    assert runner.value("SELECT count(*) FROM root") == 0


def test_exclusions_are_remembered_for_the_root_and_hide_known_files(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    summary = runner.scan(photos, exclude=("1/", "IMG_0000.jpg"))
    assert counts(summary) == {"unchanged": 3, "excluded": 1}
    assert runner.value("SELECT count(*) FROM file WHERE state = 'excluded'") == 3
    assert counts(runner.scan()) == {"unchanged": 3, "excluded": 1}
    assert counts(runner.scan(photos, exclude=())) == {"unchanged": 6}
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 6


def test_links_are_excluded_unless_followed(runner: LibraryRunner, photos: Path) -> None:
    (photos / "link.jpg").symlink_to("0/IMG_0000.jpg")
    (photos / "dangling.jpg").symlink_to("nowhere.jpg")
    assert counts(runner.scan(photos)) == {"new": 6, "excluded": 2}
    followed = runner.scan(photos, follow_symlinks=True)
    assert counts(followed) == {"duplicate": 1, "unchanged": 6, "excluded": 1}


def test_a_single_file_and_a_list_of_files_can_be_scanned(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "@eaDir/x.jpg", 7)
    assert counts(runner.scan(photos / "0/IMG_0000.jpg")) == {"new": 1}
    listed = [os.fsencode(photos / name) for name in ("1/IMG_0001.jpg", "0/IMG_0000.jpg", "@eaDir/x.jpg", "gone.jpg")]
    assert counts(runner.scan(listed=listed)) == {"new": 1, "unchanged": 1, "excluded": 1}
    assert runner.value("SELECT count(*) FROM file") == 2


def test_a_library_inside_the_scanned_folder_is_not_scanned(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", 1)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path)
    assert counts(runner.scan(tmp_path)) == {"unchanged": 1}


def test_names_of_any_bytes_are_stored_byte_for_byte(runner: LibraryRunner, tmp_path: Path) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    odd = [
        b"new\nline.jpg",
        b"quo'te\".jpg",
        b"\x1b[31mred.jpg",
        b"\xff\xfe\x80.jpg",
        b"n" * 251 + b".jpg",
        "é.jpg".encode(),
    ]
    for index, name in enumerate(odd):
        with open(os.path.join(os.fsencode(folder), name), "wb") as stream:
            stream.write(jpeg(index))
    assert counts(runner.scan(folder)) == {"new": len(odd)}
    kept = {name.encode() if isinstance(name, str) else name for (name,) in runner.rows("SELECT name FROM file")}
    assert kept == set(odd)
    assert counts(runner.scan(folder)) == {"unchanged": len(odd)}


def test_a_file_that_vanishes_between_stat_and_read_leaves_no_row(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.store.scan import staging

    real = staging.apply

    def apply_and_delete(*args: object, **kwargs: object) -> None:
        real(*args, **kwargs)  # type: ignore[arg-type]
        (photos / "0/IMG_0000.jpg").unlink()

    monkeypatch.setattr(staging, "apply", apply_and_delete)
    assert counts(runner.scan(photos)) == {"new": 5}
    assert runner.value("SELECT count(*) FROM file") == 5
    assert runner.value("SELECT count(*) FROM task WHERE state <> 'done'") == 0


def test_a_file_that_grows_while_it_is_read_is_refused(
    runner: LibraryRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.media import content
    from photoindex.media.problems import ChangedWhileReading

    path = write_photo(tmp_path / "photos/a.jpg", 1)
    real = os.read

    def read_and_grow(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        with path.open("ab") as stream:
            stream.write(b"more")
        return data

    monkeypatch.setattr(content.os, "read", read_and_grow)
    with pytest.raises(ChangedWhileReading):
        content.read_content(os.fsencode(path))


def test_a_stopped_scan_keeps_finished_work_and_the_next_resumes(runner: LibraryRunner, photos: Path) -> None:
    def stop() -> bool:
        return any(isinstance(event, PhaseAdvanced) and event.phase == "reading" for event in runner.events)

    runner.settings["scan.jobs"] = 1
    runner.settings["scan.batch_size"] = 1
    summary = runner.scan(photos, stop=stop)
    assert summary.stopped
    assert 0 < summary.new < 6
    assert runner.value("SELECT count(*) FROM task WHERE state = 'running'") == 0
    done = summary.new
    assert counts(runner.scan(photos)) == {"new": 6 - done, "unchanged": done}


def test_only_one_scan_per_library_at_a_time(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    with exclusive(runner.folder, "test"), pytest.raises(LibraryLocked, match="test"):
        runner.scan(photos)


def test_previews_left_by_a_crash_before_commit_do_not_prevent_reading_the_facts(
    runner: LibraryRunner, photos: Path
) -> None:
    runner.scan(photos)
    first = runner.folder
    runner.folder = first.parent / "second"
    runner.folder.mkdir()
    shutil.copytree(first / "derived", runner.folder / "derived")
    assert counts(runner.scan(photos)) == {"new": 6}
    assert runner.value("SELECT count(*) FROM asset WHERE perceptual_hash IS NOT NULL AND derived") == 6


def test_a_truncated_preview_is_remade(runner: LibraryRunner, photos: Path, tmp_path: Path) -> None:
    runner.scan(photos)
    (cut, *_others) = sorted((runner.folder / "derived").glob("*/*.preview.jpg"))
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    shutil.copytree(photos, tmp_path / "copies")
    assert counts(runner.scan(tmp_path / "copies")) == {"duplicate": 6}
    assert cut.read_bytes() == whole


def test_a_new_disk_with_the_same_files_is_recognised_as_the_same_volume(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET identity = 'uuid:of-the-old-disk'")
    assert counts(runner.scan()) == {"unchanged": 6}
    assert runner.value("SELECT count(*) FROM volume") == 1


def test_originals_are_never_written_to(runner: LibraryRunner, photos: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.rglob("*") if path.is_file()}
    for path in photos.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert counts(runner.scan(photos)) == {"new": 6}
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in photos.rglob("*") if p.is_file()} == before
    for path in photos.rglob("*"):
        path.chmod(0o755)


def test_a_picture_over_the_pixel_limit_is_quarantined_with_the_option_to_raise_it(
    runner: LibraryRunner, tmp_path: Path
) -> None:
    from PIL import Image

    folder = tmp_path / "big"
    folder.mkdir()
    out = io.BytesIO()
    Image.new("1", (3000, 3000)).save(out, "PNG")
    (folder / "big.png").write_bytes(out.getvalue())
    runner.settings["scan.max_megapixels"] = 5
    assert counts(runner.scan(folder)) == {"quarantined": 1}
    assert "--max-megapixels" in runner.value("SELECT error FROM task")


def test_another_disk_at_the_same_mount_point_is_another_root(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    identity = runner.value("SELECT identity FROM volume")
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET identity = 'uuid:of-card-a'")
        connection.exec_driver_sql("UPDATE file SET mtime_ns = 1")
    for path in photos.rglob("*.jpg"):
        path.unlink()
    write_photos(photos, 3, first=200)
    assert counts(runner.scan(photos)) == {"new": 3}
    assert counts(runner.scan(photos)) == {"unchanged": 3}
    summary = runner.scan()
    assert counts(summary) == {"unchanged": 3}
    assert runner.value("SELECT count(*) FROM root") == 2
    assert {row[0] for row in runner.rows("SELECT identity FROM volume")} == {identity, "uuid:of-card-a"}
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 9


def test_a_root_whose_photos_were_really_removed_can_be_accepted_as_missing(
    runner: LibraryRunner, photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write_photo(other / "x.jpg", 100)
    runner.scan(photos, other)
    shutil.rmtree(other)
    runner.scan(other, accept_missing=True)
    summary = runner.scan()
    assert counts(summary) == {"unchanged": 6}
    assert summary.roots_away == []


def test_a_removed_file_or_folder_can_be_scanned_and_a_typo_is_an_error(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    (photos / "0/IMG_0000.jpg").unlink()
    assert runner.scan(photos / "0/IMG_0000.jpg").newly_missing == 1
    shutil.rmtree(photos / "1")
    assert runner.scan(photos / "1").newly_missing == 2
    with pytest.raises(UsageError, match="typo"):
        runner.scan(photos / "typo")
    with pytest.raises(UsageError, match="empty path"), runner.open() as library:
        scan(library, ScanRequest(tops=[b""]), runner.events.append)


def test_an_invalid_pattern_is_an_error_but_ignored_in_an_ignore_file(runner: LibraryRunner, photos: Path) -> None:
    with pytest.raises(UsageError, match="!"):
        runner.scan(photos, exclude=("!",))
    (photos / ".photoindexignore").write_text("!\nIMG_0000.jpg\n.photoindexignore\n")
    assert counts(runner.scan(photos)) == {"new": 5, "excluded": 2}
    assert any(isinstance(event, Notice) and "gitignore" in event.message for event in runner.events)


def test_a_removed_excluded_file_is_missing_and_a_renamed_one_is_moved(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    runner.scan(photos, exclude=("IMG_0000.jpg", "IMG_0001.jpg"))
    (photos / "0/IMG_0000.jpg").unlink()
    (photos / "1/IMG_0001.jpg").rename(photos / "1/kept.jpg")
    assert counts(runner.scan()) == {"unchanged": 4, "moved": 1, "missing": 1}


def test_a_larger_root_inherits_the_exclusions_of_a_smaller_one(
    runner: LibraryRunner, photos: Path, tmp_path: Path
) -> None:
    runner.scan(photos / "0", exclude=("IMG_0000.jpg",))
    summary = runner.scan(photos)
    assert counts(summary) == {"new": 4, "unchanged": 1, "excluded": 1}
    assert runner.value("SELECT count(*) FROM root") == 1


def test_patterns_for_part_of_a_root_are_added_to_those_of_the_root(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos, exclude=("IMG_0000.jpg",))
    assert counts(runner.scan(photos / "0", exclude=("IMG_0003.jpg",))) == {"excluded": 2}
    assert counts(runner.scan(photos)) == {"unchanged": 5, "excluded": 1}


def test_the_librarys_own_previews_are_never_ingested(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    derived = runner.folder / "derived"
    with pytest.raises(UsageError, match="own folder"):
        runner.scan(derived)
    listed = [os.fsencode(path) for path in derived.rglob("*.jpg")]
    assert counts(runner.scan(listed=listed)) == {"excluded": 12}


def test_a_photo_overwritten_by_garbage_keeps_its_facts_and_a_restored_file_counts_as_new(
    runner: LibraryRunner, photos: Path
) -> None:
    runner.scan(photos)
    before = photo_ids(runner)["IMG_0000.jpg"]
    (photos / "0/IMG_0000.jpg").write_bytes(b"garbage")
    assert counts(runner.scan(photos)) == {"quarantined": 1, "unchanged": 5}
    assert photo_ids(runner)["IMG_0000.jpg"] == before
    write_photo(photos / "restored.jpg", 0)
    assert counts(runner.scan(photos)) == {"new": 1, "quarantined": 1, "unchanged": 5}
    assert photo_ids(runner)["restored.jpg"] == before


def test_each_candidate_counts_once_even_if_its_task_is_requeued(runner: LibraryRunner, photos: Path) -> None:
    (photos / "notes.txt").write_text("not a photo")
    (photos / "torn.jpg").write_bytes(jpeg(1)[:300])
    runner.scan(photos)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE task SET state = 'pending'")
    assert counts(runner.scan(photos)) == {"unchanged": 6, "quarantined": 1, "excluded": 1}
    (photos / "torn.jpg").write_bytes(jpeg(1)[:301])
    assert counts(runner.scan(photos, dry_run=True)) == {"changed": 1, "unchanged": 6, "excluded": 1}


def test_a_file_named_twice_counts_once(runner: LibraryRunner, photos: Path) -> None:
    one = photos / "0/IMG_0000.jpg"
    assert counts(runner.scan(one, one)) == {"new": 1}
    assert counts(runner.scan(listed=[os.fsencode(one)] * 3)) == {"unchanged": 1}
    assert counts(runner.scan(photos, photos / "1", one)) == {"new": 5, "unchanged": 1}


def test_quarantined_files_in_an_unreadable_folder_do_not_affect_the_counts(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "1/torn.jpg").write_bytes(jpeg(1)[:300])
    runner.scan(photos)
    refuse_listing(monkeypatch, b"/1")
    assert counts(runner.scan(photos)) == {"unchanged": 4}


def test_a_large_renamed_folder_counts_as_moved_not_deleted(runner: LibraryRunner, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    (folder / "old").mkdir(parents=True)
    content = jpeg(1)
    for index in range(120):
        (folder / f"old/{index:03d}.jpg").write_bytes(content + index.to_bytes(4, "big"))
    runner.scan(folder, derive=False)
    (folder / "old").rename(folder / "new")
    assert counts(runner.scan(folder, derive=False)) == {"moved": 120}


def test_a_stop_during_the_walk_marks_nothing_missing(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    (photos / "0/IMG_0000.jpg").unlink()
    summary = runner.scan(photos, stop=lambda: True)
    assert summary.stopped
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 6


def test_the_walk_does_not_block_wal_checkpoints(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    checkpoints = []

    def emit(event: object) -> None:
        if isinstance(event, PhaseAdvanced) and event.phase == "looking":
            with closing(sqlite3.connect(runner.folder / "photoindex.db", isolation_level=None)) as other:
                other.execute("UPDATE root SET added_at = added_at")
                # busy, frames in the log, checkpointed frames
                checkpoints.append(other.execute("PRAGMA wal_checkpoint(RESTART)").fetchone())

    with runner.open() as library:
        scan(library, ScanRequest(tops=[os.fsencode(photos)]), emit)
    assert checkpoints
    assert all(busy == 0 and log == moved for busy, log, moved in checkpoints)


def test_leases_of_another_host_are_released_because_holding_the_lock_proves_them_stale(
    runner: LibraryRunner, photos: Path
) -> None:
    runner.scan(photos, derive=False)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE task SET state = 'running', lease_owner = 'elsewhere/1/x', lease_until = 9e9"
        )
    runner.scan(photos, derive=False)
    assert runner.value("SELECT count(*) FROM task WHERE state = 'done'") == 6


def test_files_behind_a_link_to_another_mount_are_stored_under_the_links_path(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == photos.stat().st_dev:
        pytest.skip("needs another file system, such as /dev/shm")
    with tempfile.TemporaryDirectory(dir=other) as elsewhere:
        write_photo(Path(elsewhere) / "far.jpg", 300)
        (photos / "link").symlink_to(elsewhere)
        assert counts(runner.scan(photos, follow_symlinks=True)) == {"new": 7}
        assert counts(runner.scan(photos)) == {"unchanged": 7}


def test_real_folders_are_preferred_to_links_to_them(runner: LibraryRunner, photos: Path) -> None:
    (photos / "..a link").symlink_to(photos / "1")
    runner.scan(photos, follow_symlinks=True)
    folders = {row[0] for row in runner.rows("SELECT path FROM folder")}
    assert not any("a link" in str(folder) for folder in folders)


def test_an_unmounted_disk_is_unavailable_despite_stray_files_at_its_mount_point(tmp_path: Path) -> None:
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "photoindex-test", str(mount_point)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted: {done.stderr.decode().strip()}")
    runner = LibraryRunner(tmp_path / "library")
    try:
        write_photos(mount_point, 3)
        assert counts(runner.scan(mount_point)) == {"new": 3}
    finally:
        subprocess.run(["umount", "-l", str(mount_point)], check=True)
    write_photo(mount_point / "stray.jpg", 300)
    for tops in ([mount_point], []):
        with pytest.raises(VolumeOffline, match="not mounted"):
            runner.scan(*tops)
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == 3
    runner.scan(mount_point, accept_missing=True)
    assert counts(runner.scan(mount_point)) == {"new": 1}


def test_files_over_a_limit_are_retried_when_the_limit_is_given_again(runner: LibraryRunner, photos: Path) -> None:
    runner.settings["scan.max_megapixels"] = 0.001
    assert counts(runner.scan(photos)) == {"quarantined": 6}
    runner.settings["scan.max_megapixels"] = 1.0
    assert counts(runner.scan(photos)) == {"quarantined": 6}
    assert counts(runner.scan(photos, retry_classes=("too_large",))) == {"unchanged": 6}
    assert len(runner.derived_files()) == 12


def test_an_emptied_database_is_not_mistaken_for_a_new_library(runner: LibraryRunner, photos: Path) -> None:
    runner.scan(photos)
    for path in runner.folder.glob("photoindex.db*"):
        path.unlink()
    (runner.folder / "photoindex.db").touch()
    with pytest.raises(DatabaseFailed, match="restore"):
        runner.scan(photos)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENAMETOOLONG])
def test_a_file_that_cannot_be_examined_is_named_and_stays_known(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It is not excluded: nobody asked for that, and a failing disk must not look like a tidy one."""
    assert runner.scan(photos).new == 6
    victim = min(photos.rglob("*.jpg"))
    refuse_stat(monkeypatch, victim, number)
    runner.events.clear()
    summary = runner.scan(photos)
    assert (summary.unreadable_files, summary.missing, summary.unchanged) == (1, 0, 5)
    assert any(str(victim) in event.message for event in runner.events if isinstance(event, Notice))
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present' AND media = 1") == 6


def refuse_stat(monkeypatch: pytest.MonkeyPatch, victim: Path, number: int) -> None:
    """Make one directory entry impossible to examine, as a bad sector does."""
    real = os.scandir

    class Entry:
        def __init__(self, entry: os.DirEntry[bytes]) -> None:
            self._entry = entry

        def __getattr__(self, name: str) -> object:
            return getattr(self._entry, name)

        def is_file(self, *, follow_symlinks: bool = True) -> bool:
            if self._entry.path == os.fsencode(victim):
                raise OSError(number, os.strerror(number))
            return self._entry.is_file(follow_symlinks=follow_symlinks)

    @contextmanager
    def scandir(path: bytes) -> Iterator[Iterator[object]]:
        with real(path) as found:
            yield (Entry(entry) for entry in found) if isinstance(path, bytes) else found

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_first_scan_whose_folder_is_unmounted_while_it_is_read_is_not_a_scan_of_nothing(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.library.scan import ingest

    real = ingest.ingest_files

    def unmounted(*arguments: object) -> object:
        photos.rename(photos.with_name("away"))
        photos.mkdir()
        return real(*arguments)

    monkeypatch.setattr(ingest, "ingest_files", unmounted)
    with pytest.raises(VolumeOffline, match="was unmounted or emptied while it was read"):
        runner.scan(photos)
    monkeypatch.setattr(ingest, "ingest_files", real)
    photos.rmdir()
    photos.with_name("away").rename(photos)
    assert runner.scan(photos).new == 6
