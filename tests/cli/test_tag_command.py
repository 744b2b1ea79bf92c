"""`photoindex tag`."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from photoindex.pipeline.resolve.said import refresh_keywords
from photoindex.store.schema.tables import asset
from tests.command_line import CommandResult, run
from tests.rows import VolumeRows, library_in

Command = Callable[..., CommandResult]


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[VolumeRows]:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path / "photos")
        rows.add_root()
        for name in ("Rome/a.jpg", "Rome/b.jpg", "Paris/c.jpg"):
            rows.add_whole_photo(name, keywords=[])
        yield rows


@pytest.fixture
def command(rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(rows.library.folder))

    def ran(*words: str, stdin: bytes = b"", code: int = 0) -> CommandResult:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        done = run(capsysbinary, *words)
        assert done.code == code, done.err
        return done

    return ran


def found(command: Command, *query: str) -> set[str]:
    """Return the names of the photos that a query finds."""
    return {Path(line).name for line in command("search", "--", *query).out.decode().splitlines()}


def test_photos_are_tagged_by_query_path_number_and_a_list_on_stdin(command: Command, rows: VolumeRows) -> None:
    assert b"animals/dog added to 2 photos" in command("tag", "add", "animals/dog", "path:Rome").out
    command("tag", "add", "cat", "3")
    command("tag", "add", "sea", str(Path(rows.originals.decode()) / "Rome" / "a.jpg"))
    listed = b"\n".join([rows.originals + b"/Rome/b.jpg", b"3", b""])
    command("tag", "add", "sun", "-", stdin=listed)
    command("tag", "add", "moon", "-", stdin=listed.replace(b"\n", b"\0"))
    assert (
        found(command, "tag:dog")
        == found(command, "tag:animals/")
        == found(command, "tag:animals/dog")
        == {"a.jpg", "b.jpg"}
    )
    assert found(command, "tag:cat") == {"c.jpg"}
    assert found(command, "tag:sea") == {"a.jpg"}
    assert found(command, "tag:sun") == found(command, "tag:moon") == {"b.jpg", "c.jpg"}
    assert found(command, "-tag:animals") == {"c.jpg"}
    assert found(command, "tag:sea,cat") == {"a.jpg", "c.jpg"}
    assert found(command, "tag:*og") == found(command, "tag::^animals") == {"a.jpg", "b.jpg"}
    assert found(command, "tag:dog/") == set()
    assert found(command, "dog") == {"a.jpg", "b.jpg"}, "bare words find tags"
    assert found(command, "has:tag") == {"a.jpg", "b.jpg", "c.jpg"}


def test_undo_takes_tags_back_from_photos_and_from_their_texts_and_redo_gives_them_again(command: Command) -> None:
    command("tag", "add", "dog", "path:Rome", "--and", "beach")
    command("undo")
    assert found(command, "tag:dog OR tag:beach OR beach") == set()
    command("undo", "2")
    assert found(command, "tag:dog") == found(command, "beach") == {"a.jpg", "b.jpg"}


def keywords_in_file(rows: VolumeRows, photo_id: int, *keywords: str) -> None:
    """Let the file of a photo state keywords, as a scan finds them."""
    with rows.writing() as connection:
        stated = update(asset).where(asset.c.photo_id == photo_id).values(facts={"xmp": {"keywords": list(keywords)}})
        connection.execute(stated)
        refresh_keywords(connection, [photo_id])


def test_a_keyword_that_a_person_removed_stays_away_and_can_come_back(command: Command, rows: VolumeRows) -> None:
    keywords_in_file(rows, 1, "Animals|Dog")
    assert found(command, "tag:dog") == {"a.jpg"}
    assert b"removed from 1 photo;" in command("tag", "remove", "animals/dog", "path:Rome").out
    assert found(command, "tag:dog") == found(command, "has:tag") == set()
    assert command("tag", "list").out == b""
    assert command("tag", "remove", "animals/dog", "path:Rome").out == b"nothing to change\n"
    command("tag", "add", "animals/dog", "1")
    assert found(command, "tag:dog") == {"a.jpg"}
    (listed,) = command("tag", "list", "--json").json
    assert (listed["tag"], listed["photos"], listed["own"], listed["files"]) == ("Animals/Dog", 1, 1, 1)


def seen(command: Command) -> dict[str, object]:
    """Return everything that says that photo 1 has the keyword Dog, one entry a place."""
    (hit,) = command("search", "id:1", "--json").json
    (shown,) = command("show", "1", "--json").json
    in_tags, in_photos = (
        json.loads(command("sql", f"SELECT * FROM {rows_of} = 1", "--json").out)
        for rows_of in ("v_tag WHERE photo_id", "v_photo WHERE id")
    )
    return {
        **{query: found(command, query) for query in ("dog", "keyword:dog", "keyword::^Dog", "has:keywords", "tag:dog", "source:tag=file")},
        "search": hit["keywords"], "show": shown["keywords"], "list": command("tag", "list").out,
        "complete": command("tag", "complete", "do").out, "v_tag": [row["tag"] for row in in_tags],
        "v_photo": in_photos[0]["keywords"],
    }  # fmt: skip


def test_a_keyword_that_a_person_removed_is_found_counted_and_shown_nowhere(command: Command, rows: VolumeRows) -> None:
    keywords_in_file(rows, 1, "Dog", "Sea")
    before = seen(command)
    assert before["dog"] == {"a.jpg"}
    command("tag", "remove", "dog", "1")
    after = seen(command)
    assert after["dog"] == after["keyword:dog"] == after["keyword::^Dog"] == after["tag:dog"] == set()
    assert after["search"] == after["show"] == ["Sea"]
    assert (after["list"], after["complete"], after["v_tag"]) == (b"Sea\t1\n", b"", ["Sea"])
    assert [place for place in before if before[place] == after[place]] == ["has:keywords", "source:tag=file"]
    command("tag", "remove", "sea", "1")
    assert found(command, "has:keywords") == set()
    command("undo")
    command("undo", "1")
    assert seen(command) == before
    command("tag", "reject", "dog", "1")
    assert seen(command) == after
    command("tag", "add", "dog", "1")
    assert seen(command)["keyword:dog"] == {"a.jpg"}


def test_a_removed_keyword_stays_away_when_the_file_is_read_again_and_when_tags_become_one(
    command: Command, rows: VolumeRows
) -> None:
    keywords_in_file(rows, 1, "Dog", "Hound")
    command("tag", "remove", "dog", "1")
    keywords_in_file(rows, 1, "Dog", "Hound", "Sea")
    assert found(command, "dog") == set()
    assert found(command, "hound") == found(command, "sea") == {"a.jpg"}
    command("tag", "rename", "dog", "hund")
    keywords_in_file(rows, 1, "Dog", "Hound")
    assert found(command, "dog") == set()
    command("tag", "merge", "hund", "hound")
    assert found(command, "dog OR hound") == set(), "what was rejected of one is rejected of both"


def test_tags_are_listed_by_name_or_by_number_of_photos(command: Command) -> None:
    command("tag", "add", "cat", "path:Rome")
    command("tag", "add", "apple", "1")
    assert command("tag", "list").out == b"apple\t1\ncat\t2\n"
    assert command("tag", "list", "--popular").out == b"cat\t2\napple\t1\n"
    assert command("tag", "list", "--popular", "-n", "1").out == b"cat\t2\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("tag", "add", "a,b", "1"), 2, b"--and TAG"),
        (("tag", "add", "a//b", "1"), 2, b"no level of a tag may be empty"),
        (("tag", "add", "a", "99"), 11, b"no photo with the id 99"),
        (("tag", "add", "a", "name:nothing"), 11, b"no photo matches"),
        (("tag", "add", "a", "IMG_4411.jgp"), 11, b"no photo matches, and there is no file IMG_4411.jgp\n"),
        (("rate", "3", "Rome/nowhere"), 11, b"no photo matches, and there is no file Rome/nowhere\n"),
        (("favourite", "nothing", "camera:a/b.jpg"), 11, b"no photo matches\n"),
        (("tag", "add", "a", "-"), 11, b"the list on stdin is empty"),
        (("tag", "remove", "unknown", "1"), 11, b"there is no tag 'unknown'"),
        (("search", "tag:/"), 2, b"a tag is needed"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_changed(
    command: Command, words: tuple[str, ...], code: int, said: bytes
) -> None:
    assert said in command(*words, code=code).err
    assert command("log").out == b""


def test_a_list_with_an_unknown_path_tags_nothing(command: Command, rows: VolumeRows) -> None:
    listed = rows.originals + b"/Rome/a.jpg\nnot there.jpg\n"
    assert b"not there.jpg is not in the library" in command("tag", "add", "a", "-", stdin=listed, code=11).err
    assert command("log").out == b""
