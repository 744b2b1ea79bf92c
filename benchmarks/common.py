"""Shared by all benchmarks: options, JSON output with the machine, and generated photos."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import simplejpeg
from tqdm import tqdm

WIDTH, HEIGHT = 4000, 3000


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: only shows that it runs")
    parser.add_argument("--work", type=Path, help="folder for generated data, which is kept; default: a temporary one")
    return parser


def report(benchmark: str, **values: object) -> None:
    """Print one JSON line with the machine it was measured on."""
    machine = {"cores": len(os.sched_getaffinity(0)), "cpu": _cpu(), "python": platform.python_version()}
    line = {"benchmark": benchmark, "date": time.strftime("%Y-%m-%d"), **values, "machine": machine}
    print(json.dumps(line), flush=True)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()


def camera_like_scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return uint8 [height, width, 3]: smooth light, soft shapes, fine texture and sensor noise, like a photo."""
    random = np.random.default_rng(seed)
    scene = np.zeros((height, width, 3), np.float32)
    import cv2

    for cells, weight in ((6, 70.0), (24, 45.0), (96, 25.0), (400, 12.0)):
        coarse = random.standard_normal((cells * 3 // 4 + 1, cells, 3)).astype(np.float32)
        scene += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = random.standard_normal((height // 2, width // 2)).astype(np.float32) * 6
    scene += cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    scene += random.standard_normal((height, width, 1)).astype(np.float32) * 3
    return np.clip(scene + 120, 0, 255).astype(np.uint8)


def make_photos(folder: Path, count: int, *, scenes: int = 6, quality: int = 90) -> list[Path]:
    """Write `count` distinct 12 MP JPEGs with camera EXIF into `folder`, unless they exist, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [folder / f"{index // 100:03d}" / f"IMG_{index:05d}.JPG" for index in range(count)]
    if all(path.exists() for path in wanted):
        return wanted
    bases = [camera_like_scene(seed) for seed in range(scenes)]
    random = np.random.default_rng(99)
    for index, path in enumerate(tqdm(wanted, desc="photos", file=sys.stderr)):
        base = bases[index % scenes]
        shifted = np.roll(base, tuple(random.integers(0, 2000, 2)), axis=(0, 1))
        picture = np.ascontiguousarray(shifted[:, ::-1] if index % 2 else shifted)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(with_exif(simplejpeg.encode_jpeg(picture, quality, colorsubsampling="420"), index))
    return wanted


def with_exif(jpeg: bytes, index: int) -> bytes:
    """Return the JPEG with a typical EXIF block."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Canon", "Canon EOS 5D Mark IV", 1
    details = exif.get_ifd(0x8769)
    taken = time.strftime("%Y:%m:%d %H:%M:%S", time.gmtime(1_500_000_000 + index * 3_607))
    details[0x9003], details[0x9004], details[0x8827] = taken, taken, 100 + index % 7 * 100
    details[0x829A], details[0x829D], details[0x920A] = (1, 250), (28, 10), (50, 1)
    position = exif.get_ifd(0x8825)
    position[1], position[2] = "N", (38.0, index % 60, 12.5)
    position[3], position[4] = "W", (9.0, index % 60, 30.5)
    block = exif.tobytes()
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


def photoindex(*words: str | Path, library: Path, check: Sequence[int] = (0,)) -> tuple[float, str]:
    """Run one photoindex command as a process; return (seconds, stdout)."""
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(library)}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "photoindex", *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode not in check:
        raise SystemExit(f"photoindex {' '.join(map(str, words))} exited with code {done.returncode}:\n{done.stderr}")
    return seconds, done.stdout


@dataclass(frozen=True)
class Measured:
    """One run. cpu, wall: seconds. memory_mb: peak of memory of its own, without the pages of files. lines: that it printed."""

    cpu: float
    wall: float
    memory_mb: int
    lines: int


def measured(words: Sequence[str], library: Path, *, check: Container[int] = (0,)) -> Measured:
    """Run one photoindex command as a process, and return what it cost. check: the exit codes that are right."""
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(library)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "photoindex", *words], env=environment, stdout=out, stderr=err
        )
        memory = 0
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            memory = max(memory, _anonymous_kb(process.pid))
            time.sleep(0.01)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (out, err):
            stream.seek(0)
        if process.returncode not in check:
            said = err.read().decode(errors="replace")
            raise SystemExit(f"photoindex {' '.join(words)} exited with code {process.returncode}:\n{said}")
        lines = sum(block.count(b"\n") for block in iter(lambda: out.read(1 << 20), b""))
    return Measured(round(used.ru_utime + used.ru_stime, 3), round(wall, 3), memory // 1024, lines)


def _anonymous_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), 0)


