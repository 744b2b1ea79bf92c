"""Finds pairs of contents that may show the same picture: similar hashes (upright or rotated), or given pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.orientations import INVERSE, ORIENTATIONS, reoriented_hashes
from photoindex.vectors.binary import ClosePairs, Codes, close_pairs

FEW, FEW_TURNED = 100_000, 30_000
"""Up to this many contents, windows and rotated pictures are searched in the larger of the two radii below."""
_NEAR, _NEARER = 10, 8
"""Radii for rotated pictures and windows: there are many more of them than of whole upright pictures."""
THOROUGH_RADIUS = 8
"""Within this radius there are so few false candidates that each pair is compared thoroughly."""
CROWD = 24
"""If more contents than this share one hash, each is compared with the most similar ones instead of with all."""
_TURNED_THOROUGH = 4
_LEAST_BITS = 12
_SHARD = 200_000
"""Pictures whose windows are searched at once: the table of these takes about a gigabyte."""
_WINDOW_NEIGHBOURS = 512
_CROWD_NEIGHBOURS = 6
_CROWD_BLOCK = 20_000
_CROWD_ROWS = 1024
_FROM_EACH_SIDE = 4

Numbers = NDArray[np.int64]
Signatures = Callable[[Numbers], NDArray[np.float32]]
"""Indices of contents -> float32 [n, d] of unit length, rows of zeros for pictures without structure."""


@dataclass(frozen=True, slots=True)
class PairCandidates:
    """Pairs to compare, as indices into the given contents; each pair once, ordered by `second`.

    first, second: int32 [n], first < second. turns: uint8 [n], the probable orientation of the second. thorough: bool [n],
    whether to compare the pair thoroughly. starts: int16 [n], how the pair was found by a window, see `Start`; -1 if it was
    found otherwise.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    turns: NDArray[np.uint8]
    thorough: NDArray[np.bool_]
    starts: NDArray[np.int16]

    def chosen(self, which: Any) -> PairCandidates:
        """Return some of the pairs, by a mask, indices or a slice."""
        return PairCandidates(*(getattr(self, one.name)[which] for one in fields(self)))

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)


@dataclass(frozen=True, slots=True)
class Start:
    """How a window led to a pair: one picture, whole or trimmed to its content, looks like a window of the other one.

    window: index of `hashes.window_rectangles`. trimmed: the one picture is trimmed. second: it is the second of the pair.
    """

    window: int
    trimmed: bool
    second: bool

    @classmethod
    def unpacked(cls, number: int) -> Start | None:
        """Return the start that PairCandidates stores as this number."""
        return None if number < 0 else cls(number >> 2, bool(number & 2), bool(number & 1))

    @property
    def packed(self) -> int:
        """The number from which `unpacked` makes this start."""
        return self.window * 4 + self.trimmed * 2 + self.second


