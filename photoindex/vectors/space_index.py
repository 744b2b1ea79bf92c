"""All vectors of one space: the generation on the disk, the newest ones in memory, less those that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import count

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import Block, IndexDamaged, Neighbours, Truth
from photoindex.vectors.exact import ExactIndex
from photoindex.vectors.faiss_codes import Rows
from photoindex.vectors.generation import Generation
from photoindex.vectors.scoring import checked_query, exact_scores, not_unit, positions_in, ranked

CANDIDATES_A_HIT = 16
"""How many candidates of the codes are scored exactly for each hit that is asked for."""
CANDIDATES_MIN = 1_600
NARROW_ROWS = 50_000
NARROW_SHARE = 0.05
"""So few vectors (of either measure the larger) that a filter leaves are all scored exactly."""
_SCAN_ROWS = 65_536
_FEW_ROWS = 1_000
_WIDER = 4
_PROBE_STEP = 64
_EXPONENT = np.uint16(0x7C00)
"""The bits of a float16 that are all set where it is infinite or no number (IEEE 754, binary16)."""


class SpaceIndex:
    """One space's vectors: a generation (None before the first merge) and the newest, which are not merged yet.

    truth: where vectors are looked up that may be gone or damaged; None takes the files as they are, and damage that is
    met while searching raises IndexDamaged instead of being healed. Not safe for use by several threads at once.
    """

    def __init__(self, generation: Generation | None, newest: ExactIndex, truth: Truth | None = None) -> None:
        if generation is not None and generation.dim != newest.dim:
            raise IndexDamaged(f"it was made for vectors of {generation.dim} numbers, not of {newest.dim}")
        self.dim = newest.dim
        self.generation = generation
        self.newest = newest
        self._truth = truth
        self._gone: NDArray[np.bool_] | None = None
        """Of the generation's positions: those met so far whose vectors are gone."""
        self._newest_gone: set[int] = set()
        self._asked_for_all = False

    def __len__(self) -> int:
        """Return how many vectors it holds, less those already known to be gone."""
        gone = 0 if self._gone is None else int(np.count_nonzero(self._gone))
        return self.rows + len(self.newest) - gone - len(self._newest_gone)

    @cached_property
    def _one_block(self) -> Rows:
        return Rows(self.dim)

    @cached_property
    def _newest_rows(self) -> Rows:
        # Half the memory to read of what `newest` itself reads, and no thread of BLAS that keeps a core busy waiting.
        return Rows(self.dim).filled(self.newest.values)

    @property
    def rows(self) -> int:
        """Vectors in the generation, gone or not."""
        return 0 if self.generation is None else len(self.generation)

    @property
    def unmerged(self) -> int:
        """Vectors that are newer than the generation."""
        return len(self.newest)

    def search(self, query: NDArray[np.float32], limit: int, *, allowed: NDArray[np.int64] | None = None) -> Neighbours:
        """Return up to `limit` nearest vectors that are not gone; see `VectorIndex.search`.

        What a generation with codes finds is nearly always the true nearest (99 of 100); the scores are exact. Up to
        50,000 vectors, in all or left by `allowed`, the answer is exact.
        """
        query = checked_query(query, self.dim)
        if limit <= 0:
            return _nothing()
        wanted = limit
        for attempt in count(1):
            found = _merged(
                self._search_generation(query, wanted, self._usable(allowed)),
                self._search_newest(query, wanted, allowed),
            )
            exhausted = len(found) < wanted
            found = self._without_gone(_first(found, wanted))
            if exhausted or len(found) >= limit:
                break
            # Those that turned out to be gone are left out from now on; where they are many, more is asked for as well.
            wanted *= 1 if attempt == 1 else _WIDER
        return _first(found, limit)

    def scan(
        self, query: NDArray[np.float32], minimum: float, *, allowed: NDArray[np.int64] | None = None
    ) -> Neighbours:
        """Return every vector whose cosine is at least `minimum` and that is not gone; reads all vectors, in blocks."""
        query = checked_query(query, self.dim)
        parts = [self.newest.scan(query, minimum, allowed=allowed)]
        if self.generation is not None:
            usable = self._usable(allowed)
            positions = None if usable is None else np.flatnonzero(usable)
            for here, rows in self._rows_of(positions):
                near = np.union1d(self._one_block.filled(rows).above(query, minimum), _lost(rows))
                found = self._scored(query, here[near], rows[near])
                kept = found.scores >= np.float32(minimum)
                parts.append(Neighbours(found.ids[kept], found.scores[kept]))
        return self._without_gone(_merged(*parts))

    def scores(self, query: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact cosine of a query and each of these vectors; see `VectorIndex.scores`."""
        query = checked_query(query, self.dim)
        found = self.newest.scores(query, ids)
        for places, rows in self._looked_up(ids):
            found[places] = exact_scores(rows, query)
        return found

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return these vectors; see `VectorIndex.vectors`."""
        found = self.newest.vectors(ids)
        for places, rows in self._looked_up(ids):
            found[places] = rows
        return found

    def sample(self) -> NDArray[np.float32]:
        """Return up to 4,096 vectors chosen at random, float32 [n, dim]; of the newest where nothing was merged yet.

        Damaged ones are left out: a measure that is taken with one of them would hold for nothing.
        """
        if self.generation is not None and len(self.generation):
            rows = self.generation.sample
        else:
            random = np.random.default_rng(len(self.newest))
            chosen = random.choice(len(self.newest), min(4_096, len(self.newest)), replace=False)
            rows = self.newest.values[np.sort(chosen)]
        return np.delete(rows, not_unit(rows), axis=0).astype(np.float32)

    def blocks(self) -> Iterator[Block]:
        """Yield all vectors that are not gone, in the order of their numbers.

        What is gone is looked up the first time, so that whoever needs several passes meets the same vectors in each.
        """
        ask = not self._asked_for_all
        if self.generation is not None:
            for positions, rows in self._rows_of(None):
                ids, healed = self._healed(positions, rows)
                yield self._living_block(ids, healed, ask=ask)
        if len(self.newest):
            yield self._living_block(self.newest.ids, self.newest.values, ask=ask)
        self._asked_for_all = True

    def _living_block(self, ids: NDArray[np.int64], rows: NDArray[np.float16], *, ask: bool) -> Block:
        if self._truth is None:
            return ids, rows
        if ask:
            self._note_gone(ids[~self._truth.living(ids)])
        living = np.ones(len(ids), np.bool_)
        if self.generation is not None and self._gone is not None:
            positions, known = positions_in(self.generation.ids, ids)
            living[known] = ~self._gone[positions[known]]
        if self._newest_gone:
            living &= ~np.isin(ids, np.fromiter(self._newest_gone, np.int64))
        return ids[living], rows[living]

    def _usable(self, allowed: NDArray[np.int64] | None) -> NDArray[np.bool_] | None:
        """Return which positions of the generation may be found, None for all."""
        if self.generation is None or (allowed is None and self._gone is None):
            return None
        if allowed is None:
            usable = np.ones(self.rows, np.bool_)
        else:
            usable = np.zeros(self.rows, np.bool_)
            positions, known = positions_in(self.generation.ids, allowed)
            usable[positions[known]] = True
        if self._gone is not None:
            usable &= ~self._gone
        return usable

    def _search_generation(
        self, query: NDArray[np.float32], limit: int, usable: NDArray[np.bool_] | None
    ) -> Neighbours:
        generation = self.generation
        if generation is None or not len(generation):
            return _nothing()
        among = self.rows if usable is None else int(np.count_nonzero(usable))
        wanted = max(CANDIDATES_A_HIT * limit, CANDIDATES_MIN)
        if generation.codes is None and usable is None:
            near = generation.all_rows().nearest(query, limit)
            return self._scored(query, near, generation.flat.at(near))
        if generation.codes is None or among <= max(NARROW_ROWS, NARROW_SHARE * self.rows) or 4 * wanted > among:
            positions = None if usable is None else np.flatnonzero(usable)
            return self._search_all(query, limit, positions)
        near = generation.codes.candidates(query, wanted, usable)
        rows = generation.flat.at(near)
        return self._best(query, near, rows, limit)

    def _search_newest(self, query: NDArray[np.float32], limit: int, allowed: NDArray[np.int64] | None) -> Neighbours:
        newest = self.newest
        if allowed is not None or len(newest) < _FEW_ROWS:
            return newest.search(query, limit, allowed=allowed)
        near = self._newest_rows.nearest(query, limit)
        return ranked(newest.ids[near], exact_scores(newest.values[near], query))

    def _search_all(self, query: NDArray[np.float32], limit: int, positions: NDArray[np.int64] | None) -> Neighbours:
        """Return the nearest of the generation's vectors at these positions (None: all) by looking at each of them."""
        parts = [_nothing()]
        for here, rows in self._rows_of(positions):
            parts.append(self._best(query, here, rows, limit))
        return _first(_merged(*parts), limit)

    def _rows_of(self, positions: NDArray[np.int64] | None) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Yield positions of the generation and their vectors in blocks."""
        assert self.generation is not None
        if positions is None:
            for start, rows in self.generation.flat.blocks():
                yield np.arange(start, start + len(rows)), rows
            return
        yield from self.generation.flat.parts(positions)

    def _best(
        self, query: NDArray[np.float32], positions: NDArray[np.int64], rows: NDArray[np.float16], limit: int
    ) -> Neighbours:
        # Lost ones come along whatever they score: what belongs in their place may be near.
        near = np.union1d(self._one_block.filled(rows).nearest(query, limit), _lost(rows))
        return self._scored(query, positions[near], rows[near])

    def _scored(
        self, query: NDArray[np.float32], positions: NDArray[np.int64], rows: NDArray[np.float16]
    ) -> Neighbours:
        ids, rows = self._healed(positions, rows)
        return ranked(ids, exact_scores(rows, query))

    def _looked_up(self, ids: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Yield the places in `ids` of vectors that the generation holds, and the vectors."""
        if self.generation is None or not len(ids):
            return
        positions, known = positions_in(self.generation.ids, ids)
        places = np.flatnonzero(known)
        places = places[np.argsort(positions[places], kind="stable")]
        for start in range(0, len(places), _SCAN_ROWS):
            here = places[start : start + _SCAN_ROWS]
            unique, back = np.unique(positions[here], return_inverse=True)
            _, rows = self._healed(unique, self.generation.flat.at(unique))
            yield here, rows[back]

    def _healed(
        self, positions: NDArray[np.int64], rows: NDArray[np.float16]
    ) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Return the numbers of these positions, and their vectors, those that the file has lost from the truth.

        Raises IndexDamaged where there is no truth to ask.
        """
        assert self.generation is not None
        ids = self.generation.ids[positions]
        bad = not_unit(rows)
        if not len(bad):
            return ids, rows
        problem = f"{self.generation.flat.path.name} does not hold what was written at position {positions[bad[0]]:,}"
        if self._truth is None:
            raise IndexDamaged(problem)
        true = self._truth.fetch(ids[bad])
        if (true.view(np.uint16) != rows[bad].view(np.uint16)).any():
            self._truth.damaged(problem)
        healed = rows.copy()
        healed[bad] = true
        return ids, healed

    def _without_gone(self, found: Neighbours) -> Neighbours:
        if self._truth is None or not len(found):
            return found
        living = self._truth.living(found.ids)
        if living.all():
            return found
        self._note_gone(found.ids[~living])
        return Neighbours(found.ids[living], found.scores[living])

    def _note_gone(self, gone: NDArray[np.int64]) -> None:
        if not len(gone):
            return
        if self.generation is not None:
            positions, known = positions_in(self.generation.ids, gone)
            if self._gone is None:
                self._gone = np.zeros(self.rows, np.bool_)
            self._gone[positions[known]] = True
            gone = gone[~known]
        self._newest_gone.update(gone.tolist())


def _nothing() -> Neighbours:
    return Neighbours(np.zeros(0, np.int64), np.zeros(0, np.float32))


def _lost(rows: NDArray[np.float16]) -> NDArray[np.int64]:
    """Return the positions of vectors that look like a page that the disk lost: all zeros, or no numbers at all.

    It reads few of their numbers; what is among the hits is looked at whole.
    """
    some = np.ascontiguousarray(rows.view(np.uint16)[:, ::_PROBE_STEP]) & _EXPONENT
    zero = np.flatnonzero(~some.any(axis=1))
    zero = zero[~rows[zero].view(np.uint16).any(axis=1)]
    return np.union1d(zero, np.flatnonzero((some == _EXPONENT).any(axis=1)))


def _first(found: Neighbours, limit: int) -> Neighbours:
    return Neighbours(found.ids[:limit], found.scores[:limit])


def _merged(*parts: Neighbours) -> Neighbours:
    return ranked(np.concatenate([one.ids for one in parts]), np.concatenate([one.scores for one in parts]))
