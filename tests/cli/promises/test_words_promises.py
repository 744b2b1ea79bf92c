"""What `tag` and the other commands about words promise."""

from __future__ import annotations

import pytest

from photoindex.cli.arguments import photo_arguments
from tests.cli.promises.house import House, promises
from tests.command_line import run_on_terminal

NO_TAG = "there is no tag '{}'; see: photoindex tag list"
NO_TAGS = "no photo has a tag yet; give one with: photoindex tag add TAG QUERY"


@promises(NO_TAG)
def test_tags_are_listed_where_the_message_says(scanned: House) -> None:
    scanned.run("tag", "add", "sea", "1")
    assert "sea" in scanned.follow(NO_TAG, scanned.run("tag", "remove", "see", "1", code=11))


@promises(NO_TAGS)
def test_a_first_tag_is_given_as_the_message_says(scanned: House) -> None:
    printed = run_on_terminal("tag", "list").out.decode()
    assert "sea added to 3 photos" in scanned.follow(NO_TAGS, printed, TAG="sea", QUERY="type:image")


EACH = "; give each tag with its own --and TAG"
PREVIEW = "photoindex search"


@promises(EACH)
def test_several_tags_are_given_each_with_an_option(scanned: House) -> None:
    scanned.excerpt(EACH, scanned.run("tag", "add", "sea,sun", "1", code=2))
    assert "sea, sun added to 1 photo" in scanned.run("tag", "add", "sea", "1", "--and", "sun")


@promises(PREVIEW)
def test_many_photos_of_a_query_are_listed_by_search_before_they_are_changed(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_arguments, "MANY_PHOTOS", 1)
    assert "a 2.jpg" in scanned.follow(PREVIEW, scanned.run("tag", "add", "sea", "type:image", code=2))
    assert scanned.run("tag", "list") == ""
    assert "added to 3 photos" in scanned.run("tag", "add", "sea", "type:image", "--yes")
