"""The index of a million vectors in one process: build time, recall, speed with and without filters, memory.

The vectors are generated to resemble CLIP's: in a narrow cone, in groups of very unequal size, with most of their
variance in few directions. Half of the queries resemble texts, which lie outside the cone and whose best hits score 0.3
(the harder half), the other half pictures. All times are warm; the exact answers are computed from the same vectors in
numpy.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
from common import options, report
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index, rebuild
from photoindex.library.index.validation import folder_of
from photoindex.store.schema.tables import asset, photo, variant, vector
from photoindex.store.vectors import spaces
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.vectors.base import Neighbours
from photoindex.vectors.space_index import SpaceIndex

DIM = 512
ROUNDS = 5
UNMERGED = 10_000
LIMIT = 200
_BLOCK = 20_000


class ClipLike:
    """Reproducible vectors and queries with the geometry of a CLIP space, generated in blocks."""

    def __init__(self, count: int, dim: int = DIM) -> None:
        random = np.random.default_rng(1)
        self.dim = dim
        turned = np.linalg.qr(random.standard_normal((dim, dim)))[0]
        # Few directions hold most of the variance, as in every trained space.
        self._spread = (np.arange(1, dim + 1)[:, None] ** -0.5 * turned).astype(np.float32)
        self._mean = _unit(random.standard_normal(dim) + np.eye(dim)[3] * 8 - np.eye(dim)[5] * 6)
        self._gap = _unit(random.standard_normal(dim))
        self._centres = _unit(random.standard_normal((max(count // 500, 1), dim)) @ self._spread)

    def blocks(self, count: int) -> Iterator[NDArray[np.float16]]:
        """Yield `count` vectors; the cosine of two is about 0.2 to 0.7, higher between a photo and its neighbours."""
        random = np.random.default_rng(2)
        for start in range(0, count, _BLOCK):
            size = min(_BLOCK, count - start)
            group = np.minimum(random.pareto(1.0, size) * len(self._centres) / 50, len(self._centres) - 1).astype(int)
            own = _unit(random.standard_normal((size, self.dim), np.float32) @ self._spread)
            yield _unit(0.75 * self._mean + 0.55 * self._centres[group] + 0.6 * own).astype(np.float16)

    def texts(self, count: int) -> NDArray[np.float32]:
        """Return queries outside the cone, each about one group."""
        random = np.random.default_rng(3)
        about = self._centres[random.integers(0, len(self._centres), count)]
        rest = _unit(random.standard_normal((count, self.dim)) @ self._spread)
        return _unit(0.8 * self._gap + 0.35 * about + 0.2 * rest + 0.1 * self._mean)

    def like(self, vectors: NDArray[np.float16]) -> NDArray[np.float32]:
        """Return queries similar to these vectors."""
        random = np.random.default_rng(4)
        return _unit(
            vectors.astype(np.float32) + 0.5 * _unit(random.standard_normal((len(vectors), self.dim)) @ self._spread)
        )


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    given = parser.parse_args()
    count, queries = (60_000, 10) if given.quick else (given.vectors, given.queries)
    with tempfile.TemporaryDirectory(prefix="bench-index-") as temporary:
        folder = (given.work or Path(temporary)) / f"index-{count}"
        with open_library(Config(library=folder), create=True) as library:
            space = fill_space(library, count)
            build(library, space, count)
            search(library, space, count, queries)


def fill_space(library: Library, count: int) -> SpaceRow:
    """Return a space with at least `count` vectors, which are written unless they exist."""
    with library.database.write() as connection:
        key = connection.execute(insert(variant).values(stage="embed", key=f"bench-{time.time()}", created_at=0.0))
        known = spaces.all_spaces(connection)
        assert key.inserted_primary_key is not None
        space = known[0] if known else spaces.ensure_space(
            connection, model="bench", variant_id=key.inserted_primary_key[0], dim=DIM
        )  # fmt: skip
        existing = spaces.count_vectors(connection, space.id)
    if existing >= count:
        return space
    first = 0
    for block in ClipLike(count).blocks(count):
        with library.database.write() as connection:
            put(connection, space, block, first)
        first += len(block)
    return space


def put(connection: Connection, space: SpaceRow, values: NDArray[np.float16], first: int) -> None:
    """Write vectors, each with a photo and a content, as `embed` would."""
    numbers = range(first + 1, first + 1 + len(values))
    if first == 0:
        connection.execute(
            insert(variant).prefix_with("OR IGNORE").values(id=1, stage="ingest", key="b", created_at=0.0)
        )
    row = {"kind": "image", "format": "jpeg", "size_bytes": 1, "added_at": 0.0}
    connection.execute(insert(photo), [{"id": one, "keywords": [], "sources": {}, **row} for one in numbers])
    extra = {"facts": {}, "notes": [], "derived": True, "variant_id": 1, "role": "primary", **row}
    connection.execute(
        insert(asset), [{"id": one, "photo_id": one, "digest": one.to_bytes(32, "big"), **extra} for one in numbers]
    )
    connection.execute(
        insert(vector),
        [
            {"space_id": space.id, "asset_id": one, "data": data.tobytes()}
            for one, data in zip(numbers, values, strict=True)
        ],
    )


def build(library: Library, space: SpaceRow, count: int) -> None:
    shutil.rmtree(folder_of(library, space.id), ignore_errors=True)
    began, cpu = time.perf_counter(), time.process_time()
    (made,) = rebuild(library)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    assert made.vectors == count
    sizes = {path.name: path.stat().st_size for path in folder_of(library, space.id).glob("gen-*/*")}
    report(
        "index_build", vectors=count, dim=DIM, seconds=round(seconds, 2), cpu_seconds=round(cpu_seconds, 2),
        codes_mb=round(sizes.get("codes.faiss", 0) / 1e6, 1), goal_seconds=60,
    )  # fmt: skip


def search(library: Library, space: SpaceRow, count: int, queries: int) -> None:
    began = time.perf_counter()
    index = open_index(library, space)
    report("index_open", vectors=count, seconds=round(time.perf_counter() - began, 3))
    assert index.generation is not None
    made = ClipLike(count)
    pictures = index.generation.flat.at(np.sort(np.random.default_rng(5).choice(count, queries // 2, replace=False)))
    kinds = {"texts": made.texts(queries - queries // 2), "pictures": made.like(pictures)}
    all_queries = np.concatenate(list(kinds.values()))
    for kind, vectors in kinds.items():
        for limit in (20, LIMIT, 1_000):
            recall(index, kind, vectors, limit)
    plain = timed("index_search", index, all_queries, lambda query: index.search(query, LIMIT), goal_p95_ms=30)
    random = np.random.default_rng(6)
    for share, goal in ((0.01, 150), (0.05, 150), (0.2, 150), (0.9, 150)):
        allowed = np.sort(random.choice(index.generation.ids, int(share * count), replace=False))
        timed(
            "index_search_filtered", index, all_queries,
            lambda query, ids=allowed: index.search(query, LIMIT, allowed=ids), share=share, goal_p95_ms=goal,
        )  # fmt: skip
    timed("index_scan", index, all_queries[: queries // 10 + 1], lambda query: index.scan(query, 0.3))
    memory = psutil.Process().memory_full_info()
    report("index_memory", vectors=count, rss_mb=round(memory.rss / 1e6), uss_mb=round(memory.uss / 1e6), goal_mb=1_500)
    unmerged(library, space, count, all_queries, plain)


def unmerged(library: Library, space: SpaceRow, count: int, queries: NDArray[np.float32], plain: float) -> None:
    """Add vectors without merging them, measure, and remove them again."""
    first = count
    blocks = list(ClipLike(count).blocks(UNMERGED))
    with library.database.write() as connection:
        for block in blocks:
            put(connection, space, block, first)
            first += len(block)
    try:
        began = time.perf_counter()
        index = open_index(library, space, repair=False)
        seconds = time.perf_counter() - began
        assert index.unmerged == UNMERGED
        with_newest = timed(
            "index_search_unmerged", index, queries, lambda query: index.search(query, LIMIT), unmerged=UNMERGED
        )
        report(
            "index_unmerged", vectors=count, unmerged=UNMERGED, open_seconds=round(seconds, 3),
            adds_ms=round(with_newest - plain, 1), goal_ms=10,
        )  # fmt: skip
        merge(library, space, count)
    finally:
        with library.database.write() as connection:
            connection.execute(vector.delete().where(vector.c.asset_id > count))
            connection.execute(asset.delete().where(asset.c.id > count))
            connection.execute(photo.delete().where(photo.c.id > count))


def merge(library: Library, space: SpaceRow, count: int) -> None:
    from photoindex.library.index.maintain import merge_if_due

    began = time.perf_counter()
    assert merge_if_due(library, space)
    report("index_merge", vectors=count, joined=UNMERGED, seconds=round(time.perf_counter() - began, 2))


def timed(
    name: str, index: SpaceIndex, queries: NDArray[np.float32], run: Callable[[NDArray[np.float32]], Neighbours],
    **values: object,
) -> float:  # fmt: skip
    """Report the best round's 95th percentile and the best median of a search; return the median, in milliseconds."""
    run(queries[0])
    rounds = []
    for _ in range(ROUNDS):
        times, cpu_times = [], []
        for query in queries:
            began, cpu = time.perf_counter(), time.process_time()
            run(query)
            cpu_times.append(1000 * (time.process_time() - cpu))
            times.append(1000 * (time.perf_counter() - began))
        rounds.append((float(np.percentile(times, 95)), float(np.median(times)), float(np.median(cpu_times))))
    p95, _, cpu = min(rounds)
    median = min(one[1] for one in rounds)
    report(
        name, vectors=len(index), limit=LIMIT, queries=len(queries), median_ms=round(median, 1), p95_ms=round(p95, 1),
        cpu_ms=round(cpu, 1), p95_of_rounds_ms=[round(one[0], 1) for one in rounds], **values,
    )  # fmt: skip
    return median


def recall(index: SpaceIndex, kind: str, queries: NDArray[np.float32], limit: int) -> None:
    """Report which share of the true nearest neighbours is found."""
    assert index.generation is not None
    scores = np.concatenate([rows.astype(np.float32) @ queries.T for _, rows in index.generation.flat.blocks()])
    shares = []
    for query, exact in zip(queries, scores.T, strict=True):
        nearest = index.generation.ids[np.argpartition(-exact, limit)[:limit]]
        shares.append(len(np.intersect1d(index.search(query, limit).ids, nearest)) / limit)
    report(
        "index_recall", kind=kind, vectors=len(index), limit=limit, recall=round(float(np.mean(shares)), 4),
        least=round(min(shares), 4), best_score=round(float(scores.max(axis=0).mean()), 3), goal=0.99,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
