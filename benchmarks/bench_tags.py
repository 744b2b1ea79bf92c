"""`tag auto --only tags`: 1,500 terms for every stored vector, from the claim of a task to the full-text documents.

Vectors and terms are made up: each photo is like a few terms, a little like the neutral prompts, and unlike the rest, so that
it gets as many tags as a real one may.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import options, report
from sqlalchemy import insert, select

# The tests are not an installed package; this benchmark uses their generators of libraries.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.library.handle import Library
from photoindex.library.stage_run import StageRequest
from photoindex.library.words.tagging.work import LabelRun, LabelWork
from photoindex.library.words.tagging.zero_shot import BATCH
from photoindex.progress import ignore_events
from photoindex.stages.tags import NEUTRAL, SLOPE, STAGE, Opening, raw_scores
from photoindex.store.schema.tables import asset, task
from photoindex.store.tasks import queue
from photoindex.store.vectors import spaces, vectors
from photoindex.types import Vector
from tests.harness import LibraryRunner
from tests.synthetic import make_library

DIM, TERMS, OF_A_PHOTO = 512, 1_500, 5
GOAL_SECONDS = 600
GOAL_PHOTOS = 1_000_000
_AT_ONCE = 5_000


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    given = parser.parse_args()
    photos = 2_000 if given.quick else given.photos
    random = np.random.default_rng(7)
    common = unit(random.standard_normal(DIM))
    terms = unit(0.45 * common + unit(random.standard_normal((TERMS, DIM))))
    neutral = unit(0.75 * common + unit(random.standard_normal((len(NEUTRAL), DIM))))
    with tempfile.TemporaryDirectory(prefix="bench-tags-", dir=given.work) as temporary:
        folder = Path(temporary) / "library"
        make_library(folder, photos)
        with LibraryRunner(folder).open() as library:
            space = fill(library, common, terms, random)
            tag(library, space, terms, neutral, photos)
        products(terms, neutral, random, photos)


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


def fill(library: Library, common: np.ndarray, terms: np.ndarray, random: np.random.Generator) -> spaces.SpaceRow:
    """Write a vector, and a finished task, for every content."""
    with library.database.write() as connection:
        variant_id = queue.ensure_variant(connection, "embed", {"model": "made-up"})
        space = spaces.ensure_space(connection, model="made-up", variant_id=variant_id, dim=DIM)
        asset_ids = connection.execute(select(asset.c.id).where(asset.c.derived.is_(True))).scalars().all()
    for start in range(0, len(asset_ids), _AT_ONCE):
        some = asset_ids[start : start + _AT_ONCE]
        chosen = random.integers(0, TERMS, (len(some), OF_A_PHOTO))
        made = unit(0.35 * common + 0.75 * terms[chosen].sum(axis=1) + unit(random.standard_normal((len(some), DIM))))
        done = {"subject_kind": "asset", "stage": "embed", "variant_id": variant_id, "state": "done", "attempts": 1}
        done |= {"priority": 0, "updated_at": time.time()}
        with library.database.write() as connection:
            vectors.put(connection, space.id, [(one, Vector(row)) for one, row in zip(some, made, strict=True)])
            connection.execute(insert(task), [{"subject_id": one, **done} for one in some])
    return space


def tag(library: Library, space: spaces.SpaceRow, terms: np.ndarray, neutral: np.ndarray, photos: int) -> None:
    opening = Opening(
        names=[f"group{number % 40}/term{number}" for number in range(TERMS)],
        terms=terms,
        neutral=neutral,
        slopes=np.full(TERMS, SLOPE, np.float32),
        intercepts=np.zeros(TERMS, np.float32),
        calibrated=np.zeros(TERMS, bool),
    )
    work = LabelWork(
        stage=STAGE,
        model="made-up",
        variant={"model": "made-up"},
        opening=lambda _emit, _stop: opening,
        replaces=lambda _key: True,
        phase="tagging",
        batch_size=BATCH,
        inputs=lambda connection, asset_ids: vectors.of_assets(connection, space, asset_ids),
        after_variant=space.variant_id,
    )
    started, used = time.perf_counter(), cpu_seconds()
    done = LabelRun(library, work, ignore_events).run(StageRequest(), lambda: False)
    seconds = time.perf_counter() - started
    report(
        "tags", photos=photos, pictures=done.pictures, terms=TERMS, labels=done.labels + done.hidden,
        cpu_seconds=round(cpu_seconds() - used, 2), seconds=round(seconds, 2), seconds_of_a_million=round(seconds / photos * GOAL_PHOTOS),
        goal_seconds_of_a_million=GOAL_SECONDS, infer_seconds=round(done.infer_seconds, 2),
        decode_seconds=round(done.decode_seconds, 2), write_seconds=round(done.write_seconds, 2),
    )  # fmt: skip


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that ended."""
    return sum(
        one.ru_utime + one.ru_stime for one in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def products(terms: np.ndarray, neutral: np.ndarray, random: np.random.Generator, photos: int) -> None:
    """The matrix products alone, the lower bound."""
    block = unit(random.standard_normal((BATCH, DIM)))
    started = time.perf_counter()
    for _ in range(0, photos, BATCH):
        raw_scores(block, terms, neutral)
    report("tags_products", photos=photos, seconds=round(time.perf_counter() - started, 2))


if __name__ == "__main__":
    main()
