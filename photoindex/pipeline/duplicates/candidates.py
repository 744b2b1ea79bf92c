"""Finds pairs of contents that may show the same picture: similar hashes (upright or rotated), or given pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.orientations import INVERSE, ORIENTATIONS, reoriented_hashes
from photoindex.vectors.binary import Codes, close_pairs

TURNED_RADIUS = 8
"""Rotated pictures are searched in a smaller radius, which finds 92 % of them at a tenth of the cost."""
THOROUGH_RADIUS = 8
"""Within this radius there are so few false candidates that each pair is compared thoroughly."""
CROWD = 24
"""If more contents than this share one hash, each is compared with the most similar ones instead of with all."""
_CROWD_NEIGHBOURS = 6
_CROWD_BLOCK = 20_000
_CROWD_ROWS = 1024
_FROM_EACH_SIDE = 4

Numbers = NDArray[np.int64]
Signatures = Callable[[Numbers], NDArray[np.float32]]
"""Indices of contents -> float32 [n, d] of unit length, rows of zeros for pictures without structure."""


@dataclass(frozen=True, slots=True)
class PairCandidates:
    """Pairs to compare, as indices into the given contents; each pair once, ordered by `first`.

    first, second: int32 [n], first < second. turns: uint8 [n], the probable orientation of the second. thorough: bool [n],
    whether to compare the pair thoroughly.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    turns: NDArray[np.uint8]
    thorough: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)


class Collector:
    """Collects pairs from several sources and removes duplicates."""

    def __init__(self) -> None:
        self._blocks: list[PairCandidates] = []

    def add(self, first: Numbers, second: Numbers, *, turn: int = 0, thorough: bool | NDArray[np.bool_] = True) -> None:
        """Add pairs of indices; without a turn, the order within a pair does not matter."""
        if not len(first):
            return
        swapped = first > second
        low, high = np.minimum(first, second).astype(np.int32), np.maximum(first, second).astype(np.int32)
        turns = np.where(swapped, INVERSE[turn], turn).astype(np.uint8)
        long = np.broadcast_to(np.asarray(thorough, np.bool_), low.shape)
        kept = low != high
        self._blocks.append(PairCandidates(low[kept], high[kept], turns[kept], long[kept]))

    def result(self) -> PairCandidates:
        """Return all pairs, each once; thorough wins over quick, then upright over rotated."""
        if not self._blocks:
            return PairCandidates(
                np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.bool_)
            )
        first = np.concatenate([one.first for one in self._blocks])
        second = np.concatenate([one.second for one in self._blocks])
        turns = np.concatenate([one.turns for one in self._blocks])
        thorough = np.concatenate([one.thorough for one in self._blocks])
        self._blocks.clear()
        order = np.lexsort((turns, ~thorough, second, first))
        first, second, turns, thorough = first[order], second[order], turns[order], thorough[order]
        fresh = np.ones(len(first), np.bool_)
        fresh[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        return PairCandidates(first[fresh], second[fresh], turns[fresh], thorough[fresh])


def add_near_hashes(
    collector: Collector, hashes: Codes, radius: int, signatures: Signatures, advance: Callable[[int], None]
) -> None:
    """Add the pairs whose hashes differ by at most `radius` bits, upright or rotated.

    advance: called after each of the eight orientations with the number done. If many contents share one hash (black
    frames, pages of text), each is paired with the most similar ones by `signatures`, so that the work stays linear.
    """
    values, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    members = np.argsort(inverse, kind="stable")
    starts = np.cumsum(counts) - counts
    buckets = _Buckets(members, starts, counts)
    for first, second in buckets.inside(signatures):
        collector.add(first, second)
    for pairs in close_pairs(values, radius):
        for first, second, near in buckets.between(pairs.first, pairs.second, pairs.distances):
            collector.add(first, second, thorough=near <= THOROUGH_RADIUS)
    advance(1)
    for turn in range(1, len(ORIENTATIONS)):
        # A rotation by 270 degrees finds the same pairs in reverse order.
        if turn != 5:
            for pairs in close_pairs(values, min(radius, TURNED_RADIUS), others=reoriented_hashes(values, turn)):
                for first, second, near in buckets.between(pairs.first, pairs.second, pairs.distances):
                    collector.add(first, second, turn=turn, thorough=near <= TURNED_RADIUS // 2)
        advance(turn + 1)


class _Buckets:
    """The contents grouped by hash."""

    def __init__(self, members: Numbers, starts: Numbers, counts: Numbers) -> None:
        self._members, self._starts, self._counts = members, starts, counts

    def inside(self, signatures: Signatures) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield the pairs of contents with equal hashes."""
        for size in np.unique(self._counts[self._counts > 1]).tolist():
            chosen = np.flatnonzero(self._counts == size)
            if size <= CROWD:
                group = self._members[self._starts[chosen][:, None] + np.arange(size)]
                left, right = np.triu_indices(size, 1)
                yield group[:, left].ravel(), group[:, right].ravel()
                continue
            for bucket in chosen.tolist():
                crowd = self._members[self._starts[bucket] : self._starts[bucket] + size]
                for start in range(0, size, _CROWD_BLOCK):
                    yield from _most_similar(crowd[start : start + _CROWD_BLOCK], signatures)

    def between(
        self, first: Numbers, second: Numbers, distances: NDArray[np.uint8]
    ) -> Iterator[tuple[Numbers, Numbers, NDArray[np.uint8]]]:
        """Yield pairs of contents for pairs of hashes, with their distances; large buckets contribute only a few."""
        apart = first != second  # a hash can be equal to its rotated version
        first, second, distances = first[apart], second[apart], distances[apart]
        left = np.minimum(self._counts[first], _FROM_EACH_SIDE)
        right = np.minimum(self._counts[second], _FROM_EACH_SIDE)
        for one in range(_FROM_EACH_SIDE):
            for other in range(_FROM_EACH_SIDE):
                chosen = (left > one) & (right > other)
                if chosen.any():
                    yield (
                        self._members[self._starts[first[chosen]] + one],
                        self._members[self._starts[second[chosen]] + other],
                        distances[chosen],
                    )


def _most_similar(crowd: Numbers, signatures: Signatures) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the pairs of each content in a crowd with the few most similar ones."""
    known = signatures(crowd)
    structured = np.flatnonzero(np.abs(known).max(axis=1, initial=0) > 0)
    crowd, known = crowd[structured], known[structured]
    wanted = min(_CROWD_NEIGHBOURS, len(crowd) - 1)
    if wanted < 1:
        return
    for start in range(0, len(crowd), _CROWD_ROWS):
        similarity = known[start : start + _CROWD_ROWS] @ known.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -2
        best = np.argpartition(-similarity, wanted - 1, axis=1)[:, :wanted]
        yield np.repeat(crowd[start : start + len(similarity)], wanted), crowd[best.ravel()]


def add_pairs(collector: Collector, asset_ids: Numbers, pairs: Iterable[Sequence[int]]) -> None:
    """Add pairs of asset ids; pairs with ids outside `asset_ids` (ascending) are ignored."""
    given = np.array([tuple(pair) for pair in pairs], np.int64).reshape(-1, 2)
    if not len(given) or not len(asset_ids):
        return
    places = np.minimum(np.searchsorted(asset_ids, given), len(asset_ids) - 1)
    known = (asset_ids[places] == given).all(axis=1)
    collector.add(places[known, 0], places[known, 1])