def best(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """Run the measures alternately, `rounds` times each, and return the best time of each in seconds."""
    times: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for kept, measure in zip(times, measures, strict=True):
            kept.append(measure())
    return [min(kept) for kept in times]


def stage_options(description: str, *, batch_size: int) -> argparse.ArgumentParser:
    """Return the options of a benchmark that compares a stage with its bare model."""
    parser = options(description)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=batch_size)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bare", type=Path, metavar="LIBRARY", help=argparse.SUPPRESS)
    return parser


def once_more(stage: str, *words: object, given: argparse.Namespace, library: Path) -> dict[str, Any]:
    """Run a stage over everything again, and return its summary."""
    photoindex("redo", stage, library=library)
    _seconds, out = photoindex(
        stage, *words, "--json", "--progress", "none", "--device", given.device, "--batch-size", given.batch_size,
        library=library,
    )  # fmt: skip
    return json.loads(out)


def bare_side(script: str, given: argparse.Namespace, library: Path) -> dict[str, Any]:
    """Run the bare model of a benchmark in a process of its own."""
    return in_own_process(script, "--bare", library, "--device", given.device, "--batch-size", given.batch_size)


def in_own_process(script: str, *words: object) -> dict[str, Any]:
    """Run a benchmark with other options, and return the JSON object of its last line."""
    done = subprocess.run([sys.executable, script, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{Path(script).name} {' '.join(map(str, words))} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def previews_of(library: Path) -> list[Path]:
    return sorted((library / "derived").glob("*/*.preview.jpg"))


@dataclass(frozen=True)
class Compared:
    """The fastest round of each side. figures: what to report of them."""

    ours: dict[str, Any]
    alone: dict[str, Any]
    figures: dict[str, Any]


def compared(given: argparse.Namespace, ours: Callable[[], dict], alone: Callable[[], dict], goal: float) -> Compared:
    """Run a stage and its bare model alternately."""
    rounds = [(ours(), alone()) for _ in range(given.rounds)]
    best = [max((pair[side] for pair in rounds), key=lambda one: one["images_per_second"]) for side in (0, 1)]
    ratios = [round(one["images_per_second"] / other["images_per_second"], 3) for one, other in rounds]
    figures = {
        "device": best[0]["runs_on"],
        "batch_size": given.batch_size,
        "rounds": given.rounds,
        "images_per_second": best[0]["images_per_second"],
        "bare_images_per_second": best[1]["images_per_second"],
        "ratio": round(best[0]["images_per_second"] / best[1]["images_per_second"], 3),
        "goal": goal,
        "ratios_of_rounds": ratios,
        "bottleneck": best[0]["bottleneck"],
        "seconds_a_batch": {
            step: round(best[0][f"{step}_seconds"] / best[0]["batches"], 4)
            for step in ("read", "decode", "infer", "write", "wait")
        },
    }
    return Compared(*best, figures)


@contextmanager
def peak_memory(process: psutil.Process) -> Iterator[dict[str, float]]:
    """Record the peak of the summed PSS of a process and its children (shared pages counted once), in MB."""
    seen = {"peak_mb": 0.0}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            total = 0
            try:
                for each in [process, *process.children(recursive=True)]:
                    try:
                        total += each.memory_full_info().pss
                    except psutil.Error:
                        continue
            except psutil.Error:
                return
            seen["peak_mb"] = max(seen["peak_mb"], total / 1e6)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
