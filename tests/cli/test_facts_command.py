"""`photoindex facts`: output for people and programs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from pebble import ProcessExpired

from photoindex.library.photos.facts import RESOLVED_NAMES, FileFacts, NotRead, _result, describe_file
from photoindex.library.photos.show import RESOLVED_NAMES as SHOWN_NAMES
from photoindex.types import Failure, Limits
from tests.command_line import run
from tests.metadata_blocks import (
    DATE_TIME_ORIGINAL,
    MAKE,
    ORIENTATION,
    exif_segment,
    jpeg,
    position,
    short,
    text,
    tiff,
    xmp,
    xmp_segment,
)

if TYPE_CHECKING:
    from photoindex.pipeline.workers.isolation import WorkerPool

HOSTILE = b"evil\x1b]0;owned\x07\n\xff.jpg"
PICTURE = jpeg(
    exif_segment(
        tiff(
            [text(MAKE, "Canon"), short(ORIENTATION, 6)],
            [text(DATE_TIME_ORIGINAL, "2019:06:01 12:34:56"), text(0x9011, "+02:00")],
            position([(52, 1), (31, 1), (12, 1)], "N", [(13, 1), (24, 1), (18, 1)], "E"),
        )
    ),
    xmp_segment(xmp('xmp:Rating="3" tiff:Make="not this one"')),
)


@pytest.fixture
def beach(tmp_path: Path) -> Path:
    path = tmp_path / "beach.jpg"
    path.write_bytes(PICTURE)
    return path


def test_facts_prints_one_json_object_per_file_and_creates_no_library(
    beach: Path, library_folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    ran = run(capsysbinary, "facts", "--json", beach, beach)
    assert (ran.code, ran.err) == (0, b"")
    first, second = ran.json
    assert first == second
    assert first["path"] == str(beach)
    assert (first["kind"], first["format"], first["width"], first["height"]) == ("image", "jpeg", 30, 40)
    assert (first["taken_at"], first["camera_make"], first["rating"]) == ("2019-06-01T12:34:56+02:00", "Canon", 3)
    assert first["latitude"] == 52.52
    assert first["sources"]["camera_make"] == "exif"
    assert first["facts"]["xmp"] == {"camera_make": "not this one", "rating": 3}
    assert not library_folder.exists()


def test_facts_has_every_key_of_show_that_does_not_need_a_library(
    beach: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    [value] = run(capsysbinary, "facts", "--json", beach).json
    assert set(SHOWN_NAMES) <= set(RESOLVED_NAMES)
    assert {*RESOLVED_NAMES, "keywords", "sources", "facts", "regions", "notes", "schema", "orientation"} <= set(value)


def test_name_folder_sidecar_and_mtime_are_not_used(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    folder = tmp_path / "2019-06-01"
    folder.mkdir()
    path = folder / "IMG_20190601_123456.jpg"
    path.write_bytes(jpeg())
    os.utime(path, (1_500_000_000, 1_500_000_000))
    path.with_suffix(".jpg.xmp").write_bytes(xmp('xmp:Rating="3"'))
    [value] = run(capsysbinary, "facts", "--json", path).json
    assert (value["taken_at"], value["rating"], value["facts"]) == (None, None, {})


def test_the_details_name_sources_and_values_not_used(beach: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    ran = run(capsysbinary, "facts", beach)
    lines = [" ".join(line.split()) for line in ran.out.decode().splitlines()]
    assert lines[0] == str(beach)
    assert "size 30 x 40 pixels, orientation 6" in lines
    assert "taken at 2019-06-01T12:34:56+02:00 exif, confidence 0.98" in lines
    assert "camera make Canon exif" in lines
    assert "not this one xmp, not used" in lines


def test_broken_files_are_named_and_the_others_are_processed(
    beach: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "letter.txt").write_text("Dear photo, ")
    os.mkfifo(tmp_path / "pipe.jpg")
    ran = run(
        capsysbinary, "facts", "--json", tmp_path / "empty.jpg", tmp_path / "letter.txt", tmp_path / "pipe.jpg",
        tmp_path, beach,
    )  # fmt: skip
    assert ran.code == 100
    assert [value["path"] for value in ran.json] == [str(beach)]
    said = ran.err.decode().splitlines()
    assert [line.split(": ")[1] for line in said] == [
        str(tmp_path / "empty.jpg"), str(tmp_path / "letter.txt"), str(tmp_path / "pipe.jpg"), str(tmp_path),
    ]  # fmt: skip
    assert said[0].endswith("the file is empty (0 bytes), though it is named .jpg")


def test_a_path_that_does_not_exist_exits_2_after_the_others(
    beach: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "facts", "--json", tmp_path / "none.jpg", beach)
    assert (ran.code, len(ran.json)) == (2, 1)
    assert b"none.jpg: there is no such file" in ran.err
    assert run(capsysbinary, "facts", tmp_path / "none.jpg").code == 2


def test_a_hostile_name_is_escaped_on_the_terminal(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = os.path.join(os.fsencode(tmp_path), HOSTILE)
    with open(path, "wb") as stream:
        stream.write(PICTURE)
    page = run(capsysbinary, "facts", os.fsdecode(path))
    assert page.code == 0
    assert b"\x1b" not in page.out
    [value] = run(capsysbinary, "facts", "--json", os.fsdecode(path)).json
    assert os.fsencode(value["path"]) == path


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(beach: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    beach.chmod(0)
    ran = run(capsysbinary, "facts", beach)
    assert ran.code == 100
    assert b"cannot be read: Permission denied" in ran.err


class FlakyPool:
    """A pool whose first few workers are killed from outside."""

    def __init__(self, ended: int) -> None:
        self.ended = ended

    def submit(self, function: Callable[[bytes], Any], task: bytes) -> Future[Any]:
        future: Future[Any] = Future()
        if self.ended:
            self.ended -= 1
            future.set_exception(ProcessExpired("gone", -signal.SIGKILL))
        else:
            future.set_result(function(task))
        return future


def test_a_crashing_decoder_does_not_affect_other_files(beach: Path) -> None:
    crashed: Future[Any] = Future()
    crashed.set_exception(ProcessExpired("gone", -signal.SIGSEGV))
    said = _result(bytes(beach), crashed, cast("WorkerPool", FlakyPool(0)), Limits())
    assert said == NotRead(bytes(beach), Failure("crash", "the decoder crashed (signal SIGSEGV)"))


@pytest.mark.parametrize(("ended", "read"), [(1, True), (2, True), (3, False)])
def test_a_worker_killed_from_outside_is_retried(beach: Path, ended: int, read: bool) -> None:
    pool = cast("WorkerPool", FlakyPool(ended))
    said = _result(bytes(beach), pool.submit(describe_file, bytes(beach)), pool, Limits())
    assert isinstance(said, FileFacts) is read


@pytest.mark.shared
def test_every_broken_file_is_reported(testdata: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    paths = [path for path in sorted((testdata / "broken" / "exiv2-poc").rglob("*")) if path.is_file()]
    ran = run(capsysbinary, "facts", "--json", *paths)
    assert ran.code in (0, 100)
    assert len(ran.json) + len(ran.err.splitlines()) == len(paths)
