"""Finds the photos nearest to a query vector among those that match the query's filters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.query.syntax import EVERYTHING, Node
from photoindex.store.search import vector_photos
from photoindex.store.search.vector_photos import VectorOfPhoto
from photoindex.vectors.base import VectorIndex

NARROW_PHOTOS = 5_000
"""Up to this many matching photos, their vectors are compared directly; for more, the index is faster."""
_NARROW_STEPS = 1_000_000
_MOST_CANDIDATES = 4_000
"""If too few of this many nearest vectors match, it is faster to look up all matching photos."""
_FIRST_CANDIDATES = 200
_SLACK = 1.2
"""Vectors fetched per requested photo, because some belong to missing files or to the same photo."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best cosine of each photo found, in no order. complete: whether no other photo reaches the minimum."""

    scores: dict[int, float]
    complete: bool


@dataclass(slots=True)
class VectorCandidates:
    """Searches one space among the photos that match filters. present_only: only those with a present file.

    `nearest` is exact if few photos match the filters or if all photos are requested, otherwise as accurate as the
    index. A photo with several vectors counts with the best one.
    """

    connection: Connection
    index: VectorIndex
    space_id: int
    filters: Node
    present_only: bool
    _narrow: list[VectorOfPhoto] | None = field(default=None, init=False)
    _narrow_known: bool = field(default=False, init=False)
    _allowed: NDArray[np.int64] | None = field(default=None, init=False)

    def nearest(self, query: NDArray[np.float32], *, minimum: float, limit: int | None) -> Nearest:
        """Return at least the `limit` nearest photos that reach `minimum`, if as many exist; all of them for None."""
        narrow = self._vectors_of_few()
        if narrow is not None:
            return Nearest(_best(self._scored(query, narrow), minimum), complete=True)
        if limit is None:
            return self._all(query, minimum)
        wanted = max(round(_SLACK * limit), _FIRST_CANDIDATES)
        allowed: NDArray[np.int64] | None = None
        while True:
            near = self.index.search(query, wanted, allowed=allowed)
            reached = near.scores >= minimum
            filters = self.filters if allowed is None else EVERYTHING
            found = _best(self._matching(near.ids[reached], near.scores[reached], filters), minimum)
            complete = len(near.ids) < wanted or not reached.all()
            if complete or len(found) >= limit:
                return Nearest(found, complete)
            share = max(len(found), 1) / len(near.ids)
            wanted = max(2 * wanted, round(_SLACK * limit / share))
            if allowed is None and wanted > _MOST_CANDIDATES and self.filters != EVERYTHING:
                allowed, wanted = self._vectors_of_all(), round(_SLACK * limit)

    def scores(self, query: NDArray[np.float32], photo_ids: Collection[int]) -> dict[int, float]:
        """Return the best cosine of each of these photos that has a vector."""
        vectors = vector_photos.vectors_of_photos(self.connection, self.space_id, photo_ids)
        return _best(self._scored(query, vectors), -2.0)

    def _vectors_of_few(self) -> list[VectorOfPhoto] | None:
        if not self._narrow_known and self.filters != EVERYTHING:
            # Presence is checked only for the few remaining photos.
            photos = vector_photos.photos_if_few(
                self.connection, self.filters, present_only=False, at_most=NARROW_PHOTOS, steps=_NARROW_STEPS
            )
            if photos is not None:
                present = vector_photos.photos_among(
                    self.connection, photos, EVERYTHING, present_only=self.present_only
                )
                self._narrow = vector_photos.vectors_of_photos(self.connection, self.space_id, present)
        self._narrow_known = True
        return self._narrow

    def _vectors_of_all(self) -> NDArray[np.int64]:
        """Return the vectors of all photos that match the filters, including missing photos, ascending."""
        if self._allowed is None:
            self._allowed = np.asarray(
                vector_photos.vectors_matching(self.connection, self.space_id, self.filters), np.int64
            )
        return self._allowed

    def _scored(self, query: NDArray[np.float32], vectors: Collection[VectorOfPhoto]) -> Iterable[tuple[int, float]]:
        if not vectors:
            return ()
        ids = np.fromiter((one.vector_id for one in vectors), np.int64, len(vectors))
        scores = self.index.scores(query, ids)
        return ((one.photo_id, float(score)) for one, score in zip(vectors, scores, strict=True))

    def _matching(
        self, vector_ids: NDArray[np.int64], scores: NDArray[np.float32], filters: Node
    ) -> Iterable[tuple[int, float]]:
        """Return photo and score of the vectors whose photos match the filters."""
        score_of: Mapping[int, float] = dict(zip(vector_ids.tolist(), scores.tolist(), strict=True))
        vectors = vector_photos.photos_of_vectors(self.connection, score_of.keys())
        photos = {one.photo_id for one in vectors}
        matching = vector_photos.photos_among(self.connection, photos, filters, present_only=self.present_only)
        return ((one.photo_id, score_of[one.vector_id]) for one in vectors if one.photo_id in matching)

    def _all(self, query: NDArray[np.float32], minimum: float) -> Nearest:
        found = self.index.scan(query, minimum)
        return Nearest(_best(self._matching(found.ids, found.scores, self.filters), minimum), complete=True)


def _best(scored: Iterable[tuple[int, float]], minimum: float) -> dict[int, float]:
    """Return each photo's best score of at least `minimum`; NaN (a vector missing from the index) is ignored."""
    best: dict[int, float] = {}
    for photo_id, score in scored:
        if score >= minimum and score > best.get(photo_id, -2.0):
            best[photo_id] = score
    return best
