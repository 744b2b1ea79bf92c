"""Which pairs of contents may show the same picture: near in hash, turned or not, near in meaning, or of one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.orientations import INVERSE, ORIENTATIONS, reoriented_hashes
from photoindex.vectors.binary import Codes, close_pairs

TURNED_RADIUS = 8
"""Turned pictures are looked for in a smaller circle: it has 92 in 100 of them, and costs a tenth."""
THOROUGH_RADIUS = 8
"""Up to here so few strangers are met that each pair is worth the long comparison."""
CROWD = 24
"""More contents than that of one hash are not compared each with each, but with those they are likest to."""
_CROWD_NEIGHBOURS = 6
_CROWD_BLOCK = 20_000
_CROWD_ROWS = 1024
_FROM_EACH_SIDE = 4

Numbers = NDArray[np.int64]
Signatures = Callable[[Numbers], NDArray[np.float32]]
"""Places of contents -> float32 [n, d] of unit length, rows of zeros for pictures without structure."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs to be compared, by their places in what was given, each once, in the order of the first.

    first, second: int32 [n], first < second. turns: uint8 [n], how the second probably has to be turned. thorough: bool [n],
    it is worth the long comparison.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    turns: NDArray[np.uint8]
    thorough: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return len(self.first)


class Collector:
    """Gathers pairs from several sources; a pair that two of them name is kept once."""

    def __init__(self) -> None:
        self._blocks: list[Candidates] = []

    def add(self, first: Numbers, second: Numbers, *, turn: int = 0, thorough: bool | NDArray[np.bool_] = True) -> None:
        """Take pairs of places; the two of a pair in any order where nothing is turned."""
        if not len(first):
            return
        swapped = first > second
        low, high = np.minimum(first, second).astype(np.int32), np.maximum(first, second).astype(np.int32)
        turns = np.where(swapped, INVERSE[turn], turn).astype(np.uint8)
        long = np.broadcast_to(np.asarray(thorough, np.bool_), low.shape)
        kept = low != high
        self._blocks.append(Candidates(low[kept], high[kept], turns[kept], long[kept]))

    def result(self) -> Candidates:
        """Return all pairs; of one found twice, the thorough comparison is kept, and being upright before being turned."""
        if not self._blocks:
            return Candidates(
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
        return Candidates(first[fresh], second[fresh], turns[fresh], thorough[fresh])


def add_near_hashes(
    collector: Collector, hashes: Codes, radius: int, signatures: Signatures, advance: Callable[[int], None]
) -> None:
    """Add the pairs whose hashes differ by at most `radius` bits, upright or turned.

    advance: told after each of the eight turns how many are done. Where one hash belongs to a crowd of contents (black
    frames, pages of text), each is paired with those that look likest by `signatures`, so that the work stays in proportion.
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
        # Turning by 270 degrees is finding the same pairs from the other side.
        if turn != 5:
            for pairs in close_pairs(values, min(radius, TURNED_RADIUS), others=reoriented_hashes(values, turn)):
                for first, second, near in buckets.between(pairs.first, pairs.second, pairs.distances):
                    collector.add(first, second, turn=turn, thorough=near <= TURNED_RADIUS // 2)
        advance(turn + 1)


class _Buckets:
    """The contents by hash."""

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
                    yield from _likest(crowd[start : start + _CROWD_BLOCK], signatures)

    def between(
        self, first: Numbers, second: Numbers, distances: NDArray[np.uint8]
    ) -> Iterator[tuple[Numbers, Numbers, NDArray[np.uint8]]]:
        """Yield pairs of contents for pairs of hashes, with their distances; of a large bucket only some take part."""
        apart = first != second  # a hash may be its own turned one
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


def _likest(crowd: Numbers, signatures: Signatures) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the pairs of each content of a crowd with the few that look likest."""
    known = signatures(crowd)
    structured = np.flatnonzero(np.abs(known).max(axis=1, initial=0) > 0)
    crowd, known = crowd[structured], known[structured]
    wanted = min(_CROWD_NEIGHBOURS, len(crowd) - 1)
    if wanted < 1:
        return
    for start in range(0, len(crowd), _CROWD_ROWS):
        likeness = known[start : start + _CROWD_ROWS] @ known.T
        rows = np.arange(len(likeness))
        likeness[rows, start + rows] = -2
        best = np.argpartition(-likeness, wanted - 1, axis=1)[:, :wanted]
        yield np.repeat(crowd[start : start + len(likeness)], wanted), crowd[best.ravel()]


def add_pairs(collector: Collector, asset_ids: Numbers, pairs: Iterable[Sequence[int]]) -> None:
    """Add pairs of asset numbers; asset_ids: those that take part, ascending. Others are ignored."""
    given = np.array([tuple(pair) for pair in pairs], np.int64).reshape(-1, 2)
    if not len(given) or not len(asset_ids):
        return
    places = np.minimum(np.searchsorted(asset_ids, given), len(asset_ids) - 1)
    known = (asset_ids[places] == given).all(axis=1)
    collector.add(places[known, 0], places[known, 1])
