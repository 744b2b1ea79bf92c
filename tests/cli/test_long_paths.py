"""Folders nested so deeply that the kernel refuses their paths (PATH_MAX) are scanned and used like any others."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from photoindex import file_access
from tests.command_line import run
from tests.originals import jpeg, write_photo

NAME = b"holiday-" + b"x" * 192
DEPTH = 25
"""Folders of 201 bytes each; the last five are beyond 4,096 bytes."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to address long paths")


def write_deep(top: Path, names: dict[bytes, bytes]) -> bytes:
    """Write files into the deepest of the nested folders, and return its path."""
    top.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(top, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir(NAME, dir_fd=descriptor)
        inner = os.open(NAME, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    for name, data in names.items():
        file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=descriptor)
        os.write(file, data)
        os.close(file)
    os.close(descriptor)
    return os.fsencode(top) + (b"/" + NAME) * DEPTH


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def test_photos_beyond_the_longest_path_are_found_with_their_sidecars_and_stay_known(
    library: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    top = tmp_path / "photos"
    write_photo(top / "near.jpg", 1)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    xmp += b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    folder = write_deep(
        top, {b"deep.jpg": jpeg(2, taken="2019:06:01 12:00:00"), b"deep.xmp": xmp, b"copy.jpg": jpeg(1)}
    )
    with pytest.raises(OSError) as refused:
        os.stat(folder)
    assert refused.value.errno == errno.ENAMETOOLONG

    first = run(capsysbinary, "scan", top, "--json")
    assert first.code == 0, first.err
    (summary,) = first.json
    assert (summary["new"], summary["duplicate"], summary["sidecars"], summary["quarantined"]) == (2, 1, 1, 0)
    found = run(capsysbinary, "search", "rating:4", "-0")
    assert found.out == folder + b"/deep.jpg\0"
    (again,) = run(capsysbinary, "scan", top, "--json").json
    assert (again["unchanged"], again["missing"], again["new"]) == (3, 0, 0)

    why = run(capsysbinary, "why", os.fsdecode(folder + b"/deep.jpg"))
    assert why.code == 0
    assert b"since the last scan" not in why.out
    for command in "show", "facts":
        shown = run(capsysbinary, command, os.fsdecode(folder + b"/deep.jpg"), "--json")
        assert shown.code == 0, shown.err
        assert b"2019-06-01" in shown.out
    assert run(capsysbinary, "scan", os.fsdecode(folder + b"/deep.jpg")).code == 0
    listed = run(capsysbinary, "duplicates", "--json")
    assert listed.code == 0, listed.err
    assert b"copy.jpg" in listed.out
    assert b"changed" not in listed.out


def test_a_deep_ignore_file_applies(library: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    top = tmp_path / "photos"
    write_deep(top, {b"a.jpg": jpeg(1), b"b.jpg": jpeg(2), b".photoindexignore": b"b.*\n"})
    (summary,) = run(capsysbinary, "scan", top, "--json").json
    assert (summary["new"], summary["excluded"]) == (1, 2)


def test_a_copy_beyond_the_longest_path_is_a_copy_and_not_a_move(
    library: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    top = tmp_path / "photos"
    write_deep(top, {b"deep.jpg": jpeg(1)})
    assert run(capsysbinary, "scan", top).code == 0
    write_photo(top / "copy.jpg", 1)
    (summary,) = run(capsysbinary, "scan", top, "--json").json
    assert (summary["duplicate"], summary["moved"], summary["missing"]) == (1, 0, 0)


@pytest.mark.parametrize("path", [b"/", b"/etc", b"etc", b"/" + b"a" * 300])
def test_short_paths_are_used_as_they_are(path: bytes) -> None:
    with file_access.reached(path) as short:
        assert short == path


def test_a_path_through_a_file_or_nothing_says_so(tmp_path: Path) -> None:
    folder = write_deep(tmp_path, {b"file": b""})
    for name, error in (
        (b"/file/below", NotADirectoryError),
        (b"/none", FileNotFoundError),
        (b"/none/x", FileNotFoundError),
    ):
        with pytest.raises(error):
            file_access.status(folder + name)
    assert not file_access.exists(folder + b"/none")
    assert file_access.is_file(folder + b"/file")
    assert file_access.is_folder(folder + b"/")
