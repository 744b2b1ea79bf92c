"""A file of nothing but vectors, one after the other, read where it is needed."""

from __future__ import annotations

import mmap
import os
import time
import weakref
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import IndexDamaged

STORED = np.dtype("<f2")
BLOCK_BYTES = 32 << 20
_FIRST_ROWS = 32
_COLD_SECONDS = 50e-6
"""A row that took longer came from the disk; one in memory takes two millionths of a second."""
_MAPPED_ROWS = 10_000
"""More vectors than this come from a memory map, in half the time of a call each."""
_DENSE = 2
"""Where at least every so-many-th vector is wanted, reading them all is quicker."""


class FlatFile:
    """Vectors of a file, float16 little-endian [rows, dim], by their positions; whatever lies behind them is ignored.

    What is wanted as a whole is read(), which is quicker than a million page faults, and so are a few vectors here and there;
    only many of them come from a memory map. Raises IndexDamaged where the file is shorter or cannot be read.
    """

    def __init__(self, path: Path, rows: int, dim: int) -> None:
        self.path = path
        self.rows = rows
        self.dim = dim
        self._row_bytes = dim * STORED.itemsize
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        self._require_size()

    def block(self, start: int, stop: int) -> NDArray[np.float16]:
        """Return the vectors from position `start` up to `stop`, float16 [stop - start, dim]."""
        found = np.empty((stop - start, self.dim), STORED)
        self._read_into(found, start)
        return found

    def blocks(self, start: int = 0) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Yield all vectors from position `start` on as (position of the first, float16 [n, dim])."""
        step = max(1, BLOCK_BYTES // self._row_bytes)
        for first in range(start, self.rows, step):
            yield first, self.block(first, min(first + step, self.rows))

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the vectors at ascending positions, float16 [n, dim]."""
        if not len(positions):
            return np.empty((0, self.dim), STORED)
        first, last = int(positions[0]), int(positions[-1]) + 1
        if len(positions) * _DENSE >= last - first:
            return np.concatenate(list(self._dense(positions, first, last)))
        return self._sparse(positions)

    def _dense(self, positions: NDArray[np.int64], first: int, last: int) -> Iterator[NDArray[np.float16]]:
        step = max(1, BLOCK_BYTES // self._row_bytes)
        for start in range(first, last, step):
            stop = min(start + step, last)
            here = positions[np.searchsorted(positions, start) : np.searchsorted(positions, stop)]
            yield self.block(start, stop)[here - start]

    def _sparse(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        self._require_size()
        size = self._row_bytes
        offsets = (positions * size).tolist()
        many = len(offsets) > _MAPPED_ROWS
        started = time.perf_counter()
        parts = [self._read(offset) for offset in offsets[:_FIRST_ROWS]]
        if time.perf_counter() - started > _COLD_SECONDS * len(parts):
            # The disk serves many requests at once: all are told to it before the first is waited for.
            wanted = [(offsets[0], offsets[-1] + size - offsets[0])] if many else [(one, size) for one in offsets]
            for offset, length in wanted:
                os.posix_fadvise(self._descriptor, offset, length, os.POSIX_FADV_WILLNEED)
        if many:
            return self._mapped_rows(positions)
        parts += [self._read(offset) for offset in offsets[_FIRST_ROWS:]]
        return np.frombuffer(b"".join(parts), STORED).reshape(len(positions), self.dim)

    def _mapped_rows(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        found = np.frombuffer(self._map, STORED).reshape(self.rows, self.dim)[positions]
        # Or the whole file would come to count as this process's memory.
        self._map.madvise(mmap.MADV_DONTNEED)
        return found

    def _read(self, offset: int) -> bytes:
        try:
            found = os.pread(self._descriptor, self._row_bytes, offset)
        except OSError as error:
            raise IndexDamaged(f"{self.path.name} cannot be read ({error.strerror})") from error
        if len(found) != self._row_bytes:
            raise IndexDamaged(f"{self.path.name} ends at byte {offset + len(found):,}")
        return found

    @cached_property
    def _map(self) -> mmap.mmap:
        return mmap.mmap(self._descriptor, self.rows * self._row_bytes, prot=mmap.PROT_READ)

    def _require_size(self) -> None:
        size, expected = os.fstat(self._descriptor).st_size, self.rows * self._row_bytes
        if size < expected:
            raise IndexDamaged(f"{self.path.name} ends at byte {size:,} where {expected:,} belong")

    def _read_into(self, found: NDArray[np.float16], start: int) -> None:
        buffer = found.data.cast("B")
        offset = start * self._row_bytes
        done = 0
        while done < len(buffer):
            try:
                count = os.preadv(self._descriptor, [buffer[done:]], offset + done)
            except OSError as error:
                raise IndexDamaged(f"{self.path.name} cannot be read ({error.strerror})") from error
            if count == 0:
                raise IndexDamaged(f"{self.path.name} ends at byte {offset + done:,}")
            done += count
