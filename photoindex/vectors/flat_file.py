"""A file of nothing but vectors, one after the other, read where it is needed."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import IndexDamaged

STORED = np.dtype("<f2")
BLOCK_BYTES = 32 << 20
_FIRST_ROWS = 32
_COLD_SECONDS = 50e-6
"""A row that took longer came from the disk; one in memory takes two millionths of a second."""
_DENSE = 8
"""Where at least every so-many-th row is wanted, reading them all is quicker."""


class FlatFile:
    """Vectors of a file, float16 little-endian [rows, dim], by their positions; whatever lies behind them is ignored.

    It is read by read() and not through a memory map: a page that the disk cannot give would kill the process, and a
    million page faults are slower than reading. Raises IndexDamaged where the file is shorter or cannot be read.
    """

    def __init__(self, path: Path, rows: int, dim: int) -> None:
        self.path = path
        self.rows = rows
        self.dim = dim
        self._row_bytes = dim * STORED.itemsize
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        size = os.fstat(self._descriptor).st_size
        if size < rows * self._row_bytes:
            raise IndexDamaged(f"{path.name} has {size:,} bytes where {rows * self._row_bytes:,} belong")

    def block(self, start: int, stop: int) -> NDArray[np.float16]:
        """Return the vectors from position `start` up to `stop`, float16 [stop - start, dim]."""
        found = np.empty((stop - start, self.dim), STORED)
        self._read_into(found.data.cast("B"), start)
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
        size = self._row_bytes
        offsets = (positions * size).tolist()
        started = time.perf_counter()
        parts = [self._read(size, offset) for offset in offsets[:_FIRST_ROWS]]
        if time.perf_counter() - started > _COLD_SECONDS * len(parts):
            # The disk serves many requests at once: all are told to it before the first is waited for.
            for offset in offsets[_FIRST_ROWS:]:
                os.posix_fadvise(self._descriptor, offset, size, os.POSIX_FADV_WILLNEED)
        parts += [self._read(size, offset) for offset in offsets[_FIRST_ROWS:]]
        return np.frombuffer(b"".join(parts), STORED).reshape(len(positions), self.dim)

    def _read(self, size: int, offset: int) -> bytes:
        try:
            found = os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise IndexDamaged(f"{self.path.name} cannot be read ({error.strerror})") from error
        if len(found) != size:
            raise IndexDamaged(f"{self.path.name} ends at byte {offset + len(found):,}")
        return found

    def _read_into(self, buffer: memoryview, start: int) -> None:
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
