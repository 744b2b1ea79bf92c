"""`photoindex verify`: output, exit codes, options that go together."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from photoindex.library.lock import exclusive
from photoindex.library.verify.originals import LOCK_NAME
from tests.command_line import run, run_on_terminal
from tests.harness import LibraryRunner
from tests.originals import write_photos
from tests.unit.media.test_rereading import damage


@pytest.fixture
def photos(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six scanned photos; the library is that of the environment."""
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    write_photos(tmp_path / "photos", 6)
    LibraryRunner(library_folder).scan(tmp_path / "photos")
    return tmp_path / "photos"


def test_a_sound_library_and_good_originals_exit_with_0(
    photos: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    checked = run(capsysbinary, "verify")
    assert (checked.code, checked.out) == (0, b"")
    assert b"the library is sound" in checked.err
    proved = run(capsysbinary, "verify", "--originals", "--progress", "none")
    assert (proved.code, proved.out) == (0, b"")
    assert b"proved good: 6 of 6 files" in proved.err
    assert b"of the library: 6 of 6 originals proved good, the oldest proof of 20" in proved.err


def test_damage_is_named_with_its_cure_and_exits_with_100(
    photos: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    torn, copy = photos / "0" / "IMG_0000.jpg", photos / "copy.jpg"
    shutil.copy(torn, copy)
    run(capsysbinary, "scan")
    damage(os.fsencode(torn))
    ran = run(capsysbinary, "verify", "--originals", "--plan", tmp_path / "plan")
    assert ran.code == 100
    assert ran.out == b"damaged\t%s\t%s\n" % (os.fsencode(torn), os.fsencode(copy))
    assert b"1 damaged; 1 with a good copy elsewhere" in ran.err
    (line,) = map(json.loads, (tmp_path / "plan").read_text().splitlines())
    assert (line["path"], line["copy"], line["outcome"]) == (str(torn), str(copy), "damaged")
    (row,) = run(capsysbinary, "verify", "--originals", torn, "--json").json
    assert (row["schema"], row["outcome"], row["path"], row["copy"]) == (1, "damaged", str(torn), str(copy))
    (row,) = run(capsysbinary, "verify", "--json").json
    assert (row["check"], row["examples"], row["harmful"]) == ("originals", [str(torn)], True)


def test_following_the_plan_cures_the_file(
    photos: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    torn = photos / "0" / "IMG_0000.jpg"
    shutil.copy2(torn, photos / "copy.jpg")
    run(capsysbinary, "scan")
    damage(os.fsencode(torn))
    run(capsysbinary, "verify", "--originals", "--plan", tmp_path / "plan")
    (line,) = map(json.loads, (tmp_path / "plan").read_text().splitlines())
    shutil.copy2(line["copy"], line["path"])
    run(capsysbinary, "scan")
    assert run(capsysbinary, "verify", "--originals").code == 0
    assert run(capsysbinary, "verify").code == 0


def test_a_plan_is_never_written_among_originals_or_over_a_file(
    photos: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "there").write_text("mine")
    for target in (photos / "plan", tmp_path / "there"):
        assert run(capsysbinary, "verify", "--originals", "--plan", target).code == 2
    assert (tmp_path / "there").read_text() == "mine"


def test_the_end_of_the_time_exits_with_75_and_damage_outweighs_it(
    photos: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(capsysbinary, "verify", "--originals", "--for", "0.000001s")
    assert ran.code == 75
    assert b"time is up: 6 files left; the next photoindex verify --originals continues" in ran.err
    damage(os.fsencode(photos / "0" / "IMG_0000.jpg"))
    over = iter([False, False])
    monkeypatch.setattr("photoindex.library.verify.originals._Run._is_over", lambda _run: next(over, True))
    assert run(capsysbinary, "verify", "--originals", "--for", "1h").code == 100


def test_changed_and_missing_files_are_the_business_of_the_next_scan(
    photos: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    os.utime(photos / "0" / "IMG_0000.jpg")
    (photos / "1" / "IMG_0001.jpg").unlink()
    ran = run(capsysbinary, "verify", "--originals", "--json")
    assert ran.code == 0
    assert sorted(row["outcome"] for row in ran.json) == ["changed", "missing"]
    assert b"1 changed and 1 missing since the last scan; take them in with: photoindex scan" in ran.err


def test_an_offline_volume_is_left_out_and_counted(photos: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with LibraryRunner(photos.parent / "library").open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET identity = 'nfs:server:/nas', label = 'NAS'")
    ran = run(capsysbinary, "verify", "--originals")
    assert (ran.code, ran.out) == (0, b"")
    assert b"left out: 6 files on NAS, which is not mounted" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sample", "3%"], b"--sample goes with --originals"),
        (["--for", "1h"], b"--for goes with --originals"),
        (["some.jpg"], b"PATH goes with --originals"),
        (["--originals", "--repair"], b"--repair goes without --originals"),
        (["--originals", "--sample", "3"], b"'3' is not a percentage; write 3% or 0.5%"),
        (["--originals", "--sample", "0%"], b"'0%' is not a percentage"),
        (["--originals", "--sample", "nan%"], b"'nan%' is not a percentage"),
        (["--originals", "--older-than", "6m"], b"--older-than: '6m': m can mean months or minutes"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    photos: Path, capsysbinary: pytest.CaptureFixture[bytes], words: list[str], message: bytes
) -> None:
    ran = run(capsysbinary, "verify", *words)
    assert ran.code == 2
    assert message in ran.err


def test_repair_says_what_is_left_to_do(photos: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    next((photos.parent / "library" / "derived").glob("???/*.preview.jpg")).unlink()
    found = run(capsysbinary, "verify")
    assert found.code == 100
    assert found.out == b"previews\t1 preview or thumbnail is missing\tphotoindex verify --repair\n"
    repaired = run(capsysbinary, "verify", "--repair")
    assert repaired.code == 0
    assert b"1 of 1 finding repaired" in repaired.err
    assert b"next: photoindex scan" in repaired.err
    run(capsysbinary, "scan")
    assert run(capsysbinary, "verify").out == b""


def test_a_library_that_cannot_be_written_is_checked_all_the_same(
    photos: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photoindex.store.engine.errors.why_unwritable", lambda folder: f"{folder} cannot be written")
    assert run(capsysbinary, "verify").code == 0


def test_quiet_prints_nothing_unless_something_is_wrong(
    photos: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    os.utime(photos / "0" / "IMG_0000.jpg")
    for words in (["verify"], ["verify", "--originals"]):
        ran = run(capsysbinary, *words, "--quiet")
        assert (ran.code, ran.out, ran.err) == (0, b"", b"")
    assert [row["outcome"] for row in run(capsysbinary, "verify", "--originals", "--quiet", "--json").json] == [
        "changed"
    ]
    with exclusive(photos.parent / "library", "another", name=LOCK_NAME):
        assert run(capsysbinary, "verify", "--originals").code == 5
        assert run(capsysbinary, "verify", "--originals", "--quiet").code == 0
    damage(os.fsencode(photos / "1" / "IMG_0001.jpg"))
    ran = run(capsysbinary, "verify", "--originals", "--quiet")
    assert ran.code == 100
    assert b"IMG_0001.jpg" in ran.out
    assert b"1 damaged" in ran.err
    said = run(capsysbinary, "verify", "--quiet").out
    assert b"1 original was damaged when read last, among them /" in said


def test_on_a_terminal_there_is_a_table(photos: Path) -> None:
    damage(os.fsencode(photos / "0" / "IMG_0000.jpg"))
    shown = run_on_terminal("verify", "--originals")
    assert shown.code == 100
    assert b"a good copy" in shown.out
    assert b"IMG_0000.jpg" in shown.out
    assert b"for example" in run_on_terminal("verify").out


_INTERRUPTED = """
import os, signal, sys
from photoindex.cli.main import main
from photoindex.library.verify import originals

real, sent = originals.reread, []

def reread(*arguments, **named):
    if not sent:
        sent.append(os.kill(os.getpid(), signal.SIGINT))
    return real(*arguments, **named)

originals.reread = reread
sys.exit(main(["verify", "--originals", "--progress", "none"]))
"""


def test_ctrl_c_finishes_the_file_and_keeps_what_was_proved(photos: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, check=False)
    assert done.returncode == 130
    proved = LibraryRunner(photos.parent / "library").value("SELECT count(*) FROM proof")
    assert 1 <= proved < 6
    assert (
        f"stopped early: {6 - proved} files left; the next photoindex verify --originals continues"
        in done.stderr.decode()
    )
