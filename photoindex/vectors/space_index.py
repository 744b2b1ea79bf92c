"""The index of one embedding space: a generation on disk plus unmerged vectors in memory, minus deleted ones."""

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

CANDIDATES_PER_HIT = 16
"""Number of candidates from the codes that are scored exactly per requested hit."""
CANDIDATES_MIN = 1_600
NARROW_ROWS = 50_000
NARROW_SHARE = 0.05
"""If a filter leaves at most this many vectors (the larger of both limits), all of them are scored exactly."""
_SCAN_ROWS = 65_536
_FEW_ROWS = 1_000
_WIDER = 4
_PROBE_STEP = 64
_EXPONENT = np.uint16(0x7C00)
"""The exponent bits of a float16, all set for infinity and NaN (IEEE 754, binary16)."""


class SpaceIndex:
    """One space's vectors: a generation (None before the first merge) and the newest vectors, not merged yet.

    truth: where deleted and damaged vectors are looked up; with None the files are trusted, and damage found while
    searching raises IndexDamaged instead of being repaired. Not thread-safe.
    """

    def __init__(self, generation: Generation | None, newest: ExactIndex, truth: Truth | None = None) -> None:
        if generation is not None and generation.dim != newest.dim:
            raise IndexDamaged(f"it was made for vectors of dimension {generation.dim}, not {newest.dim}")
        self.dim = newest.dim
        self.generation = generation
        self.newest = newest
        self._truth = truth
        self._deleted: NDArray[np.bool_] | None = None
        """Mask of the generation's positions whose vectors are known to be deleted."""
        self._newest_deleted: set[int] = set()
        self._all_checked = False

    def __len__(self) -> int:
        """Return the number of vectors without those known to be deleted."""
        deleted = 0 if self._deleted is None else int(np.count_nonzero(self._deleted))
        return self.rows + len(self.newest) - deleted - len(self._newest_deleted)

    @cached_property
    def _one_block(self) -> Rows:
        return Rows(self.dim)

    @cached_property
    def _newest_rows(self) -> Rows:
        # Reads half as much memory as `newest` does, and starts no BLAS threads that keep a core busy waiting.
        return Rows(self.dim).filled(self.newest.values)

    @property
    def rows(self) -> int:
        """Number of vectors in the generation, including deleted ones."""
        return 0 if self.generation is None else len(self.generation)

    @property
    def unmerged(self) -> int:
        """Number of vectors that are newer than the generation."""
        return len(self.newest)

    def search(self, query: NDArray[np.float32], limit: int, *, allowed: NDArray[np.int64] | None = None) -> Neighbours:
        """Return up to `limit` nearest vectors that are not deleted; see `VectorIndex.search`.

        With codes, 99 of 100 hits are the true nearest; scores are always exact. The result is exact if the index, or
        the part selected by `allowed`, has at most 50,000 vectors.
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
            found = self._without_deleted(_first(found, wanted))
            if exhausted or len(found) >= limit:
                break
            # Vectors found to be deleted are excluded from now on; if there are many, request more candidates too.
            wanted *= 1 if attempt == 1 else _WIDER
        return _first(found, limit)

    def scan(
        self, query: NDArray[np.float32], minimum: float, *, allowed: NDArray[np.int64] | None = None
    ) -> Neighbours:
        """Return all vectors with a cosine of at least `minimum` that are not deleted; reads all vectors, in blocks."""
        query = checked_query(query, self.dim)
        parts = [self.newest.scan(query, minimum, allowed=allowed)]
        if self.generation is not None:
            usable = self._usable(allowed)
            positions = None if usable is None else np.flatnonzero(usable)
            for here, rows in self._rows_of(positions):
                near = np.union1d(self._one_block.filled(rows).above(query, minimum), _corrupted(rows))
                found = self._scored(query, here[near], rows[near])
                kept = found.scores >= np.float32(minimum)
                parts.append(Neighbours(found.ids[kept], found.scores[kept]))
        return self._without_deleted(_merged(*parts))

    def scores(self, query: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact cosines of a query and these vectors; see `VectorIndex.scores`."""
        query = checked_query(query, self.dim)
        found = self.newest.scores(query, ids)
        for indices, rows in self._looked_up(ids):
            found[indices] = exact_scores(rows, query)
        return found

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return these vectors; see `VectorIndex.vectors`."""
        found = self.newest.vectors(ids)
        for indices, rows in self._looked_up(ids):
            found[indices] = rows
        return found

    def sample(self) -> NDArray[np.float32]:
        """Return up to 4,096 random vectors, float32 [n, dim], from the newest ones if nothing was merged yet.

        Damaged vectors are left out because they would distort measurements.
        """
        if self.generation is not None and len(self.generation):
            rows = self.generation.sample
        else:
            random = np.random.default_rng(len(self.newest))
            chosen = random.choice(len(self.newest), min(4_096, len(self.newest)), replace=False)
            rows = self.newest.values[np.sort(chosen)]
        return np.delete(rows, not_unit(rows), axis=0).astype(np.float32)

    def blocks(self) -> Iterator[Block]:
        """Yield all vectors that are not deleted, in order of their ids.

        Deleted ones are looked up only the first time, so that several passes see the same vectors.
        """
        check = not self._all_checked
        if self.generation is not None:
            for positions, rows in self._rows_of(None):
                ids, repaired = self._repaired(positions, rows)
                yield self._living_block(ids, repaired, check=check)
        if len(self.newest):
            yield self._living_block(self.newest.ids, self.newest.values, check=check)
        self._all_checked = True

    def _living_block(self, ids: NDArray[np.int64], rows: NDArray[np.float16], *, check: bool) -> Block:
        if self._truth is None:
            return ids, rows
        if check:
            self._mark_deleted(ids[~self._truth.living(ids)])
        living = np.ones(len(ids), np.bool_)
        if self.generation is not None and self._deleted is not None:
            positions, known = positions_in(self.generation.ids, ids)
            living[known] = ~self._deleted[positions[known]]
        if self._newest_deleted:
            living &= ~np.isin(ids, np.fromiter(self._newest_deleted, np.int64))
        return ids[living], rows[living]

    def _usable(self, allowed: NDArray[np.int64] | None) -> NDArray[np.bool_] | None:
        """Return a mask of the generation's positions that may be found, None for all."""
        if self.generation is None or (allowed is None and self._deleted is None):
            return None
        if allowed is None:
            usable = np.ones(self.rows, np.bool_)
        else:
            usable = np.zeros(self.rows, np.bool_)
            positions, known = positions_in(self.generation.ids, allowed)
            usable[positions[known]] = True
        if self._deleted is not None:
            usable &= ~self._deleted
        return usable

    def _search_generation(
        self, query: NDArray[np.float32], limit: int, usable: NDArray[np.bool_] | None
    ) -> Neighbours:
        generation = self.generation
        if generation is None or not len(generation):
            return _nothing()
        among = self.rows if usable is None else int(np.count_nonzero(usable))
        wanted = max(CANDIDATES_PER_HIT * limit, CANDIDATES_MIN)
        if generation.codes is None and usable is None and not generation.lacks_codes:
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
        """Return the nearest of the generation's vectors at these positions (None: all) by comparing each of them."""
        best = _nothing()
        for here, rows in self._rows_of(positions):
            # Once there are enough, only what is nearer than the last of them is scored exactly.
            minimum = float(best.scores[-1]) if len(best) == limit else None
            near = self._one_block.filled(rows).nearest(query, limit, minimum)
            # Include corrupted rows whatever their score: the real vectors may be near.
            near = np.union1d(near, _corrupted(rows))
            best = _first(_merged(best, self._scored(query, here[near], rows[near])), limit)
        return best

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
        # Include corrupted rows whatever their score: the real vectors may be near.
        near = np.union1d(self._one_block.filled(rows).nearest(query, limit), _corrupted(rows))
        return self._scored(query, positions[near], rows[near])

    def _scored(
        self, query: NDArray[np.float32], positions: NDArray[np.int64], rows: NDArray[np.float16]
    ) -> Neighbours:
        ids, rows = self._repaired(positions, rows)
        return ranked(ids, exact_scores(rows, query))

    def _looked_up(self, ids: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Yield the indices in `ids` of vectors in the generation, and the vectors."""
        if self.generation is None or not len(ids):
            return
        positions, known = positions_in(self.generation.ids, ids)
        indices = np.flatnonzero(known)
        indices = indices[np.argsort(positions[indices], kind="stable")]
        for start in range(0, len(indices), _SCAN_ROWS):
            here = indices[start : start + _SCAN_ROWS]
            unique, back = np.unique(positions[here], return_inverse=True)
            _, rows = self._repaired(unique, self.generation.flat.at(unique))
            yield here, rows[back]

    def _repaired(
        self, positions: NDArray[np.int64], rows: NDArray[np.float16]
    ) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Return the ids and vectors of these positions, with damaged vectors replaced from the truth.

        Raises IndexDamaged if there is no truth.
        """
        assert self.generation is not None
        ids = self.generation.ids[positions]
        bad = not_unit(rows)
        if not len(bad):
            return ids, rows
        problem = f"{self.generation.flat.path.name} is damaged at position {positions[bad[0]]:,}"
        if self._truth is None:
            raise IndexDamaged(problem)
        stored = self._truth.fetch(ids[bad])
        if (stored.view(np.uint16) != rows[bad].view(np.uint16)).any():
            self._truth.damaged(problem)
        repaired = rows.copy()
        repaired[bad] = stored
        return ids, repaired

    def _without_deleted(self, found: Neighbours) -> Neighbours:
        if self._truth is None or not len(found):
            return found
        living = self._truth.living(found.ids)
        if living.all():
            return found
        self._mark_deleted(found.ids[~living])
        return Neighbours(found.ids[living], found.scores[living])

    def _mark_deleted(self, ids: NDArray[np.int64]) -> None:
        if not len(ids):
            return
        if self.generation is not None:
            positions, known = positions_in(self.generation.ids, ids)
            if self._deleted is None:
                self._deleted = np.zeros(self.rows, np.bool_)
            self._deleted[positions[known]] = True
            ids = ids[~known]
        self._newest_deleted.update(ids.tolist())


def _nothing() -> Neighbours:
    return Neighbours(np.zeros(0, np.int64), np.zeros(0, np.float32))


def _corrupted(rows: NDArray[np.float16]) -> NDArray[np.int64]:
    """Return the positions of vectors that look like a lost disk page: all zeros, or infinity or NaN.

    Only a few values per vector are read; hits are checked completely later.
    """
    some = np.ascontiguousarray(rows.view(np.uint16)[:, ::_PROBE_STEP]) & _EXPONENT
    zero = np.flatnonzero(~some.any(axis=1))
    zero = zero[~rows[zero].view(np.uint16).any(axis=1)]
    return np.union1d(zero, np.flatnonzero((some == _EXPONENT).any(axis=1)))


def _first(found: Neighbours, limit: int) -> Neighbours:
    return Neighbours(found.ids[:limit], found.scores[:limit])


def _merged(*parts: Neighbours) -> Neighbours:
    return ranked(np.concatenate([one.ids for one in parts]), np.concatenate([one.scores for one in parts]))
