"""What `scan` and the commands around it promise."""

from __future__ import annotations

import os
import shutil

import pytest

from tests import edits
from tests.cli.promises.house import House, promises
from tests.originals import jpeg, write_photo

NOTHING_MARKED = "SELECT count(*) FROM file WHERE state = 'missing'"


@promises("there is no library in {}; create one with: photoindex scan PATH")
def test_a_scan_makes_the_library_that_is_not_there(house: House) -> None:
    house.write_photos("a 0.jpg")
    said = "there is no library in {}; create one with: photoindex scan PATH"
    house.follow(said, house.run("status", code=4), PATH=house.photos)
    assert house.rows.value("SELECT count(*) FROM photo") == 1


@promises(
    "there is nothing to scan yet; name a folder: photoindex scan PATH",
    "photoindex scan PATH",
)
def test_a_folder_is_what_a_first_scan_needs(house: House) -> None:
    house.write_photos("a 0.jpg")
    said = "there is nothing to scan yet; name a folder: photoindex scan PATH"
    house.commands(said, house.run("scan", code=2))
    empty = house.folder / "empty"
    empty.mkdir()
    house.run("scan", empty)
    house.run("sql", "SELECT 1")
    with house.rows.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM root")
    house.follow("photoindex scan PATH", house.run("status"), PATH=house.photos)
    assert "the library has no folder of photos yet" not in house.run("status")
    assert house.rows.value("SELECT count(*) FROM photo") == 1


AWAY = (
    "not there (not mounted, or emptied): {}; none of its files was marked. Mount it and scan again, or if the originals "
    "were really removed: photoindex scan --accept-missing {}"
)
GONE = "if its photos were really removed: photoindex scan --accept-missing {}"
EMPTY = (
    "{} is empty, but the library has {} files there: is it mounted? No file was marked; if they were really removed: "
    "photoindex scan --accept-missing {}"
)


@promises(AWAY)
def test_of_several_folders_one_that_is_away_comes_back_or_is_given_up(scanned: House) -> None:
    other, away = scanned.folder / "other's photos", scanned.folder / "away"
    write_photo(other / "b.jpg", 7)
    scanned.run("scan", other)
    other.rename(away)
    said = scanned.run("scan", code=12)
    away.rename(other)
    scanned.run("scan")
    shutil.rmtree(other)
    assert scanned.rows.value(NOTHING_MARKED) == 0
    scanned.follow(AWAY, said)
    assert scanned.rows.value(NOTHING_MARKED) == 1
    scanned.run("scan")


@promises(GONE)
@pytest.mark.parametrize("name", ["my photos", "bytes \udcff 'and' quotes", "line\nfeed"])
def test_a_folder_that_is_gone_comes_back_or_is_given_up(house: House, name: str) -> None:
    photos = house.folder / name
    write_photo(photos / "a.jpg", 1)
    house.run("scan", photos)
    kept = house.folder / "kept"
    photos.rename(kept)
    said = house.run("scan", code=12)
    assert house.rows.value(NOTHING_MARKED) == 0
    kept.rename(photos)
    house.run("scan")
    photos.rename(kept)
    house.follow(GONE, said)
    assert house.rows.value(NOTHING_MARKED) == 1


@promises(EMPTY)
def test_a_folder_that_was_emptied_is_given_up(scanned: House) -> None:
    for path in scanned.photos.iterdir():
        path.unlink()
    scanned.follow(EMPTY, scanned.run("scan", code=12))
    assert scanned.rows.value(NOTHING_MARKED) == 3
    scanned.run("scan")


@promises("no root is available: {}. No file was marked; mount them and scan again")
def test_folders_that_are_all_away_are_scanned_once_they_are_back(scanned: House) -> None:
    other = scanned.folder / "other"
    write_photo(other / "b.jpg", 7)
    scanned.run("scan", other)
    for folder in (scanned.photos, other):
        folder.rename(folder.with_name(f"{folder.name} away"))
    said = "no root is available: {}. No file was marked; mount them and scan again"
    scanned.excerpt(said, scanned.run("scan", code=12))
    for folder in (scanned.photos, other):
        folder.with_name(f"{folder.name} away").rename(folder)
    scanned.run("scan")
    assert scanned.rows.value(NOTHING_MARKED) == 0


MANY = (
    "{} of {} files on the volume at {} are gone at once, so none was marked as missing; if they were really removed, "
    "scan again with --accept-missing"
)


@promises(MANY)
def test_many_files_that_are_gone_at_once_are_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photoindex.library.scan.scan.GUARD_FILES", 2)
    house.write_photos(*(f"{number}.jpg" for number in range(4)))
    house.run("scan", house.photos)
    for path in sorted(house.photos.iterdir())[1:]:
        path.unlink()
    house.excerpt(MANY, house.run("scan", code=12))
    assert house.rows.value(NOTHING_MARKED) == 0
    house.run("scan", "--accept-missing")
    assert house.rows.value(NOTHING_MARKED) == 3
    house.run("scan")


