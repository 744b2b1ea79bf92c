"""`photoindex scan`: exit codes, JSON, lists of files, and a second run that opens nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.originals import jpeg, write_photo, write_photos
from tests.tiny_model import install_tiny


def run(
    *words: str | Path, library: Path, stdin: bytes = b"", prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(library)}
    command = [*prefix, sys.executable, "-m", "photoindex", *map(os.fspath, words)]
    return subprocess.run(command, input=stdin, env=environment, capture_output=True, check=False, timeout=120)


def summary(done: subprocess.CompletedProcess[bytes]) -> dict[str, float]:
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_last_line_of_json_has_the_documented_numbers(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    done = run("scan", tmp_path / "photos", "--json", library=tmp_path / "library")
    assert done.returncode == 0, done.stderr
    found = summary(done)
    counts = ("new", "changed", "moved", "duplicate", "unchanged", "missing", "quarantined", "excluded", "bytes")
    assert {name: type(found[name]) for name in counts} == dict.fromkeys(counts, int)
    assert found["new"] == 3
    assert found["seconds"] > 0
    assert found["files_per_minute"] > 0


def test_new_photos_end_with_the_step_that_makes_them_findable_and_a_scan_without_any_does_not(tmp_path: Path) -> None:
    library = tmp_path / "library"
    write_photos(tmp_path / "photos", 2)
    first = run("scan", tmp_path / "photos", library=library).stderr.decode().splitlines()[-1]
    assert first.startswith("next: photoindex models pull clip-vit-b-32 (no model is installed")
    assert b"next:" not in run("scan", library=library).stderr
    install_tiny(library)
    write_photo(tmp_path / "photos/new.jpg", 7)
    assert b"next:" not in run("scan", "--quiet", library=library).stderr
    write_photo(tmp_path / "photos/newer.jpg", 8)
    last = run("scan", library=library).stderr.decode().splitlines()[-1]
    assert last == "next: photoindex embed (4 pictures are not embedded: not found by what they show yet)"


def test_exit_100_while_a_file_is_quarantined_and_the_terminal_names_it(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    (tmp_path / "photos/torn \x1b[31m.jpg").write_bytes(jpeg(1)[:300])
    for _ in range(2):
        done = run("scan", tmp_path / "photos", library=tmp_path / "library")
        assert done.returncode == 100
        assert b"1 quarantined" in done.stderr
        assert b"\x1b[31m" not in done.stderr


def test_an_emptied_root_exits_with_12_and_names_the_remedy(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    run("scan", tmp_path / "photos", library=tmp_path / "library")
    shutil.rmtree(tmp_path / "photos")
    (tmp_path / "photos").mkdir()
    done = run("scan", tmp_path / "photos", library=tmp_path / "library")
    assert done.returncode == 12
    assert b"--accept-missing" in done.stderr
    assert b"Traceback" not in done.stderr


def test_files_can_be_listed_on_stdin_separated_by_nul_or_newline(tmp_path: Path) -> None:
    one = write_photo(tmp_path / "photos/one\nname.jpg", 1)
    two = write_photo(tmp_path / "photos/two.jpg", 2)
    write_photo(tmp_path / "photos/three.jpg", 3)
    listed = os.fsencode(one) + b"\0" + os.fsencode(two) + b"\0"
    done = run("scan", "--paths-from", "-", "-0", "--json", library=tmp_path / "library", stdin=listed)
    assert summary(done)["new"] == 2
    done = run("scan", "--paths-from", "-", "--json", library=tmp_path / "library", stdin=os.fsencode(two) + b"\n")
    assert summary(done)["unchanged"] == 1


@pytest.mark.parametrize(
    "words", [["--paths-from", "-", "photos"], ["-0"], ["nowhere"], ["--paths-from", "nowhere"], []]
)
def test_invalid_arguments_are_usage_errors(tmp_path: Path, words: list[str]) -> None:
    done = run("scan", *words, library=tmp_path / "library")
    assert done.returncode == 2
    assert done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (Debian package strace)")
def test_a_second_scan_opens_no_original(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 5)
    (tmp_path / "photos/notes.txt").write_text("not a photo")
    (tmp_path / "photos/torn.jpg").write_bytes(jpeg(1)[:300])
    run("scan", tmp_path / "photos", library=tmp_path / "library")
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-e", "trace=open,openat", "-o", str(trace))
    done = run("scan", tmp_path / "photos", "--json", library=tmp_path / "library", prefix=strace)
    assert summary(done)["unchanged"] == 5
    opened = [line for line in trace.read_text(errors="replace").splitlines() if str(tmp_path / "photos") in line]
    assert opened
    assert [line for line in opened if "O_DIRECTORY" not in line] == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (Debian package strace)")
def test_originals_are_only_opened_for_reading(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 4)
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-e", "trace=open,openat,creat,rename,unlink,truncate,chmod,utimensat", "-o", str(trace))
    done = run("scan", tmp_path / "photos", library=tmp_path / "library", prefix=strace)
    assert done.returncode == 0, done.stderr
    touched = [line for line in trace.read_text(errors="replace").splitlines() if str(tmp_path / "photos") in line]
    assert len([line for line in touched if ".jpg" in line]) == 4
    assert [line for line in touched if "O_RDONLY" not in line] == []


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (Debian package util-linux)")
def test_files_and_folders_without_permission_are_reported_and_retried_later(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    closed = tmp_path / "photos/closed"
    write_photo(closed / "inside.jpg", 50)
    locked = write_photo(tmp_path / "photos/locked.jpg", 51)
    closed.chmod(0)
    locked.chmod(0)
    # Root may read everything unless these two capabilities are dropped.
    without = (
        ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all") if os.geteuid() == 0 else ()
    )
    done = run("scan", tmp_path / "photos", "--json", library=tmp_path / "library", prefix=without)
    assert done.returncode == 100, done.stderr
    found = summary(done)
    assert (found["new"], found["quarantined"], found["unreadable_folders"]) == (3, 1, 1)
    closed.chmod(0o755)
    locked.chmod(0o644)
    done = run("scan", tmp_path / "photos", "--json", library=tmp_path / "library")
    assert done.returncode == 0, done.stderr
    assert summary(done)["new"] == 2


def test_the_library_is_created_in_the_users_data_folder_by_default(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 1)
    environment = {name: value for name, value in os.environ.items() if name != "PHOTOINDEX_LIBRARY"}
    command = [sys.executable, "-m", "photoindex", "scan", str(tmp_path / "photos")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert (Path(os.environ["HOME"]) / ".local/share/photoindex/photoindex.db").is_file()


def test_the_library_option_works_before_and_after_the_command(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 1)
    before, after = tmp_path / "before", tmp_path / "after"
    assert run("--library", before, "scan", tmp_path / "photos", library=tmp_path / "other").returncode == 0
    assert run("scan", tmp_path / "photos", "--library", after, library=tmp_path / "other").returncode == 0
    assert before.is_dir()
    assert after.is_dir()
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("words", [("scan",), ("scan", "nowhere")])
def test_a_scan_of_nothing_makes_no_library(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(*words, library=tmp_path / "library").returncode == 2
    assert not (tmp_path / "library").exists()


def test_a_higher_limit_on_pixels_brings_back_what_lacked_memory(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (6000, 5000)).save(tmp_path / "photos/large.png")
    words = ("scan", tmp_path / "photos")
    assert run(*words, "--worker-memory-mb", "200", library=tmp_path / "library").returncode == 100
    assert run(*words, library=tmp_path / "library").returncode == 100
    assert run(*words, "--max-megapixels", "30", library=tmp_path / "library").returncode == 0
