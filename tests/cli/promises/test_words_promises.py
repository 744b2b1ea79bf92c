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


TAKEN = "there is a tag {} already; to make {} and it one, run: photoindex tag merge {} {}"


@promises(TAKEN)
def test_a_tag_whose_name_is_taken_is_merged(scanned: House) -> None:
    scanned.run("tag", "add", "red dog", "1")
    scanned.run("tag", "add", "big hound", "2")
    scanned.follow(TAKEN, scanned.run("tag", "rename", "big hound", "Red dog", code=2))
    assert scanned.run("tag", "list") == "red dog\t2\n"


SENSITIVE = (
    "{} means {} since you renamed it: its photos are not shown unless asked for; first give it its name back: photoindex tag "
    "rename {} {}"
)


@promises(SENSITIVE)
def test_the_tag_of_sensitive_photos_gets_its_name_back(scanned: House) -> None:
    scanned.run("tag", "add", "sensitive", "1")
    scanned.run("tag", "add", "red dog", "2")
    scanned.run("tag", "rename", "sensitive", "not safe")
    scanned.follow(SENSITIVE, scanned.run("tag", "rename", "red dog", "sensitive", code=2))
    assert scanned.run("tag", "list") == "red dog\t1\nsensitive\t1\n"


NO_CAPTION = "the caption is empty; to remove the one that you gave, use --remove"


@promises(NO_CAPTION)
def test_a_caption_is_removed_with_an_option(scanned: House) -> None:
    scanned.run("caption", "set", "at sea", "1")
    scanned.excerpt(NO_CAPTION, scanned.run("caption", "set", "", "1", code=2))
    assert "removed" in scanned.run("caption", "set", "--remove", "1")


NO_ALBUMS = "there is no album; make one with: photoindex album create NAME QUERY"
NO_ALBUM = "there is no album '{}'; see: photoindex album list"
EXISTS = "there is an album {} already; put photos into it with: photoindex album add {} QUERY"
NAME_TAKEN = "there is an album {} already; see: photoindex album list"
NOT_INSIDE = "photo {} is not in the album {}; see: photoindex album show {}"
WHERE_TO = "say where to with one of --first, --last, --before PHOTO and --after PHOTO"


@promises(NO_ALBUMS, NO_ALBUM, EXISTS, NAME_TAKEN, NOT_INSIDE, WHERE_TO)
def test_albums_are_made_listed_and_filled_as_the_messages_say(scanned: House) -> None:
    printed = run_on_terminal("album", "list").out.decode()
    scanned.follow(NO_ALBUMS, printed, NAME="my sea", QUERY="id:1")
    assert "my sea" in scanned.follow(NO_ALBUM, scanned.run("album", "show", "your sea", code=11))
    assert "my sea" in scanned.follow(NO_ALBUM, scanned.run("album", "add", "your sea", "1", code=11))
    scanned.follow(EXISTS, scanned.run("album", "create", "My sea", code=2), QUERY="id:2")
    scanned.run("album", "create", "other")
    assert "my sea" in scanned.follow(NAME_TAKEN, scanned.run("album", "rename", "other", "my sea", code=2))
    for command in (("cover", "my sea", "3"), ("move", "my sea", "3", "--last")):
        assert "a 0.jpg" in scanned.follow(NOT_INSIDE, scanned.run("album", *command, code=2))
    scanned.excerpt(WHERE_TO, scanned.run("album", "move", "my sea", "2", code=2))
    for place in (("--first",), ("--last",), ("--before", "1"), ("--after", "1")):
        scanned.run("album", "move", "my sea", "2", *place)


OF_AN_EXPORT = "it is {} and was read; see: photoindex album list"
FOLLOWS = "the album {} is of the kind {}: it follows its files; to change a copy, first run: photoindex album create NAME album:{}"
SEVERAL = "there are {} albums {} of the kind {}, of {}; find the photos of all with: photoindex search album:{}"


@promises(OF_AN_EXPORT, FOLLOWS, SEVERAL)
def test_albums_of_exports_are_copied_and_found_as_the_messages_say(scanned: House) -> None:
    for number, folder in enumerate(("one", "two"), 10):
        scanned.write_photos(f"{folder}/a.jpg", first=number)
        about = scanned.photos / folder / "metadata.json"
        about.write_text('{"title": "Our trip", "access": "protected"}')
    scanned.run("scan")
    assert "Our trip" in scanned.follow(OF_AN_EXPORT, scanned.run("why", about))
    found = scanned.follow(SEVERAL, scanned.run("album", "show", "our trip", code=2))
    assert found.count("a.jpg") == 2
    scanned.follow(FOLLOWS, scanned.run("album", "add", "our trip", "1", code=2), NAME="mine")
    assert "mine\town\t2" in scanned.run("album", "list")
