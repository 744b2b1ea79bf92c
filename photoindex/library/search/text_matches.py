"""Finds photos by the words of a query in their texts: exact names, keywords and tags first, then by bm25."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from photoindex.domain.words.language import function_words
from photoindex.library.search.rank_fusion import TEXTS
from photoindex.library.search.semantic_query import SemanticQuery, WeightedText
from photoindex.library.search.word_lists import OWN_WORDS, PEOPLE_AND_PLACES, PHRASE, WORD_LISTS
from photoindex.query.syntax import Node, Or, Words
from photoindex.query.value_syntax import joined
from photoindex.store.search.ranked_words import NamedPhoto, WordsInTexts, named_photos
from photoindex.store.search.ranked_words import photos_with_words as ranked_photos
from photoindex.text import fold

_NAMED_PHOTOS = 5_000
_EXACT = float("-inf")


Ranks = dict[int, float]
"""photo id -> rank by bm25, which is negative, lower is better; -inf for an exact match."""


def photos_with_words(connection: Connection, query: SemanticQuery, *, limit: int | None) -> dict[str, Ranks]:
    """Return, for each of WORD_LISTS, up to `limit` photos that have all words in these texts and match the filters.

    A match is exact if a file name, or whole keywords, tags or names of people, or levels of them, are exactly the query's
    words. Words such as `the` and `on` may be missing.
    """
    words, filters, present_only = query.required_words, query.filters, query.present_only
    if words is None:
        return {}
    phrase = _phrase(query.parts.alternatives)
    found: dict[str, Ranks] = {}
    for one in WORD_LISTS:
        texts = phrase if one.name == PHRASE else words
        if texts is not None:
            wanted = WordsInTexts(texts, one.columns)
            ranks = ranked_photos(connection, wanted, filters, present_only=present_only, limit=limit)
            found[one.name] = dict(ranks)
        if not found[TEXTS]:
            return {}
    named = named_photos(connection, words, filters, present_only=present_only, limit=_NAMED_PHOTOS)
    for name, exact in _exact(named, _wanted(query)).items():
        first = dict.fromkeys(exact, _EXACT)
        others = {photo_id: rank for photo_id, rank in found[name].items() if photo_id not in first}
        found[name] = dict(list((first | others).items())[:limit])
    return found


def ids_with_words(connection: Connection, query: SemanticQuery) -> list[int]:
    """Return all photos of all lists of `photos_with_words`."""
    words = query.required_words
    if words is None:
        return []
    # The other lists are parts of the one of all texts.
    wanted = WordsInTexts(words)
    found = ranked_photos(connection, wanted, query.filters, present_only=query.present_only, limit=None)
    return [photo_id for photo_id, _rank in found]


def _wanted(query: SemanticQuery) -> list[list[str]]:
    """Return the folded words of each alternative, with and without function words."""
    found = []
    for texts in query.parts.alternatives:
        words = " ".join(one.text for one in texts)
        spare = function_words(words)
        found += [fold(words).split(), [fold(word) for word in words.split() if word.casefold() not in spare]]
    return [words for words in found if words]


def _phrase(alternatives: Sequence[Sequence[WeightedText]]) -> Node | None:
    """Return the alternatives of several words as phrases, None if there is none."""
    texts = (" ".join(one.text for one in texts) for texts in alternatives)
    phrases: list[Node] = [Words(text, phrase=True) for text in texts if len(text.split()) > 1]
    return joined(Or, phrases) if phrases else None


def _exact(named: Sequence[NamedPhoto], wanted: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    """Return the exact matches among photos, by list."""
    found: dict[str, list[int]] = {TEXTS: [], OWN_WORDS: [], PEOPLE_AND_PLACES: []}
    for one in named:
        names = {fold(name) for name in one.names.split("\n")}
        names |= {name.rpartition(".")[0] for name in names}
        own, people = _levels(f"{one.keywords}\n{one.tags}"), _levels(one.people)
        for words in wanted:
            is_own = " ".join(words) in names or _are_covered(words, own)
            is_of_people = _are_covered(words, people)
            if is_own or is_of_people or _are_covered(words, [*own, *people]):
                found[TEXTS].append(one.photo_id)
                found[OWN_WORDS] += [one.photo_id] * is_own
                found[PEOPLE_AND_PLACES] += [one.photo_id] * is_of_people
                break
    return found


def _levels(texts: str) -> list[list[str]]:
    """Return the words of each line, or of each of its levels."""
    return [words for level in re.split("[\n|/]", texts) if (words := fold(level).split())]


def _are_covered(words: Sequence[str], keywords: Sequence[Sequence[str]]) -> bool:
    """Tell whether whole keywords cover all words: `golden retriever` and `dog` cover `dog golden retriever`."""
    covered: set[int] = set()
    for keyword in keywords:
        for start in range(len(words) - len(keyword) + 1):
            if list(words[start : start + len(keyword)]) == list(keyword):
                covered.update(range(start, start + len(keyword)))
    return len(covered) == len(words)
