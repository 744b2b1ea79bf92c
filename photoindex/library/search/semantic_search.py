"""Semantic search: finds photos by words (by meaning and in texts) and example pictures, with filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index
from photoindex.library.search.nearest_photos import VectorCandidates
from photoindex.library.search.query_targets import QueryTarget, query_vectors, with_cut_offs
from photoindex.library.search.rank_fusion import MEANING, K, Ranked, RankedList, best_fused, fuse
from photoindex.library.search.semantic_query import SemanticQuery
from photoindex.library.search.text_matches import Ranks, ids_with_words, photos_with_words
from photoindex.library.search.word_lists import DEPTH_FACTOR, MEANING_WEIGHT, WORD_LISTS
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.progress import EventSink, ignore_events
from photoindex.store.search import vector_photos
from photoindex.store.vectors.spaces import SpaceRow

_FUSED_DEPTH_MOST = 500
"""Maximum number of additional photos to rank; at the end of a long list the exact order does not matter."""


@dataclass(frozen=True, slots=True)
class SemanticAnswer:
    """The photos found, in order. more: whether a larger limit would find others.

    targets: the alternatives that were searched. best: as in
    `rank_fusion.best_fused`. words_read: how many words the model reads, if the query has more.
    second_model: the model that looked again at the first photos, None if none did. counted: how many photos there are, if
    they were only counted.
    """

    ranked: tuple[Ranked, ...]
    more: bool
    space: SpaceRow
    targets: tuple[QueryTarget, ...]
    best: float
    words_read: int | None = None
    second_model: str | None = None
    counted: int | None = None

    def sorted(self, library: Library, key: str, *, descending: bool) -> SemanticAnswer:
        """Return the same photos in the order of a key of `store.search.compile.SORT_KEYS`."""
        ranked = {one.photo_id: one for one in self.ranked}
        with library.database.read() as connection:
            order = vector_photos.sorted_photos(connection, ranked.keys(), sort=key, descending=descending)
        return replace(self, ranked=tuple(ranked[photo_id] for photo_id in order))


def search_by_meaning(
    library: Library, space: SpaceRow, query: SemanticQuery, limit: int | None = None, emit: EventSink = ignore_events
) -> SemanticAnswer:
    """Search an embedding space for a query; return at most `limit` photos.

    A photo is found if it matches the filters and the scope, and either reaches the cut-off of an alternative or has
    all words in its texts. Raises ModelUnavailable; UsageError and NothingFound for pictures that cannot be used.
    """
    depth = None if limit is None else min(DEPTH_FACTOR * limit, limit + _FUSED_DEPTH_MOST) + (DEPTH_FACTOR - 1) * K
    with _asked(
        library, space, query, emit, lambda connection: photos_with_words(connection, query, limit=depth)
    ) as asked:
        found, more = _found(asked.candidates, asked.targets, asked.words, depth)
    more = more or (limit is not None and len(found) > limit)
    return SemanticAnswer(
        tuple(found[:limit]), more, space, tuple(asked.targets), best_fused(found), _words_read(asked.encoder, query)
    )


def count_by_meaning(
    library: Library, space: SpaceRow, query: SemanticQuery, emit: EventSink = ignore_events
) -> SemanticAnswer:
    """Count the photos that `search_by_meaning` finds, without ranking them. Raises like it."""
    with _asked(library, space, query, emit, lambda connection: ids_with_words(connection, query)) as asked:
        photos = set(asked.words.result())
        for one in asked.targets:
            photos.update(asked.candidates.nearest(one.vector.values, minimum=one.minimum, limit=None).scores)
    words_read = _words_read(asked.encoder, query)
    return SemanticAnswer(
        (), more=False, space=space, targets=tuple(asked.targets), best=1.0, words_read=words_read, counted=len(photos)
    )


_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class _Asked(Generic[_Found]):
    """What the targets of a query are compared with, and what its words find."""

    candidates: VectorCandidates
    targets: Sequence[QueryTarget]
    encoder: QueryEncoder
    words: Future[_Found]


@contextmanager
def _asked(
    library: Library, space: SpaceRow, query: SemanticQuery, emit: EventSink, read_words: Callable[[Connection], _Found]
) -> Iterator[_Asked[_Found]]:
    """Open the index and read the texts while the query is encoded."""

    def reading() -> _Found:
        with library.database.read() as connection:
            return read_words(connection)

    encoder = QueryEncoder(library, space)
    with ThreadPoolExecutor(2, thread_name_prefix="searching") as pool:
        opening, words = pool.submit(open_index, library, space, emit), pool.submit(reading)
        vectors = query_vectors(library, space, encoder, query)
        index = opening.result()
        targets = with_cut_offs(library, space, index, vectors, query)
        with library.database.read() as connection:
            candidates = VectorCandidates(connection, index, space.id, query.filters, query.present_only)
            yield _Asked(candidates, targets, encoder, words)


def _found(
    candidates: VectorCandidates, targets: Sequence[QueryTarget], reading: Future[dict[str, Ranks]], depth: int | None
) -> tuple[list[Ranked], bool]:
    """Return the photos found, best first, and whether there may be more. depth: photos needed from each list."""
    scores: dict[int, float] = {}
    complete = True
    for one in targets:
        near = candidates.nearest(one.vector.values, minimum=one.minimum, limit=depth)
        complete = complete and near.complete
        _keep_best(scores, near.scores)
    by_score = sorted(scores, key=lambda photo_id: (-scores[photo_id], photo_id))[:depth]
    words = reading.result()
    unscored = sorted({photo_id for ranks in words.values() for photo_id in ranks} - scores.keys())
    for one in targets if unscored else ():
        _keep_best(scores, candidates.scores(one.vector.values, unscored))
    lists = [RankedList(MEANING, MEANING_WEIGHT, by_score)]
    lists += (RankedList(one.name, one.weight, _ordered(words.get(one.name, {}), scores)) for one in WORD_LISTS)
    return fuse(lists, scores), not complete


def _ordered(ranks: Ranks, scores: dict[int, float]) -> list[int]:
    return sorted(ranks, key=lambda photo_id: (ranks[photo_id], -scores.get(photo_id, -2.0), photo_id))


def _keep_best(best: dict[int, float], scores: dict[int, float]) -> None:
    for photo_id, score in scores.items():
        best[photo_id] = max(score, best.get(photo_id, score))


def _words_read(encoder: QueryEncoder, query: SemanticQuery) -> int | None:
    texts = {one.text for each in (*query.parts.alternatives, query.options.without) for one in each}
    return next((words for words in map(encoder.cut_words, sorted(texts)) if words is not None), None)
