"""Explains a semantic search: the parts of each photo's score and rank, and how many photos each filter removed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index
from photoindex.library.search.hits import hits_of
from photoindex.library.search.nearest_photos import VectorCandidates
from photoindex.library.search.query_targets import Kind, QueryTarget
from photoindex.library.search.rank_fusion import MEANING
from photoindex.library.search.second_look import SECOND_LOOK
from photoindex.library.search.semantic_query import SemanticQuery, within
from photoindex.library.search.semantic_search import SemanticAnswer
from photoindex.library.search.word_lists import MEANING_WEIGHT, WORD_LISTS
from photoindex.library.spaces.calibration import CutOff
from photoindex.query.printer import to_text
from photoindex.query.syntax import EVERYTHING, And
from photoindex.store.search import vector_photos
from photoindex.vectors.base import VectorIndex

SHOWN_HITS = 10
_BY_MODELS = (MEANING, SECOND_LOOK)


@dataclass(frozen=True, slots=True)
class PartOfQuery:
    """A text or picture of a query. weight: below 0 if it is subtracted."""

    kind: Kind
    label: str
    weight: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative of a query. length: of the weighted sum of its parts, before normalisation."""

    parts: tuple[PartOfQuery, ...]
    length: float
    cut: CutOff


@dataclass(frozen=True, slots=True)
class FilteredOut:
    """How many of the photos left by earlier filters this filter removed."""

    query: str
    photos: int


@dataclass(frozen=True, slots=True)
class PlaceInList:
    """The rank of a photo in one list, from 1, and what it adds to `fused`: weight / (60 + rank)."""

    name: str
    weight: float
    rank: int
    adds: float


@dataclass(frozen=True, slots=True)
class ListOfPhotos:
    """One of the ranked lists that are fused. photos: how many of the photos found are in it."""

    name: str
    weight: float
    photos: int


@dataclass(frozen=True, slots=True)
class HitReasons:
    """Why one photo has its rank.

    alternative: index of the one with the best score, None if the photo has no vector. shares: contribution of each of
    its parts to the score. lists: its rank in each list, with the weight of the list. fused_score, fused_words: what its
    ranks by score, and those in the lists of words, add to `fused`. second_score: as in `rank_fusion.Ranked`.
    """

    photo_id: int
    path: bytes
    score: float | None
    alternative: int | None
    shares: tuple[float, ...]
    score_rank: int | None
    words_rank: int | None
    lists: tuple[PlaceInList, ...]
    fused_score: float
    fused_words: float
    fused: float
    second_score: float | None


@dataclass(frozen=True, slots=True)
class Reasons:
    """The explanation of a semantic search.

    reached: number of photos in the scope that reach the cut-off or have all words, before the filters. removed: by
    each filter, in order; the last one, is:missing, counts photos whose files are all missing. found: number of
    remaining photos. by_score, by_words: how many of these reach the cut-off, and have all words. lists: the ranked lists with
    their weights. plain: parts of the query whose words are searched in texts only.
    """

    space: str
    model: str
    second_model: str | None
    alternatives: tuple[Alternative, ...]
    reached: int
    removed: tuple[FilteredOut, ...]
    found: int
    by_score: int
    by_words: int
    lists: tuple[ListOfPhotos, ...]
    plain: tuple[str, ...]
    hits: tuple[HitReasons, ...]


def reasons(library: Library, query: SemanticQuery, answer: SemanticAnswer, *, shown: int = SHOWN_HITS) -> Reasons:
    """Return why the first `shown` photos of an answer were found, and how many photos the filters removed.

    query, answer: of `semantic_search.search_by_meaning` without a limit, so that all photos are counted.
    """
    index = open_index(library, answer.space)
    with library.database.read() as connection:
        reached = _reached(connection, index, query, answer)
        removed = _removed(connection, reached, query)
        hits = _hits(library, connection, index, answer, shown)
    return Reasons(
        space=answer.space.name,
        model=answer.space.model,
        second_model=answer.second_model,
        alternatives=tuple(_alternative(one) for one in answer.targets),
        reached=len(reached),
        removed=removed,
        found=len(answer.ranked),
        by_score=sum(one.score_rank is not None for one in answer.ranked),
        by_words=sum(one.words_rank is not None for one in answer.ranked),
        lists=_lists(answer),
        plain=tuple(map(to_text, query.parts.lexical)),
        hits=hits,
    )


