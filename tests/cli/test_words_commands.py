"""`photoindex rate`, `favourite`, `caption set`, `album` and `tag rename|merge`, on scanned photos."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import CommandResult, run
from tests.metadata_blocks import xmp
from tests.originals import write_photo

Command = Callable[..., CommandResult]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def command(
    photos: Path, library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Run commands on a library of three photos: `rome/a.jpg`, `rome/b.jpg`, `paris/c.jpg`."""
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    monkeypatch.setenv("PHOTOINDEX_SCAN__JOBS", "1")
    monkeypatch.setenv("PHOTOINDEX_TIME__HOME_ZONE", "Europe/Rome")

    def ran(*words: str | Path, code: int = 0) -> CommandResult:
        done = run(capsysbinary, *words)
        assert done.code == code, done.err
        return done

    for seed, name in enumerate(("rome/a.jpg", "rome/b.jpg", "paris/c.jpg")):
        write_photo(photos / name, seed)
    ran("scan", photos)
    return ran


def found(command: Command, *query: str) -> set[str]:
    return {Path(line).name for line in command("search", "--", *query).out.decode().splitlines()}


def in_order(command: Command, album: str) -> list[str]:
    return [Path(line).name for line in command("album", "show", album).out.decode().splitlines()]


def tags(command: Command) -> dict[str, int]:
    return {one["tag"]: one["photos"] for one in command("tag", "list", "--json").json}


def with_keywords(*keywords: str) -> bytes:
    """A sidecar with keywords, as they are written in XML."""
    items = "".join(f"<rdf:li>{keyword}</rdf:li>" for keyword in keywords)
    return xmp(elements=f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>")


def replace(path: Path, seed: int) -> None:
    """Edit a photo in place."""
    path.unlink()
    write_photo(path, seed)


def test_stars_favourites_and_captions_are_found_undone_and_follow_an_edited_file(
    command: Command, photos: Path
) -> None:
    command("rate", "4", "path:rome")
    command("rate", "reject", photos / "paris" / "c.jpg")
    command("favourite", "name:a.jpg")
    command("caption", "set", "Two dogs at sea", "name:a.jpg")
    assert found(command, "rating:>=4") == {"a.jpg", "b.jpg"}
    assert found(command, "is:rejected") == found(command, "rating:-1") == {"c.jpg"}
    assert found(command, "is:favourite") == found(command, "dogs") == found(command, "description:sea") == {"a.jpg"}
    assert found(command, "source:rating=person") == {"a.jpg", "b.jpg", "c.jpg"}
    replace(photos / "rome" / "a.jpg", 10)
    command("scan")
    assert found(command, "is:favourite") == found(command, "dogs") == {"a.jpg"}
    assert found(command, "rating:4") == {"a.jpg", "b.jpg"}
    command("undo", "2")
    assert found(command, "is:rejected") == set()
    command("rate", "clear", "path:rome")
    assert found(command, "has:rating") == set()
    command("caption", "set", "--remove", "name:a.jpg")
    assert found(command, "dogs") == set()
    assert command("caption", "set", "--remove", "name:a.jpg").out == b"nothing to change\n"


def test_a_person_stands_above_the_favourites_of_takeout(command: Command, photos: Path) -> None:
    about = {"title": "c.jpg", "photoTakenTime": {"timestamp": "1500000000"}, "favorited": True}
    (photos / "paris" / "c.jpg.json").write_text(json.dumps(about))
    command("scan")
    assert found(command, "is:favourite") == found(command, "source:favourite=takeout") == {"c.jpg"}
    assert command("favourite", "--remove", "path:rome").out == b"nothing to change\n"
    command("favourite", "--remove", "path:paris")
    assert found(command, "is:favourite") == set()
    command("scan")
    assert found(command, "is:favourite") == set()
    command("undo")
    assert found(command, "is:favourite") == {"c.jpg"}
    assert b"favourite" in command("show", photos / "paris" / "c.jpg").out


def test_a_caption_that_cameras_write_counts_where_a_person_gives_it(command: Command) -> None:
    command("caption", "set", "Samsung", "name:a.jpg")
    assert found(command, "description:samsung") == {"a.jpg"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rate", "6", "1"), b"'6' is no rating"),
        (("caption", "set", " ", "1"), b"the caption is empty"),
        (("caption", "set", "text"), b"name the photos behind the caption"),
        (("caption", "set", "x" * 10_001, "1"), b"at most 10,000"),
        (("caption", "set", "\udcff", "1"), b"not UTF-8"),
        (("album", "create", "a,b"), b"comma"),
        (("album", "move", "x", "1"), b"--before PHOTO"),
        (("album", "list", "--kind", "x"), b"choose one of own"),
    ],
)
def test_what_cannot_be_said_is_refused(command: Command, words: tuple[str, ...], said: bytes) -> None:
    assert said in command(*words, code=2).err
    assert command("log").out == b""


