"""A file exists complete or not at all, and is synced before it gets its name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from photoindex.atomic_files import atomic_file, publish


def test_the_file_appears_with_its_content_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "plan.sh"
    path.write_bytes(b"before")
    with atomic_file(path) as file:
        file.write(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert os.listdir(tmp_path) == ["plan.sh"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_block_that_raises_leaves_the_earlier_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "plan.sh"
    path.write_bytes(b"before")

    def write_half() -> None:
        with atomic_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["plan.sh"]


def test_a_name_of_the_maximum_length_works(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    with atomic_file(path) as file:
        file.write(b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize("how", ["written here", "written by another"])
def test_content_is_synced_before_the_rename_and_the_rename_before_returning(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(descriptor: int) -> None:
        target = os.readlink(f"/proc/self/fd/{descriptor}")
        calls.append("folder" if os.path.isdir(target) else f"file of {Path(target).stat().st_size} bytes")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", lambda *names: (calls.append("rename"), replace(*names)))
    if how == "written here":
        with atomic_file(tmp_path / "a") as file:
            file.write(b"12345")
    else:
        (tmp_path / "b").write_bytes(b"12345")
        publish(tmp_path / "b", tmp_path / "a")
    assert calls == ["file of 5 bytes", "rename", "folder"]


def test_a_file_that_need_not_be_durable_is_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: pytest.fail("synced"))
    with atomic_file(tmp_path / "holder", durable=False) as file:
        file.write(b"x")
    assert (tmp_path / "holder").read_bytes() == b"x"
