"""What messages promise about tags by machine."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from photoindex.store.schema.tables import asset
from photoindex.store.tasks import queue
from photoindex.store.words.labels import LabelWriter
from photoindex.types import Label
from tests.cli.promises.house import House, promises
from tests.rows import library_in


@pytest.fixture(autouse=True)
def tag_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vocabulary of few terms, which are encoded at once."""
    terms = house.folder / "my tags.txt"
    terms.write_text("red\ncircle\ndog\n")
    monkeypatch.setenv("PHOTOINDEX_TAGS__VOCABULARY", str(terms))


def test_tags_need_vectors(installed: House) -> None:
    said = installed.run("tag", "auto", "--only", "tags", code=7)
    assert "no pictures are embedded, and tags are found in their vectors; run: photoindex embed" in said
    installed.run("embed")
    assert "tags: would look at 3 pictures" in installed.run("tag", "auto", "--only", "tags", "--dry-run")


@promises("photoindex tag auto --only {}")
def test_a_run_with_a_limit_names_the_command_that_continues(embedded: House) -> None:
    said = embedded.run("tag", "auto", "--limit", "1")
    assert "2 pictures left; continue with: photoindex tag auto --only tags" in said
    embedded.follow("photoindex tag auto --only {}", said)
    assert "nothing to do" in embedded.run("tag", "auto")


ACCEPT = "no model gave one of these photos the tag {}; to give it: photoindex tag add TAG PHOTO"
JUDGE = "there are no tags of models to judge; to find some: photoindex tag auto"
APPLIED = "its answers are applied with: photoindex tag apply ANSWERS.jsonl"


@promises(ACCEPT, JUDGE, APPLIED)
def test_tags_of_models_are_found_judged_and_given(embedded: House) -> None:
    (found,) = embedded.commands(JUDGE, embedded.run("tag", "review", code=11))
    embedded.run("tag", "add", "dog", "id:1")
    said = embedded.run("tag", "accept", "dog", "id:2", code=11)
    embedded.follow(ACCEPT, said, TAG="dog", PHOTO="id:2")
    answers = embedded.folder / "tag-answers.jsonl"
    answers.write_text(json.dumps({"schema": 1, "do": "reject", "tag": "dog", "photos": [1]}))
    embedded.run(*found, "--only", "tags")
    with library_in(embedded.library) as library, library.database.write() as connection:
        variant_id = queue.ensure_variant(connection, "labels", {"model": "made-up"})
        asset_id = connection.execute(select(asset.c.id).where(asset.c.photo_id == 1)).scalar_one()
        LabelWriter("labels", variant_id, 0.5).put(connection, {asset_id: [Label("cat", 0.9, 0.9)]})
    embedded.follow(APPLIED, embedded.run("tag", "review"), **{"ANSWERS.jsonl": "tag-answers.jsonl"})
    assert embedded.rows.value("SELECT count(*) FROM tag_rejection") == 1


SENSITIVE = "left out; --sensitive shows them"


@promises(SENSITIVE)
def test_a_gallery_without_sensitive_photos_says_how_to_show_them(scanned: House) -> None:
    scanned.run("tag", "add", "sensitive", "id:1")
    scanned.excerpt(SENSITIVE, scanned.run("search", "--gallery", "page.html"))
    assert "sensitive" not in scanned.run("search", "--gallery", "page.html", "--sensitive")
