"""Semantic searches of a million photos: whole processes, with and without CPU load, and a breakdown of the time.

The photos are only rows; their vectors are generated to resemble CLIP's (see bench_index.py), and some are shifted
towards the queries, like matching photos. The text tower is that of ViT-B/32 with random weights, exported as by
`models install`. `new` queries need the model; `again` repeats them, when their vectors are stored.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from bench_embed import FULL, side
from bench_index import ClipLike
from common import options, photoindex, report
from sqlalchemy import insert
from tqdm import tqdm

from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.library.handle import Library
from photoindex.library.search.find import SearchRequest, find
from photoindex.library.search.hits import hits_of
from photoindex.library.search.parse import parse
from photoindex.library.search.semantic_query import SemanticOptions, semantic_query
from photoindex.library.spaces.spaces import variant_of
from photoindex.models.weights import ModelStore
from photoindex.store.schema.tables import vector
from photoindex.store.tasks import queue
from photoindex.store.vectors import spaces

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.synthetic import make_library

HEAVY_TASKS = 5
OWN_NICENESS = 10
"""Niceness of the worker processes of `scan` and `embed`; other programs have 0."""
SHIFTED_SHARE = 0.002
_WORDS = ("beach", "mountain", "garden", "street", "river", "castle", "harbour", "forest", "market", "bridge")
_LIGHTS = ("sunset", "sunrise", "rain", "fog", "snow", "night", "summer", "storm", "noon", "autumn")
QUERIES = tuple(f"{word} {light}" for light in _LIGHTS for word in _WORDS)
"""`beach sunset` is the first."""

FILTERED: tuple[tuple[str, str], ...] = (
    ("", "none"),
    ("date:2019", "5 %, by an index"),
    ("rating:5", "a fifth, by reading all photos"),
    ("camera:r5", "a sixth"),
    ("path:2010/", "5 %, by the folders"),
    ("date:2019-06-15", "some hundred photos"),
)


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--parts", type=str, help=argparse.SUPPRESS)
    parser.add_argument("--library", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.parts is not None:
        parts(given.library, given.parts)
        return
    photos, rounds = (3_000, 4) if given.quick else (given.photos, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bench-semantic-") as temporary:
        folder = (given.work or Path(temporary)) / f"semantic-{'quick' if given.quick else 'full'}-{photos}"
        if not (folder / "made").exists():
            fill(folder, photos, given)
            (folder / "made").touch()
        forget_queries(folder)
        processes(folder, photos, rounds)
        for niceness in OWN_NICENESS, 0:
            with heavy_tasks(HEAVY_TASKS, niceness):
                processes(folder, photos, rounds // 2, niceness=niceness)
        subprocess.run([sys.executable, __file__, "--parts", "castle nowhere", "--library", folder], check=True)
        in_process(folder, photos, rounds)


def fill(folder: Path, photos: int, given: argparse.Namespace) -> None:
    """Make the library: rows, model, vectors, index, calibration of the space."""
    make_library(folder, photos)
    give_meaning(folder, photos, given)


def give_meaning(folder: Path, photos: int, given: argparse.Namespace) -> None:
    """Give a library of rows a model, vectors, an index and a calibrated space. given: the options of all benchmarks."""
    given.library, given.batch_size, given.device, given.photos, given.peer = folder, 1, "cpu", photos, None
    side("model", given)
    photoindex("models", "install", folder / "made-model", "--id", FULL, library=folder)
    with open_library(Config(library=folder)) as library:
        put_vectors(library, photos)
    photoindex("index", "rebuild", library=folder)
    photoindex("search", "anything at all", "--count", library=folder)


def put_vectors(library: Library, photos: int) -> None:
    """Give every photo's content a vector; some are shifted towards the queries (close together for random weights)."""
    from photoindex.models.encoders import open_text_encoder

    installed = ModelStore(library.models_folder).get(FULL)
    dim = installed.description.dim
    text_vectors = open_text_encoder(installed).encode_texts(QUERIES)
    with library.database.write() as connection:
        variant_id = queue.ensure_variant(connection, "embed", variant_of(installed))
        space = spaces.ensure_space(connection, model=FULL, variant_id=variant_id, dim=dim)
    random = np.random.default_rng(9)
    first = 1
    for block in tqdm(ClipLike(photos, dim).blocks(photos), desc="vectors", file=sys.stderr):
        values = block.astype(np.float32)
        shifted = random.random(len(values)) < SHIFTED_SHARE
        about = text_vectors[random.integers(0, len(QUERIES), int(shifted.sum()))]
        values[shifted] += random.uniform(0.25, 0.45, (len(about), 1)) * about
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        rows = [
            {"space_id": space.id, "asset_id": first + number, "data": data.tobytes()}
            for number, data in enumerate(values.astype("<f2"))
        ]
        with library.database.write() as connection:
            connection.execute(insert(vector), rows)
        first += len(values)


