"""What `verify` promises."""

from __future__ import annotations

import os
import shutil
import time

from tests.cli.promises.house import House, promises
from tests.unit.media.test_rereading import damage

PROVED = "SELECT count(*) FROM proof WHERE outcome = 'good'"
SOUND = "the library is sound; whether its originals are: photoindex verify --originals"


@promises(SOUND)
def test_after_the_library_come_its_originals(scanned: House) -> None:
    assert "proved good: 3 of 3 files" in scanned.follow(SOUND, scanned.run("verify"))
    assert scanned.rows.value(PROVED) == 3


REPAIR = "photoindex verify --repair"
SCAN = "photoindex scan"


@promises(REPAIR, SCAN)
def test_a_preview_that_is_gone_comes_back(scanned: House) -> None:
    preview = next((scanned.library / "derived").glob("???/*.preview.jpg"))
    preview.unlink()
    repaired = scanned.follow(REPAIR, scanned.run("verify", code=100))
    scanned.follow(SCAN, repaired)
    assert preview.exists()
    scanned.run("verify")


@promises("photoindex prune --derived")
def test_a_preview_of_nothing_goes(scanned: House) -> None:
    stray = scanned.library / "derived" / "abc" / f"abc{'0' * 61}.preview.jpg"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    os.utime(stray, (time.time() - 1e6,) * 2)
    (command,) = scanned.commands("photoindex prune --derived", scanned.run("verify"))
    scanned.run(*command, "--yes")
    assert not stray.exists()
    assert SOUND in scanned.run("verify")


@promises("photoindex index rebuild")
def test_a_damaged_index_is_built_again(embedded: House) -> None:
    embedded.run("index", "rebuild")
    next((embedded.library / "indices").glob("*/gen-*/vectors.f16")).write_bytes(b"")
    embedded.follow("photoindex index rebuild", embedded.run("verify", code=100))
    embedded.run("verify")


CURES = "see what cures them: photoindex verify --originals PATH"


@promises(CURES)
def test_known_damage_is_read_again_and_its_cure_named(scanned: House) -> None:
    torn, copy = scanned.photos / "a 0.jpg", scanned.photos / "copy.jpg"
    shutil.copy(torn, copy)
    scanned.run("scan")
    damage(os.fsencode(torn))
    scanned.run("verify", "--originals", code=100)
    said = scanned.run("verify", code=100)
    assert str(copy) in scanned.follow(CURES, said, code=100, PATH=torn)


TAKE_IN = "{} changed and {} missing since the last scan; take them in with: photoindex scan"


@promises(TAKE_IN)
def test_a_scan_takes_in_what_changed(scanned: House) -> None:
    os.utime(scanned.photos / "a 0.jpg")
    (scanned.photos / "a 1.jpg").unlink()
    scanned.follow(TAKE_IN, scanned.run("verify", "--originals"))
    assert "2 of 2 files" in scanned.run("verify", "--originals")


GOES_ON = "{}: {} left; the next photoindex verify --originals continues"


@promises(GOES_ON)
def test_the_next_run_reads_what_this_one_left(scanned: House) -> None:
    said = scanned.run("verify", "--originals", "--for", "0.000001s", code=75)
    scanned.follow(GOES_ON, said)
    assert scanned.rows.value(PROVED) == 3


RESTORE = "restore the newest snapshot: photoindex restore SNAPSHOT --library NEW"


@promises(RESTORE)
def test_a_library_with_broken_links_is_restored_from_a_snapshot(scanned: House) -> None:
    scanned.run("backup", scanned.folder / "backup", "--init")
    snapshot = next(path for path in (scanned.folder / "backup").iterdir() if path.is_dir())
    with scanned.rows.open() as library:
        connection = library.database.raw_connection()
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE file SET folder_id = 999 WHERE id = 1")
        connection.commit()
        connection.close()
    new = scanned.folder / "new"
    scanned.follow(RESTORE, scanned.run("verify", code=100), SNAPSHOT=snapshot, NEW=new)
    assert '"links"' not in scanned.run("verify", "--library", new, "--json", code=None)
