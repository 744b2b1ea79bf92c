"""Reading an original once: digest, head and detecting changes."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path

import pytest
from blake3 import blake3

from photoindex.media import content as content_module
from photoindex.media.content import HEAD_BYTES, VIDEO_HOLD_BYTES, read_content
from photoindex.media.problems import ChangedWhileReading, NotRecognised


def made(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    return os.fsencode(path)


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, 3_000_000])
@pytest.mark.parametrize("held", [True, False])
def test_digest_size_and_head_are_those_of_the_file(tmp_path: Path, size: int, held: bool) -> None:
    data = os.urandom(size)
    path = made(tmp_path / "a", data)
    content = read_content(path, hold_bytes=size if held else size - 1)
    assert content.digest == blake3(data).digest()
    assert (content.size_bytes, content.mtime_ns) == (size, os.stat(path).st_mtime_ns)
    assert content.head == data[:HEAD_BYTES]
    assert content.data == (data if held else None)
    with content.open() as stream:
        assert stream.read() == data


def test_any_file_name_can_be_read(tmp_path: Path) -> None:
    for name in (b"new\nline", b"quote'\"", b"\x1b[31m", b"\xff\xfe not utf-8", b"-rf", b"a" * 255):
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as target:
            target.write(name)
        assert read_content(path).data == name


def test_a_large_video_is_not_held_and_a_large_photo_is(tmp_path: Path) -> None:
    for name, head, held in (
        ("v.jpg", b"\x1a\x45\xdf\xa3\x93B\x82\x84webm" + bytes(60), False),
        ("p.mp4", b"\xff\xd8\xff\xe0", True),
    ):
        path = tmp_path / name
        with path.open("wb") as target:
            target.write(head)
            target.truncate(VIDEO_HOLD_BYTES + 1)
        assert (read_content(os.fsencode(path)).data is not None) is held


class _FileChanger:
    """Wraps `os.read` and `os.readv` and changes the file after the first call."""

    def __init__(self, path: bytes, change: str) -> None:
        self.path, self.change, self.calls = path, change, 0

    def after(self) -> None:
        self.calls += 1
        if self.calls == 1 and self.change == "grows":
            with open(self.path, "ab") as target:
                target.write(b"more")
        elif self.calls == 1 and self.change == "shrinks":
            os.truncate(self.path, 10)
        elif self.calls == 1 and self.change == "is written to":
            os.utime(self.path, ns=(1, 1))


@pytest.fixture(params=["grows", "shrinks", "is written to"])
def file_changer(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _FileChanger:
    path = made(tmp_path / "a", bytes(3_000_000))
    changer = _FileChanger(path, request.param)
    read, readv = os.read, os.readv

    def changing_read(descriptor: int, count: int) -> bytes:
        data = read(descriptor, count)
        changer.after()
        return data

    def changing_readv(descriptor: int, buffers: list[bytearray]) -> int:
        count = readv(descriptor, buffers)
        changer.after()
        return count

    monkeypatch.setattr(content_module.os, "read", changing_read)
    monkeypatch.setattr(content_module.os, "readv", changing_readv)
    return changer


@pytest.mark.parametrize("hold_bytes", [1 << 30, 0])
def test_a_file_that_changes_while_it_is_read_is_refused(file_changer: _FileChanger, hold_bytes: int) -> None:
    with pytest.raises(ChangedWhileReading):
        read_content(file_changer.path, hold_bytes=hold_bytes)
    assert file_changer.calls


def test_short_reads_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(1_000_000)
    path = made(tmp_path / "a", data)
    read = os.read
    monkeypatch.setattr(content_module.os, "read", lambda descriptor, count: read(descriptor, min(count, 70_001)))
    content = read_content(path)
    assert content.data == data
    assert content.digest == blake3(data).digest()


def test_pipes_sockets_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    pipe = os.fsencode(tmp_path / "pipe")
    os.mkfifo(pipe)
    with pytest.raises(NotRecognised):
        read_content(pipe)
    with pytest.raises(NotRecognised):
        read_content(os.fsencode(tmp_path))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="socket"):
            read_content(os.fsencode(tmp_path / "socket"))


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_content(os.fsencode(tmp_path / "none"))


def test_the_file_is_opened_for_reading_only_and_its_times_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "a.jpg", bytes(100))
    path_before = os.stat(path)
    flags: list[int] = []
    real_open = os.open
    monkeypatch.setattr(content_module.os, "open", lambda name, how: flags.append(how) or real_open(name, how))
    read_content(path)
    assert flags
    assert all(how & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) == 0 for how in flags)
    assert os.stat(path).st_mtime_ns == path_before.st_mtime_ns


def test_a_content_in_memory_opens_no_file(tmp_path: Path) -> None:
    path = made(tmp_path / "a", b"abc")
    content = read_content(path)
    os.unlink(path)
    with content.open() as stream:
        assert isinstance(stream, io.BytesIO)
        assert stream.read() == b"abc"
