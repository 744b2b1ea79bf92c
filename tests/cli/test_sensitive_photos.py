"""Sensitive photos: no command shows them unless it is asked for; paths are listed all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.library.words.tags import add_tags
from tests.cli.test_hidden_persons import shown_in, with_pictures
from tests.command_line import run, run_on_terminal
from tests.reference import commands
from tests.rows import library_in
from tests.shown_faces import ShownFaces


@pytest.fixture
def photos(library_folder: Path, tmp_path: Path) -> Iterator[ShownFaces]:
    """Photo 1 is sensitive, photo 2 shows a hidden person, photo 3 neither; 1 and 3 are in two files each."""
    with library_in(library_folder) as library:
        shown = ShownFaces(library, tmp_path / "originals")
        shown.rows.add_root()
        anna = shown.person("Anna", hidden=True)
        shown.photo(None)
        shown.photo(anna)
        shown.photo(None)
        for photo_id in (1, 3):
            shown.rows.add_file(f"copy-{photo_id}.jpg", asset_id=shown.rows.asset_of(photo_id))
        add_tags(library, ["sensitive"], [1])
        yield shown


def test_every_command_that_shows_photos_has_the_option_to_show_sensitive_ones() -> None:
    options = {name: {option for part in command.params for option in part.opts} for name, command in commands()}
    assert not [name for name in dict(with_pictures()) if "--sensitive" not in options[name]]


@pytest.mark.parametrize("command", ["search", "duplicates"])
def test_galleries_leave_out_sensitive_photos_and_say_how_to_show_them(
    command: str, photos: ShownFaces, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = tmp_path / "page.html"
    ran = run(capsysbinary, command, "--library", photos.library.folder, "--gallery", page)
    assert ran.code == 0, ran.err
    assert shown_in(page) == {3}
    assert b"1 sensitive photo left out; --sensitive shows them" in ran.err
    assert b"0001.jpg" in ran.out
    asked = run(capsysbinary, command, "--library", photos.library.folder, "--gallery", page, "--sensitive")
    assert shown_in(page) == {1, 3}
    assert b"sensitive" not in asked.err


def test_a_terminal_and_a_contact_sheet_show_no_sensitive_photo(
    photos: ShownFaces, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    words = ("search", "--library", photos.library.folder, "id:1")
    assert b"no photo is left to show" in run_on_terminal(*words, "--preview").out
    assert b"no photo is left to show" not in run_on_terminal(*words, "--preview", "--sensitive").out
    ran = run(capsysbinary, *words, "--contact-sheet", tmp_path / "sheet.jpg")
    assert b"no photo is left to show" in ran.err