def test_a_renamed_level_takes_all_below_it_along_and_the_old_name_means_the_new_one(command: Command) -> None:
    command("tag", "add", "animals/dog", "path:rome")
    command("tag", "add", "animals/cat", "path:paris")
    assert b"with 2 below it" in command("tag", "rename", "animals", "pets").out
    assert tags(command) == {"pets/cat": 1, "pets/dog": 2}
    assert found(command, "pets") == {"a.jpg", "b.jpg", "c.jpg"}, "bare words find the new name"
    assert found(command, "animals") == set()
    assert found(command, "tag:animals/") == {"a.jpg", "b.jpg", "c.jpg"}, "`tag:` knows the old name too"
    assert found(command, "tag:animals/dog") == found(command, "tag:pets/dog")
    assert found(command, "tag:anim*/cat,nothing") == found(command, "tag:pets/cat")
    assert b"animals/cow is called pets/cow now" in command("tag", "add", "animals/cow", "1").err
    assert len(found(command, "tag:animals/cow")) == 1, "which never had that name itself"
    assert b"tags below pets stay: pets/cow" in command("tag", "remove", "animals", "1").err
    command("undo", "4")
    command("undo", "3")
    assert tags(command) == {"animals/cat": 1, "animals/dog": 2}
    assert found(command, "animals") == {"a.jpg", "b.jpg", "c.jpg"}
    # A tag may move into a level of its own name, and back.
    command("tag", "add", "animals", "1")
    command("tag", "rename", "animals", "animals/all")
    assert set(tags(command)) == {"animals/all", "animals/all/cat", "animals/all/dog"}
    command("tag", "rename", "animals/all", "animals")
    assert set(tags(command)) == {"animals", "animals/cat", "animals/dog"}


def test_merged_tags_are_one_and_undo_parts_them(command: Command) -> None:
    command("tag", "add", "dog", "path:rome")
    command("tag", "add", "hound", "path:paris")
    command("tag", "add", "hound/basset", "name:a.jpg")
    command("tag", "merge", "dog", "HOUND")
    assert tags(command) == {"dog": 3, "dog/basset": 1}
    assert found(command, "basset dog") == {"a.jpg"}
    command("tag", "add", "hound", "name:a.jpg")
    assert tags(command) == {"dog": 3, "dog/basset": 1}, "what goes on saying the old name means the new tag"
    command("undo", "4")
    assert tags(command) == {"dog": 2, "hound": 1, "hound/basset": 1}
    assert found(command, "tag:hound") == {"c.jpg", "a.jpg"}


def test_a_level_is_made_one_with_the_tag_above_it(command: Command) -> None:
    command("tag", "add", "animals", "path:rome")
    command("tag", "add", "animals/dog/basset", "path:paris")
    refused = command("tag", "rename", "animals/dog", "animals", code=2).err.decode()
    assert "photoindex tag merge animals animals/dog" in refused
    command("tag", "merge", "animals", "animals/dog")
    assert tags(command) == {"animals": 2, "animals/basset": 1}
    assert b"a level above it" in command("tag", "merge", "animals/basset", "animals", code=2).err
    command("undo")
    assert tags(command) == {"animals": 2, "animals/dog/basset": 1}