def forget_queries(folder: Path) -> None:
    """Delete the stored query vectors of an earlier run."""
    from photoindex.store.schema.tables import query_vector

    texts = [*QUERIES, *(text_under_load(query, niceness) for query in QUERIES for niceness in (OWN_NICENESS, 0))]
    with open_library(Config(library=folder)) as library, library.database.write() as connection:
        connection.execute(query_vector.delete().where(query_vector.c.text.in_(texts)))


def text_under_load(query: str, niceness: int) -> str:
    return f"{query} view {niceness}"


def processes(folder: Path, photos: int, rounds: int, *, niceness: int | None = None) -> None:
    """Time searches as whole processes. niceness: of the heavy tasks that run at the same time, None for no tasks."""
    load = {} if niceness is None else {"heavy_tasks": HEAVY_TASKS, "their_niceness": niceness}
    for kind in ("new", "again"):
        seconds = []
        for query in QUERIES[:rounds]:
            words = (query if niceness is None else text_under_load(query, niceness)).split()
            taken, out = photoindex("search", *words, "-n", "50", library=folder)
            # A small library may have no photo similar to a query that no vector was shifted towards.
            assert out or niceness is not None
            seconds.append(taken)
        report(
            "semantic_process", query=kind, photos=photos, rounds=len(seconds), **load,
            median_seconds=round(float(np.median(seconds)), 3), p95_seconds=round(float(np.percentile(seconds, 95)), 3),
            goal_p95_seconds=3.0 if load else 1.5,
        )  # fmt: skip


@contextmanager
def heavy_tasks(count: int, niceness: int) -> Iterator[None]:
    """Keep `count` processes busy with a load like a scan's: arithmetic and memory access.

    niceness: 10 as for the workers of `scan` and `embed`, 0 as for other programs.
    """
    code = f"import os\nos.nice({niceness})\nimport numpy as np\nwhile True:\n    np.sort(np.random.default_rng(1).random(2_000_000)); np.ones((400, 400)) @ np.ones((400, 400))"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    running = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(count)]
    try:
        time.sleep(1)
        yield
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def parts(folder: Path, query: str) -> None:
    """Time the steps of one search, one after the other; runs in its own process."""
    seconds: dict[str, float] = {}

    def step(name: str, call: Callable[[], object]) -> object:
        began = time.perf_counter()
        result = call()
        seconds[name] = round(time.perf_counter() - began, 3)
        return result

    with open_library(Config(library=folder)) as library:
        from photoindex.library.index.maintain import open_index
        from photoindex.library.search.nearest_photos import VectorCandidates
        from photoindex.library.search.query_targets import query_vectors, with_cut_offs
        from photoindex.library.search.semantic_search import search_by_meaning
        from photoindex.library.search.text_matches import photos_with_words
        from photoindex.library.spaces.query_encoder import QueryEncoder
        from photoindex.models.encoders import open_text_encoder

        with library.database.read() as connection:
            space = spaces.active_space(connection)
        assert space is not None
        semantic = semantic_query(parse(library, query), SemanticOptions())
        assert semantic is not None
        encoder = QueryEncoder(library, space)
        step("onnx runtime", lambda: __import__("onnxruntime"))
        step("faiss", lambda: __import__("faiss"))
        step("open the text tower", lambda: open_text_encoder(encoder.installed))
        vectors = step(
            "open it again and encode",
            lambda: query_vectors(library, space, encoder, semantic),
        )
        index = step("open the index", lambda: open_index(library, space))
        targets = step("cut-off", lambda: with_cut_offs(library, space, index, vectors, semantic))
        with library.database.read() as connection:
            candidates = VectorCandidates(connection, index, space.id, semantic.filters, semantic.present_only)
            step(
                "nearest photos",
                lambda: candidates.nearest(targets[0].vector.values, minimum=targets[0].minimum, limit=160),
            )
            step("words", lambda: photos_with_words(connection, semantic, limit=160))
        answer = step("the whole again, warm", lambda: search_by_meaning(library, space, semantic, 50))
        step("read 50 hits", lambda: list(hits_of(library, answer.ranked[:50])))
    report("semantic_parts", query=query, **{name.replace(" ", "_"): value for name, value in seconds.items()})


def in_process(folder: Path, photos: int, rounds: int) -> None:
    """Time complete searches for known queries, with filters of different selectivity."""
    with open_library(Config(library=folder)) as library:
        for filters, what in FILTERED:
            for limit in (50, 1_000):
                times, found = [], 0
                for query in QUERIES[: max(rounds // 4, 2)]:
                    request = SearchRequest(parse(library, f"{query} {filters}"), limit=limit)
                    began = time.perf_counter()
                    number = count_found(library, request)
                    times.append(time.perf_counter() - began)
                    found = max(found, number)
                report(
                    "semantic_in_process", photos=photos, filter=filters, what=what, limit=limit, found_at_most=found,
                    rounds=len(times), median_ms=round(float(np.median(times)) * 1e3),
                    p95_ms=round(float(np.percentile(times, 95)) * 1e3),
                )  # fmt: skip


def count_found(library: Library, request: SearchRequest) -> int:
    result = find(library, request)
    assert result.answer is not None, result.notes
    return len(result.answer.ranked)


if __name__ == "__main__":
    main()
