"""Hidden persons: no command shows their photos unless it is asked for; paths are listed all the same."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import run, run_on_terminal
from tests.reference import commands
from tests.rows import library_in
from tests.shown_faces import ShownFaces

PICTURE_OPTIONS = {"--gallery", "--contact-sheet", "--preview"}


def with_pictures() -> Iterator[tuple[str, set[str]]]:
    """Every command that shows photos, with its options that do."""
    for name, command in commands():
        found = {option for part in command.params for option in part.opts} & PICTURE_OPTIONS
        if found:
            yield name, found


@pytest.fixture
def faces(library_folder: Path, tmp_path: Path) -> Iterator[ShownFaces]:
    """Anna is hidden; photo 1 shows her, photo 2 Ben, photo 3 both, photo 4 nobody; 1 and 2 are in two files each."""
    with library_in(library_folder) as library:
        shown = ShownFaces(library, tmp_path / "originals")
        shown.rows.add_root()
        anna, ben = shown.person("Anna", hidden=True), shown.person("Ben")
        shown.photo(anna)
        shown.photo(ben)
        shown.photo(ben, anna)
        shown.photo(None)
        for photo_id in (1, 2):
            shown.rows.add_file(f"copy-{photo_id}.jpg", asset_id=shown.rows.asset_of(photo_id))
        yield shown


def shown_in(page: Path) -> set[int]:
    """The photos that a gallery shows."""
    return {int(part.split('"', 1)[0]) for part in page.read_text("utf-8").split('data-photo="')[1:]}


def test_every_command_that_shows_photos_has_the_option_to_show_those_of_hidden_persons() -> None:
    found = dict(with_pictures())
    assert {"search", "duplicates"} <= set(found)
    options = {name: {option for part in command.params for option in part.opts} for name, command in commands()}
    assert not [name for name in found if "--hidden" not in options[name]]


def test_photos_reach_pages_sheets_and_terminals_only_through_the_function_that_leaves_out_hidden_persons() -> None:
    from photoindex.cli.arguments import picture_options

    package = Path(inspect.getfile(picture_options)).parents[2]
    drawing = ("export.gallery", "export.contact_sheet", "terminal.thumbnails")
    users = {
        path.name
        for path in (package / "cli").rglob("*.py")
        if any(f"{module} import" in path.read_text("utf-8") for module in drawing)
    }
    assert users == {"picture_options.py"}


@pytest.mark.parametrize("command", ["search", "duplicates"])
def test_galleries_leave_out_photos_of_hidden_persons_and_say_how_to_show_them(
    command: str, faces: ShownFaces, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = tmp_path / "page.html"
    ran = run(capsysbinary, command, "--library", faces.library.folder, "--gallery", page)
    assert ran.code == 0, ran.err
    without = {"search": {2, 4}, "duplicates": {2}}[command]
    assert shown_in(page) == without
    assert b"of hidden persons left out; --hidden shows them" in ran.err
    assert b"0001.jpg" in ran.out
    asked = run(capsysbinary, command, "--library", faces.library.folder, "--gallery", page, "--hidden")
    assert shown_in(page) == without | {"search": {1, 3}, "duplicates": {1}}[command]
    assert b"hidden" not in asked.err


@pytest.mark.parametrize(("hidden", "photos"), [((), 2), (("--hidden",), 4)])
def test_contact_sheets_leave_out_photos_of_hidden_persons(
    hidden: Any, photos: int, faces: ShownFaces, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(
        capsysbinary, "search", "--library", faces.library.folder, "--contact-sheet", tmp_path / "sheet.jpg", *hidden
    )
    assert f"a sheet of {photos} photos".encode() in ran.err


def test_a_terminal_shows_no_photo_of_a_hidden_person(faces: ShownFaces) -> None:
    words = ("search", "--library", faces.library.folder, "--preview", "id:1")
    assert b"no photo is left to show" in run_on_terminal(*words).out
    assert b"no photo is left to show" not in run_on_terminal(*words, "--hidden").out


def test_a_page_without_photos_takes_the_place_of_an_old_one_where_every_photo_shows_a_hidden_person(
    faces: ShownFaces, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = tmp_path / "page.html"
    run(capsysbinary, "search", "--library", faces.library.folder, "--gallery", page, "--hidden", "id:1")
    assert shown_in(page) == {1}
    ran = run(capsysbinary, "search", "--library", faces.library.folder, "--gallery", page, "id:1")
    assert ran.code == 0
    assert ran.err.decode().splitlines()[:2] == [
        "1 photo of hidden persons left out; --hidden shows them",
        "no photo is left to show",
    ]
    assert shown_in(page) == set()


def test_an_equal_picture_of_a_hidden_person_is_left_out_though_nobody_was_recognised_in_it(
    faces: ShownFaces, tmp_path: Path
) -> None:
    from photoindex.library.export.photo_cards import GalleryEntry, GalleryGroup
    from photoindex.library.people.hidden import without_hidden
    from photoindex.library.search.hits import hits_by_id

    hits = hits_by_id(faces.library, [1, 4])
    entries = [GalleryEntry(hits[1]), GalleryEntry(hits[4])]
    same, left_out = without_hidden(faces.library, [GalleryGroup(entries, same_picture=True)])
    assert (len(same[0].entries), left_out) == (0, 2)
    different, left_out = without_hidden(faces.library, [GalleryGroup(entries)])
    assert ([entry.hit.id for entry in different[0].entries], left_out) == ([4], 1)
