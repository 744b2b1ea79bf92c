"""`photoindex prune`: output for people and programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import run, run_on_terminal
from tests.rows import VolumeRows, library_in


@pytest.fixture
def volume_rows(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        made = VolumeRows(library, tmp_path / "originals")
        made.add_whole_photo("kept.jpg")
        made.add_whole_photo("gone.jpg", state="missing")
        yield made


def photos(capture: pytest.CaptureFixture[bytes]) -> int:
    return int(run(capture, "status", "--json").json[0]["photos"])


def test_a_dry_run_lists_the_files_and_changes_nothing(
    volume_rows: VolumeRows, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "prune", "--dry-run")
    assert ran.out == f"{tmp_path}/originals/gone.jpg\n".encode()
    assert ran.err == b"would remove 1 missing file (7 B) and 1 photo without files; nothing was changed\n"
    assert photos(capsysbinary) == 2


def test_without_yes_a_pipe_is_refused(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        ran = run(capsysbinary, "prune")
    assert (ran.code, b"--yes" in ran.err) == (2, True)
    assert photos(capsysbinary) == 2


def test_with_yes_it_removes_and_prints_the_undo_command(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "prune", "--yes")
    assert ran.out.endswith(b"undo with: photoindex undo 1\n")
    assert photos(capsysbinary) == 1
    assert run(capsysbinary, "prune", "--yes").out == b"nothing to remove\n"
    assert run(capsysbinary, "undo", "1").code == 0
    assert photos(capsysbinary) == 2
    assert run(capsysbinary, "prune", "--yes", "--json").json == [
        {"schema": 1, "files": 1, "photos": 1, "contents": 1, "entry": 3}
    ]


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 2), (b"y\n", 1)])
def test_on_a_terminal_it_asks(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes], answer: bytes, left: int
) -> None:
    ran = run_on_terminal("prune", answer=answer)
    assert b"Remove 1 missing file" in ran.out
    assert ran.code == 0
    assert photos(capsysbinary) == left


def test_previews_of_removed_contents_are_deleted_separately(
    volume_rows: VolumeRows, library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    stray = library_folder / "derived" / "abc" / f"abc{'0' * 61}.preview.jpg"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"jpeg")
    assert run(capsysbinary, "prune", "--derived", "--dry-run").out == b"would remove 1 previews and thumbnails (4 B)\n"
    assert stray.exists()
    assert run(capsysbinary, "prune", "--derived", "--yes", "--json").json == [
        {"schema": 1, "files": 1, "bytes": 4, "dry_run": False}
    ]
    assert not stray.exists()


def test_an_age_with_a_bare_m_is_refused_because_it_could_mean_months(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    refused = run(capsysbinary, "prune", "--yes", "--older-than", "6m")
    assert (refused.code, b"write 6mo or 6min" in refused.err) == (2, True)
    assert run(capsysbinary, "prune", "--older-than", "6mo", "--dry-run", "--json").json == []


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--older-than", "soon"), 2), (("--volume", "nas"), 11), (("/nowhere",), 11), (("--derived", "/x"), 2)],
)
def test_mistakes_are_refused(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes], words: tuple[str, ...], code: int
) -> None:
    assert run(capsysbinary, "prune", "--yes", *words).code == code