@promises(
    "{} quarantined; to see why: photoindex tasks --state quarantined, to try again: photoindex retry",
    "photoindex tasks --state quarantined",
    "photoindex retry",
    "retry, or --dismiss to ignore",
    "photoindex {}",
    "{} dismissed; undo with: photoindex undo",
)
def test_a_quarantined_file_is_listed_tried_again_and_dismissed(scanned: House) -> None:
    broken = scanned.photos / "cut short.jpg"
    broken.write_bytes(jpeg(9)[:2000])
    summary = "{} quarantined; to see why: photoindex tasks --state quarantined, to try again: photoindex retry"
    said = scanned.run("scan", code=100)
    see, again = scanned.commands(summary, said)
    assert "cut short.jpg" in scanned.run(*see)
    broken.write_bytes(jpeg(9))
    os.utime(broken, ns=(1, 1))
    status = scanned.run("status")
    assert scanned.commands("photoindex tasks --state quarantined", status) == [see]
    assert scanned.commands("photoindex retry", status) == [again]
    scanned.excerpt("retry, or --dismiss to ignore", status)
    dismissed = scanned.run("retry", "--dismiss")
    assert "quarantined: see why" not in scanned.run("status")
    scanned.follow("{} dismissed; undo with: photoindex undo", dismissed)
    assert "quarantined: see why" in scanned.run("status")
    queued = scanned.run(*again)
    assert "1 task is pending" in scanned.run("status")
    assert scanned.commands("photoindex {}", scanned.run("status"))[0] == ["scan"]
    assert scanned.commands("photoindex {}", queued) == [["scan"]]
    scanned.run("scan")
    assert "quarantined" not in scanned.run("status").partition("next")[2]
    assert scanned.rows.value("SELECT count(*) FROM photo") == 4


@promises(
    "{} gone; the library keeps their facts until: photoindex prune",
    "photoindex prune --dry-run",
)
def test_a_file_that_is_gone_is_kept_until_it_is_pruned(scanned: House) -> None:
    (scanned.photos / "a 0.jpg").unlink()
    said = scanned.run("scan")
    status = scanned.run("status")
    assert "a 0.jpg" in scanned.follow("photoindex prune --dry-run", status)
    (prune,) = scanned.commands("{} gone; the library keeps their facts until: photoindex prune", said)
    assert scanned.rows.value(NOTHING_MARKED) == 1
    scanned.run(*prune, "--yes")  # the answer to its question
    assert scanned.rows.value("SELECT count(*) FROM file") == 2
    assert "missing: see" not in scanned.run("status")


@promises("stopped early: {}the next scan continues", "photoindex scan")
def test_a_scan_that_was_stopped_goes_on(house: House) -> None:
    from photoindex.cli.commands.scan import lines

    house.write_photos(*(f"{number}.jpg" for number in range(6)))
    asked = iter(range(1000))
    summary = house.rows.scan(house.photos, stop=lambda: next(asked) > 4)
    assert summary.stopped
    assert house.excerpt("stopped early: {}the next scan continues", "\n".join(lines(summary)))
    house.follow("photoindex scan", house.run("status"))
    assert "photoindex scan" not in house.run("status")
    assert house.rows.value("SELECT count(*) FROM photo") == 6


REREAD = "{} read by an earlier version; reading again brings {}; then scan"


@promises("photoindex redo ingest", REREAD)
def test_photos_of_an_earlier_version_are_read_again(scanned: House) -> None:
    with scanned.rows.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("""UPDATE variant SET key = '{"code":1}' WHERE stage = 'ingest'""")
    status = scanned.run("status")
    assert "lenses from maker notes" in scanned.excerpt(REREAD, status)
    queued = scanned.follow("photoindex redo ingest", status)
    assert scanned.commands("photoindex {}", queued) == [["scan"]]
    scanned.run("scan")
    assert "earlier version" not in scanned.run("status")


@promises("photoindex backup DEST")
def test_status_asks_for_a_backup_and_its_command_says_how_to_begin(scanned: House) -> None:
    dest = scanned.folder / "my backups"
    refused = scanned.follow("photoindex backup DEST", scanned.run("status"), code=2, DEST=dest)
    begin = "to use it from now on: photoindex backup {} --init"
    assert scanned.commands(begin, refused) == [["backup", str(dest), "--init"]]


THUMBNAILS = (
    "{} contents have no readable thumbnail and were not compared; run photoindex scan to make their thumbnails again"
)


@promises(THUMBNAILS)
def test_a_scan_makes_lost_thumbnails_again(house: House) -> None:
    house.photos.mkdir()
    picture = edits.scene(1)
    for quality in (60, 90):
        (house.photos / f"{quality}.jpg").write_bytes(edits.jpeg(picture, quality))
    house.run("scan", house.photos)
    for path in (house.library / "derived").rglob("*.thumb.jpg"):
        path.write_bytes(b"damaged")
    house.follow(THUMBNAILS, house.run("duplicates"))
    printed = house.run("duplicates")
    assert "thumbnail" not in printed
    assert "1 group" in printed


@promises("{} gone since the last scan and not considered; run photoindex scan to update the library")
def test_a_scan_tells_the_library_of_files_that_are_gone(scanned: House) -> None:
    copy = scanned.photos / "copy.jpg"
    shutil.copy(scanned.photos / "a 0.jpg", copy)
    scanned.run("scan")
    copy.unlink()
    said = "{} gone since the last scan and not considered; run photoindex scan to update the library"
    scanned.follow(said, scanned.run("duplicates"))
    assert "gone since" not in scanned.run("duplicates")


@promises(
    "{} (DERIVED_PATH) holds none of the previews; mount its disk, or make all previews again with: "
    "photoindex scan --check-derived"
)
def test_previews_on_a_disk_that_is_away_are_made_again(installed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVED_PATH", str(installed.folder / "new disk"))
    (installed.folder / "new disk").mkdir()
    said = (
        "{} (DERIVED_PATH) holds none of the previews; mount its disk, or make all previews again with: "
        "photoindex scan --check-derived"
    )
    installed.follow(said, installed.run("embed", code=12))
    assert len(list((installed.folder / "new disk").rglob("*.preview.jpg"))) == 3
    assert "embedded: 3 pictures" in installed.run("embed")
