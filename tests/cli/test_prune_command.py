"""`photoindex prune` as a person and a program get it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import run, run_on_terminal
from tests.rows import Shelf, library_in


@pytest.fixture
def shelf(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        made = Shelf(library, tmp_path / "originals")
        made.add_whole_photo("kept.jpg")
        made.add_whole_photo("gone.jpg", state="missing")
        yield made


def photos(capture: pytest.CaptureFixture[bytes]) -> int:
    return int(run(capture, "status", "--json").json[0]["photos"])


def test_a_dry_run_lists_the_files_and_changes_nothing(
    shelf: Shelf, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "prune", "--dry-run")
    assert ran.out == f"{tmp_path}/originals/gone.jpg\n".encode()
    assert ran.err == b"would forget 1 missing file (7 B) and 1 photo without any file left; nothing was changed\n"
    assert photos(capsysbinary) == 2


def test_without_yes_nobody_can_answer_in_a_pipe(
    shelf: Shelf, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        ran = run(capsysbinary, "prune")
    assert (ran.code, b"--yes" in ran.err) == (2, True)
    assert photos(capsysbinary) == 2


def test_with_yes_it_forgets_and_names_the_undo_that_brings_it_back(
    shelf: Shelf, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "prune", "--yes")
    assert ran.out.endswith(b"take it back with: photoindex undo 1\n")
    assert photos(capsysbinary) == 1
    assert run(capsysbinary, "prune", "--yes").out == b"nothing to forget\n"
    assert run(capsysbinary, "undo", "1").code == 0
    assert photos(capsysbinary) == 2
    assert run(capsysbinary, "prune", "--yes", "--json").json == [
        {"schema": 1, "files": 1, "photos": 1, "contents": 1, "entry": 3}
    ]


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 2), (b"y\n", 1)])
def test_on_a_terminal_it_asks(
    shelf: Shelf, capsysbinary: pytest.CaptureFixture[bytes], answer: bytes, left: int
) -> None:
    ran = run_on_terminal("prune", answer=answer)
    assert b"Forget 1 missing file" in ran.out
    assert ran.code == 0
    assert photos(capsysbinary) == left


def test_previews_of_forgotten_contents_are_removed_on_their_own(
    shelf: Shelf, library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
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


def test_an_age_in_a_bare_m_is_refused_because_it_could_be_months(
    shelf: Shelf, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    refused = run(capsysbinary, "prune", "--yes", "--older-than", "6m")
    assert (refused.code, b"write 6mo or 6min" in refused.err) == (2, True)
    assert run(capsysbinary, "prune", "--older-than", "6mo", "--dry-run", "--json").json == []


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--older-than", "soon"), 2), (("--volume", "nas"), 11), (("/nowhere",), 11), (("--derived", "/x"), 2)],
)
def test_mistakes_are_refused(
    shelf: Shelf, capsysbinary: pytest.CaptureFixture[bytes], words: tuple[str, ...], code: int
) -> None:
    assert run(capsysbinary, "prune", "--yes", *words).code == code
