"""A model that fails on demand in the worker process; its state is in files next to the models."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from photoindex import errors
from photoindex.models.base import DeviceLost, OutOfDeviceMemory, Preprocessing
from photoindex.models.lock import FileLock, FoundEncoders, Lock, LockedModel, read_lock, write_lock
from photoindex.stages.embed import EmbedStage, Opening

OPENER = "tests.fault.faulty_encoder:open_faulty"
DIM = 16
MODEL = "made-up"
PREPROCESSING = Preprocessing(
    size_px=32, resize="shortest", interpolation="bicubic", mean=(0.5,) * 3, standard_deviation=(0.5,) * 3
)
_PROJECTION = np.random.default_rng(7).standard_normal((8 * 8 * 3, DIM)).astype(np.float32)


def install(models: Path, model: str = MODEL, *, dim: int = DIM, weights: str = "0" * 64, **faults: Any) -> None:
    """Pretend to install a model that `open_faulty` opens; for `faults` see `FaultyEncoder`."""
    (models / model).mkdir(parents=True, exist_ok=True)
    locked = LockedModel(
        title=model, task="image-text", source="a test", licence="none", terms="", installed_at="2026-01-01T00:00:00Z",
        found=FoundEncoders(dim=dim, context_length=16, preprocessing=PREPROCESSING),
        files={"weights.bin": FileLock(sha256=weights, size_bytes=1)},
    )  # fmt: skip
    write_lock(models, Lock(models={**read_lock(models).models, model: locked}))
    (models / "faults.json").write_text(json.dumps(faults))


def calls(models: Path) -> list[int]:
    """Return the number of pictures in each call of the model, over all processes."""
    path = models / "calls"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def open_faulty(opening: Opening) -> EmbedStage:
    """Open the model as a worker does."""
    faults = json.loads((opening.models_folder / "faults.json").read_text())
    if "open_error" in faults:
        raise getattr(errors, faults["open_error"])("cannot be opened")
    return EmbedStage(FaultyEncoder(opening.models_folder, faults), opening)


class FaultyEncoder:
    """Projects a tiny thumbnail of each picture, so similar pictures have similar vectors.

    room: pictures that fit into memory; from call `room_from_call` on it is `room_then`. kill_at, lose_at, raise_at,
    hang_at: the calls, counted over all processes, that fail this way. no_numbers_at, zero_at, long_at, huge_at: the
    calls whose first vector is wrong this way. kill_over: a picture with a higher mean kills the process. slow: seconds
    per call. dim: of the vectors.
    """

    runs_on = "a made-up device"
    preprocessing = PREPROCESSING

    def __init__(self, models: Path, faults: dict[str, Any]) -> None:
        self._calls = models / "calls"
        (models / "cores").write_text(str(len(os.sched_getaffinity(0))))
        (models / "niceness").write_text(str(os.getpriority(os.PRIO_PROCESS, 0)))
        self._faults = faults
        self.dim = faults.get("dim", DIM)

    def encode_images(self, pixels: np.ndarray) -> np.ndarray:
        number = len(calls(self._calls.parent)) + 1
        with self._calls.open("a") as file:
            file.write(f"{len(pixels)}\n")
        room = self._faults.get("room", 1 << 30)
        if number >= self._faults.get("room_from_call", 1 << 30):
            room = self._faults["room_then"]
        if len(pixels) > room:
            raise OutOfDeviceMemory(f"{len(pixels)} pictures do not fit")
        self._fail(number, pixels)
        time.sleep(self._faults.get("slow", 0))
        small = pixels.reshape(len(pixels), 8, 4, 8, 4, 3).mean(axis=(2, 4)).reshape(len(pixels), -1)
        vectors = (small / 255 - 0.5).astype(np.float32) @ _PROJECTION[:, : self.dim]
        if number in self._faults.get("no_numbers_at", ()):
            vectors[0] = np.nan
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for fault, factor in (("zero_at", 0), ("long_at", 1.5), ("huge_at", 1e6)):
            if number in self._faults.get(fault, ()):
                vectors[0] *= factor
        return vectors

    def _fail(self, number: int, pixels: np.ndarray) -> None:
        if (pixels.mean(axis=(1, 2, 3)) > self._faults.get("kill_over", 256)).any():
            os.kill(os.getpid(), signal.SIGSEGV)
        if number in self._faults.get("kill_at", ()):
            os.kill(os.getpid(), signal.SIGKILL)
        if number in self._faults.get("lose_at", ()):
            raise DeviceLost("the device fell off the bus")
        if number in self._faults.get("raise_at", ()):
            raise LookupError("a runtime's own error")
        while number in self._faults.get("hang_at", ()):
            time.sleep(60)


def run_command(argv: list[str]) -> int:
    """Run a command line whose `embed` uses this model."""
    from photoindex.cli.main import main
    from photoindex.library.embed import embed

    embed.EmbedRequest = functools.partial(embed.EmbedRequest, open=OPENER)  # type: ignore[assignment,misc]
    return main(argv)


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:]))
