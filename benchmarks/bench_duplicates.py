"""Duplicates: all near pairs among a million hashes and vectors, and recall and precision on edited pictures.

    python benchmarks/bench_duplicates.py [--quick] [--photos FOLDER] [--sets FOLDER]

--photos: real pictures to edit in addition to the drawn ones. --sets: a folder with one subfolder per set of copies,
and subfolders named *not-duplicates*. Recall: the share of copies that are in the group of their original. Precision:
the share of file pairs within groups that come from the same picture. Since a model cannot be downloaded everywhere,
the vectors are made up: a copy is as close to its original as four unrelated pictures are.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import faiss
import numpy as np
import psutil
from common import camera_like_scene, options, report
from PIL import Image, ImageFilter, ImageOps
from sqlalchemy import insert, select
from tqdm import tqdm

# The tests are not an installed package; this benchmark uses their edits.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.app import open_library
from photoindex.config.load import load_config
from photoindex.domain.same_picture.hashes import hashes_of
from photoindex.library.duplicates.find import DuplicatesRequest, find_duplicates
from photoindex.library.duplicates.pairs import RADIUS
from photoindex.library.handle import Library
from photoindex.library.scan.scan import ScanRequest, scan
from photoindex.pipeline.duplicates.candidates import Collector, add_near_hashes, add_windows, smaller_radius
from photoindex.progress import ignore_events
from photoindex.store.schema.tables import asset, file, variant
from photoindex.store.vectors.spaces import ensure_space
from photoindex.store.vectors.vectors import put
from photoindex.types import Vector
from photoindex.vectors.binary import close_pairs
from photoindex.vectors.near_pairs import near_pairs
from tests.edits import EDITS, FAR_EDITS, cut, jpeg, scene, two_views
from tests.static_series import KINDS, series

DIM = 512
ALL_EDITS = EDITS | FAR_EDITS
PROMISED = (
    "half the size", "a fifth of the size", "saved at quality 40", "saved at quality 15", "cut by 5 %",
    "cut by 5 % on the left", "grey", "brighter", "darker", "more contrast", "stronger colours", "faded",
    "darkened corners", "blurred", "sharpened", "sent by messenger",
)  # fmt: skip
"""The goals apply to these edits, not to rotated, framed or heavily cropped copies."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=Path, help="real pictures, searched recursively")
    parser.add_argument("--sets", type=Path, help="real sets of copies")
    given = parser.parse_args()
    shared = Path(__file__).resolve().parent.parent.parent / "shared" / "testdata"
    photos = given.photos or (shared / "photos" if shared.is_dir() else None)
    sets = given.sets or (shared / "duplicates" if shared.is_dir() else None)
    hashes(20_000 if given.quick else 1_000_000)
    windows(5_000 if given.quick else 100_000)
    vectors(12_000 if given.quick else 200_000)
    with tempfile.TemporaryDirectory(prefix="bench-duplicates-", dir=given.work) as temporary:
        pictures(Path(temporary) / "edits", photos, drawn=1 if given.quick else 16, real=1 if given.quick else 48)
        strangers(Path(temporary) / "strangers", 40 if given.quick else 2_000)
        still_subjects(Path(temporary) / "series", 20 if given.quick else 200)
        if sets is not None:
            real_sets(Path(temporary) / "sets", sets.resolve())


# Hashes


