"""Grouping faces: time, memory and quality on made-up faces with known people, against plain hdbscan.

    python benchmarks/bench_cluster.py [--quick] [--sizes 20000 110000] [--peer 20000]

The faces are made up as a model with 512 dimensions gives them: people with sizes after Zipf's law and strangers with one
to three faces; several occasions per person, each with a light of its own and pictures in series; 5 % blurry faces, which are
like each other; the cosines of different people are spread by 0.07, as ArcFace's are. Each measurement runs in a process
of its own, whose peak memory it is. --peer: the size at which plain hdbscan (the package) groups the same vectors; it
takes minutes at 20,000. A GPU, where torch finds one, groups 1,200,000 faces, too. B-cubed figures count a face without a
group as a group of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from common import options, report

# The tests are not an installed package; this benchmark uses their measure of quality.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.domain.people.calibration import calibrated
from photoindex.domain.people.grouping import NEIGHBOURS, group, join
from photoindex.domain.people.grouping_values import Faces, Known
from photoindex.vectors import neighbours
from tests.bcubed import bcubed
from tests.made_up_faces import SEARCH, faces_of, unit

DIM = 512
SPECTRUM = 0.62
"""The variance of the dimensions falls with this power, so that the cosines of different people are spread by 0.07."""
BLURRY = 0.05
LARGEST = 0.05
"""The share of the faces that show the most frequent person."""
STRANGERS = 0.15
"""The share of the faces that show people with one to three faces."""
ADDED = 1_000
PEER_LEAST = 2


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", help="numbers of faces; default: 20000 110000")
    parser.add_argument("--peer", type=int, help="number of faces for plain hdbscan; 0: none; default: 20000")
    parser.add_argument("--child", nargs=2, help="used by the benchmark itself: what to measure, number of faces")
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child[0]](int(given.child[1]))))
        return
    sizes = given.sizes if given.sizes is not None else [2_000] if given.quick else [20_000, 110_000]
    peer = given.peer if given.peer is not None else 2_000 if given.quick else 20_000
    if not given.quick and given.sizes is None and neighbours.has_gpu():
        sizes.append(1_200_000)
    if peer:
        ours, plain = _measured("group", peer), _measured("hdbscan", peer)
        report(
            "cluster_against_hdbscan", faces=peer, seconds=ours["seconds"], hdbscan_seconds=plain["seconds"],
            times_as_fast=round(plain["seconds"] / ours["seconds"], 1), f=ours["f"], hdbscan_f=plain["f"],
        )  # fmt: skip
    for size in sizes:
        report("cluster", **_measured("group", size))
        report("cluster_recall", **_measured("recall", size))
        report("cluster_join", **_measured("join", size))


def _measured(what: str, faces: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--child", what, str(faces)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{what} of {faces} faces failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def made_up(count: int, seed: int = 0) -> tuple[Faces, np.ndarray]:
    """Return faces, and the person of each."""
    random = np.random.default_rng(seed)
    scale = (np.arange(1, DIM + 1) ** (-SPECTRUM / 2)).astype(np.float32)

    def directions(number: int) -> np.ndarray:
        return unit(random.standard_normal((number, DIM)).astype(np.float32) * scale)

    sizes: list[int] = []
    known = int(count * (1 - STRANGERS))
    while sum(sizes) < known:
        size = max(1, int(count * LARGEST / (len(sizes) + 1) ** 0.8))
        sizes.append(min(size, known - sum(sizes)))
    while sum(sizes) < count:
        sizes.append(min(int(random.integers(1, 4)), count - sum(sizes)))
    person = np.repeat(np.arange(len(sizes)), sizes)
    series = np.cumsum(np.diff(person, prepend=-1).astype(bool) | (random.random(count) < 0.2)) - 1
    occasions = int(series[-1]) + 1
    of_occasion = np.zeros(occasions, np.int64)
    of_occasion[series] = person
    like_person = np.clip(random.normal(0.72, 0.08, occasions), 0.45, 0.95).astype(np.float32)[:, None]
    centres = directions(len(sizes))
    occasion = np.sqrt(like_person) * centres[of_occasion] + np.sqrt(1 - like_person) * directions(occasions)
    blurry = random.random(count) < BLURRY
    smear = directions(1)
    vectors = np.empty((count, DIM), np.float16)
    for start in range(0, count, 20_000):
        here = slice(start, min(count, start + 20_000))
        number = here.stop - start
        steady = random.uniform(0.8, 0.97, number).astype(np.float32)[:, None]
        rows = np.sqrt(steady) * occasion[series[here]] + np.sqrt(1 - steady) * directions(number)
        spoilt = 0.5 * rows + 0.5 * smear + 0.6 * directions(number)
        vectors[here] = unit(np.where(blurry[here, None], spoilt, rows))
    order = random.permutation(count)
    # Half of the photos show two people, as far as neighbours in a random order are different ones.
    photo = np.arange(count)
    pairs = np.arange(0, count - 1, 4)
    pairs = pairs[person[order[pairs]] != person[order[pairs + 1]]]
    photo[pairs + 1] = photo[pairs]
    return faces_of(vectors[order], founder=~blurry[order], photo=photo), person[order]


def _group(count: int) -> dict[str, float]:
    faces, person = made_up(count)
    started = time.perf_counter()
    thresholds = calibrated(faces.vectors, faces.photo, faces.repeats_allowed, np.full(count, -1)).thresholds(count)
    groups = group(faces, Known(), thresholds, SEARCH)
    seconds = time.perf_counter() - started
    return {
        "faces": count,
        "people": int(person.max()) + 1,
        "seconds": round(seconds, 1),
        **_quality(person, groups.labels),
        **_memory(),
    }


def _hdbscan(count: int) -> dict[str, float]:
    import hdbscan

    faces, person = made_up(count)
    vectors = faces.vectors.astype(np.float32)
    started = time.perf_counter()
    labels = hdbscan.HDBSCAN(min_cluster_size=PEER_LEAST, core_dist_n_jobs=1).fit_predict(vectors)
    seconds = time.perf_counter() - started
    return {"faces": count, "seconds": round(seconds, 1), **_quality(person, labels), **_memory()}


def _recall(count: int) -> dict[str, float]:
    """Measure the neighbours alone: their time, and how many of the true ones are found for a sample of 1,000."""
    vectors = made_up(count)[0].vectors
    started = time.perf_counter()
    found = neighbours.neighbours(vectors, NEIGHBOURS)[0]
    seconds = time.perf_counter() - started
    sample = np.random.default_rng(7).choice(count, min(1_000, count), replace=False)
    truth = neighbours.nearest(vectors[sample], vectors, NEIGHBOURS + 1)[0]
    hits = [len(set(true) - {own} & set(some)) for own, true, some in zip(sample, truth, found[sample], strict=True)]
    return {
        "faces": count,
        "seconds": round(seconds, 1),
        f"recall_at_{NEIGHBOURS}": round(float(np.mean(hits)) / NEIGHBOURS, 4),
        **_memory(),
    }


def _join(count: int) -> dict[str, float]:
    """Add 1,000 faces to `count` faces that have their people."""
    faces, person = made_up(count + ADDED)
    base = np.arange(count)
    thresholds = calibrated(faces.vectors, faces.photo, faces.repeats_allowed, np.full(len(person), -1)).thresholds(
        count
    )
    started = time.perf_counter()
    joined = join(
        faces.some(np.arange(count, count + ADDED)), faces.some(base), person[:count], Known(), thresholds, SEARCH
    )
    seconds = time.perf_counter() - started
    found = joined.persons >= 0
    known = np.isin(person[count:], person[:count])
    right = joined.persons == person[count:]
    return {
        "faces": count, "added": ADDED, "seconds": round(seconds, 1), "joined": round(float(found.mean()), 3),
        "of_known_people_joined": round(float(found[known].mean()), 3),
        "right_of_joined": round(float(right[found].mean()), 4), **_memory(),
    }  # fmt: skip


def _quality(person: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    precision, recall = (float(one.mean()) for one in bcubed(person, labels))
    several = np.bincount(person)[person] > 1
    return {
        "precision": round(precision, 4), "recall": round(recall, 4),
        "f": round(2 * precision * recall / (precision + recall), 4),
        "without_group": round(float((labels < 0).mean()), 4),
        "without_group_of_people_with_several": round(float((labels[several] < 0).mean()), 4),
    }  # fmt: skip


def _memory() -> dict[str, float]:
    return {"peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}


CHILDREN = {"group": _group, "hdbscan": _hdbscan, "recall": _recall, "join": _join}

if __name__ == "__main__":
    main()
