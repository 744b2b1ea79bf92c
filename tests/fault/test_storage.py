"""A full disk stops the run with its own error; committed work is kept and the next scan resumes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.errors import StorageFull
from tests.harness import LibraryRunner, counts
from tests.originals import write_photo, write_photos


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A 3 MB file system; the test is skipped if this process may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_for_previews_stops_the_scan_and_keeps_finished_work(tmp_path: Path, small_disk: Path) -> None:
    folder = tmp_path / "photos"
    for index in range(40):
        write_photo(folder / f"{index}.jpg", index, size=(1600, 1200))
    runner = LibraryRunner(tmp_path / "library", {"derived_path": small_disk, "scan.batch_size": 4})
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 2_500_000)
    with pytest.raises(StorageFull, match="free some space"):
        runner.scan(folder)
    assert runner.value("SELECT count(*) FROM task WHERE state = 'quarantined'") == 0
    assert runner.value("SELECT count(*) FROM task WHERE state = 'running'") == 0
    done = runner.value("SELECT count(*) FROM task WHERE state = 'done'")
    assert done < 40
    filler.unlink()
    assert counts(runner.scan(folder)) == {"new": 40 - done} | ({"unchanged": done} if done else {})


def test_a_full_disk_for_the_database_stops_the_scan_and_damages_nothing(tmp_path: Path, small_disk: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, 200)
    runner = LibraryRunner(small_disk / "library", {"derived_path": tmp_path / "derived"})
    with runner.open():
        pass
    free = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(b"x" * (free.f_bavail * free.f_frsize - 150_000))
    with pytest.raises(StorageFull):
        runner.scan(folder)
    (small_disk / "filler").unlink()
    assert runner.value("PRAGMA integrity_check") == "ok"
    summary = runner.scan(folder)
    assert summary.new + summary.unchanged == 200


def test_an_unwritable_folder_for_previews_stops_the_scan_and_quarantines_no_photo(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, 3)
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    runner = LibraryRunner(tmp_path / "library", {"derived_path": blocked / "derived"})
    with pytest.raises(StorageFull, match="derived"):
        runner.scan(folder)
    assert runner.value("SELECT count(*) FROM task WHERE state = 'quarantined'") == 0