def hashes(count: int) -> None:
    """Find all pairs within the radius; planted: copies at several distances, 2 % with one hash, a cluster."""
    random = np.random.default_rng(0)
    codes = _codes(random, count)
    planted = count // 20
    originals = random.integers(0, count // 2, planted)
    flips = random.integers(1, RADIUS // 2 + 1, planted) * 2
    copies = codes[originals].copy()
    for place in range(planted):
        for bit in random.choice(64, flips[place], replace=False):
            copies[place] ^= np.uint64(1 << int(bit))
    codes[count // 2 : count // 2 + planted] = copies
    codes[-count // 50 :] = np.uint64(1 << 63)
    crowd = codes[-count // 50 - count // 200 : -count // 50]
    crowd[:] = np.uint64(0x5A5A00FF3CC3) ^ random.integers(0, 1 << 14, len(crowd), dtype=np.uint64)
    started = time.perf_counter()
    unique = np.unique(codes)
    blocks = [block.first * len(unique) + block.second for block in close_pairs(unique, RADIUS)]
    seconds = time.perf_counter() - started
    found = np.concatenate(blocks)
    hit = np.isin(_keys(np.searchsorted(unique, codes[originals]), np.searchsorted(unique, copies), len(unique)), found)
    started = time.perf_counter()
    collector = Collector()
    add_near_hashes(collector, codes, RADIUS, lambda places: np.zeros((len(places), 1), np.float32), lambda _: None)
    whole_seconds = time.perf_counter() - started
    report(
        "duplicates_hashes", hashes=count, radius=RADIUS, seconds=round(seconds, 1), pairs=len(found),
        seconds_with_turns=round(whole_seconds, 1), candidates=len(collector.result()),
        recall_by_distance={int(bits): round(float(hit[flips == bits].mean()), 3) for bits in np.unique(flips)},
        each_with_each_seconds=round(_each_with_each(unique), 1), peak_memory_mb=_memory_mb(),
    )  # fmt: skip


def _keys(first: np.ndarray, second: np.ndarray, count: int) -> np.ndarray:
    return np.minimum(first, second) * count + np.maximum(first, second)


def windows(count: int) -> None:
    """Find all pictures that look like a window of another one, and those of 1,000 new pictures; planted: one crop in twenty.

    The hashes are those of drawn scenes with some bits flipped, the same in all windows of a picture: as alike as in a real one.
    """
    random = np.random.default_rng(1)
    known = [hashes_of(np.asarray(scene(seed, (400, 300)).convert("L"))) for seed in range(50)]
    chosen = random.integers(0, len(known), count)
    flips = random.integers(0, 1 << 63, (count, 1), dtype=np.uint64)
    table = np.stack([one.windows for one in known])[chosen] ^ flips
    full = np.array([one.full for one in known], np.uint64)[chosen] ^ flips[:, 0]
    planted = count // 20
    full[:planted] = table[-planted:, 11]
    new = np.zeros(count, np.bool_)
    new[:1000] = True
    for what, wanted in (("all", None), ("1,000 new", new)):
        collector = Collector()
        started, cpu_started = time.perf_counter(), time.process_time()
        add_windows(collector, full, table, np.arange(count), smaller_radius(count), wanted=wanted)
        result = collector.result()
        pairs = set(zip(result.first.tolist(), result.second.tolist(), strict=True))
        expected = [(one, count - planted + one) for one in range(planted if wanted is None else min(planted, 1000))]
        report(
            "duplicates_windows", pictures=count, what=what, radius=smaller_radius(count),
            seconds=round(time.perf_counter() - started, 1), cpu_seconds=round(time.process_time() - cpu_started, 1),
            pairs=len(pairs), recall_of_planted=round(float(np.mean([one in pairs for one in expected])), 4),
            peak_memory_mb=_memory_mb(),
        )  # fmt: skip


def _codes(random: np.random.Generator, count: int) -> np.ndarray:
    """Return hashes of random cosines whose size falls with frequency; 32 of 64 bits are set, neighbours correlate."""
    rows, columns = np.arange(8)[:, None], np.arange(8)[None]
    size = 1 / np.maximum(np.sqrt(rows**2 + columns**2), 1) ** 1.2
    blocks = []
    for start in range(0, count, 100_000):
        cosines = (random.standard_t(4, (min(100_000, count - start), 8, 8)) * size).reshape(-1, 64)
        cosines[:, 0] = 10
        bits = cosines > np.median(cosines, axis=1, keepdims=True)
        blocks.append(np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64))
    return np.concatenate(blocks)


def _each_with_each(codes: np.ndarray) -> float:
    """Estimate the seconds that FAISS's flat binary index takes for all pairs, from a sample of the queries."""
    rows = codes.view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64)
    index.add(rows)
    some = rows[:: max(1, len(rows) // 5_000)]
    started = time.perf_counter()
    index.range_search(np.ascontiguousarray(some), RADIUS + 1)
    return (time.perf_counter() - started) * len(rows) / len(some)


def vectors(count: int) -> None:
    """Find the neighbours of all vectors; planted: copies at a cosine of 0.9 among clusters of unrelated ones."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((count // 100, DIM)).astype(np.float32)
    rows = np.empty((count, DIM), np.float16)
    for start in range(0, count, 50_000):
        size = min(50_000, count - start)
        rows[start : start + size] = _unit(
            centres[random.integers(0, len(centres), size)] + random.standard_normal((size, DIM)).astype(np.float32)
        )
    planted = count // 20
    originals, places = random.integers(0, count // 2, planted), count // 2 + random.choice(count // 2, planted, False)
    noise = random.standard_normal((planted, DIM)).astype(np.float32) * 0.48 / np.sqrt(DIM)
    rows[places] = _unit(rows[originals].astype(np.float32) + noise)
    ids = np.arange(count)

    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, count, 10_000):
            yield ids[start : start + 10_000], rows[start : start + 10_000]

    started = time.perf_counter()
    found = np.concatenate([one.first * count + one.second for one in near_pairs(blocks, count)])
    seconds = time.perf_counter() - started
    hit = np.isin(_keys(originals, places, count), found)
    report(
        "duplicates_vectors", vectors=count, dim=DIM, seconds=round(seconds, 1), pairs=len(np.unique(found)),
        recall_of_copies=round(float(hit.mean()), 3), peak_memory_mb=_memory_mb(),
    )  # fmt: skip


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _memory_mb() -> int:
    return round(psutil.Process().memory_info().rss / 1e6)


# Pictures


@dataclass(frozen=True)
class Made:
    """The files that were written: file name -> (picture, edit)."""

    folder: Path
    files: dict[str, tuple[str, str]]


def pictures(work: Path, photos: Path | None, *, drawn: int, real: int) -> None:
    """Edit pictures, scan them and find duplicates; hard negatives: two shots of one scene, and all other pictures."""
    made = make_edits(work / "originals", photos, drawn=drawn, real=real)
    with library_of(work / "library", made.folder) as library:
        evaluate(library, made, "hashes alone")
        add_stand_in_vectors(library, made)
        evaluate(library, made, "with stand-in vectors")


def make_edits(folder: Path, photos: Path | None, *, drawn: int, real: int) -> Made:
    sources = [(f"drawn{seed}", scene(seed)) for seed in range(drawn)]
    sources += [
        (
            f"camera{seed}",
            Image.fromarray(cv2.resize(camera_like_scene(seed), (1000, 750), interpolation=cv2.INTER_AREA)),
        )
        for seed in range(2)
    ]
    sources += [] if photos is None else list(_real(photos, real))
    files: dict[str, tuple[str, str]] = {}
    folder.mkdir(parents=True)
    for number, (name, picture) in enumerate(tqdm(sources, desc="edits", file=sys.stderr)):
        if number % 3 == 2:
            versions = shots(picture, thing=sources[(number + 1) % len(sources)][1])
        else:
            versions = {"original": picture} | {edit: change(picture) for edit, change in ALL_EDITS.items()}
        for edit, version in versions.items():
            path = folder / f"{name} {edit.replace('%', 'percent')}.jpg"
            path.write_bytes(jpeg(version.convert("RGB")))
            files[path.name] = (name, edit)
    return Made(folder, files)


def shots(picture: Image.Image, thing: Image.Image) -> dict[str, Image.Image]:
    """Return shots of one scene that are not copies: the camera moved, an object was added, part of a panorama."""
    return {
        "shot": two_views(picture)[0],
        "shot, moved": two_views(picture, right=0.03)[1],
        "shot, turned a little": two_views(picture, down=0.03, right=-0.03, degrees=1.0)[1],
        "shot with a thing": two_views(picture, thing=thing)[1],
        "panorama, right": cut(picture, 0.5, 0.1, 1.0, 0.9),
    }


def _real(folder: Path, count: int) -> Iterator[tuple[str, Image.Image]]:
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")]
    paths = [path for path in paths if "pano-burst" not in path.parts]
    for path in paths[:: max(1, len(paths) // count)][:count]:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
        upright.thumbnail((1000, 1000))
        if min(upright.size) >= 150 and np.asarray(upright.filter(ImageFilter.GaussianBlur(2))).std() > 5:
            yield f"real {path.stem}", upright


def library_of(folder: Path, *originals: Path) -> Library:
    """Scan folders into a new library and return it opened; use it as a context manager."""
    opened = open_library(load_config({"library": folder}), create=True)
    with opened as library:
        scan(library, ScanRequest(tops=[os.fsencode(one) for one in originals]), ignore_events)
    return open_library(load_config({"library": folder}))


def evaluate(library: Library, made: Made, how: str) -> None:
    started, cpu_started = time.perf_counter(), time.process_time()
    result = find_duplicates(library, DuplicatesRequest())
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    group_of = {
        os.path.basename(os.fsdecode(one.path)): number
        for number, group in enumerate(result.groups)
        for one in group.files
    }
    hit: Counter[str] = Counter()
    total: Counter[str] = Counter()
    lost: list[tuple[str, str]] = []
    names = {truth: name for name, truth in made.files.items()}
    for name, (picture, edit) in made.files.items():
        if edit not in ALL_EDITS:
            continue
        total[edit] += 1
        together = name in group_of and group_of[name] == group_of.get(names[picture, "original"])
        hit[edit] += together
        lost += [] if together or edit not in PROMISED else [(picture, edit)]
    right = wrong = 0
    wrong_pairs = []
    for group in result.groups:
        truths = [made.files[os.path.basename(os.fsdecode(one.path))] for one in group.files]
        for first, second in itertools.combinations(truths, 2):
            same = first[0] == second[0] and not (
                {first[1], second[1]} & {"shot, moved", "shot, turned a little", "shot with a thing"}
            )
            right += same
            wrong += not same
            wrong_pairs += [] if same else [(first, second)]
    promised = sum(hit[edit] for edit in PROMISED) / sum(total[edit] for edit in PROMISED)
    report(
        "duplicates_pictures", how=how, pictures=len({picture for picture, _ in made.files.values()}),
        files=len(made.files), recall_of_promised_edits=round(promised, 4), goal_recall=0.95,
        recall_of_all_edits=round(sum(hit.values()) / sum(total.values()), 4),
        precision=round(right / max(1, right + wrong), 4), goal_precision=0.99, wrong=wrong_pairs[:20],
        recall={edit: round(hit[edit] / total[edit], 3) for edit in total},
        lost=[f"{picture}: {edit}" for picture, edit in sorted(lost)][:20], compared=result.compared,
        seconds=round(seconds, 1), cpu_seconds=round(cpu_seconds, 1),
    )  # fmt: skip


def add_stand_in_vectors(library: Library, made: Made) -> None:
    """Give all files of a picture vectors at a cosine of about 0.9, and make groups of five pictures equally close."""
    random = np.random.default_rng(3)
    pictures_ = sorted({picture for picture, _ in made.files.values()})
    groups = random.standard_normal((len(pictures_) // 5 + 1, DIM)) / np.sqrt(DIM)
    with library.database.write() as connection:
        connection.execute(insert(variant).values(id=900, stage="embed", key="{}", created_at=0.0))
        space = ensure_space(connection, model="stand-in", variant_id=900, dim=DIM)
        rows = connection.execute(select(asset.c.id, file.c.name).join(file, file.c.asset_id == asset.c.id)).all()
        new = []
        for asset_id, name in rows:
            centre = groups[pictures_.index(made.files[os.fsdecode(name)][0]) // 5]
            noisy = centre + random.standard_normal(DIM) * 0.33 / np.sqrt(DIM)
            new.append((asset_id, Vector((noisy / np.linalg.norm(noisy)).astype(np.float16))))
        put(connection, space.id, new)


def strangers(work: Path, count: int) -> None:
    """Compare pictures of which no two show the same: none may be grouped."""
    folder = work / "originals"
    folder.mkdir(parents=True)
    for seed in tqdm(range(count), desc="strangers", file=sys.stderr):
        (folder / f"{seed}.jpg").write_bytes(jpeg(scene(seed, (480, 360))))
    with library_of(work / "library", folder) as library:
        started, cpu_started = time.perf_counter(), time.process_time()
        result = find_duplicates(library, DuplicatesRequest())
    report(
        "duplicates_strangers", files=count, compared=result.compared, groups=len(result.groups), goal_groups=0,
        seconds=round(time.perf_counter() - started, 1), cpu_seconds=round(time.process_time() - cpu_started, 1),
    )  # fmt: skip


def still_subjects(work: Path, count: int) -> None:
    """Group separate shots of still subjects, five of each, without a time: none may be said to be removable."""
    folder = work / "originals"
    folder.mkdir(parents=True)
    for number in range(count // 5):
        kind = KINDS[number % len(KINDS)]
        for place, shot in enumerate(series(number, kind, 5)):
            (folder / f"{number} {kind} {place}.jpg").write_bytes(jpeg(shot, 92))
    with library_of(work / "library", folder) as library:
        result = find_duplicates(library, DuplicatesRequest())
    files = [one for group in result.groups for one in group.files]
    report(
        "duplicates_series", shots=count, groups=len(result.groups), grouped=len(files),
        remove=sum(one.action == "remove" for one in files), goal_remove=0,
        named_a_series=sum("series" in one.reason for one in files),
        mixed_groups=sum(len({os.path.basename(one.path).split()[0] for one in group.files}) > 1 for group in result.groups),
    )  # fmt: skip


def real_sets(work: Path, sets: Path) -> None:
    """Group collected sets of copies; nothing from the folders *not-duplicates* and from panoramas may be grouped."""
    panoramas = sets.parent / "photos" / "pano-burst"
    tops = [sets, *([panoramas] if panoramas.is_dir() else [])]
    with library_of(work, *tops) as library:
        result = find_duplicates(library, DuplicatesRequest())
    grouped = [{Path(os.fsdecode(one.path)) for one in group.files} for group in result.groups]
    clean = [path for group in grouped for path in group if "not-duplicates" in str(path) or "pano" in str(path)]
    report(
        "duplicates_sets", groups=len(grouped), files=sum(map(len, grouped)), wrongly_grouped=len(clean),
        sets={str(min(group).relative_to(sets)): len(group) for group in grouped},
    )  # fmt: skip


if __name__ == "__main__":
    main()
