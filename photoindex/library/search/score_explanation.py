"""Say why photos were found by their meaning: what gave each its score and its rank, and which filter removed what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index
from photoindex.library.search.nearest_photos import Candidates
from photoindex.library.search.query_targets import Sought
from photoindex.library.search.query_vector import Kind
from photoindex.library.search.rank_fusion import K
from photoindex.library.search.search import hits_of
from photoindex.library.search.semantic_query import Question
from photoindex.library.search.semantic_search import Answer
from photoindex.library.spaces.calibration import CutOff
from photoindex.query.printer import to_text
from photoindex.query.syntax import EVERYTHING, And
from photoindex.store.search import vector_photos
from photoindex.vectors.base import VectorIndex

SHOWN_HITS = 10


@dataclass(frozen=True, slots=True)
class PartOfQuery:
    """A text or picture of a query. weight: below 0 where it is subtracted."""

    kind: Kind
    label: str
    weight: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the things that were looked for. length: of the weighted sum of its parts, which the sum is divided by."""

    parts: tuple[PartOfQuery, ...]
    length: float
    cut: CutOff


@dataclass(frozen=True, slots=True)
class Removed:
    """How many photos one filter removed of those that the filters before it had left."""

    query: str
    photos: int


@dataclass(frozen=True, slots=True)
class HitReasons:
    """Why one photo stands where it does.

    alternative: which one gave the score, from 0; None where the photo has no vector. shares: what each part of it gave;
    their sum is the score. fused_score, fused_words: what either rank gave; 0 where the photo is not in that list.
    """

    photo_id: int
    path: bytes
    score: float | None
    alternative: int | None
    shares: tuple[float, ...]
    score_rank: int | None
    words_rank: int | None
    fused_score: float
    fused_words: float
    fused: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """A whole search by meaning.

    reached: photos that reach the cut-off or hold all words, before the filters. removed: by the filters, in their order;
    the last one, is:missing, stands for photos whose files are all missing. found: what is left. by_score, by_words: of
    these the ones that reach the cut-off, and that hold all words. plain: parts of the query whose words are looked for in
    texts alone.
    """

    space: str
    model: str
    alternatives: tuple[Alternative, ...]
    reached: int
    removed: tuple[Removed, ...]
    found: int
    by_score: int
    by_words: int
    plain: tuple[str, ...]
    hits: tuple[HitReasons, ...]


def reasons(library: Library, question: Question, answer: Answer, *, shown: int = SHOWN_HITS) -> Reasons:
    """Return why the first `shown` photos of an answer were found, and what the filters removed.

    question, answer: of `semantic.answer` with no limit, so that all photos are counted.
    """
    index = open_index(library, answer.space)
    with library.database.read() as connection:
        reached = _reached(connection, index, question, answer)
        removed = _removed(connection, reached, question)
        hits = _hits(library, connection, index, answer, shown)
    return Reasons(
        space=answer.space.name,
        model=answer.space.model,
        alternatives=tuple(_alternative(one) for one in answer.sought),
        reached=len(reached),
        removed=removed,
        found=len(answer.ranked),
        by_score=sum(one.score_rank is not None for one in answer.ranked),
        by_words=sum(one.words_rank is not None for one in answer.ranked),
        plain=tuple(map(to_text, question.meaning.plain)),
        hits=hits,
    )


def _alternative(sought: Sought) -> Alternative:
    parts = tuple(PartOfQuery(part.kind, part.label, part.factor) for part in sought.vector.parts)
    return Alternative(parts, sought.vector.length, sought.cut)


def _reached(connection: Connection, index: VectorIndex, question: Question, answer: Answer) -> set[int]:
    everywhere = Candidates(connection, index, answer.space.id, EVERYTHING, scoped=False)
    found = {one.photo_id for one in answer.ranked}
    for one in answer.sought:
        found |= everywhere.nearest(one.vector.values, minimum=one.minimum, limit=None).scores.keys()
    words = question.meaning.words
    if words is not None:
        found.update(vector_photos.photos_if_few(connection, words, scoped=False, at_most=None) or ())
    return found


def _removed(connection: Connection, reached: set[int], question: Question) -> tuple[Removed, ...]:
    filters = question.meaning.filters
    removed = []
    for part in filters.parts if isinstance(filters, And) else (filters,):
        left = vector_photos.photos_among(connection, reached, part, scoped=False)
        removed.append(Removed(to_text(part), len(reached) - len(left)))
        reached = left
    if question.scoped:
        present = vector_photos.photos_among(connection, reached, EVERYTHING, scoped=True)
        removed.append(Removed("is:missing", len(reached) - len(present)))
    return tuple(one for one in removed if one.photos)


def _hits(
    library: Library, connection: Connection, index: VectorIndex, answer: Answer, shown: int
) -> tuple[HitReasons, ...]:
    ranked = answer.ranked[:shown]
    vectors = vector_photos.vectors_of_photos(connection, answer.space.id, [one.photo_id for one in ranked])
    made = []
    for hit in hits_of(library, ranked):
        ids = np.array([one.vector_id for one in vectors if one.photo_id == hit.id], np.int64)
        best, shares = _shares(index, answer, ids) if len(ids) else (None, ())
        fused_score, fused_words = (
            0.0 if rank is None else 1 / (K + rank) for rank in (hit.score_rank, hit.words_rank)
        )
        made.append(
            HitReasons(
                hit.id, hit.path, hit.score, best, shares, hit.score_rank, hit.words_rank, fused_score, fused_words,
                hit.fused or 0.0,
            )
        )  # fmt: skip
    return tuple(made)


def _shares(index: VectorIndex, answer: Answer, ids: NDArray[np.int64]) -> tuple[int, tuple[float, ...]]:
    """Return the alternative that is nearest to one of a photo's vectors, and what each of its parts gives."""
    values = index.vectors(ids)
    cosines = values @ np.stack([one.vector.values for one in answer.sought]).T
    row, best = np.unravel_index(int(np.nanargmax(cosines)), cosines.shape)
    return int(best), tuple(answer.sought[best].vector.shares(values[row]))
