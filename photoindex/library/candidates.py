"""The photos that are nearest to a query's vector among those that match its filters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.store import semantic as store
from photoindex.store.semantic import VectorOfPhoto
from photoindex.syntax import EVERYTHING, Node
from photoindex.vectors.base import VectorIndex

NARROW_PHOTOS = 5_000
"""A filter that leaves so few photos is answered from their own vectors; reading more of them takes longer than the index."""
_NARROW_STEPS = 1_000_000
_FIRST_CANDIDATES = 1_000
_MOST_CANDIDATES = 16_000
_GROWTH = 4


@dataclass(frozen=True, slots=True)
class Nearest:
    """What was found: the best cosine of each photo, in no order. complete: no further photo reaches the minimum."""

    scores: dict[int, float]
    complete: bool


@dataclass(slots=True)
class Candidates:
    """Looks in one space among the photos that match some filters; scoped: as in `store.search.condition`.

    What `nearest` returns is exact where the filters leave few photos, or where everything is asked for, and as good as the
    index elsewhere. Several vectors of one photo count as their best.
    """

    connection: Connection
    index: VectorIndex
    space_id: int
    filters: Node
    scoped: bool
    _narrow: list[VectorOfPhoto] | None = field(default=None, init=False)
    _asked: bool = field(default=False, init=False)
    _photo_of: dict[int, int] | None = field(default=None, init=False)

    def nearest(self, query: NDArray[np.float32], *, minimum: float, limit: int | None) -> Nearest:
        """Return at least the `limit` nearest photos that reach `minimum`, where there are so many; all of them for None."""
        narrow = self._vectors_of_few()
        if narrow is not None:
            return Nearest(_best(self._scored(query, narrow), minimum), complete=True)
        if limit is None:
            return self._all(query, minimum)
        wanted = max(limit, _FIRST_CANDIDATES)
        while wanted <= _MOST_CANDIDATES:
            near = self.index.search(query, wanted)
            reached = near.scores >= minimum
            found = _best(self._matching(near.ids[reached], near.scores[reached]), minimum)
            complete = len(near.ids) < wanted or not reached.all()
            if complete or len(found) >= limit:
                return Nearest(found, complete)
            wanted *= _GROWTH
        return self._nearest_allowed(query, minimum, limit)

    def scores(self, query: NDArray[np.float32], photo_ids: Collection[int]) -> dict[int, float]:
        """Return the best cosine of each of these photos that has a vector."""
        vectors = store.vectors_of_photos(self.connection, self.space_id, photo_ids)
        return _best(self._scored(query, vectors), -2.0)

    def _vectors_of_few(self) -> list[VectorOfPhoto] | None:
        if not self._asked and self.filters != EVERYTHING:
            photos = store.photos_if_few(
                self.connection, self.filters, scoped=self.scoped, at_most=NARROW_PHOTOS, steps=_NARROW_STEPS
            )
            if photos is not None:
                self._narrow = store.vectors_of_photos(self.connection, self.space_id, photos)
        self._asked = True
        return self._narrow

    def _scored(self, query: NDArray[np.float32], vectors: Collection[VectorOfPhoto]) -> Iterable[tuple[int, float]]:
        if not vectors:
            return ()
        ids = np.fromiter((one.vector_id for one in vectors), np.int64, len(vectors))
        scores = self.index.scores(query, ids)
        return ((one.photo_id, float(score)) for one, score in zip(vectors, scores, strict=True))

    def _matching(self, vector_ids: NDArray[np.int64], scores: NDArray[np.float32]) -> Iterable[tuple[int, float]]:
        """Return those of some vectors whose photos match the filters, as photo and score."""
        score_of: Mapping[int, float] = dict(zip(vector_ids.tolist(), scores.tolist(), strict=True))
        vectors = store.photos_of_vectors(self.connection, score_of.keys())
        photos = {one.photo_id for one in vectors}
        matching = store.photos_among(self.connection, photos, self.filters, scoped=self.scoped)
        return ((one.photo_id, score_of[one.vector_id]) for one in vectors if one.photo_id in matching)

    def _all(self, query: NDArray[np.float32], minimum: float) -> Nearest:
        found = self.index.scan(query, minimum)
        return Nearest(_best(self._matching(found.ids, found.scores), minimum), complete=True)

    def _nearest_allowed(self, query: NDArray[np.float32], minimum: float, limit: int) -> Nearest:
        """Look among the vectors of all photos that match: many are near, and few of them match."""
        if self._photo_of is None:
            photos = store.photos_if_few(self.connection, self.filters, scoped=self.scoped, at_most=None)
            self._photo_of = dict(store.vectors_of_photos(self.connection, self.space_id, photos or ()))
        photo_of = self._photo_of
        allowed = np.fromiter(photo_of, np.int64, len(photo_of))
        near = self.index.search(query, limit, allowed=allowed)
        pairs = zip(near.ids.tolist(), near.scores.tolist(), strict=True)
        found = _best(((photo_of[one], score) for one, score in pairs), minimum)
        return Nearest(found, complete=len(near.ids) < limit or bool(near.scores[-1] < minimum))


def _best(scored: Iterable[tuple[int, float]], minimum: float) -> dict[int, float]:
    """Return each photo's best score of at least `minimum`; NaN, of a vector that the index lacks, is none."""
    best: dict[int, float] = {}
    for photo_id, score in scored:
        if score >= minimum and score > best.get(photo_id, -2.0):
            best[photo_id] = score
    return best