def _alternative(target: QueryTarget) -> Alternative:
    parts = tuple(PartOfQuery(part.kind, part.label, part.factor) for part in target.vector.parts)
    return Alternative(parts, target.vector.length, target.cut)


def _lists(answer: SemanticAnswer) -> tuple[ListOfPhotos, ...]:
    places = Counter(place.name for one in answer.ranked for place in one.places)
    weights = {MEANING: MEANING_WEIGHT} | {one.name: one.weight for one in WORD_LISTS}
    return tuple(ListOfPhotos(name, weight, places[name]) for name, weight in weights.items())


def _reached(connection: Connection, index: VectorIndex, query: SemanticQuery, answer: SemanticAnswer) -> set[int]:
    everywhere = VectorCandidates(connection, index, answer.space.id, query.scope, present_only=False)
    found = {one.photo_id for one in answer.ranked}
    for one in answer.targets:
        found |= everywhere.nearest(one.vector.values, minimum=one.minimum, limit=None).scores.keys()
    words = query.required_words
    if words is not None:
        found.update(
            vector_photos.photos_if_few(connection, within(query.scope, words), present_only=False, at_most=None) or ()
        )
    return found


def _removed(connection: Connection, reached: set[int], query: SemanticQuery) -> tuple[FilteredOut, ...]:
    filters = query.parts.filters
    removed = []
    for part in filters.parts if isinstance(filters, And) else (filters,):
        left = vector_photos.photos_among(connection, reached, part, present_only=False)
        removed.append(FilteredOut(to_text(part), len(reached) - len(left)))
        reached = left
    if query.present_only:
        present = vector_photos.photos_among(connection, reached, EVERYTHING, present_only=True)
        removed.append(FilteredOut("is:missing", len(reached) - len(present)))
    return tuple(one for one in removed if one.photos)


def _hits(
    library: Library, connection: Connection, index: VectorIndex, answer: SemanticAnswer, shown: int
) -> tuple[HitReasons, ...]:
    ranked = answer.ranked[:shown]
    places = {one.photo_id: one.places for one in ranked}
    vectors = vector_photos.vectors_of_photos(connection, answer.space.id, [one.photo_id for one in ranked])
    made = []
    for hit in hits_of(library, ranked):
        ids = np.array([one.vector_id for one in vectors if one.photo_id == hit.id], np.int64)
        best, shares = _shares(index, answer, ids) if len(ids) else (None, ())
        lists = tuple(PlaceInList(one.name, one.weight, one.rank, one.share) for one in places[hit.id])
        by_score = sum(one.adds for one in lists if one.name in _BY_MODELS)
        by_words = sum(one.adds for one in lists if one.name not in _BY_MODELS)
        made.append(
            HitReasons(
                hit.id, hit.path, hit.score, best, shares, hit.score_rank, hit.words_rank, lists, by_score, by_words,
                hit.fused or 0.0, hit.second_score,
            )
        )  # fmt: skip
    return tuple(made)


def _shares(index: VectorIndex, answer: SemanticAnswer, ids: NDArray[np.int64]) -> tuple[int, tuple[float, ...]]:
    """Return the alternative nearest to any of a photo's vectors, and the contribution of each of its parts."""
    values = index.vectors(ids)
    cosines = values @ np.stack([one.vector.values for one in answer.targets]).T
    row, best = np.unravel_index(int(np.nanargmax(cosines)), cosines.shape)
    return int(best), tuple(answer.targets[best].vector.shares(values[row]))
