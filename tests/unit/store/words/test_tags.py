"""Tags by name, and the tags of photos by source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from photoindex.store.schema.tables import label, photo, photo_keyword, tag, tag_alias
from photoindex.store.words import photo_tags, tags
from photoindex.store.words.photo_tags import TagChange
from tests.rows import VolumeRows, library_in


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[VolumeRows]:
    with library_in(tmp_path / "library") as library:
        yield VolumeRows(library, tmp_path)


def alias(rows: VolumeRows, key: str, tag_id: int) -> None:
    with rows.writing() as connection:
        connection.execute(insert(tag_alias).values(name_key=key, tag_id=tag_id))


def ensured(rows: VolumeRows, *names: str) -> dict[str, int]:
    with rows.writing() as connection:
        return tags.ensure(connection, names)


def names_of(rows: VolumeRows, *names: str) -> dict[str, str]:
    with rows.library.database.read() as connection:
        return tags.current_names(connection, names)


def test_spellings_of_a_name_are_one_tag_which_keeps_the_first_one(rows: VolumeRows) -> None:
    first = ensured(rows, "Straße", "Animals/Dog")
    again = ensured(rows, "STRASSE", "animals/dog", "cat")
    assert (again["STRASSE"], again["animals/dog"]) == (first["Straße"], first["Animals/Dog"])
    with rows.library.database.read() as connection:
        assert tags.find(connection, ["strasse", "unknown"])["strasse"].name == "Straße"
        assert set(connection.execute(select(tag.c.name)).scalars()) == {"Straße", "Animals/Dog", "cat"}


def test_an_old_name_means_the_tag_it_became_also_above_new_levels(rows: VolumeRows) -> None:
    pets = ensured(rows, "pets")["pets"]
    alias(rows, "animals", pets)
    assert names_of(rows, "Animals", "animals/dog", "dog", "animalsx") == {
        "Animals": "pets", "animals/dog": "pets/dog", "dog": "dog", "animalsx": "animalsx",
    }  # fmt: skip
    assert ensured(rows, "ANIMALS") == {"ANIMALS": pets}


def test_a_deeper_level_that_is_a_tag_is_not_renamed_by_one_above_it(rows: VolumeRows) -> None:
    every = ensured(rows, "animals/all")["animals/all"]
    alias(rows, "animals", every)
    assert names_of(rows, "animals/all", "animals/all/dog", "animals/cat") == {
        "animals/all": "animals/all", "animals/all/dog": "animals/all/dog", "animals/cat": "animals/all/cat",
    }  # fmt: skip


def test_aliases_in_a_row_are_followed(rows: VolumeRows) -> None:
    ids = ensured(rows, "pets", "friends/dog")
    alias(rows, "animals", ids["pets"])
    alias(rows, "pets/dog", ids["friends/dog"])
    assert names_of(rows, "animals/dog") == {"animals/dog": "friends/dog"}


def test_keywords_become_tags_in_files_and_leave_again(rows: VolumeRows) -> None:
    photo_id = rows.add_whole_photo("a.jpg")

    def stored(*keywords: str) -> set[str]:
        with rows.writing() as connection:
            connection.execute(update(photo).values(keywords=keywords))
            tags.store_keywords(connection, [photo_id])
            found = select(tag.c.name).join(photo_keyword, photo_keyword.c.tag_id == tag.c.id)
            return set(connection.execute(found).scalars())

    assert stored("Animals|Dog", "rome", "ROME", "") == {"Animals/Dog", "rome"}
    assert stored("rome", "sea") == {"rome", "sea"}
    assert stored() == set()


def test_a_photo_has_its_tags_by_source_and_a_rejected_one_never_counts(rows: VolumeRows) -> None:
    photo_id = rows.add_whole_photo("a.jpg")
    other_content = rows.add_asset(photo_id, role="raw")
    ids = ensured(rows, "dog", "rome", "car", "sea")
    with rows.writing() as connection:
        connection.execute(update(photo).values(keywords=["rome"]))
        tags.store_keywords(connection, [photo_id])
        given: dict[str, Any] = {
            "asset_id": rows.asset_of(photo_id),
            "variant_id": rows.variant_id,
            "part": 0,
            "raw": 1.0,
        }
        for name, confidence, shown in (("car", 0.9, True), ("sea", 0.3, False)):
            values = given | {"tag_id": ids[name], "confidence": confidence, "shown": shown}
            connection.execute(insert(label).values(values))
        done = TagChange()
        added = list(photo_tags.add(connection, [ids["dog"]], [photo_id], done))
        # Both contents get it: the photo keeps it when it falls apart.
        assert {one.key["asset_id"] for one in added} == {rows.asset_of(photo_id), other_content}
        assert not list(photo_tags.add(connection, [ids["dog"]], [photo_id], TagChange()))
        list(photo_tags.remove(connection, [ids["rome"], ids["car"]], [photo_id], done))
        assert done.photos == {photo_id}
        found = {(one.tag.name, one.source): one for one in photo_tags.tags_of(connection, photo_id)}
        assert set(found) == {("dog", "person"), ("rome", "file"), ("car", "ingest"), ("sea", "ingest")}
        assert [name for (name, _), one in found.items() if one.rejected] == ["car", "rome"]
        assert not found["sea", "ingest"].shown
        assert found["car", "ingest"].confidence == 0.9
        assert [one.name for one in photo_tags.own_of(connection, [photo_id])[photo_id]] == ["dog"]
        assert [one.name for one in photo_tags.rejected_of(connection, [photo_id])[photo_id]] == ["car", "rome"]


def test_a_removed_tag_that_nobody_else_gives_is_no_rejection(rows: VolumeRows) -> None:
    photo_id = rows.add_whole_photo("a.jpg")
    ids = ensured(rows, "dog")
    with rows.writing() as connection:
        list(photo_tags.add(connection, list(ids.values()), [photo_id], TagChange()))
        list(photo_tags.remove(connection, list(ids.values()), [photo_id], TagChange()))
        assert not photo_tags.own_of(connection, [photo_id])
        assert not photo_tags.rejected_of(connection, [photo_id])
