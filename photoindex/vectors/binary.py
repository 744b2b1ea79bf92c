"""All pairs of 64-bit codes within a Hamming radius, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]

WIDTHS = (21, 21, 22)
"""The parts that a code is cut into; codes within a radius of 3 f + 2 differ by at most f bits in one of them."""
MOST_FLIPS = 3
NEIGHBOURS = 64
"""How many pairs of one code are looked for; a code that has so many stands in a crowd."""
_BUCKET = 4096
"""How many codes that share a part with a code are looked at."""
_EACH_WITH_EACH = 400_000_000
"""Comparisons that take less time than the tables."""
_SINGLY = 3
_BLOCK_PAIRS = 500_000


@dataclass(frozen=True, slots=True)
class ClosePairs:
    """Pairs of codes: int64 [n] each, by their places in what was given; distances uint8 [n], in bits."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distances: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return len(self.first)


def close_pairs(
    codes: Codes, radius: int, *, others: Codes | None = None, neighbours: int = NEIGHBOURS
) -> Iterator[ClosePairs]:
    """Yield pairs of codes that differ by at most `radius` bits, each pair once (twice at most, in a crowd), in blocks.

    codes: uint64 [n], best without equal ones. others: pairs of one of `codes` and one of these are wanted; by default pairs
    of two of `codes`, the first place smaller than the second. neighbours: a code in a crowd gets about so many pairs, not all.

    Complete (but for crowds) up to a radius of 11; of many codes it finds 93 in 100 of the pairs at 12 bits, and fewer further away. The way: a
    pair of small distance has a part (of three) with few differing bits, so that each code looks for each of its parts, and
    for each of them with up to three bits changed, in a table. 1,562 looks a part at a radius of 9 or more.
    """
    symmetric = others is None
    right = codes if others is None else others
    if not len(codes) or not len(right):
        return
    if len(codes) * len(right) <= _EACH_WITH_EACH:
        yield from _each_with_each(codes, right, radius, neighbours, symmetric=symmetric)
        return
    flips = min(MOST_FLIPS, radius // len(WIDTHS))
    found = np.zeros(len(codes), np.int64)
    shifts = np.cumsum((0, *WIDTHS[:-1])).tolist()
    for number, (shift, width) in enumerate(zip(shifts, WIDTHS, strict=True)):
        table = _Table(codes, right, (int(shift), width), symmetric=symmetric)
        for mask in _masks(width, flips):
            for pairs in table.look(mask, radius, active=found < neighbours):
                fresh = _first_seen_here(codes, right, pairs, number, flips)
                np.add.at(found, fresh.first, 1)
                if symmetric:
                    np.add.at(found, fresh.second, 1)
                if len(fresh):
                    yield fresh


def _each_with_each(
    codes: Codes, right: Codes, radius: int, neighbours: int, *, symmetric: bool
) -> Iterator[ClosePairs]:
    rows = max(1, _BLOCK_PAIRS // len(right))
    for start in range(0, len(codes), rows):
        begin = start + 1 if symmetric else 0
        distances = np.bitwise_count(codes[start : start + rows, None] ^ right[None, begin:])
        near = distances <= radius
        if symmetric:
            # Each pair once: what comes after it.
            near &= np.arange(begin, len(right))[None, :] > np.arange(start, start + len(near))[:, None]
        for row in np.flatnonzero(near.sum(axis=1) > neighbours).tolist():
            places = np.flatnonzero(near[row])
            nearest = places[np.argsort(distances[row, places], kind="stable")[:neighbours]]
            near[row] = False
            near[row, nearest] = True
        first, second = np.nonzero(near)
        if len(first):
            yield ClosePairs(first + start, second + begin, distances[first, second])


def _masks(width: int, flips: int) -> list[int]:
    return [sum(1 << bit for bit in bits) for count in range(flips + 1) for bits in combinations(range(width), count)]


def _first_seen_here(codes: Codes, right: Codes, pairs: ClosePairs, number: int, flips: int) -> ClosePairs:
    """Leave out the pairs that an earlier part has already found."""
    if not number or not len(pairs):
        return pairs
    differing = codes[pairs.first] ^ right[pairs.second]
    kept = np.ones(len(pairs), np.bool_)
    shift = 0
    for width in WIDTHS[:number]:
        part = (differing >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        kept &= np.bitwise_count(part) > flips
        shift += width
    return ClosePairs(pairs.first[kept], pairs.second[kept], pairs.distances[kept])


class _Table:
    """The codes of the right side by one part, and those of the left side in the order of that part."""

    def __init__(self, left: Codes, right: Codes, part: tuple[int, int], *, symmetric: bool) -> None:
        shift, width = part
        self._symmetric = symmetric
        self._order, keys = _sorted_by_part(right, shift, width)
        self._sorted_codes = right[self._order]
        starts = np.searchsorted(keys, np.arange((1 << width) + 1, dtype=np.uint32))
        self._starts = starts[:-1].astype(np.int32)
        self._counts = np.minimum(np.diff(starts), _BUCKET).astype(np.uint16)
        if symmetric:
            self._left, self._keys, self._left_codes = self._order, keys, self._sorted_codes
        else:
            self._left, self._keys = _sorted_by_part(left, shift, width)
            self._left_codes = left[self._left]
        self._low = [
            np.flatnonzero((self._keys & np.uint32(1 << bit)) == 0) for bit in range(width if symmetric else 0)
        ]

    def look(self, mask: int, radius: int, *, active: NDArray[np.bool_]) -> Iterator[ClosePairs]:
        """Yield the pairs whose parts differ exactly by `mask`; codes of the left side that are not active look for none."""
        places = self._looking(mask, crowded=not active.all(), active=active)
        keys = (self._keys if places is None else self._keys[places]) ^ np.uint32(mask)
        counts = self._counts[keys]
        kept = np.flatnonzero(counts)
        counts, begins = counts[kept].astype(np.int64), self._starts[keys[kept]].astype(np.int64)
        places = kept if places is None else places[kept]
        if self._symmetric and not mask:
            # Only what comes after it in the same bucket.
            counts = begins + counts - (places + 1)
            begins = places + 1
        for rank in range(_SINGLY):
            chosen = np.flatnonzero(counts > rank)
            if not len(chosen):
                return
            yield self._compared(places[chosen], begins[chosen] + rank, radius)
        more = np.flatnonzero(counts > _SINGLY)
        places, begins, counts = places[more], begins[more] + _SINGLY, counts[more] - _SINGLY
        for start, end in _blocks(np.cumsum(counts)):
            own = np.repeat(places[start:end], counts[start:end])
            before = np.cumsum(counts[start:end]) - counts[start:end]
            others = np.arange(len(own)) + np.repeat(begins[start:end] - before, counts[start:end])
            yield self._compared(own, others, radius)

    def _looking(self, mask: int, *, crowded: bool, active: NDArray[np.bool_]) -> NDArray[np.int64] | None:
        """The places, in the order of the part, that look with this mask; None: all."""
        if crowded:
            # Of a pair in and beside a crowd the one beside must look; that both do costs time alone.
            return np.flatnonzero(active[self._left])
        if self._symmetric and mask:
            # Both of a pair would find it: the one whose highest changed bit is 0 looks.
            return self._low[mask.bit_length() - 1]
        return None

    def _compared(self, here: NDArray[np.int64], there: NDArray[np.int64], radius: int) -> ClosePairs:
        distances = np.bitwise_count(self._left_codes[here] ^ self._sorted_codes[there])
        near = np.flatnonzero(distances <= radius)
        first, second = self._left[here[near]], self._order[there[near]]
        if self._symmetric:
            first, second = np.minimum(first, second), np.maximum(first, second)
        return ClosePairs(first, second, distances[near])


def _sorted_by_part(codes: Codes, shift: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    keys = ((codes >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.uint32)
    order = np.lexsort((codes, keys))
    return order, keys[order]


def _blocks(sums: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut a running sum into ranges of about _BLOCK_PAIRS each, none empty."""
    start = 0
    while start < len(sums):
        reached = int(sums[start - 1]) if start else 0
        end = int(np.searchsorted(sums, reached + _BLOCK_PAIRS, side="right"))
        yield start, max(end, start + 1)
        start = max(end, start + 1)