class Collector:
    """Collects pairs from several sources and removes duplicates."""

    def __init__(self) -> None:
        self._blocks: list[PairCandidates] = []
        self._distances: list[NDArray[np.uint8]] = []

    def add(self, first: Numbers, second: Numbers, *, turn: int = 0, thorough: bool | NDArray[np.bool_] = True) -> None:
        """Add pairs of indices; without a turn, the order within a pair does not matter."""
        swapped = first > second
        low, high = np.minimum(first, second).astype(np.int32), np.maximum(first, second).astype(np.int32)
        turns = np.where(swapped, INVERSE[turn], turn).astype(np.uint8)
        long = np.broadcast_to(np.asarray(thorough, np.bool_), low.shape)
        self._append(
            PairCandidates(low, high, turns, long, np.full(len(low), -1, np.int16)), np.zeros(len(low), np.uint8)
        )

    def add_windows(
        self, small: Numbers, large: Numbers, starts: NDArray[np.int16], distances: NDArray[np.uint8]
    ) -> None:
        """Add pairs in which the picture `small` looks like a window of the picture `large`.

        starts: see `PairCandidates`, with `small` as the first of the pair.
        """
        swapped = small > large
        low, high = np.minimum(small, large).astype(np.int32), np.maximum(small, large).astype(np.int32)
        upright, quick = np.zeros(len(low), np.uint8), np.zeros(len(low), np.bool_)
        self._append(PairCandidates(low, high, upright, quick, starts | swapped), distances)

    def _append(self, found: PairCandidates, distances: NDArray[np.uint8]) -> None:
        kept = found.first != found.second
        if kept.any():
            self._blocks.append(found.chosen(kept))
            self._distances.append(distances[kept])

    def result(self) -> PairCandidates:
        """Return all pairs, each once; thorough wins over quick, then upright over rotated, pairs by windows come last."""
        if not self._blocks:
            return PairCandidates(
                np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.bool_),
                np.zeros(0, np.int16),
            )  # fmt: skip
        columns: dict[str, Any] = {
            column.name: np.concatenate([getattr(one, column.name) for one in self._blocks])
            for column in fields(PairCandidates)
        }
        found = PairCandidates(**columns)
        distances = np.concatenate(self._distances)
        self._blocks.clear()
        self._distances.clear()
        order = np.lexsort((distances, found.turns, ~found.thorough, found.starts >= 0, found.first, found.second))
        first, second = found.first[order], found.second[order]
        fresh = np.ones(len(first), np.bool_)
        fresh[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        return found.chosen(order[fresh])


def add_near_hashes(
    collector: Collector,
    hashes: Codes,
    radius: int,
    signatures: Signatures,
    advance: Callable[[int], None],
    *,
    wanted: NDArray[np.bool_] | None = None,
) -> None:
    """Add the pairs whose hashes differ by at most `radius` bits, upright or rotated.

    advance: called after each of the eight orientations with the number done. If many contents share one hash (black
    frames, pages of text), each is paired with the most similar ones by `signatures`, so that the work stays linear.
    wanted: bool [n], only pairs with at least one of these contents are looked for.
    A hash of 0 stands for none.
    """
    usable = np.flatnonzero(hashes)
    values, inverse, counts = np.unique(hashes[usable], return_inverse=True, return_counts=True)
    members = usable[np.argsort(inverse, kind="stable")]
    starts = np.cumsum(counts) - counts
    buckets = _Buckets(members, starts, counts)
    chosen = None if wanted is None else np.unique(inverse[wanted[usable]])
    for first, second in buckets.inside(signatures, chosen):
        collector.add(first, second)

    def near(within: int, others: Codes | None = None) -> Iterator[ClosePairs]:
        if chosen is None:
            yield from close_pairs(values, within, others=others)
            return
        for pairs in close_pairs(values[chosen], within, others=values if others is None else others):
            yield ClosePairs(chosen[pairs.first], pairs.second, pairs.distances)

    for pairs in near(radius):
        for first, second, distances in buckets.between(pairs.first, pairs.second, pairs.distances):
            collector.add(first, second, thorough=distances <= THOROUGH_RADIUS)
    advance(1)
    for turn in range(1, len(ORIENTATIONS)):
        # A rotation by 270 degrees finds the same pairs in reverse order.
        if turn != 5 or chosen is not None:
            for pairs in near(min(radius, smaller_radius(len(hashes), FEW_TURNED)), reoriented_hashes(values, turn)):
                for first, second, distances in buckets.between(pairs.first, pairs.second, pairs.distances):
                    collector.add(first, second, turn=turn, thorough=distances <= _TURNED_THOROUGH)
        advance(turn + 1)


def add_windows(
    collector: Collector,
    full: Codes,
    windows: NDArray[np.uint64],
    places: Numbers,
    radius: int,
    *,
    wanted: NDArray[np.bool_] | None = None,
) -> None:
    """Add the pairs where a picture, whole or trimmed, looks like a window of another one.

    full, windows: uint64 [n] and [n, windows], the first window being the whole content. places: int64 [n], the contents as
    indices. wanted: bool [n], only pairs with at least one of these are looked for.
    """
    trimmed = np.flatnonzero(windows[:, 0] != full) if windows.size else np.zeros(0, np.int64)
    queries = np.concatenate([full, windows[trimmed, 0]]) if windows.size else full
    owners = np.concatenate([np.arange(len(full)), trimmed])
    is_trimmed = np.arange(len(queries)) >= len(full)
    usable = has_structure(queries)
    queries, owners, is_trimmed = queries[usable], owners[usable], is_trimmed[usable]
    everything = np.arange(len(full))
    searches = [(np.arange(len(queries)), everything)]
    if wanted is not None:
        asked = wanted[owners]
        searches = [(np.flatnonzero(asked), everything), (np.flatnonzero(~asked), np.flatnonzero(wanted))]
    for asking, asked_of in searches:
        for start in range(0, len(asked_of), _SHARD):
            shard = asked_of[start : start + _SHARD]
            codes = windows[shard].ravel()
            informative = np.flatnonzero(has_structure(codes))
            for pairs in close_pairs(queries[asking], radius, others=codes[informative], neighbours=_WINDOW_NEIGHBOURS):
                query = asking[pairs.first]
                row, window = np.divmod(informative[pairs.second], windows.shape[1])
                small, large = places[owners[query]], places[shard[row]]
                collector.add_windows(
                    small, large, (window * 4 + is_trimmed[query] * 2).astype(np.int16), pairs.distances
                )


def smaller_radius(contents: int, few: int = FEW) -> int:
    """Return the radius in which windows of so many contents are searched; for rotated pictures, few is FEW_TURNED."""
    return _NEAR if contents <= few else _NEARER


def has_structure(codes: Codes) -> NDArray[np.bool_]:
    """Tell which hashes are of more than a plain area or a gradient; a comparison never accepts such pictures."""
    return np.bitwise_count(codes) >= _LEAST_BITS


class _Buckets:
    """The contents grouped by hash."""

    def __init__(self, members: Numbers, starts: Numbers, counts: Numbers) -> None:
        self._members, self._starts, self._counts = members, starts, counts

    def inside(self, signatures: Signatures, only: Numbers | None) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield the pairs of contents with equal hashes. only: of these hashes, by index; None: of all."""
        for size in np.unique(self._counts[self._counts > 1]).tolist():
            chosen = np.flatnonzero(self._counts == size)
            if only is not None:
                chosen = np.intersect1d(chosen, only, assume_unique=True)
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
