"""kill -9 at any moment loses unfinished files at most; nothing stays running, leased, duplicated or half-written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.harness import LibraryRunner, counts
from tests.originals import write_photo, write_photos
from tests.series import SEEDS

PHOTOS = 60


def start_scan(runner: LibraryRunner, folder: Path, *, own_group: bool = False) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "photoindex", "scan", str(folder), "-j", "2", "--json", "--progress", "none"]
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(runner.folder), "PHOTOINDEX_SCAN__BATCH_SIZE": "4"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=own_group
    )


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def still_running(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        alive = [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        if not alive:
            return []
        time.sleep(0.05)
    return alive


def check_all_ingested(runner: LibraryRunner, files: int) -> None:
    assert runner.value("SELECT count(*) FROM file WHERE state = 'present'") == files
    assert runner.value("SELECT count(*) FROM task") == files
    assert runner.value("SELECT count(*) FROM task WHERE state <> 'done' OR lease_owner IS NOT NULL") == 0
    assert runner.value("SELECT count(*) FROM asset") == files
    assert runner.value("SELECT count(*) FROM photo") == files
    assert runner.value("SELECT count(*) FROM photo_text") == files
    assert runner.value("PRAGMA integrity_check") == "ok"
    derived = runner.derived_files()
    assert len(derived) == 2 * files
    assert all(name.endswith((".preview.jpg", ".thumb.jpg")) for name in derived)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_scan_killed_at_a_random_moment_is_completed_by_the_next(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "photos"
    for index in range(PHOTOS):
        write_photo(folder / f"{index % 3}" / f"IMG_{index:04d}.jpg", index, size=(1600, 1200))
    runner = LibraryRunner(tmp_path / "library")
    kills = 0
    for _ in range(4):
        process = start_scan(runner, folder)
        deadline = time.monotonic() + chance.uniform(0.3, 2.2)
        children: list[psutil.Process] = []
        while time.monotonic() < deadline and process.poll() is None:
            children = children_of(process) or children
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.communicate()
        assert still_running(children, 20) == []
    assert kills > 0
    summary = runner.scan(folder)
    assert summary.new + summary.unchanged == PHOTOS
    check_all_ingested(runner, PHOTOS)
    assert counts(runner.scan(folder)) == {"unchanged": PHOTOS}


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_scan_finishes_its_batch_and_exits_with_the_code_of_the_signal(
    tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    folder = tmp_path / "photos"
    for index in range(PHOTOS):
        write_photo(folder / f"IMG_{index:04d}.jpg", index, size=(2400, 1800))
    runner = LibraryRunner(tmp_path / "library")
    process = start_scan(runner, folder)
    derived = runner.folder / "derived"
    while process.poll() is None and not list(derived.glob("*/*.preview.jpg")):
        time.sleep(0.01)
    children = children_of(process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == exit_code, err
    assert b'"stopped": true' in out
    assert still_running(children, 20) == []
    assert runner.value("SELECT count(*) FROM task WHERE state = 'running'") == 0
    done = runner.value("SELECT count(*) FROM task WHERE state = 'done'")
    assert 0 < done < PHOTOS
    assert counts(runner.scan(folder)) == {"new": PHOTOS - done, "unchanged": done}


def test_a_signal_to_the_process_group_quarantines_no_photo(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for index in range(PHOTOS):
        write_photo(folder / f"IMG_{index:04d}.jpg", index, size=(2400, 1800))
    runner = LibraryRunner(tmp_path / "library")
    process = start_scan(runner, folder, own_group=True)
    while process.poll() is None and not list((runner.folder / "derived").glob("*/*.preview.jpg")):
        time.sleep(0.01)
    children = children_of(process)
    os.killpg(process.pid, signal.SIGTERM)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert still_running(children, 20) == []
    assert runner.value("SELECT count(*) FROM task WHERE state NOT IN ('done', 'pending')") == 0
    runner.scan(folder)
    check_all_ingested(runner, PHOTOS)


def test_leases_of_a_dead_process_are_released_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, 3)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(folder, derive=False)
    import socket

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owner = f"{socket.gethostname()}/{dead.pid}/1.00/abcdefgh"
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE task SET state = 'running', lease_owner = ?, lease_until = ?", (owner, time.time() + 9999)
        )
    runner.scan(folder, derive=False)
    assert runner.value("SELECT count(*) FROM task WHERE state = 'done'") == 3