def test_keywords_with_signs_that_new_tags_must_not_have_are_changed_like_others(
    command: Command, photos: Path
) -> None:
    packet = with_keywords("#sunset", "Paris, France", "say &quot;hi&quot;")
    (photos / "paris" / "c.xmp").write_bytes(packet)
    command("scan")
    command("tag", "rename", "#sunset", "sunset")
    command("tag", "merge", "sunset", 'say "hi"')
    command("tag", "remove", "paris, france", "path:paris")
    command("tag", "add", "Paris, France", "name:a.jpg")
    assert tags(command) == {"Paris, France": 1, "sunset": 1}
    assert found(command, 'tag:"Paris, France"') == {"a.jpg"}
    assert b"comma" in command("tag", "add", "Rome, Italy", "1", code=2).err


def test_keywords_of_files_follow_a_merge_and_its_undo_and_redo(command: Command, photos: Path) -> None:
    packet = with_keywords("hound")
    (photos / "paris" / "c.xmp").write_bytes(packet)
    command("scan")
    assert tags(command) == {"hound": 1}
    command("tag", "add", "dog", "path:rome")
    command("tag", "merge", "dog", "hound")
    assert (tags(command), found(command, "tag:dog")) == ({"dog": 3}, {"a.jpg", "b.jpg", "c.jpg"})
    (photos / "paris" / "c.xmp").write_bytes(with_keywords("hound", "sea"))
    command("scan")
    assert tags(command) == {"dog": 3, "sea": 1}, "files go on saying the old name"
    command("undo", "2")
    assert tags(command) == {"dog": 2, "hound": 1, "sea": 1}
    command("undo", "3")
    assert tags(command) == {"dog": 3, "sea": 1}


def test_an_album_has_an_order_and_a_cover_and_every_change_can_be_undone(command: Command, photos: Path) -> None:
    command("time", "set", "name:a.jpg", "--to", "2019-06-03")
    command("time", "set", "name:b.jpg", "--to", "2019-06-02")
    command("time", "set", "name:c.jpg", "--to", "2019-06-01")
    assert b"made of 2 photos" in command("album", "create", "Été à Rome", "path:rome").out
    command("album", "add", "ete a rome", "name:c.jpg")
    assert in_order(command, "Été à Rome") == ["b.jpg", "a.jpg", "c.jpg"]
    command("album", "move", "ete a rome", "name:c.jpg", "--before", str(photos / "rome" / "a.jpg"))
    assert in_order(command, "Été à Rome") == ["b.jpg", "c.jpg", "a.jpg"]
    command("album", "move", "ete a rome", "name:a.jpg", "--first")
    assert in_order(command, "Été à Rome") == ["a.jpg", "b.jpg", "c.jpg"]
    command("album", "sort", "ete a rome", "--by", "date")
    assert in_order(command, "Été à Rome") == ["c.jpg", "b.jpg", "a.jpg"]
    command("album", "cover", "ete a rome", str(photos / "rome" / "b.jpg"))
    command("album", "remove", "ete a rome", "name:c.jpg")
    (listed,) = command("album", "list", "--json").json
    assert (listed["name"], listed["kind"], listed["photos"]) == ("Été à Rome", "own", 2)
    assert Path(listed["cover"]).name == "b.jpg"
    assert found(command, 'album:"été à rome"') == found(command, "album:ete*") == {"a.jpg", "b.jpg"}
    command("album", "rename", "ete a rome", "Roma")
    command("album", "delete", "Roma")
    assert command("album", "list").out == b""
    for _ in range(4):  # delete, rename, remove and cover
        command("undo")
    assert in_order(command, "Été à Rome") == ["c.jpg", "b.jpg", "a.jpg"]


