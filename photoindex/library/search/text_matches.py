"""Finds photos by the words of a query in their texts: exact names and keywords first, then by bm25."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from photoindex.library.search.semantic_query import SemanticQuery, WeightedText
from photoindex.store.search.ranked_words import NamedPhoto, named_photos
from photoindex.store.search.ranked_words import photos_with_words as ranked_photos
from photoindex.text import fold

_NAMED_PHOTOS = 5_000


def photos_with_words(connection: Connection, query: SemanticQuery, *, limit: int | None) -> dict[int, float]:
    """Return up to `limit` photos that have all words and match the filters, with their rank; lower is better.

    The rank is bm25, which is negative, or -inf if a file name or whole keywords, or levels of them, are exactly the query's words.
    """
    words, filters, present_only = query.parts.words, query.filters, query.present_only
    if words is None:
        return {}
    named = named_photos(connection, words, filters, present_only=present_only, limit=_NAMED_PHOTOS)
    found = {one.photo_id: float("-inf") for one in named if _is_exact(one, query.parts.alternatives)}
    for photo_id, rank in ranked_photos(connection, words, filters, present_only=present_only, limit=limit):
        found.setdefault(photo_id, rank)
    return dict(list(found.items())[:limit])


def _is_exact(named: NamedPhoto, alternatives: Sequence[Sequence[WeightedText]]) -> bool:
    names = {fold(name) for name in named.names.split("\n")}
    names |= {name.rpartition(".")[0] for name in names}
    keywords = [fold(level).split() for level in re.split("[\n|/]", named.keywords) if level]
    for texts in alternatives:
        words = fold(" ".join(one.text for one in texts)).split()
        if " ".join(words) in names or _are_covered(words, keywords):
            return True
    return False


def _are_covered(words: Sequence[str], keywords: Sequence[Sequence[str]]) -> bool:
    """Tell whether whole keywords cover all words: `golden retriever` and `dog` cover `dog golden retriever`."""
    covered: set[int] = set()
    for keyword in keywords:
        for start in range(len(words) - len(keyword) + 1):
            if list(words[start : start + len(keyword)]) == list(keyword):
                covered.update(range(start, start + len(keyword)))
    return len(covered) == len(words)
