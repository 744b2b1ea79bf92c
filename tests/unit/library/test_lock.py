"""The library lock: one holder at a time, named in messages, released with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from photoindex.errors import LibraryLocked
from photoindex.library.lock import LOCK_NAME, exclusive, read_holder

HOLD = """
import sys, pathlib
from photoindex.library.lock import exclusive
with exclusive(pathlib.Path(sys.argv[1]), "photoindex scan"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _start_holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def _end(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)
    process.communicate(timeout=30)


def test_a_second_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    process = _start_holder(tmp_path)
    try:
        with (
            pytest.raises(LibraryLocked, match=rf"photoindex scan.*process {process.pid}, since 20"),
            exclusive(tmp_path),
        ):
            pass
    finally:
        _end(process, signal.SIGTERM)


def test_the_kernel_releases_the_lock_of_a_killed_process(tmp_path: Path) -> None:
    _end(_start_holder(tmp_path), signal.SIGKILL)
    with exclusive(tmp_path, "prune"):
        holder = read_holder(tmp_path / LOCK_NAME)
        assert holder is not None
        assert (holder.pid, holder.command) == (os.getpid(), "prune")


def test_the_lock_is_not_reentrant_in_one_process(tmp_path: Path) -> None:
    with exclusive(tmp_path, "scan"), pytest.raises(LibraryLocked, match="`scan`"), exclusive(tmp_path, "prune"):
        pass


def test_the_lock_is_released_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), exclusive(tmp_path, "scan"):
        raise ValueError("inside")
    assert read_holder(tmp_path / LOCK_NAME) is None
    with exclusive(tmp_path, "prune"):
        pass


def test_a_command_may_wait_for_the_lock(tmp_path: Path) -> None:
    release = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with exclusive(tmp_path, "scan"):
            held.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    threading.Timer(0.1, release.set).start()
    with exclusive(tmp_path, "prune", wait_seconds=30):
        pass
    thread.join(30)


def test_locks_with_different_names_are_independent(tmp_path: Path) -> None:
    with exclusive(tmp_path, "scan"), exclusive(tmp_path, "backup", name="backup.lock"):
        assert read_holder(tmp_path / "backup.lock") is not None
        with pytest.raises(LibraryLocked, match="`backup`"), exclusive(tmp_path, "backup", name="backup.lock"):
            pass


def test_an_unreadable_side_file_does_not_hide_the_lock(tmp_path: Path) -> None:
    with exclusive(tmp_path, "scan"):
        (tmp_path / "photoindex.lock.holder").write_text("{")
        with pytest.raises(LibraryLocked, match="another photoindex command"), exclusive(tmp_path):
            pass
