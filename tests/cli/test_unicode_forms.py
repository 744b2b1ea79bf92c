"""A path finds what looks the same on disk and in the library, composed or decomposed, in every command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from photoindex import file_access
from photoindex.cli.arguments.path_completion import complete_path
from tests.command_line import run
from tests.originals import write_photo

NAME = "Été à Nice/Übung 한국 バ.jpg"
FORMS = [("NFC", "NFD"), ("NFD", "NFC")]
Capture = pytest.CaptureFixture[bytes]


def in_form(form: str, name: str = NAME) -> str:
    return unicodedata.normalize(form, name)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.mark.parametrize(("stored", "typed"), FORMS)
def test_every_command_takes_a_path_in_the_other_form(
    library: Path, tmp_path: Path, capsysbinary: Capture, stored: str, typed: str
) -> None:
    top = tmp_path / in_form(stored, "Bücher")
    write_photo(top / in_form(stored), 1)
    write_photo(top / "other.jpg", 2)
    given_top = tmp_path / in_form(typed, "Bücher")
    given, given_folder = given_top / in_form(typed), (given_top / in_form(typed)).parent
    assert run(capsysbinary, "scan", given_top).code == 0
    assert not given_top.exists()
    assert run(capsysbinary, "search", "--count").out == b"2\n"
    assert run(capsysbinary, "scan", given).code == 0
    for path in (given, given_folder):
        assert run(capsysbinary, "redo", "ingest", path, "--dry-run").code == 0, path
        assert run(capsysbinary, "tasks", path).code == 0, path
        assert run(capsysbinary, "why", path).code == 0, path
        found = run(capsysbinary, "search", f'path:"{path}"')
        assert found.out.splitlines() == [os.fsencode(top / in_form(stored))]
    assert run(capsysbinary, "show", given).code == 0
    assert run(capsysbinary, "facts", given).code == 0
    assert run(capsysbinary, "time", "show", given).code in (0, 2)
    assert run(capsysbinary, "duplicates", "--prefer", given_folder).code == 0
    assert run(capsysbinary, "search", "--name", in_form(typed).rpartition("/")[2]).out.count(b"\n") == 1


@pytest.mark.parametrize(("stored", "typed"), FORMS)
def test_a_file_that_is_gone_is_found_in_the_library_in_the_other_form(
    library: Path, tmp_path: Path, capsysbinary: Capture, stored: str, typed: str
) -> None:
    top = tmp_path / in_form(stored, "Bücher")
    write_photo(top / in_form(stored), 1)
    write_photo(top / "other.jpg", 2)
    assert run(capsysbinary, "scan", top).code == 0
    shutil.rmtree((top / in_form(stored)).parent)
    given = tmp_path / in_form(typed, "Bücher") / in_form(typed)
    assert run(capsysbinary, "scan", given.parent).code == 0
    assert b"missing" in run(capsysbinary, "why", given).out
    assert run(capsysbinary, "show", given).code == 0
    assert run(capsysbinary, "prune", "--yes", given.parent).code == 0
    assert b"no scan has ever seen it" in run(capsysbinary, "why", given).out


def test_exactly_these_bytes_come_first_on_disk_and_in_the_library(
    library: Path, tmp_path: Path, capsysbinary: Capture
) -> None:
    names = [in_form("NFC", "é.jpg"), in_form("NFD", "é.jpg")]
    for number, name in enumerate(names):
        write_photo(tmp_path / "photos" / name, number)
    assert run(capsysbinary, "scan", tmp_path / "photos").code == 0
    for name in names:
        path = tmp_path / "photos" / name
        for found in (
            run(capsysbinary, "show", path, "--json").out,
            run(capsysbinary, "search", f"path:{path}", "--json").out,
        ):
            assert found.count(b"\n") == 1
            assert name in found.decode("utf-8").encode().decode("unicode_escape", "replace") or name in found.decode()


def test_a_look_alike_is_found_at_every_level_of_a_path(tmp_path: Path) -> None:
    folder, wanted = tmp_path / in_form("NFD", "é"), in_form("NFC", "é/ü.jpg")
    folder.mkdir()
    (tmp_path / in_form("NFC", "é")).mkdir()
    (folder / in_form("NFD", "ü.jpg")).write_bytes(b"")
    top = os.fsencode(tmp_path)
    assert file_access.as_on_disk(top + b"/" + wanted.encode()) == top + b"/" + in_form("NFD", wanted).encode()
    new = in_form("NFC", "é/neu/ö.jpg").encode()
    assert file_access.as_on_disk(top + b"/" + new) == top + b"/" + new
    (tmp_path / in_form("NFC", "é")).rmdir()
    assert file_access.as_on_disk(top + b"/" + new) == os.fsencode(folder) + in_form("NFC", "/neu/ö.jpg").encode()
    assert file_access.as_on_disk(b"\xc3/caf\xe9") == b"\xc3/caf\xe9"


@pytest.mark.parametrize(("stored", "typed"), FORMS)
def test_patterns_and_folders_of_the_library_and_of_backups_are_found_in_the_other_form(
    tmp_path: Path, capsysbinary: Capture, monkeypatch: pytest.MonkeyPatch, stored: str, typed: str
) -> None:
    write_photo(tmp_path / "photos" / in_form(stored), 1)
    write_photo(tmp_path / "photos" / "other.jpg", 2)
    library, backups = (tmp_path / in_form(stored, name) for name in ("Bücherei", "Sicherungskopien für später"))
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library))
    assert run(capsysbinary, "scan", tmp_path / "photos", "--exclude", in_form(typed, "Été*/")).code == 0
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / in_form(typed, "Bücherei")))
    assert run(capsysbinary, "search", "--count").out == b"1\n"
    backups.mkdir()
    assert run(capsysbinary, "backup", tmp_path / in_form(typed, backups.name), "--init").code == 0
    assert run(capsysbinary, "backup", "list", tmp_path / in_form(typed, backups.name)).code == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([library.name, backups.name, "photos"])


@pytest.mark.parametrize(("stored", "typed"), FORMS)
def test_a_path_in_the_other_form_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str, typed: str
) -> None:
    folder = in_form(stored, "Été à Nice")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / in_form(stored, "Übung (1).jpg")).touch()
    (tmp_path / in_form(stored, "Étude.jpg")).touch()
    monkeypatch.chdir(tmp_path)
    assert set(complete_path(in_form(typed, "Ét"))) == {f"{folder}/", in_form(stored, "Étude.jpg")}
    inside = in_form(stored, "Été à Nice/Übung (1).jpg")
    assert complete_path(in_form(typed, f"{tmp_path}/Été à Nice/Ü")) == [f"{tmp_path}/{inside}"]
    monkeypatch.setenv("_PHOTOINDEX_COMPLETE", "complete_bash")
    assert complete_path(in_form(typed, "Été à Nice/")) == [in_form(stored, "Été\\ à\\ Nice/Übung\\ \\(1\\).jpg")]
    # The shell completes what begins with the typed bytes by itself.
    assert complete_path(in_form(stored, "Ét")) == complete_path("E") == complete_path("nothing/é") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize(("stored", "typed"), FORMS)
def test_other_shells_get_the_rest_after_what_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str, typed: str, shell: str
) -> None:
    """They drop completions that do not begin with the typed bytes."""
    monkeypatch.setenv("_PHOTOINDEX_COMPLETE", f"complete_{shell}")
    name = in_form(stored, "Étude à Nice.jpg")
    (tmp_path / name).touch()
    (tmp_path / in_form(stored, "Étoile")).mkdir()
    start = f"{tmp_path}/{in_form(typed, 'Ét')}"
    folder, photo = complete_path(start)
    assert folder == f"{start}oile/"
    assert photo.startswith(start)
    assert file_access.as_on_disk(os.fsencode(photo)) == os.fsencode(tmp_path / name)


def test_bash_gets_the_completions_of_a_command(tmp_path: Path) -> None:
    (tmp_path / in_form("NFD", "Étude.jpg")).touch()
    environment = os.environ | {
        "_PHOTOINDEX_COMPLETE": "complete_bash", "COMP_WORDS": f"photoindex show {tmp_path}/Ét", "COMP_CWORD": "2",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "photoindex"], env=environment, capture_output=True, check=False)
    assert done.stdout.decode().split("\n")[0] == f"{tmp_path}/{in_form('NFD', 'Étude.jpg')}"