def test_tags_and_albums_follow_an_edited_file_a_split_photo_and_a_pruned_one(command: Command, photos: Path) -> None:
    command("tag", "add", "sea", "path:rome")
    command("album", "create", "Mine", "path:rome")
    replace(photos / "rome" / "a.jpg", 20)
    command("scan")
    assert found(command, "tag:sea") == found(command, "album:Mine") == {"a.jpg", "b.jpg"}
    command("pair", "join", photos / "rome" / "a.jpg", photos / "rome" / "b.jpg")
    assert len(found(command, "tag:sea")) == 1
    command("pair", "split", photos / "rome" / "a.jpg")
    assert found(command, "tag:sea") == found(command, "album:Mine") == {"a.jpg", "b.jpg"}
    (photos / "rome" / "a.jpg").unlink()
    command("scan")
    command("prune", "--yes")
    assert tags(command) == {"sea": 1}
    command("undo")
    write_photo(photos / "rome" / "a.jpg", 20)
    command("scan")
    assert found(command, "tag:sea") == found(command, "album:Mine") == {"a.jpg", "b.jpg"}


def test_a_pruned_photo_comes_back_with_a_tag_that_was_merged_and_without_an_album_that_was_deleted(
    command: Command, photos: Path
) -> None:
    command("tag", "add", "sea", "path:paris")
    command("tag", "add", "ocean", "path:rome")
    command("album", "create", "Mine", "path:paris")
    (photos / "paris" / "c.jpg").unlink()
    command("scan")
    command("prune", "--yes")
    command("tag", "merge", "ocean", "sea")
    command("album", "delete", "Mine")
    command("undo", "4")
    assert tags(command) == {"ocean": 3}


def test_albums_of_exports_and_folders_arrive_with_a_scan_and_follow_their_files(
    command: Command, photos: Path
) -> None:
    trip, part = photos / "Google Photos" / "Trip", photos / "iCloud Photos Part 1 of 2"
    other = photos / "iCloud Photos Part 2 of 2"
    for seed, path in enumerate((trip / "t.jpg", other / "Photos" / "IMG_1.JPG", other / "Photos" / "IMG_2.JPG"), 30):
        write_photo(path, seed)
    about = {"title": "A trip, 6/10", "access": "protected", "date": {"timestamp": "1"}}
    (trip / "metadata.json").write_text(json.dumps(about))
    (part / "Albums").mkdir(parents=True)
    (part / "Albums" / "Holiday.csv").write_text("Images\nIMG_2.JPG\nIMG_1.JPG\nIMG_9.JPG\n")
    command("scan")
    listed = [(one["name"], one["kind"], one["photos"]) for one in command("album", "list", "--json").json]
    assert listed == [("A trip, 6/10", "takeout", 1), ("Holiday", "apple", 2)]
    assert in_order(command, "Holiday") == ["IMG_2.JPG", "IMG_1.JPG"]
    folders = [one["name"] for one in command("album", "list", "--kind", "folder", "--json").json]
    assert folders == ["paris", "Photos", "rome"]
    assert found(command, "album:rome") == {"a.jpg", "b.jpg"}
    assert b"of the kind apple" in command("album", "add", "Holiday", "1", code=2).err
    command("album", "create", "Holiday", "album:Holiday")
    assert [one["kind"] for one in command("album", "list", "--json").json if one["name"] == "Holiday"] == [
        "own",
        "apple",
    ]
    (photos / "rome").rename(photos / "Roma")
    (part / "Albums" / "Holiday.csv").unlink()
    command("scan")
    folders = [one["name"] for one in command("album", "list", "--kind", "folder", "--json").json]
    assert folders == ["paris", "Photos", "Roma"]
    assert [one["kind"] for one in command("album", "list", "--json").json] == ["own", "takeout"]


