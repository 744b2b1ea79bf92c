"""What messages promise about files and disks that fail."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from photoindex.library.handle import DATABASE_NAME
from photoindex.media.decode.pillow import pixel_limit
from photoindex.media.problems import TooLarge
from photoindex.mounts import Mount, mount_of
from photoindex.types import Limits
from tests.cli.promises.house import House, promises
from tests.fault import faulty
from tests.originals import jpeg, write_photo

PHOTOS = "SELECT count(*) FROM photo"
PIXELS = (
    "{} x {} pixels are {} megapixels, over the limit of {}; raise it with --max-megapixels if the picture is genuine"
)


@promises(PIXELS)
def test_a_picture_over_the_limit_is_read_with_a_higher_one(house: House) -> None:
    large = write_photo(house.photos / "large.jpg", 1, size=(1200, 1000))
    house.run("scan", house.photos, "--max-megapixels", "1", code=100)
    house.excerpt(PIXELS, house.run("tasks", "--state", "quarantined"))
    house.run("scan", "--max-megapixels", "2")
    assert house.rows.value(PHOTOS) == 1
    assert large.exists()


FRAMES = "the picture has more than {} megapixels; raise the limit with --max-megapixels if it is genuine"


@promises(FRAMES)
def test_a_picture_of_many_pixels_inside_is_read_with_a_higher_limit(house: House) -> None:
    house.photos.mkdir()
    icon = house.photos / "large.ico"
    Image.new("RGB", (256, 256), "red").save(icon, "ICO", sizes=[(256, 256)])
    with pytest.raises(TooLarge) as error, pixel_limit(Limits(max_megapixels=0.001)), Image.open(icon) as picture:
        picture.load()
    house.excerpt(FRAMES, str(error.value))
    with pixel_limit(Limits(max_megapixels=2)), Image.open(icon) as picture:
        picture.load()


HANG = "reading took longer than {} s and was stopped; --file-seconds raises it"
MEMORY = "reading needs more memory than the {} MiB that a worker may use; --worker-memory-mb raises it"


@promises(HANG, MEMORY)
def test_files_that_need_more_time_or_memory_are_read_with_higher_limits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photo(house.photos / "hang.jpg", 1)
    write_photo(house.photos / "hoard.jpg", 2)
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.library.scan.ingest.ingest_file", faulty.ingest_or_fail)
        house.run("scan", house.photos, "--file-seconds", "1", "--worker-memory-mb", "512", code=100)
    said = house.run("tasks", "--state", "quarantined")
    house.excerpt(HANG, said)
    house.excerpt(MEMORY, said)
    house.run("scan", "--file-seconds", "60", code=100)
    assert house.rows.value(PHOTOS) == 1
    house.run("scan", "--worker-memory-mb", "2048")
    assert house.rows.value(PHOTOS) == 2


NEED = "{}, over the limit of {} MiB for a worker; raise it with --worker-memory-mb {}"


@promises(NEED)
def test_a_picture_that_needs_more_memory_is_read_with_the_limit_that_the_message_names(house: House) -> None:
    house.photos.mkdir()
    Image.new("RGB", (9000, 6000), "red").save(house.photos / "large.png", compress_level=1)
    house.run("scan", house.photos, "--worker-memory-mb", "160", code=100)
    said = house.excerpt(NEED, house.run("tasks", "--state", "quarantined"))
    needed = re.search(r"--worker-memory-mb (\d+)", said)
    assert needed is not None
    house.run("scan", "--worker-memory-mb", needed[1])
    assert house.rows.value(PHOTOS) == 1


DECODING = "decoding needs more memory than the {} MiB that a worker may use; raise it with --worker-memory-mb"


@promises(DECODING)
def test_a_picture_whose_need_is_unknown_is_read_with_a_higher_limit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photo(house.photos / "some.jpg", 1)
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.library.scan.ingest.ingest_file", faulty.ingest_short_of_memory)
        house.run("scan", house.photos, code=100)
    house.excerpt(DECODING, house.run("tasks", "--state", "quarantined"))
    house.run("scan", "--worker-memory-mb", "8192")
    assert house.rows.value(PHOTOS) == 1


def test_a_command_without_options_for_the_limits_names_the_settings(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = write_photo(house.photos / "slow.jpg", 1)
    monkeypatch.setenv("PHOTOINDEX_SCAN__FILE_SECONDS", "1")
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.library.photos.facts.describe_file", faulty.hang)
        said = house.run("facts", slow, code=100)
    assert "the setting scan.file_seconds raises it" in said
    monkeypatch.setenv("PHOTOINDEX_SCAN__FILE_SECONDS", "60")
    house.run("facts", slow)


@promises("the file changed while it was being read; scan again once it is complete")
def test_a_file_that_changed_while_it_was_read_is_read_once_it_is_complete(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photo(house.photos / "growing.jpg", 1)
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.library.scan.ingest.ingest_file", faulty.ingest_growing)
        house.run("scan", house.photos, code=None)
    said = "the file changed while it was being read; scan again once it is complete"
    house.excerpt(said, house.run("tasks"))
    (house.photos / "growing.jpg").write_bytes(jpeg(1))
    house.run("scan")
    assert house.rows.value(PHOTOS) == 1


UNMOUNTED = "{} was unmounted or emptied while it was read, and {} files are gone; what was read is kept. Mount it and scan again"


@promises(UNMOUNTED)
def test_a_folder_that_was_unmounted_while_it_was_read_is_scanned_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.library.scan import ingest

    real = ingest.ingest_files
    away = house.folder / "away"

    def unmounted(*arguments: object) -> object:
        house.photos.rename(away)
        house.photos.mkdir()
        return real(*arguments)  # type: ignore[arg-type]

    house.write_photos("a.jpg", "b.jpg")
    with monkeypatch.context() as faults:
        faults.setattr(ingest, "ingest_files", unmounted)
        house.excerpt(UNMOUNTED, house.run("scan", house.photos, code=12))
    house.photos.rmdir()
    away.rename(house.photos)
    house.run("scan", house.photos)
    assert house.rows.value(PHOTOS) == 2


PREVIEWS = "previews cannot be written ({}: {}); free some space and run the command again"


@promises(PREVIEWS)
def test_a_scan_goes_on_once_previews_can_be_written(house: House) -> None:
    house.write_photos("a.jpg")
    house.library.mkdir()
    (house.library / "derived").write_bytes(b"a file in the way")
    house.excerpt(PREVIEWS, house.run("scan", house.photos, code=9))
    (house.library / "derived").unlink()
    house.run("scan", house.photos)
    assert house.rows.value(PHOTOS) == 1


FULL_ELSEWHERE = "{}: the disk is full ({}); free some space and run the command again"


@promises(FULL_ELSEWHERE)
def test_a_backup_is_written_once_its_disk_has_room(scanned: House, small_disk: Path) -> None:
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    scanned.excerpt(FULL_ELSEWHERE, scanned.run("backup", small_disk / "backups", "--init", code=9))
    filler.unlink()
    scanned.run("backup", small_disk / "backups", "--init")


FULL = "the disk that holds {} is full; free some space and run the command again"


@promises(FULL)
def test_a_scan_goes_on_once_the_disk_of_the_database_has_room(
    house: House, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(small_disk / "library"))
    monkeypatch.setenv("DERIVED_PATH", str(house.folder / "derived"))
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 2_900_000)
    house.write_photos("a.jpg")
    house.excerpt(FULL, house.run("scan", house.photos, code=9))
    filler.unlink()
    house.run("scan", house.photos)


KILLED = "the worker processes were killed from outside; finished work is kept, scan again"


@promises(KILLED)
def test_a_scan_goes_on_after_its_workers_were_killed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photo(house.photos / "terminated.jpg", 1)
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.pipeline.run.decoder_pool._LOST_WORKERS_ALLOWED", 0)
        faults.setattr("photoindex.library.scan.ingest.ingest_file", faulty.ingest_terminated)
        house.excerpt(KILLED, house.run("scan", house.photos, code=16))
    house.run("scan")
    assert house.rows.value(PHOTOS) == 1


DAMAGED = "{} is damaged ({}); restore the newest snapshot: photoindex restore SNAPSHOT --library NEW"
EMPTIED = (
    "{} is empty: its content was lost. Restore the newest snapshot with photoindex restore SNAPSHOT --library NEW, or "
    "remove the file to start over"
)
NO_FOLDER = "restore needs a folder for the library: photoindex restore SNAPSHOT --library NEW"
NOT_EMPTY = "{} is not empty and is not a library; choose another folder with --library NEW"
IN_USE = "there is a library in {}; choose another folder, or move it aside with --replace (it is renamed, not deleted)"
NO_SNAPSHOT = "{} is not a snapshot; see: photoindex backup list DEST"
GO_BACK = (
    "No snapshot was made, and all earlier ones are kept. To go back to one: photoindex backup list {}, then "
    "photoindex restore SNAPSHOT --library {} --replace"
)
BEGIN = "to use it from now on: photoindex backup {} --init"
AS_NEXT = "previews of the old library could not be reused: {}; the next scan rebuilds them"


@pytest.fixture
def snapshot(scanned: House) -> Iterator[Path]:
    """A snapshot of the scanned library in `my backups`."""
    dest = scanned.folder / "my backups"
    refused = scanned.run("backup", dest, code=2)
    scanned.follow(BEGIN, refused)
    (made,) = dest.glob("photoindex-2*")
    scanned.run("backup", dest)
    return made


@promises(BEGIN, DAMAGED, EMPTIED, NO_FOLDER, NOT_EMPTY, NO_SNAPSHOT, IN_USE)
def test_a_database_that_is_lost_comes_back_from_a_snapshot(
    scanned: House, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = scanned.library / DATABASE_NAME
    for leftover in scanned.library.glob(f"{database.name}-*"):
        leftover.unlink()
    content = database.read_bytes()
    database.write_bytes(b"not a database at all" * 500)
    said = scanned.run("status", code=15)
    new = scanned.folder / "new library"
    values = {"SNAPSHOT": snapshot, "NEW": new}
    scanned.follow(DAMAGED, said, **values)
    shutil.rmtree(new)
    database.write_bytes(b"")
    scanned.follow(EMPTIED, scanned.run("status", code=15), **values)
    shutil.rmtree(new)
    scanned.follow(NO_FOLDER, scanned.run("restore", snapshot, code=2), **values)
    database.write_bytes(content)
    said = scanned.run("restore", snapshot, "--library", scanned.photos, code=2)
    scanned.excerpt(NOT_EMPTY, said)
    said = scanned.run("restore", scanned.photos, "--library", new, code=None)
    assert snapshot.name in scanned.follow(NO_SNAPSHOT, said, DEST=snapshot.parent)
    scanned.excerpt(IN_USE, scanned.run("restore", snapshot, "--library", new, code=2))
    scanned.run("restore", snapshot, "--library", scanned.folder / "another")
    scanned.run("restore", snapshot, "--library", new, "--replace")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(new))
    scanned.run("scan")
    assert "  all   3" in scanned.run("status")


@promises(GO_BACK)
def test_a_damaged_database_is_replaced_by_a_snapshot(scanned: House, snapshot: Path) -> None:
    database = scanned.library / DATABASE_NAME
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=DELETE")
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'place'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    said = scanned.run("backup", snapshot.parent, code=15)
    scanned.follow(GO_BACK, said, SNAPSHOT=snapshot)
    scanned.run("backup", snapshot.parent)
    assert scanned.rows.value(PHOTOS) == 3


@promises(AS_NEXT)
def test_previews_that_a_restore_could_not_keep_are_made_again(
    scanned: House, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object, **_more: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    with monkeypatch.context() as faults:
        faults.setattr(os, "link", refused)
        said = scanned.run("restore", snapshot, "--library", scanned.library, "--replace")
    scanned.excerpt(AS_NEXT, said)
    scanned.run("scan")
    assert len(list((scanned.library / "derived").rglob("*.preview.jpg"))) == 3


MOUNT_POINT = "{} is a mount point, which cannot be renamed; restore to a new folder with --library NEW"


@promises(MOUNT_POINT)
def test_a_library_on_its_own_disk_is_restored_beside_it(scanned: House, snapshot: Path, small_disk: Path) -> None:
    said = scanned.run("restore", snapshot, "--library", small_disk, "--replace", code=2)
    scanned.excerpt(MOUNT_POINT, said)
    scanned.run("restore", snapshot, "--library", small_disk / "library")


NOT_LOCAL = "Choose a folder on a local disk with --library FOLDER; previews and thumbnails may be on the network mount"
NO_LIBRARY = "{} is not a photoindex library; choose another folder with --library FOLDER"


@promises(NO_LIBRARY)
def test_another_programs_database_is_left_alone(scanned: House) -> None:
    other = scanned.folder / "other"
    other.mkdir()
    connection = sqlite3.connect(other / DATABASE_NAME)
    connection.execute("CREATE TABLE recipe (name TEXT)")
    connection.commit()
    connection.close()
    said = scanned.run("status", "--library", other, code=None)
    scanned.excerpt(NO_LIBRARY, said)
    scanned.run("status", "--library", scanned.library)


@promises(NOT_LOCAL)
def test_a_library_is_made_on_a_local_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write_photos("a.jpg")
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.library.location.mount_of", _network_mount)
        said = house.run("scan", house.photos, code=14)
    house.excerpt(NOT_LOCAL, said)
    house.run("scan", house.photos, "--library", house.folder / "local")


def _network_mount(path: bytes, **more: bytes | None) -> Mount:
    return replace(mount_of(path), file_system="nfs4", source="server:/export")
