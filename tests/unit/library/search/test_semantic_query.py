"""Splitting a query into weighted texts for the model and conditions."""

from __future__ import annotations

import pytest

from photoindex.errors import QuerySyntaxError, UsageError
from photoindex.library.search.rank_fusion import MEANING, TEXTS, K, RankedList, fuse
from photoindex.library.search.semantic_query import SemanticOptions, WeightedText, semantic_query, split_query
from photoindex.library.search.word_lists import DEPTH_FACTOR, WORD_LISTS
from photoindex.query.printer import to_text
from photoindex.query.syntax import EVERYTHING, And, Not, Words
from tests.queries import parse

SAVED = {"dogs": 'dog "golden retriever"^2 -cat'}


def texts(query: str) -> list[list[tuple[str, float]]]:
    """The texts and weights of each alternative."""
    return [[(one.text, one.weight) for one in each] for each in split_query(parse(query, SAVED)).alternatives]


@pytest.mark.parametrize(
    ("query", "weight"),
    [
        ("beach^0.5", Words("beach", weight=0.5)),
        ("beach^.5", Words("beach", weight=0.5)),
        ('"golden retriever"^2', Words("golden retriever", phrase=True, weight=2.0)),
        ("sun*^3", Words("sun", prefix=True, weight=3.0)),
        ('"sun"*^3', Words("sun", phrase=True, prefix=True, weight=3.0)),
        ("beach^1", Words("beach")),
        ("x^2^3", Words("x^2", weight=3.0)),
        ('"x^2"', Words("x^2", phrase=True)),
        ("OR^2", Words("OR", weight=2.0)),
        ("^2", Words("^2")),
        ("a^b", Words("a^b")),
        ("2^2x", Words("2^2x")),
    ],
)
def test_a_weight_follows_a_word_or_a_phrase(query: str, weight: Words) -> None:
    assert parse(query) == weight
    assert parse(to_text(weight)) == weight


@pytest.mark.parametrize("query", ["beach^0", "beach^-1", '"a b"^101', "beach^1.2345", "beach^1000", "beach^0.001"])
def test_an_invalid_weight_is_refused_at_its_position(query: str) -> None:
    with pytest.raises(QuerySyntaxError, match=r"from 0\.01 to 100") as refused:
        parse(query)
    assert query[refused.value.position] == "^"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        ("date:2019", []),
        ("beach", [[("beach", 1.0)]]),
        ('a dog "on the beach" date:2019', [[("a dog on the beach", 1.0)]]),
        ('a "golden retriever"^2 beach', [[("a beach", 1.0), ("golden retriever", 2.0)]]),
        ("beach OR lake", [[("beach", 1.0)], [("lake", 1.0)]]),
        ("(a dog) OR cat^2", [[("a dog", 1.0)], [("cat", 2.0)]]),
        ("dog (beach OR lake) date:2019", [[("dog beach", 1.0)], [("dog lake", 1.0)]]),
        ("beach OR beach", [[("beach", 1.0)]]),
        ("-beach", []),
        ("dog -beach", [[("dog", 1.0)]]),
        ("-(beach OR lake)", []),
        ("img_00*", []),
        ("dog img_00*", [[("dog", 1.0)]]),
        ("beach OR date:2019", []),
        ("dog (beach OR date:2019)", [[("dog", 1.0)]]),
        ('text:"golden gate"', []),
        ("like:12", []),
        ("@dogs date:2019", [[("dog", 1.0), ("golden retriever", 2.0)]]),
    ],
)
def test_bare_words_are_texts_for_the_model_and_an_or_of_words_makes_alternatives(
    query: str, expected: list[list[tuple[str, float]]]
) -> None:
    assert texts(query) == expected


def test_all_other_terms_are_filters() -> None:
    parts = split_query(parse("dog (lake OR date:2019) -cat img_* iso:100 like:12"))
    assert to_text(parts.filters) == "(lake OR date:2019) -cat img_* iso:100"
    assert [to_text(one) for one in parts.lexical] == ["lake OR date:2019", "img_*"]
    assert [one.value for one in parts.likes] == ["12"]
    assert parts.words == Words("dog")
    assert parts.is_semantic


def test_a_query_of_words_has_no_filter_and_one_of_fields_has_no_texts() -> None:
    assert split_query(parse("beach sunset")).filters == EVERYTHING
    assert not split_query(parse("date:2019 -beach")).is_semantic
    assert split_query(parse("-beach")).filters == Not(Words("beach"))


def test_an_or_with_too_many_alternatives_stays_a_condition_on_texts() -> None:
    words = [f"w{number}" for number in range(5)]
    either = f"({' OR '.join(words)})"
    parts = split_query(parse(f"dog {either} {either} {either}"))
    assert len(parts.alternatives) == 5
    assert parts.alternatives[0] == (WeightedText("dog w0"),)
    assert isinstance(parts.filters, And)
    assert len(parts.lexical) == 2


@pytest.mark.parametrize(
    "query", ["-like:12", "NOT like:12", "-(like:12 beach)", "like:12 OR like:13", "a (b OR like:1)"]
)
def test_a_like_reference_is_neither_filtered_out_nor_an_alternative(query: str) -> None:
    with pytest.raises(UsageError, match="like:"):
        split_query(parse(query))


@pytest.mark.parametrize("query", ['like:""', 'like:" "', "text:!", 'text:"a*b"', "text:*"])
def test_an_empty_or_unusable_value_is_refused(query: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse(query)


def test_ranks_are_fused_by_the_weights_of_the_lists_and_ties_are_ordered_by_score() -> None:
    lists = [RankedList(MEANING, 1.0, [1, 2, 3]), RankedList(TEXTS, 1.0, [3, 4]), RankedList("captions", 0.5, [4])]
    found = fuse(lists[:2], {1: 0.3, 2: 0.2, 3: 0.1})
    assert [one.photo_id for one in found] == [3, 1, 2, 4]
    assert found[0].fused == pytest.approx(1 / 63 + 1 / 61)
    assert (found[3].score, found[3].score_rank, found[3].words_rank) == (None, None, 2)
    weighted = fuse(lists, {1: 0.3, 2: 0.2, 3: 0.1})
    assert [one.photo_id for one in weighted] == [3, 4, 1, 2]
    assert weighted[1].fused == pytest.approx(1 / 62 + 0.5 / 61)
    assert [(one.name, one.rank) for one in weighted[1].places] == [(TEXTS, 2), ("captions", 1)]
    assert fuse([], {}) == []


def test_photos_beyond_the_depth_of_the_lists_cannot_be_among_the_first() -> None:
    lightest, words = min(1.0, WORD_LISTS[0].weight), sum(one.weight for one in WORD_LISTS)
    for wanted in (1, 10, 1000):
        depth = DEPTH_FACTOR * (K + wanted) - K
        assert words / (K + depth) <= lightest / (K + wanted)
        assert (1.0 + words) / (K + depth) <= 1.0 / (K + wanted)


@pytest.mark.parametrize(
    ("query", "required"),
    [
        ("a dog on the beach", "dog beach"),
        ("der Hund auf einer Wiese", "Hund Wiese"),
        ("Der Spiegel", "Der Spiegel"),
        ("the who", "who"),
        ('"the who" live', '"the who" live'),
        ("(the OR a) dog", "(the OR a) dog"),
        ("dog", "dog"),
    ],
)
def test_texts_need_not_have_the_function_words_of_a_query(query: str, required: str) -> None:
    known = semantic_query(parse(query), SemanticOptions())
    assert known is not None
    assert known.required_words == parse(required)
