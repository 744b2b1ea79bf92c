"""What of a copy's words the kept photo lacks."""

from __future__ import annotations

import pytest

from photoindex.domain.words.carried import Words, carried, carried_text


def facts(copy: Words, kept: Words) -> dict[str, object]:
    return dict(carried(copy, kept).facts)


def test_a_fact_is_carried_over_where_the_kept_photo_has_none() -> None:
    copy = Words(facts={"rating": 4, "title": "Lake"}, sources={"rating": "xmp", "title": "takeout"})
    assert facts(copy, Words()) == {"rating": 4, "title": "Lake"}
    assert facts(copy, Words(facts={"rating": 2, "title": "Sea"}, sources={"rating": "xmp", "title": "xmp"})) == {}


def test_what_a_person_said_counts_more_than_a_file_and_less_than_what_they_said_of_the_kept_photo() -> None:
    copy = Words(facts={"rating": 4, "lens": "mine"}, sources={"rating": "person", "lens": "person"})
    assert facts(copy, Words(facts={"rating": 2}, sources={"rating": "xmp"})) == {"rating": 4, "lens": "mine"}
    assert facts(copy, Words(facts={"rating": 2}, sources={"rating": "person"})) == {"lens": "mine"}
    # A photo that a person says is none of their favourites has no value, and their word all the same.
    favourite = Words(facts={"favourite": 1}, sources={"favourite": "xmp"})
    assert facts(favourite, Words(sources={"favourite": "person"})) == {}
    assert facts(favourite, Words(sources={"favourite": "xmp"})) == {"favourite": 1}


def test_a_position_is_carried_over_as_a_whole_or_not_at_all() -> None:
    copy = Words(facts={"latitude": 47.5, "longitude": 11.25, "altitude_m": 800.0})
    assert facts(copy, Words(facts={"altitude_m": 10.0})) == copy.facts
    assert facts(copy, Words(facts={"latitude": 1.0, "longitude": 2.0})) == {}


@pytest.mark.parametrize(
    ("source", "confidence", "expected"), [("takeout", 0.68, True), ("name", 0.68, False), ("takeout", 0.05, False)]
)
def test_a_time_is_carried_over_if_it_was_stated_and_is_surer(source: str, confidence: float, expected: bool) -> None:
    copy = Words(facts={"taken_at": "2019-06-01T12:00:00"}, sources={"taken_at": source}, time_confidence=confidence)
    kept = Words(facts={"taken_at": "2024-01-01T00:00:00"}, sources={"taken_at": "mtime"}, time_confidence=0.1)
    assert ("taken_at" in facts(copy, kept)) is expected


def test_names_are_compared_without_case_and_tags_with_keywords() -> None:
    copy = Words(
        keywords=("Lake", "dog"), tags=("Sun",), albums=("Holidays",), persons={1: "Anna", 2: ""}, caption=True
    )
    kept = Words(tags=("lake",), keywords=("sun",), persons={1: "Anna"})
    found = carried(copy, kept)
    assert (found.keywords, found.tags, found.albums) == (("dog",), (), ("Holidays",))
    assert carried_text(found) == "1 keyword, album Holidays, 1 face, the caption of a model"


def test_a_copy_without_words_of_its_own_carries_nothing() -> None:
    words = Words(facts={"rating": 3}, keywords=("a",), persons={1: "Anna"}, caption=True)
    assert carried(words, words).is_empty
    assert carried_text(carried(Words(), words)) == ""


def test_words_are_one_readable_phrase() -> None:
    words = Words(
        facts={"rating": -1, "title": "x" * 50, "latitude": 1.0, "longitude": 2.0, "taken_at": "2019", "camera_model": "M3"},
        keywords=("a", "b", "c"),
        tags=("animals/dog",),
        persons={1: "Anna"},
    )  # fmt: skip
    assert carried_text(words) == (
        f"3 keywords, the rejection, title {'x' * 39}…, tag animals/dog, person Anna, the position, the time, your camera model"
    )