def test_a_saved_query_is_a_smart_album(command: Command) -> None:
    command("search", "path:rome", "--saved", "roma")
    (listed,) = command("album", "list", "--json").json
    assert (listed["name"], listed["kind"], listed["photos"], listed["origin"]) == ("roma", "smart", 2, "path:rome")
    assert found(command, "album:Roma") == set(in_order(command, "roma")) == {"a.jpg", "b.jpg"}
    assert found(command, "-album:roma") == {"c.jpg"}
    assert b"it is a smart album" in command("album", "create", "Roma", code=2).err
    assert b"is a smart album" in command("album", "add", "roma", "1", code=2).err
    command("search", "album:roma", "--saved", "other")
    assert b"cannot use itself" in command("search", "album:other", "--saved", "roma", code=2).err


def test_a_saved_query_that_no_longer_works_hides_no_other_album(command: Command) -> None:
    command("album", "create", "Rome", "path:rome")
    command("search", "path:rome", "--saved", "part")
    command("search", "@part name:a.jpg", "--saved", "été")
    assert len(command("album", "show", "Ete").out.splitlines()) == 1, "case and accents are ignored"
    command("saved", "remove", "part")
    listed = command("album", "list", "--json")
    assert [(one["name"], one["photos"]) for one in listed.json] == [("Rome", 2), ("été", None)]
    assert "@part" in listed.json[1]["problem"]
    assert b"warning: the photos of \xc3\xa9t\xc3\xa9 cannot be counted: " in listed.err


def test_show_has_tags_by_source_and_albums_and_the_views_agree(command: Command, photos: Path) -> None:
    command("tag", "add", "sea", "name:a.jpg")
    command("album", "create", "Mine", "name:a.jpg")
    (shown,) = command("show", photos / "rome" / "a.jpg", "--json").json
    assert shown["tags"] == [
        {"tag": "sea", "source": "person", "confidence": None, "calibrated": None, "shown": True, "rejected": False}
    ]
    assert [(one["name"], one["kind"]) for one in shown["albums"]] == [("Mine", "own"), ("rome", "folder")]
    printed = command("show", photos / "rome" / "a.jpg").out.decode()
    assert "sea  person" in printed
    assert "Mine  own" in printed
    (row,) = command("sql", "SELECT tag, source, confidence, is_shown FROM v_tag").json
    assert row == {"tag": "sea", "source": "person", "confidence": None, "is_shown": 1}
    rows = command("sql", "SELECT album, kind, place FROM v_album WHERE kind = 'own'").json
    assert rows == [{"album": "Mine", "kind": "own", "place": 1.0}]


def test_the_name_of_the_tag_of_sensitive_photos_goes_to_no_other_tag(command: Command) -> None:
    command("tag", "add", "sensitive", "name:a.jpg")
    command("tag", "add", "c", "name:b.jpg")
    command("tag", "rename", "sensitive", "nsfw")
    assert b"photoindex tag rename nsfw sensitive" in command("tag", "rename", "c", "sensitive", code=2).err
    assert found(command, "is:sensitive") == {"a.jpg"}
    command("tag", "rename", "nsfw", "sensitive")
    assert found(command, "is:sensitive") == {"a.jpg"}


def test_tags_that_were_merged_since_come_back_as_one(command: Command) -> None:
    command("tag", "add", "a", "name:a.jpg")
    command("tag", "add", "b", "name:a.jpg")
    command("tag", "add", "c", "name:b.jpg")
    command("tag", "remove", "a", "--and", "b", "name:a.jpg")
    command("tag", "merge", "c", "a", "b")
    command("undo", "4")
    assert tags(command) == {"c": 2}


def test_a_smart_album_cannot_be_itself_nor_have_the_name_of_an_album(command: Command) -> None:
    assert b"cannot use itself" in command("search", "album:S1", "--saved", "S1", code=2).err
    command("search", "name:a.jpg", "--saved", "s1")
    command("album", "create", "Cov", "1")
    assert b"@s1 has this name" in command("album", "rename", "Cov", "S1", code=2).err
