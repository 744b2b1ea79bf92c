"""Commands that are named by `people review` and `people apply`, and where photos of hidden persons are left out."""

from __future__ import annotations

import json

import pytest

from photoindex.pipeline.ingest.derived_files import preview_path
from tests.cli.promises.house import House, promises
from tests.rows import library_in
from tests.shown_faces import ShownFaces

HIDDEN = "of hidden persons left out; --hidden shows them"
NO_PREVIEW = "without a preview; make them with: photoindex scan"
NOBODY = "there are no faces to review{}; see: photoindex people list"
APPLY = "its answers are applied with: photoindex people apply ANSWERS.jsonl"
APPLIED = "take them back with: photoindex undo {}"


@pytest.fixture
def peopled(scanned: House) -> House:
    """Three scanned photos with a face each: of Anna, who is hidden, and of two groups without a name."""
    with library_in(scanned.library) as library:
        shown = ShownFaces(library, scanned.photos)
        for photo_id, person in ((1, shown.person("Anna", hidden=True)), (2, shown.person()), (3, shown.person())):
            shown.faces_in(photo_id, person)
    return scanned


@promises(HIDDEN)
def test_photos_of_hidden_persons_are_shown_with_an_option(peopled: House) -> None:
    page = peopled.folder / "OUT.html"
    peopled.excerpt(HIDDEN, peopled.run("search", "--gallery", page))
    assert page.read_text().count("data-photo=") == 2
    peopled.run("search", "--gallery", page, "--hidden")
    assert page.read_text().count("data-photo=") == 3


@promises(NO_PREVIEW)
def test_a_scan_makes_the_previews_that_a_page_lacks(peopled: House) -> None:
    digest = peopled.rows.value("SELECT digest FROM asset WHERE photo_id = 2")
    with library_in(peopled.library) as library:
        preview_path(library.derived_folder, digest).unlink()
    printed = peopled.run("people", "review")
    peopled.follow(NO_PREVIEW, printed)
    assert "without a preview" not in peopled.run("people", "review")


@promises(NOBODY)
def test_who_is_there_is_listed_where_nothing_is_to_review(scanned: House) -> None:
    assert "nobody to list" in scanned.follow(NOBODY, scanned.run("people", "review", code=11))


@promises(APPLY, APPLIED)
def test_a_sitting_is_taken_back(peopled: House) -> None:
    file = peopled.folder / "answers.jsonl"
    file.write_text(json.dumps({"schema": 1, "do": "name", "person": 2, "name": "Ben"}))
    printed = peopled.follow(APPLY, peopled.run("people", "review"), **{"ANSWERS.jsonl": file})
    assert "Ben" in peopled.run("people", "list")
    peopled.follow(APPLIED, printed)
    assert "Ben" not in peopled.run("people", "list")
