"""Random access to a file of vectors stored one after the other."""

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
BLOCK_BYTES = 8 << 20
_FIRST_ROWS = 32
_COLD_SECONDS = 50e-6
"""A row that takes longer was read from disk; one in memory takes two microseconds."""
_MAPPED_ROWS = 10_000
"""More vectors than this are read from a memory map, in half the time of one call each."""
_DENSE = 2
"""If at least one in this many vectors is requested, reading the whole range is faster."""


class FlatFile:
    """Vectors in a file, float16 little-endian [rows, dim], by position; anything after them is ignored.

    Whole ranges are read with read(), which is faster than a million page faults, and so are a few scattered vectors;
    only many scattered vectors use a memory map. Raises IndexDamaged if the file is too short or cannot be read.
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
        """Return the vectors at positions `start` to `stop` (exclusive), float16 [stop - start, dim]."""
        found = np.empty((stop - start, self.dim), STORED)
        self._read_into(found, start)
        return found

    def blocks(self, start: int = 0) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Yield all vectors from position `start` in blocks, as (position of the first, float16 [n, dim])."""
        step = max(1, BLOCK_BYTES // self._row_bytes)
        for first in range(start, self.rows, step):
            yield first, self.block(first, min(first + step, self.rows))

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the vectors at ascending positions, float16 [n, dim]."""
        parts = [rows for _, rows in self.parts(positions)]
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def parts(self, positions: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Yield the vectors at ascending positions in parts, as (positions, float16 [n, dim]); at least one part."""
        if not len(positions):
            yield positions, np.empty((0, self.dim), STORED)
            return
        self._require_size()
        first, last = int(positions[0]), int(positions[-1]) + 1
        if len(positions) * _DENSE >= last - first:
            yield from self._dense(positions, first, last)
        elif len(positions) > _MAPPED_ROWS:
            yield from self._mapped(positions)
        else:
            yield positions, self._single(positions)

    def _dense(
        self, positions: NDArray[np.int64], first: int, last: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        step = max(1, BLOCK_BYTES // self._row_bytes)
        for start in range(first, last, step):
            stop = min(start + step, last)
            here = positions[np.searchsorted(positions, start) : np.searchsorted(positions, stop)]
            yield here, self.block(start, stop)[here - start]

    def _mapped(self, positions: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        if self._is_cold(positions[:_FIRST_ROWS]):
            first, last = int(positions[0]), int(positions[-1]) + 1
            self._prefetch(first, last - first)
        rows = np.frombuffer(self._map, STORED).reshape(self.rows, self.dim)
        step = max(1, BLOCK_BYTES // self._row_bytes)
        for start in range(0, len(positions), step):
            here = positions[start : start + step]
            yield here, rows[here]
        # Otherwise the whole file would count as memory of this process.
        self._map.madvise(mmap.MADV_DONTNEED)

    def _single(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        if self._is_cold(positions[:_FIRST_ROWS]):
            # Disks serve requests in parallel: announce all of them before waiting for the first.
            for position in positions.tolist():
                self._prefetch(position, 1)
        return np.frombuffer(b"".join(map(self._read, positions.tolist())), STORED).reshape(len(positions), self.dim)

    def _is_cold(self, positions: NDArray[np.int64]) -> bool:
        started = time.perf_counter()
        for position in positions.tolist():
            self._read(position)
        return time.perf_counter() - started > _COLD_SECONDS * len(positions)

    def _prefetch(self, position: int, rows: int) -> None:
        offset, size = position * self._row_bytes, rows * self._row_bytes
        os.posix_fadvise(self._descriptor, offset, size, os.POSIX_FADV_WILLNEED)

    def _read(self, position: int) -> bytes:
        offset = position * self._row_bytes
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
            raise IndexDamaged(f"{self.path.name} ends at byte {size:,} instead of {expected:,}")

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
