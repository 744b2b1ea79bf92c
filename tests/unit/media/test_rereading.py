"""Reading a file once more and comparing it with what is known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3

from photoindex.media.rereading import Abandoned, Known, Outcome, reread


def written(path: Path, data: bytes) -> tuple[bytes, Known]:
    path.write_bytes(data)
    return os.fsencode(path), Known(len(data), path.stat().st_mtime_ns, blake3(data).digest())


def damage(path: bytes) -> None:
    """Change one byte and leave size and time as they are."""
    before = os.stat(path)
    with open(path, "r+b") as file:
        first = file.read(1)[0]
        file.seek(0)
        file.write(bytes([first ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("size", [0, 1, (8 << 20) - 1, 8 << 20, (8 << 20) + 1])
def test_a_file_of_any_size_is_good_until_a_byte_changes(tmp_path: Path, size: int) -> None:
    path, known = written(tmp_path / "a", b"x" * size)
    found = reread(path, known)
    assert (found.outcome, found.digest, found.read_bytes) == (Outcome.GOOD, known.digest, size)
    if size:
        damage(path)
        found = reread(path, known)
        assert found.outcome is Outcome.DAMAGED
        assert found.digest not in (None, known.digest)


def test_a_file_of_another_time_or_size_is_changed_and_not_read(tmp_path: Path) -> None:
    path, known = written(tmp_path / "a", b"abc")
    os.utime(path, ns=(1, 1))
    touched = reread(path, known)
    (tmp_path / "a").write_bytes(b"abcd")
    os.utime(path, ns=(known.mtime_ns, known.mtime_ns))
    longer = reread(path, known)
    assert [(one.outcome, one.digest) for one in (touched, longer)] == [(Outcome.CHANGED, None)] * 2


def test_a_missing_file_is_missing_and_a_folder_in_its_place_a_change(tmp_path: Path) -> None:
    path, known = written(tmp_path / "a", b"abc")
    os.unlink(path)
    assert reread(path, known).outcome is Outcome.MISSING
    os.mkdir(path)
    assert reread(path, known).outcome is Outcome.CHANGED
    assert reread(path + b"/b", known).outcome is Outcome.MISSING


def test_a_file_that_the_disk_refuses_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, known = written(tmp_path / "a", b"abc")

    def refuse(*_arguments: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "readv", refuse)
    found = reread(path, known)
    assert (found.outcome, found.size_bytes, found.mtime_ns) == (Outcome.UNREADABLE, 3, known.mtime_ns)
    assert found.detail == "cannot be read: Input/output error"


def test_two_names_of_one_file_have_one_inode(tmp_path: Path) -> None:
    path, known = written(tmp_path / "a", b"abc")
    os.link(path, tmp_path / "b")
    other, of_other = written(tmp_path / "c", b"abc")
    assert reread(os.fsencode(tmp_path / "b"), known).inode == reread(path, known).inode
    assert reread(other, of_other).inode != reread(path, known).inode


def test_reading_is_given_up_between_blocks(tmp_path: Path) -> None:
    path, known = written(tmp_path / "a", b"x" * (9 << 20))
    with pytest.raises(Abandoned):
        reread(path, known, abandoned=lambda: True)
