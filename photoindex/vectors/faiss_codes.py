"""FAISS behind two doors: codes in memory that find candidates among a million, and exact search over given rows."""

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
"""Bits a number of the codes. With one bit, 16 x k candidates hold 84 % of the true hits of a text among pictures, whose
cosines lie close together; with two they hold 99 %, for 148 bytes a vector of 512 numbers instead of 72."""
QUERY_BITS = 8
"""Bits a number of the query while codes are compared; more are no better, none at all (0) is a hundred times slower."""


_PART_CODES = 100_000
"""Fewer codes are compared before a second thread has begun."""
_PARTS_MAX = 4
"""Comparing reads the codes at the speed of memory, which a few cores use up."""


class Codes:
    """RaBitQ codes of vectors (Gao and Long, 2024), found by their position, from 0 in the order they were added.

    parts: the same codes in several indexes, one after the other, which are searched at the same time; none are added then.
    """

    def __init__(self, index: faiss.IndexRaBitQ, parts: Sequence[faiss.IndexRaBitQ] = ()) -> None:
        self._index = index
        self._parts = parts or (index,)

    @classmethod
    def trained(cls, sample: NDArray[np.float32]) -> Codes:
        """Return codes for vectors that are spread as this sample is, float32 [n, dim]; none is added."""
        import faiss

        index = faiss.IndexRaBitQ(sample.shape[1], faiss.METRIC_INNER_PRODUCT, BITS)
        index.train(np.ascontiguousarray(sample))
        return cls(index)

    @classmethod
    def read(cls, path: Path, *, to_add: bool = False) -> Codes:
        """Return the codes of a file that `to_bytes` filled and whose checksum was just found right.

        Without `to_add` the file is mapped, not copied: the checksum has brought it into memory, and copying it takes longer
        than everything else of a search. Raises IndexDamaged for a file that is something else.
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
        """Return the codes as they are kept in a file."""
        import faiss

        content: NDArray[np.uint8] = faiss.serialize_index(self._index)
        return content

    @property
    def dim(self) -> int:
        """Numbers a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        """Return how many vectors were added."""
        return int(self._index.ntotal)

    def add(self, rows: NDArray[np.float16]) -> None:
        """Add vectors, [n, dim], at the next positions. One that is not finite is coded as if it were zero."""
        threads = len(os.sched_getaffinity(0))
        # FAISS codes in one thread, and lets go of the interpreter meanwhile.
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
        """Return the positions of about the `count` nearest, ascending; only those that are true in `usable` [len(self)]."""
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
    """Return indexes over stretches of a mapped file of codes, one for each thread that is worth its start.

    FAISS searches with one thread a query; each of these maps the file anew, which takes no time, and sees its stretch alone.
    """
    import faiss

    threads = min(_PARTS_MAX, len(os.sched_getaffinity(0)), int(index.ntotal) // _PART_CODES)
    bounds = [number * int(index.ntotal) // threads for number in range(threads + 1)] if threads > 1 else []
    parts = []
    for start, stop in itertools.pairwise(bounds):
        part: Any = faiss.read_index(os.fspath(path), faiss.IO_FLAG_MMAP_IFC)
        mapped = faiss.rev_swig_ptr(part.codes.data(), part.ntotal * part.code_size)
        window = mapped[start * part.code_size : stop * part.code_size]
        bytes_of: Any = faiss.MaybeOwnedVectorUInt8  # has a constructor that its types do not know
        # The owner keeps the map for as long as the view is there.
        part.codes = bytes_of.create_view(faiss.swig_ptr(window), len(window), part.codes.owner)
        part.ntotal = stop - start
        parts.append(part)
    return parts


def _nearest_codes(
    index: faiss.IndexRaBitQ, query: NDArray[np.float32], count: int, usable: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the estimated scores and the positions of about the `count` nearest, in no order that matters."""
    import faiss

    how = faiss.RaBitQSearchParameters()
    how.qb = QUERY_BITS
    # FAISS keeps only a pointer to the selector and to its bits: both must have a name here.
    bits = None if usable is None else np.packbits(usable, bitorder="little")
    from_bits: Any = faiss.IDSelectorBitmap  # takes an array, which its types do not know
    selector = None if bits is None else from_bits(bits)
    if selector is not None:
        how.sel = selector
    with _in_this_thread():
        scores, found = index.search(query[None, :], count, params=how)
    kept = found[0] >= 0
    return scores[0][kept], found[0][kept]


class Rows:
    """Vectors held as float16 that are searched without decoding them first: 50,000 x 512 in a few milliseconds.

    One is filled again and again: memory that is new for every block takes longer than the search.
    """

    def __init__(self, dim: int) -> None:
        import faiss

        self._index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)

    def filled(self, values: NDArray[np.float16]) -> Rows:
        """Return these rows, holding the given vectors [n, dim] in place of what they held."""
        self._index.reset()
        self._index.add_sa_codes(_bytes_of(values))
        return self

    def nearest(self, query: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Return the positions of the `count` nearest, ascending; rows that are not numbers are left out."""
        count = min(count, self._index.ntotal)
        if count <= 0:
            return np.zeros(0, np.int64)
        with _in_this_thread():
            _, found = self._index.search(query[None, :], count)
        positions: NDArray[np.int64] = np.sort(found[0])
        return positions[positions >= 0]

    def above(self, query: NDArray[np.float32], minimum: float) -> NDArray[np.int64]:
        """Return the positions of all whose product with the query may be at least `minimum`, ascending."""
        with _in_this_thread():
            _, _, found = self._index.range_search(query[None, :], minimum - COARSE_ERROR)
        positions: NDArray[np.int64] = np.sort(found)
        return positions


@contextmanager
def _in_this_thread() -> Iterator[None]:
    """Keep FAISS from waking other threads: one query gives them nothing to do, and on a busy machine it waits for them."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the calling thread alone (OpenMP 5.2, 2.4)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _bytes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), 2 * values.shape[1])
