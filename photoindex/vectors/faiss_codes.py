"""FAISS indexes: RaBitQ codes that find candidates among millions of vectors, and exact search over given rows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import IndexDamaged
from photoindex.vectors.scoring import COARSE_ERROR

if TYPE_CHECKING:
    import faiss

BITS = 2
"""Bits per dimension of the codes. With one bit, 16 x k candidates contain 84 % of the true hits of a text query among
pictures, whose cosines are close together; with two bits 99 %, at 148 instead of 72 bytes for a vector of 512
dimensions."""
QUERY_BITS = 8
"""Bits per dimension of the quantised query; more are no better, and 0 (not quantised) is a hundred times slower."""
_PART_CODES = 100_000
"""Comparing fewer codes takes less time than starting a second thread."""
_FIRST_ROWS = 1_000
"""So many of the nearest rows are looked at before all of them."""
_PARTS_MAX = 4
"""Comparing codes is limited by memory bandwidth, which a few cores saturate."""


class Codes:
    """RaBitQ codes of vectors (Gao and Long, 2024), addressed by position from 0 in the order they were added.

    parts: the same codes split into several indexes that are searched in parallel; then no codes can be added.
    """

    def __init__(self, index: faiss.IndexRaBitQ, parts: Sequence[faiss.IndexRaBitQ] = ()) -> None:
        self._index = index
        self._parts = parts or (index,)

    @classmethod
    def trained(cls, sample: NDArray[np.float32]) -> Codes:
        """Return empty codes trained on a sample of vectors, float32 [n, dim]."""
        import faiss

        index = faiss.IndexRaBitQ(sample.shape[1], faiss.METRIC_INNER_PRODUCT, BITS)
        index.train(np.ascontiguousarray(sample))
        return cls(index)

    @classmethod
    def read(cls, path: Path, *, to_add: bool = False) -> Codes:
        """Read codes from a file with the content of `to_bytes` whose checksum was just verified.

        Without `to_add` the file is mapped instead of copied: verifying has already brought it into memory, and copying
        takes longer than the rest of a search. Raises IndexDamaged for any other file.
        """
        import faiss

        try:
            index = faiss.read_index(os.fspath(path), 0 if to_add else faiss.IO_FLAG_MMAP_IFC)
            if not isinstance(index, faiss.IndexRaBitQ):
                raise IndexDamaged(f"the codes are a {type(index).__name__}")
            return cls(index, () if to_add else _windows(index, path))
        except RuntimeError as error:
            raise IndexDamaged(f"the codes cannot be read ({str(error).splitlines()[0]})") from error

    def to_bytes(self) -> NDArray[np.uint8]:
        """Return the codes in the format of the file."""
        import faiss

        content: NDArray[np.uint8] = faiss.serialize_index(self._index)
        return content

    @property
    def dim(self) -> int:
        """The vectors' dimension."""
        return int(self._index.d)

    def __len__(self) -> int:
        """Return the number of vectors added."""
        return int(self._index.ntotal)

    def add(self, rows: NDArray[np.float16]) -> None:
        """Add vectors, [n, dim], at the next positions; non-finite values are coded as zero."""
        threads = len(os.sched_getaffinity(0))
        # FAISS encodes in a single thread, but releases the GIL.
        with ThreadPoolExecutor(threads, thread_name_prefix="code-vectors") as pool:
            for codes in pool.map(self._coded, np.array_split(rows, threads)):
                self._index.add_sa_codes(codes)

    def _coded(self, rows: NDArray[np.float16]) -> NDArray[np.uint8]:
        finite = np.nan_to_num(rows.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        codes: NDArray[np.uint8] = self._index.sa_encode(finite)
        return codes

    def candidates(
        self, query: NDArray[np.float32], count: int, usable: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """Return the positions of approximately the `count` nearest, ascending; usable: mask [len(self)], None: all."""
        starts = np.cumsum([0, *(int(part.ntotal) for part in self._parts)])

        def in_part(number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
            here = None if usable is None else usable[starts[number] : starts[number + 1]]
            scores, found = _nearest_codes(self._parts[number], query, count, here)
            return scores, found + starts[number]

        if len(self._parts) == 1:
            return np.sort(in_part(0)[1])
        with ThreadPoolExecutor(len(self._parts), thread_name_prefix="compare-codes") as pool:
            found = list(pool.map(in_part, range(len(self._parts))))
        scores, positions = (np.concatenate(one) for one in zip(*found, strict=True))
        if len(positions) > count:
            positions = positions[np.argpartition(-scores, count - 1)[:count]]
        return np.sort(positions)


def _windows(index: faiss.IndexRaBitQ, path: Path) -> list[faiss.IndexRaBitQ]:
    """Return indexes over ranges of a mapped file of codes, one per worthwhile thread.

    FAISS uses one thread per query; each of these indexes maps the file again, which is fast, and sees only its range.
    """
    import faiss

    threads = min(_PARTS_MAX, len(os.sched_getaffinity(0)), int(index.ntotal) // _PART_CODES)
    bounds = [number * int(index.ntotal) // threads for number in range(threads + 1)] if threads > 1 else []
    parts = []
    for start, stop in itertools.pairwise(bounds):
        part: Any = faiss.read_index(os.fspath(path), faiss.IO_FLAG_MMAP_IFC)
        mapped = faiss.rev_swig_ptr(part.codes.data(), part.ntotal * part.code_size)
        window = mapped[start * part.code_size : stop * part.code_size]
        bytes_of: Any = faiss.MaybeOwnedVectorUInt8  # its constructor is missing in the type stubs
        # The owner keeps the mapping alive as long as the view.
        part.codes = bytes_of.create_view(faiss.swig_ptr(window), len(window), part.codes.owner)
        part.ntotal = stop - start
        parts.append(part)
    return parts


def _nearest_codes(
    index: faiss.IndexRaBitQ, query: NDArray[np.float32], count: int, usable: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the estimated scores and positions of approximately the `count` nearest, unordered."""
    import faiss

    how = faiss.RaBitQSearchParameters()
    how.qb = QUERY_BITS
    # FAISS keeps only pointers to the selector and its bits, so both must stay referenced here.
    bits = None if usable is None else np.packbits(usable, bitorder="little")
    from_bits: Any = faiss.IDSelectorBitmap  # accepts an array, unlike its type stubs
    selector = None if bits is None else from_bits(bits)
    if selector is not None:
        how.sel = selector
    with _in_this_thread():
        scores, found = index.search(query[None, :], count, params=how)
    kept = found[0] >= 0
    return scores[0][kept], found[0][kept]


class Rows:
    """float16 vectors that are searched without decoding: 50,000 x 512 in a few milliseconds.

    Reuse one object for many blocks: allocating memory for every block takes longer than the search.
    """

    def __init__(self, dim: int) -> None:
        import faiss

        self._index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)

    def filled(self, values: NDArray[np.float16]) -> Rows:
        """Replace the content by the given vectors [n, dim] and return this object."""
        self._index.reset()
        self._index.add_sa_codes(_bytes_of(values))
        return self

    def nearest(self, query: NDArray[np.float32], count: int, minimum: float | None = None) -> NDArray[np.int64]:
        """Return the positions of the `count` nearest, ascending, without rows that contain NaN.

        minimum: also without those whose product with the query is certainly below it.
        """
        scores, found = self._searched(query, count)
        if minimum is not None:
            found = found[scores >= minimum - COARSE_ERROR]
        return np.sort(found)

    def above(self, query: NDArray[np.float32], minimum: float) -> NDArray[np.int64]:
        """Return the positions of all rows whose product with the query may be at least `minimum`, ascending."""
        # FAISS's own search of a range takes five times as long as one for all rows in order.
        scores, found = self._searched(query, _FIRST_ROWS)
        if len(found) == _FIRST_ROWS and scores[-1] >= minimum - COARSE_ERROR:
            scores, found = self._searched(query, self._index.ntotal)
        return np.sort(found[scores >= minimum - COARSE_ERROR])

    def _searched(self, query: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the products with the `count` nearest rows, descending, and their positions."""
        count = min(count, self._index.ntotal)
        if count <= 0:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        with _in_this_thread():
            (scores,), (found,) = self._index.search(query[None, :], count)
        return scores[found >= 0], found[found >= 0]


@contextmanager
def _in_this_thread() -> Iterator[None]:
    """Keep FAISS from using other threads: one query does not need them and would wait for them on a busy machine."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # affects only the calling thread (OpenMP 5.2, 2.4)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _bytes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), 2 * values.shape[1])
