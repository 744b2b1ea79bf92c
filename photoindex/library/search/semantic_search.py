"""Find photos by what their pictures show: words by their meaning and as texts, pictures, all together with filters."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index
from photoindex.library.search.nearest_photos import Candidates
from photoindex.library.search.query_targets import Sought, query_vectors, with_cut_offs
from photoindex.library.search.rank_fusion import Ranked, fuse
from photoindex.library.search.semantic_query import RELEVANCE, Question
from photoindex.library.search.text_matches import photos_with_words
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.progress import EventSink, ignore_events
from photoindex.store.search import vector_photos
from photoindex.store.vectors.spaces import SpaceRow

_FUSED_DEPTH = 60
"""Where n photos are wanted, one at rank 60 + 2 n of both lists counts less than one at rank n of either."""
_FUSED_DEPTH_MOST = 500
"""So many more than are wanted are ranked at most: at the end of a long list it does not matter who just misses it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The photos that were found, in their order. more: there are further ones, which only a larger limit gives.

    sought: the alternatives that were looked for. notes: sentences for the user.
    """

    ranked: tuple[Ranked, ...]
    more: bool
    space: SpaceRow
    sought: tuple[Sought, ...]
    notes: tuple[str, ...] = ()


def answer(library: Library, space: SpaceRow, question: Question, events: EventSink = ignore_events) -> Answer:
    """Return the photos that a query means in a space.

    A photo is found where it reaches the cut-off of one of the alternatives, or where its texts hold all the words, and
    where it matches the filters. Raises ModelUnavailable; UsageError and NothingFound for pictures that are none.
    """
    encoder = QueryEncoder(library, space)
    with ThreadPoolExecutor(2, thread_name_prefix="searching") as pool:
        opening = pool.submit(open_index, library, space, events)
        reading = pool.submit(_with_words, library, question)
        vectors = query_vectors(library, space, encoder, question.meaning, question.wanted)
        index = opening.result()
        sought = with_cut_offs(library, space, index, vectors, question.wanted)
        with library.database.read() as connection:
            candidates = Candidates(connection, index, space.id, question.meaning.filters, question.scoped)
            found, more = _found(candidates, question, sought, reading)
    with library.database.read() as connection:
        more = more or (question.limit is not None and len(found) > question.limit)
        found = found[: question.limit]
        if question.sort != RELEVANCE:
            found = _sorted(connection, found, question)
    return Answer(tuple(found), more, space, tuple(sought), _notes(encoder, question))


def _depth(question: Question) -> int | None:
    """Return how many photos of either list are needed for those that are wanted of both."""
    limit = question.limit
    return None if limit is None else min(2 * limit, limit + _FUSED_DEPTH_MOST) + _FUSED_DEPTH


def _with_words(library: Library, question: Question) -> dict[int, float]:
    with library.database.read() as connection:
        return photos_with_words(connection, question.meaning, scoped=question.scoped, limit=_depth(question))


def _found(
    candidates: Candidates, question: Question, sought: Sequence[Sought], reading: Future[dict[int, float]]
) -> tuple[list[Ranked], bool]:
    """Return the photos that are found, best first, and whether there may be more of them."""
    depth = _depth(question)
    scores: dict[int, float] = {}
    complete = True
    for one in sought:
        near = candidates.nearest(one.vector.values, minimum=one.minimum, limit=depth)
        complete = complete and near.complete
        _keep_best(scores, near.scores)
    by_score = sorted(scores, key=lambda photo_id: (-scores[photo_id], photo_id))[:depth]
    words = reading.result()
    unscored = [photo_id for photo_id in words if photo_id not in scores]
    for one in sought if unscored else ():
        _keep_best(scores, candidates.scores(one.vector.values, unscored))
    by_words = sorted(words, key=lambda photo_id: (words[photo_id], -scores.get(photo_id, -2.0), photo_id))
    return fuse(by_score, by_words, scores), not complete


def _keep_best(best: dict[int, float], scores: dict[int, float]) -> None:
    for photo_id, score in scores.items():
        best[photo_id] = max(score, best.get(photo_id, score))


def _sorted(connection: Connection, found: Sequence[Ranked], question: Question) -> list[Ranked]:
    ranked = {one.photo_id: one for one in found}
    order = vector_photos.sorted_photos(connection, ranked.keys(), sort=question.sort, descending=question.descending)
    return [ranked[photo_id] for photo_id in order]


def _notes(encoder: QueryEncoder, question: Question) -> tuple[str, ...]:
    texts = {one.text for each in (*question.meaning.alternatives, question.wanted.without) for one in each}
    cut = [words for words in map(encoder.cut_words, sorted(texts)) if words is not None]
    return (f"the model reads the first {cut[0]} words at most; the rest counts in texts alone",) if cut else ()
