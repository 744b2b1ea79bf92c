"""Semantic search over hand-written vectors: what is found, in which order, with which filters."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from photoindex.errors import ModelUnavailable, NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.find import (
    MOST_PHOTOS,
    LexicalFallback,
    Method,
    NoteKind,
    SearchRequest,
    SearchResult,
    find,
)
from photoindex.library.search.parse import parse
from photoindex.library.search.semantic_query import PictureFile, SemanticOptions, WeightedText
from photoindex.library.search.semantic_search import SemanticAnswer
from photoindex.store.schema.tables import query_vector
from photoindex.store.vectors import query_vector_cache, spaces
from tests.rows import library_in
from tests.semantic_rows import AXES, SemanticRows, photo_ids, unit

EVERYTHING = SemanticOptions(everything=True)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "library") as library:
        yield library


@pytest.fixture
def volume_rows(library: Library, tmp_path: Path) -> SemanticRows:
    return SemanticRows(library, tmp_path / "originals")


def result_of(library: Library, query: str, options: SemanticOptions | None = None, **more: Any) -> SearchResult:
    """The result of a query, by default with a minimum score of 0.5."""
    return find(library, SearchRequest(query, options or SemanticOptions(min_score=0.5), **more))


def answer_to(library: Library, query: str, options: SemanticOptions | None = None, **more: Any) -> SemanticAnswer:
    answer = result_of(library, query, options, **more).answer
    assert answer is not None
    return answer


def found(library: Library, query: str, options: SemanticOptions | None = None, **more: Any) -> list[int]:
    return photo_ids(answer_to(library, query, options, **more).ranked)


def test_the_nearest_photo_comes_first_and_photos_with_low_scores_are_hidden(
    library: Library, volume_rows: SemanticRows
) -> None:
    near = volume_rows.add_embedded_photo("a.jpg", unit(dog=3, beach=1))
    nearest = volume_rows.add_embedded_photo("b.jpg", unit(dog=1))
    volume_rows.add_embedded_photo("c.jpg", unit(car=3, dog=1))
    answer = answer_to(library, "dog")
    assert photo_ids(answer.ranked) == [nearest, near]
    assert [one.score_rank for one in answer.ranked] == [1, 2]
    assert answer.ranked[0].score == pytest.approx(1.0, abs=1e-3)
    assert answer.ranked[0].fused == pytest.approx(1 / 61)
    assert not answer.more


def test_all_ranks_every_photo_with_a_vector(library: Library, volume_rows: SemanticRows) -> None:
    last = volume_rows.add_embedded_photo("a.jpg", -unit(dog=1))
    middle = volume_rows.add_embedded_photo("b.jpg", unit(car=1))
    first = volume_rows.add_embedded_photo("c.jpg", unit(dog=1))
    volume_rows.add_whole_photo("d.jpg")
    assert found(library, "dog", EVERYTHING, complete=True) == [first, middle, last]


def test_words_in_texts_count_too_and_matching_both_ranks_first(library: Library, volume_rows: SemanticRows) -> None:
    seen = volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    both = volume_rows.add_embedded_photo("b.jpg", unit(dog=4, car=1), text_title="the dog")
    named = volume_rows.add_embedded_photo("c.jpg", unit(car=1), text_title="my old dog")
    answer = answer_to(library, "dog")
    assert photo_ids(answer.ranked) == [both, seen, named]
    last = answer.ranked[2]
    assert (last.score_rank, last.words_rank, last.score) == (None, 2, pytest.approx(0.0, abs=1e-3))


def test_a_photo_without_a_vector_is_found_by_its_words(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(car=1))
    named = volume_rows.add_embedded_photo("dog.jpg", unit(dog=1))
    with volume_rows.writing() as connection:
        connection.execute(text("DELETE FROM vector WHERE asset_id = :id"), {"id": volume_rows.asset_of(named)})
    (only,) = answer_to(library, "dog").ranked
    assert (only.photo_id, only.score, only.words_rank) == (named, None, 1)


def test_an_exact_keyword_or_file_name_comes_before_a_passing_mention(
    library: Library, volume_rows: SemanticRows
) -> None:
    mention = volume_rows.add_embedded_photo("a.jpg", unit(car=1), text_title="dog dog dog", text_description="dog")
    part = volume_rows.add_embedded_photo("b.jpg", unit(car=1), text_keywords="hot dog stand")
    tagged = volume_rows.add_embedded_photo("c.jpg", unit(car=1), text_keywords="holiday\nDog")
    level = volume_rows.add_embedded_photo("d.jpg", unit(car=1), text_keywords="animals/dog/poodle")
    named = volume_rows.add_embedded_photo("dog.jpg", unit(car=1))
    ranked = found(library, "dog")
    assert set(ranked[:3]) == {tagged, named, level}
    assert set(ranked[3:]) == {mention, part}


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("tags", "own words"), ("description", "own words"), ("people", "people and places"), ("place", "people and places"),
        ("caption", "captions"), ("labels", "machine tags"), ("ocr", "text in pictures"), ("camera", "folders and cameras"),
    ],
)  # fmt: skip
def test_every_kind_of_text_is_searched_by_bare_words_with_its_weight(
    library: Library, volume_rows: SemanticRows, column: str, name: str
) -> None:
    volume_rows.cache_queries({"two dogs": unit(dog=1)})
    photo_id = volume_rows.add_embedded_photo("a.jpg", unit(car=1), **{f"text_{column}": "two dogs"})
    volume_rows.add_embedded_photo("b.jpg", unit(car=1), **{f"text_{column}": "three dogs"})
    (only,) = answer_to(library, "two dogs").ranked
    assert only.photo_id == photo_id
    assert [one.name for one in only.places] == ["all texts", "whole phrase", name]
    assert only.fused == pytest.approx(sum(one.weight for one in only.places) / 61)


def test_words_from_different_texts_count_less_than_the_same_words_in_one(
    library: Library, volume_rows: SemanticRows
) -> None:
    volume_rows.cache_queries({"anna beach": unit(red=1)})
    apart = volume_rows.add_embedded_photo("a.jpg", unit(car=1), text_people="anna", text_caption="a beach")
    together = volume_rows.add_embedded_photo("b.jpg", unit(car=1), text_title="anna at the beach")
    volume_rows.add_embedded_photo("c.jpg", unit(car=1), text_people="anna", text_caption="a lake")
    assert found(library, "anna beach") == [together, apart]


def test_a_caption_finds_what_vectors_cannot_tell_apart(library: Library, volume_rows: SemanticRows) -> None:
    query = "red circle above a blue square"
    volume_rows.cache_queries({query: unit(red=1)})
    captions = ("a blue square above a red circle", "a red circle above a blue square", "two cats", "a blue square")
    photos = [
        volume_rows.add_embedded_photo(f"{number}.jpg", unit(red=1), text_caption=caption)
        for number, caption in enumerate(captions)
    ]
    assert found(library, query)[:2] == [photos[1], photos[0]]


def test_the_name_of_a_person_is_an_exact_match(library: Library, volume_rows: SemanticRows) -> None:
    mention = volume_rows.add_embedded_photo("a.jpg", unit(car=1), text_people="anna dog")
    person = volume_rows.add_embedded_photo("b.jpg", unit(car=1), text_people="ben\ndog")
    assert found(library, "dog")[0] == person
    assert set(found(library, "dog")) == {person, mention}


def test_several_complete_keywords_are_an_exact_match(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.cache_queries({"dog golden gate": unit(dog=1)})
    loose = volume_rows.add_embedded_photo(
        "a.jpg", unit(car=1), text_title="dog golden gate", text_keywords="golden\ndog"
    )
    exact = volume_rows.add_embedded_photo(
        "b.jpg", unit(car=1), text_title="dog golden gate", text_keywords="golden gate\ndog"
    )
    assert found(library, 'dog "golden gate"') == [exact, loose]


def test_the_better_of_two_alternatives_counts(library: Library, volume_rows: SemanticRows) -> None:
    dog, cat = (
        volume_rows.add_embedded_photo("a.jpg", unit(dog=1, car=0.3)),
        volume_rows.add_embedded_photo("b.jpg", unit(cat=1)),
    )
    volume_rows.add_embedded_photo("c.jpg", unit(car=1))
    answer = answer_to(library, "dog OR cat")
    assert photo_ids(answer.ranked) == [cat, dog]
    assert len(answer.targets) == 2


def test_weights_and_subtraction_change_the_ranking(library: Library, volume_rows: SemanticRows) -> None:
    dog = volume_rows.add_embedded_photo("a.jpg", unit(dog=3, beach=1))
    beach = volume_rows.add_embedded_photo("b.jpg", unit(dog=1, beach=3))
    assert found(library, "dog^3 beach^0.5", EVERYTHING) == [dog, beach]
    assert found(library, "dog^0.5 beach^3", EVERYTHING) == [beach, dog]
    volume_rows.cache_queries({"dog beach": unit(dog=1, beach=1)})
    assert found(library, "dog beach", SemanticOptions(without=(WeightedText("dog", 0.5),), everything=True)) == [
        beach,
        dog,
    ]


def test_texts_that_cancel_out_are_refused(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    with pytest.raises(UsageError, match="cancel each other out"):
        answer_to(library, "dog", SemanticOptions(without=(WeightedText("dog"),)))


def test_filters_apply_regardless_of_score_and_a_negated_word_filters_by_text(
    library: Library, volume_rows: SemanticRows
) -> None:
    raw = volume_rows.add_embedded_photo("a.cr3", unit(dog=1), kind="raw", format="cr3", rating=5)
    jpeg = volume_rows.add_embedded_photo("b.jpg", unit(dog=9, car=1), rating=5, text_title="portrait")
    volume_rows.add_embedded_photo("gone.jpg", unit(dog=1), state="missing")
    assert found(library, "dog") == [raw, jpeg]
    assert found(library, "dog -type:raw") == [jpeg]
    assert found(library, "dog rating:>=4 -portrait") == [raw]
    assert found(library, "dog id:99999") == []
    assert found(library, "dog (portrait OR type:video)") == [jpeg]
    assert found(library, 'dog text:"portrait"') == [jpeg]
    assert found(library, "dog portr*") == [jpeg]


def test_missing_photos_are_found_if_the_query_asks_for_them(library: Library, volume_rows: SemanticRows) -> None:
    gone = volume_rows.add_embedded_photo("gone.jpg", unit(dog=1), state="missing")
    assert found(library, "dog") == []
    assert found(library, "dog is:missing") == [gone]


def test_a_photo_is_found_once_by_its_best_vector_ignoring_superseded_contents(
    library: Library, volume_rows: SemanticRows
) -> None:
    photo_id = volume_rows.add_embedded_photo("a.jpg", unit(dog=1, car=1))
    volume_rows.add_vector(volume_rows.add_asset(photo_id, role="raw"), unit(dog=1), unit(car=1))
    edited = volume_rows.add_embedded_photo("b.jpg", unit(car=1))
    volume_rows.add_vector(volume_rows.add_asset(edited, role="superseded"), unit(dog=1))
    answer = answer_to(library, "dog")
    assert photo_ids(answer.ranked) == [photo_id]
    assert answer.ranked[0].score == pytest.approx(1.0, abs=1e-3)


def test_like_a_photo_finds_similar_ones(library: Library, volume_rows: SemanticRows) -> None:
    first = volume_rows.add_embedded_photo("x/a.jpg", unit(dog=1))
    second = volume_rows.add_embedded_photo("x/b.jpg", unit(dog=4, cat=1))
    volume_rows.add_embedded_photo("x/c.jpg", unit(car=1))
    assert found(library, f"like:{second}") == [second, first]
    path = os.fsdecode(volume_rows.originals) + "/x/b.jpg"
    assert found(library, f'like:"{path}"') == [second, first]
    assert found(library, f"like:{second} -id:{second}") == [first]
    assert found(library, f"like:{first} cat", SemanticOptions(words_weight=4, min_score=0.2))[0] == second


def test_a_photo_can_be_named_by_the_end_of_its_path_if_that_is_unique(
    library: Library, volume_rows: SemanticRows
) -> None:
    first = volume_rows.add_embedded_photo("2019/a.jpg", unit(dog=1))
    second = volume_rows.add_embedded_photo("2020/a.jpg", unit(dog=1, red=1))
    assert found(library, "like:2020/a.jpg")[0] == second
    with pytest.raises(UsageError, match=rf"several photos .* {first}, {second}; name one by its number, like:{first}"):
        found(library, "like:a.jpg")
    with pytest.raises(
        UsageError, match="like:2020/ is a folder; name one photo in it; to find all of them: path:2020/"
    ):
        found(library, "like:2020/")
    for nowhere in ("like:../2020/a.jpg", "like:20/a.jpg", 'like:"20*/a.jpg"'):
        with pytest.raises(NothingFound, match="the file is not in the library"):
            found(library, nowhere)


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("like:4711", NothingFound, "no photo with the number 4711"),
        ("like:nowhere.jpg", NothingFound, "--like nowhere.jpg"),
        ("like:1", UsageError, "photo 1 has no vector"),
    ],
)
def test_an_unknown_photo_or_one_without_a_vector_is_refused(
    library: Library, volume_rows: SemanticRows, query: str, error: type[Exception], message: str
) -> None:
    assert volume_rows.add_whole_photo("plain.jpg") == 1
    volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    with pytest.raises(error, match=message):
        answer_to(library, query)


def test_hits_have_scores_and_sorting_otherwise_keeps_the_same_hits(
    library: Library, volume_rows: SemanticRows
) -> None:
    late = volume_rows.add_embedded_photo("a.jpg", unit(dog=1), taken_at="2020-01-01T10:00:00")
    early = volume_rows.add_embedded_photo("b.jpg", unit(dog=4, car=1), taken_at="2010-01-01T10:00:00")
    volume_rows.add_embedded_photo("c.jpg", unit(car=1), taken_at="2000-01-01T10:00:00")
    hits = list(result_of(library, "dog", sort="date").hits())
    assert [hit.id for hit in hits] == [early, late]
    assert [hit.score_rank for hit in hits] == [2, 1]
    assert all(hit.score is not None and hit.fused is not None and hit.words_rank is None for hit in hits)


def test_a_limit_returns_the_best_and_reports_that_there_are_more(library: Library, volume_rows: SemanticRows) -> None:
    numbers = [volume_rows.add_embedded_photo(f"{number}.jpg", unit(dog=9, car=number + 1)) for number in range(5)]
    result = result_of(library, "dog", limit=2)
    assert [hit.id for hit in result.hits()] == numbers[:2]
    assert result.answer is not None
    assert result.answer.more
    assert result.total() == 5
    assert [hit.id for hit in result_of(library, "dog", limit=2, offset=2).hits()] == numbers[2:4]
    assert not answer_to(library, "dog", limit=5).more


def test_only_the_active_space_is_searched(library: Library, volume_rows: SemanticRows) -> None:
    first = volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    second = volume_rows.add_embedded_photo("b.jpg", unit(cat=1))
    old, new = volume_rows.space, SemanticRows(library, Path(os.fsdecode(volume_rows.originals)))
    assert new.space == old
    with volume_rows.writing() as connection:
        other = volume_rows.switch_to_new_space(connection)
    for photo_id, values in ((first, unit(cat=1)), (second, unit(dog=1))):
        volume_rows.add_vector(volume_rows.asset_of(photo_id), values)
    assert found(library, "dog") == [first]
    with volume_rows.writing() as connection:
        spaces.use(connection, other.id)
    assert found(library, "dog") == [second]


def test_a_query_without_words_does_not_use_the_model_and_its_options_are_refused(library: Library) -> None:
    result = find(library, SearchRequest("date:2019 -dog"))
    assert (result.method, result.answer, result.fallback, result.notes) == (Method.FIELDS, None, None, ())
    for options, message in (
        (SemanticOptions(without=(WeightedText("dog"),)), "add some"),
        (SemanticOptions(min_score=0.2), "--min-score"),
        (SemanticOptions(everything=True), "--all"),
        (SemanticOptions(word_weights={"dog": 2.0}), "--weight dog="),
    ):
        with pytest.raises(UsageError, match=message):
            find(library, SearchRequest("date:2019", options))


def test_a_result_reports_its_method(library: Library, volume_rows: SemanticRows) -> None:
    dog = volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    assert result_of(library, "dog").method is Method.MEANING_AND_WORDS
    assert result_of(library, f"like:{dog}").method is Method.MEANING
    assert find(library, SearchRequest("id:1")).method is Method.FIELDS
    unknown = find(library, SearchRequest(["something", "new"]))
    assert unknown.method is Method.WORDS
    assert [note.kind for note in unknown.notes] == [NoteKind.LEXICAL]


def test_if_nothing_is_similar_a_hint_says_how_to_see_all(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(car=1))
    result = result_of(library, "dog")
    assert result.total() == 0
    assert result.hints() == ["nothing looks enough like this; --all shows the nearest"]


def test_without_vectors_words_are_searched_in_texts_and_pictures_are_refused(library: Library, tmp_path: Path) -> None:
    missing = "no photos are embedded yet; run: photoindex models pull clip-vit-b-32, then: photoindex embed"
    result = find(library, SearchRequest("dog"))
    assert result.fallback == LexicalFallback(missing)
    assert [note.text for note in result.notes] == [f"searching by words alone: {missing}"]
    for query, options in (
        ("like:1", SemanticOptions()),
        ("", SemanticOptions(pictures=(PictureFile(b"a.jpg", "a.jpg"),))),
        ("dog", SemanticOptions(without=(WeightedText("cat"),))),
    ):
        with pytest.raises(ModelUnavailable, match="photoindex embed"):
            find(library, SearchRequest(query, options))


def test_without_the_model_cached_queries_work_and_others_name_the_missing_model(
    library: Library, volume_rows: SemanticRows
) -> None:
    dog = volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    assert found(library, "dog") == [dog]
    result = find(library, SearchRequest("something new"))
    assert result.answer is None
    assert result.fallback is not None
    assert "'by-hand'" in result.fallback.reason


def test_the_query_cache_has_a_limited_capacity(
    library: Library, volume_rows: SemanticRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_vector_cache, "CAPACITY", 3)
    for name in ("one", "two", "three", "four"):
        volume_rows.cache_queries({name: unit(dog=1)})
    with library.database.read() as connection:
        kept = query_vector_cache.known(connection, volume_rows.space.id, ["dog", "two", "three", "four"])
        assert connection.execute(query_vector.select()).fetchall().__len__() == 3
    assert set(kept) == {"two", "three", "four"}
    assert kept["four"] == pytest.approx(AXES["dog"])


def test_reasons_split_a_score_into_parts_and_count_what_filters_removed(
    library: Library, volume_rows: SemanticRows
) -> None:
    good = volume_rows.add_embedded_photo("a.jpg", unit(dog=3, beach=1), rating=5, text_title="dog")
    volume_rows.add_embedded_photo("b.jpg", unit(dog=1), rating=1)
    volume_rows.add_embedded_photo("c.jpg", unit(dog=1), rating=5, state="missing")
    volume_rows.add_embedded_photo("d.jpg", unit(car=1), rating=1)
    options = SemanticOptions(without=(WeightedText("car", 0.5),), min_score=0.3)
    why = result_of(library, "dog rating:>=4", options, complete=True).reasons()
    assert why is not None
    assert why.reached == 3
    assert [(one.query, one.photos) for one in why.removed] == [("rating:>=4", 1), ("is:missing", 1)]
    assert (why.found, why.by_score, why.by_words) == (1, 1, 1)
    assert [(one.kind, one.weight) for one in why.alternatives[0].parts] == [("text", 1.0), ("without", -0.5)]
    (hit,) = why.hits
    assert hit.photo_id == good
    assert sum(hit.shares) == pytest.approx(hit.score, abs=1e-5)
    assert hit.fused_score + hit.fused_words == pytest.approx(hit.fused)
    assert sum(one.weight / (60 + one.rank) for one in hit.lists) == pytest.approx(hit.fused)
    assert [(one.name, one.rank) for one in hit.lists] == [("meaning", 1), ("all texts", 1), ("own words", 1)]
    assert {one.name: one.photos for one in why.lists if one.photos} == {"meaning": 1, "all texts": 1, "own words": 1}


def test_many_photos_are_found_through_the_index_and_a_narrow_filter_searches_its_own_vectors(
    library: Library, volume_rows: SemanticRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.library.search import nearest_photos

    monkeypatch.setattr(nearest_photos, "NARROW_PHOTOS", 3)
    monkeypatch.setattr(nearest_photos, "_FIRST_CANDIDATES", 2)
    monkeypatch.setattr(nearest_photos, "_MOST_CANDIDATES", 4)
    random = np.random.default_rng(1)
    expected = {}
    for number in range(30):
        share = float(random.uniform(0.2, 3))
        photo_id = volume_rows.add_embedded_photo(f"{number}.jpg", unit(dog=share, car=1), rating=number % 3)
        expected[photo_id] = share
    order = sorted(expected, key=expected.__getitem__, reverse=True)
    assert found(library, "dog", SemanticOptions(min_score=-1.0), limit=4) == order[:4]
    rated = [photo_id for photo_id in order if (photo_id - 1) % 3 == 2]
    assert found(library, "dog rating:2", SemanticOptions(min_score=-1.0), limit=4) == rated[:4]
    assert found(library, "dog rating:2", EVERYTHING, complete=True) == rated
    assert found(library, f"dog id:{rated[-1]}", SemanticOptions(min_score=-1.0), limit=4) == rated[-1:]


def test_without_a_limit_the_most_relevant_photos_are_found_with_a_note_that_there_are_more(
    library: Library, volume_rows: SemanticRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.library.search import find as module

    assert MOST_PHOTOS == 1_000
    monkeypatch.setattr(module, "MOST_PHOTOS", 2)
    for number in range(3):
        volume_rows.add_embedded_photo(f"{number}.jpg", unit(dog=9, car=number + 1))
    result = result_of(library, "dog")
    assert [hit.id for hit in result.hits()] == [1, 2]
    assert [note.kind for note in result.notes] == [NoteKind.TRUNCATED]
    assert result.total() == 3
    assert result_of(library, "dog", limit=1).notes == ()


def test_a_filter_that_needs_many_steps_or_keeps_many_photos_is_not_narrow(
    library: Library, volume_rows: SemanticRows
) -> None:
    from photoindex.store.search.vector_photos import photos_if_few

    numbers = [volume_rows.add_embedded_photo(f"{number}.jpg", unit(dog=1), rating=number % 2) for number in range(40)]
    rated = parse(library, "rating:1")
    with library.database.read() as connection:
        assert list(photos_if_few(connection, rated, present_only=True, at_most=20) or ()) == numbers[1::2]
        assert photos_if_few(connection, rated, present_only=True, at_most=19) is None
        assert photos_if_few(connection, rated, present_only=True, at_most=20, steps=100) is None
        assert len(photos_if_few(connection, rated, present_only=True, at_most=20, steps=1_000_000) or ()) == 20
        # The connection has no limit afterwards.
        assert len(photos_if_few(connection, rated, present_only=True, at_most=None) or ()) == 20


def test_words_in_very_many_photos_are_not_weighted_individually(
    library: Library, volume_rows: SemanticRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.store.search import ranked_words

    first = volume_rows.add_embedded_photo("1.jpg", unit(car=1), text_title="dog dog dog")
    second = volume_rows.add_embedded_photo(
        "2.jpg", unit(car=1), text_description="something about a dog and other things"
    )
    assert found(library, "dog") == [first, second]
    monkeypatch.setattr(ranked_words, "BROAD", 1)
    answer = answer_to(library, "dog")
    assert [one.words_rank for one in answer.ranked] == [1, 2]
    with library.database.read() as connection:
        newest = ranked_words.photos_with_words(
            connection, ranked_words.WordsInTexts(parse(library, "dog")), parse(library, ""), present_only=True, limit=1
        )
    assert newest == [(second, 0.0)]


def test_hundreds_of_words_are_one_full_text_query(library: Library, volume_rows: SemanticRows) -> None:
    words = " ".join(f"word{number}" for number in range(490))
    volume_rows.cache_queries({words: unit(dog=1)})
    named = volume_rows.add_embedded_photo("1.jpg", unit(car=1), text_description=words)
    volume_rows.add_embedded_photo("2.jpg", unit(car=1), text_description=words[:-1])
    assert found(library, words) == [named]
