"""Completion of names of people, tags and albums, as Bash, zsh and fish ask for it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from photoindex.library.words.albums import create_album
from photoindex.library.words.tags import add_tags
from tests.command_line import run
from tests.completions import Completed, completed_by_bash
from tests.face_rows import FaceRows
from tests.rows import VolumeRows, library_in

NAMES = ("Anna", "Anna Berg", "Änne", "Ben", "O'Brien", "Zoë $")


@pytest.fixture(scope="module")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("completion")
    with library_in(folder / "library") as library:
        rows = FaceRows(library, folder / "photos")
        for name in (*NAMES, None):
            rows.add_person(name)
        yield folder / "library"


@pytest.fixture
def bash(
    library_folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Completed:
    return completed_by_bash(library_folder, monkeypatch, capsysbinary)


@pytest.fixture
def other(
    library_folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Completed:
    """Return what another shell gets for a line."""

    def completed(shell: str, line: str) -> list[str]:
        monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
        monkeypatch.setenv("_PHOTOINDEX_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        done = run(capsysbinary)
        assert (done.code, done.err) == (0, b"")
        return done.out.decode().splitlines()

    return completed


@pytest.mark.parametrize("term", ["person", "-person", "age", "PERSON"])
def test_bash_gets_what_follows_the_colon_where_it_ends_a_word(bash: Completed, term: str) -> None:
    assert bash("search", "beach", term, ":", "an") == ["Anna", "Anna\\ Berg", "Änne"]
    assert bash("search", term, ":") == [
        "Anna", "Anna\\ Berg", "Änne", "Ben", "O\\'Brien", "Zoë\\ \\$",
    ]  # fmt: skip


def test_bash_gets_names_after_a_comma_in_quotes_and_after_an_option(bash: Completed) -> None:
    assert bash("search", "person", ":", "Ben,o") == ["Ben,O\\'Brien"]
    assert bash("search", '"person:anna b') == ["person:Anna Berg"]
    assert bash("search", '"-person:anna b') == ["-person:Anna Berg"]
    assert bash("search", "--person", "be") == ["Ben"]
    assert bash("search", "--not-person", "Anna,be") == ["Anna,Ben"]


@pytest.mark.parametrize("command", [("people", "show"), ("people", "born"), ("people", "hide")])
def test_commands_that_take_a_person_complete_names(bash: Completed, command: tuple[str, ...]) -> None:
    assert bash(*command, "be") == ["Ben"]
    assert bash(*command, '"anna b') == ["Anna Berg"]


@pytest.mark.parametrize(
    "command", [("time", "shift"), ("pair", "split"), ("duplicates",), ("events",), ("redo", "ingest")]
)
def test_other_commands_with_a_query_complete_names(bash: Completed, command: tuple[str, ...]) -> None:
    assert bash(*command, "person", ":", "Be") == ["Ben"]


def test_other_words_and_unknown_names_have_no_completion(bash: Completed) -> None:
    for words in (
        ("search", "An"),
        ("search", "camera", ":", "An"),
        ("search", "person", ":", "xyz"),
        ("search", "x", ":"),
    ):
        assert bash(*words) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("photoindex search person:anna\\ b", "person:anna berg"),
        ("photoindex search -person:be", "-person:ben"),
        ("photoindex search person:Ben,ben", "person:Ben,ben"),
        ('photoindex people show "Anna B', "Anna Berg"),
        ("photoindex search --person Be", "Ben"),
    ],
)
def test_zsh_and_fish_get_the_rest_after_what_was_typed(other: Completed, line: str, expected: str) -> None:
    """Zsh drops completions that do not begin with the typed characters; names are compared without case."""
    assert other("fish", line) == [expected]
    escaped = expected.replace(":", "\\\\:")
    assert other("zsh", line) == [f"_arguments '*: :((\"{escaped}\"))'"]


def test_zsh_keeps_an_apostrophe(other: Completed) -> None:
    assert other("zsh", "photoindex search person:o") == ["_arguments '*: :((\"person\\\\:o'\\''Brien\"))'"]


def test_a_library_that_cannot_be_read_has_no_completion_and_no_error(bash: Completed, tmp_path: Path) -> None:
    assert bash("search", "person", ":", "A", library=tmp_path / "none") == []
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "photoindex.db").write_bytes(b"no database" * 100)
    assert bash("search", "person", ":", "A", library=broken) == []
    older = tmp_path / "older"
    older.mkdir()
    with closing(sqlite3.connect(older / "photoindex.db")) as connection:
        connection.execute("CREATE TABLE photo (id)")
    assert bash("people", "show", "A", library=older) == []


def test_a_library_named_by_an_option_is_asked(bash: Completed, library_folder: Path, tmp_path: Path) -> None:
    asked = ("search", "--library", str(library_folder), "person", ":", "Be")
    assert bash(*asked, library=tmp_path) == ["Ben"]
    asked = ("--library", str(library_folder), "search", "person", ":", "Be")
    assert bash(*asked, library=tmp_path) == ["Ben"]


def test_a_library_in_a_folder_that_cannot_be_written_is_read(
    bash: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with library_in(tmp_path / "library") as library:
        FaceRows(library, tmp_path / "photos").add_person("Ben")
    for name in os.listdir(tmp_path / "library"):
        if name.endswith(("-shm", "-wal")):
            (tmp_path / "library" / name).unlink()
    connect = sqlite3.connect

    def refusing(name: str, **options: object) -> sqlite3.Connection:
        if "immutable" not in name:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(name, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", refusing)
    assert bash("search", "person", ":", "B", library=tmp_path / "library") == ["Ben"]


def test_tags_and_albums_are_completed_in_queries_and_where_commands_take_them(
    bash: Completed, other: Completed, library_folder: Path
) -> None:
    with library_in(library_folder) as library:
        photo_id = VolumeRows(library, library_folder.parent).add_photo()
        for tag in ("animals/dog", "Été", "sea side"):
            add_tags(library, [tag], [photo_id])
        create_album(library, "Summer in Rome")
    assert bash("search", "tag", ":", "an") == ["animals/dog"]
    assert bash("search", "tag", ":", "do") == ["animals/dog"]
    assert bash("search", "-tag", ":", "animals/dog,et") == ["animals/dog,Été"]
    assert bash("tag", "add", "se") == ["sea\\ side"]
    assert bash("album", "show", "su") == ["Summer\\ in\\ Rome"]
    assert bash("search", "album", ":", "SU") == ["Summer\\ in\\ Rome"]
    assert [line for line in other("zsh", "photoindex search tag:et") if "Été" in line or "té" in line]
    assert [line for line in other("fish", "photoindex tag rename anim") if "animals/dog" in line]
