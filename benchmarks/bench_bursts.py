"""`photoindex bursts` over generated bursts with two faces a frame, as a whole process: frames a minute, on two cores.

The bare side decodes the same previews and takes the variance of their Laplacian, which common culling scripts go by.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from common import best, camera_like_scene, options, photoindex, previews_of, report
from sqlalchemy import insert, select

# The tests are not an installed package; this benchmark uses their generators of pictures.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.domain.people.values import FACE
from photoindex.store.schema.tables import asset, region
from tests.burst_pictures import exif
from tests.harness import LibraryRunner

THREADS = 2
OF_A_BURST = 8
GOAL_FRAMES_A_MINUTE = 1_000
_SCENES = 6
_EYES = ((0.36, 0.34), (0.44, 0.34), (0.4, 0.4), (0.37, 0.44), (0.43, 0.44))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--frames", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    frames, rounds = (24, 1) if given.quick else (given.frames, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bench-bursts-", dir=given.work) as temporary:
        folder = Path(temporary)
        write_frames(folder / "photos", frames)
        runner = LibraryRunner(folder / "library")
        runner.scan(folder / "photos")
        add_faces(runner)
        previews = previews_of(runner.folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ours, bare = best(rounds, lambda: whole(runner.folder), lambda: alone(previews))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / rounds
    report(
        "bursts", frames=frames, faces_a_frame=2, rounds=rounds, seconds=round(ours, 2),
        frames_a_minute=round(60 * frames / ours), goal=GOAL_FRAMES_A_MINUTE, cpu_ms_a_frame=round(1000 * cpu / frames, 1),
        bare_seconds=round(bare, 2), ratio=round(bare / ours, 3),
    )  # fmt: skip


def write_frames(folder: Path, count: int) -> None:
    folder.mkdir()
    scenes = [camera_like_scene(seed, 1280, 960) for seed in range(_SCENES)]
    for number in range(count):
        burst, place = divmod(number, OF_A_BURST)
        picture = np.roll(scenes[burst % _SCENES], (7 * number, 3 * place), axis=(1, 0))
        if place % 3 == 1:
            picture = cv2.GaussianBlur(picture, (0, 0), 1.5)
        block = exif(0.2 * place, minute=burst % 60, hour=burst // 60).tobytes()
        jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(picture), 90, colorsubsampling="420")
        whole_block = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
        (folder / f"IMG_{number:04}.jpg").write_bytes(jpeg[:2] + whole_block + jpeg[2:])


def add_faces(runner: LibraryRunner) -> None:
    """Add two faces to each content, the second to the right of the first."""
    with runner.open() as library, library.database.write() as connection:
        for asset_id in connection.execute(select(asset.c.id)).scalars().all():
            for away in (0.0, 0.3):
                points = np.array([[x + away, y] for x, y in _EYES], "<f4").tobytes()
                box = {"x": 0.3 + away, "y": 0.25, "width": 0.2, "height": 0.27, "yaw": 0.0, "landmarks": points}
                connection.execute(insert(region).values(asset_id=asset_id, kind=FACE, **box))


def whole(library: Path) -> float:
    return photoindex("bursts", "--json", "--progress", "none", library=library)[0]


def alone(previews: list[Path]) -> float:
    """Return the seconds that decoding and the Laplacian of all previews take, on two threads."""

    def laplacian(path: Path) -> float:
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(laplacian, previews))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
