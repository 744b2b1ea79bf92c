"""The process that holds the model: batches of previews in, vectors out, whatever happens to the device."""

from __future__ import annotations

import faulthandler
import importlib
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from photoindex.errors import DeviceFailed, ModelUnavailable, PhotoIndexError
from photoindex.models.base import DeviceLost, ImageEncoder, OutOfDeviceMemory
from photoindex.pipeline.embed.messages import (
    Batch,
    Encoded,
    Finish,
    FromWorker,
    Lost,
    Opened,
    Opening,
    Refused,
    Seconds,
    ToWorker,
    WorkerSettings,
)
from photoindex.pipeline.embed.prefetch import Decoding, Pixels, Prefetcher
from photoindex.pipeline.workers.isolation import die_with_parent, go_behind_others
from photoindex.types import Failure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_GROW_AFTER = 8
_GROW_AFTER_MAX = 512
_NORM_TOLERANCE = 0.01
"""Rounding to float16 alone takes less than a tenth of this."""


def open_installed(opening: Opening) -> ImageEncoder:
    """Open an installed model. Raises ModelUnavailable, DeviceFailed, OutOfDeviceMemory as `open_image_encoder` does."""
    from photoindex.models.encoders import open_image_encoder
    from photoindex.models.weights import ModelStore

    installed = ModelStore(opening.models_folder).get(opening.model)
    if installed.digest != opening.digest:
        raise ModelUnavailable(f"the model '{opening.model}' was installed anew meanwhile; run the command again")
    return open_image_encoder(installed, device=opening.device, gpu_free_share=opening.gpu_free_share)


def work(connection: Connection, settings: WorkerSettings) -> None:
    """Open the model and embed batches until told to finish; the target of the process."""
    _prepare_process(settings)
    try:
        last = _work(connection, settings)
        if last is not None:
            connection.send(last)
        connection.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # the parent is gone


def _work(connection: Connection, settings: WorkerSettings) -> FromWorker | None:
    """Return what to say at the end, None where all is well."""
    try:
        encoder = _open(settings)
        if settings.prove:
            _embed_nothing(encoder)
        connection.send(Opened(encoder.dim, encoder.runs_on))
        _Worker(connection, encoder, settings).run()
    except PhotoIndexError as error:
        return Refused(error)
    except OutOfDeviceMemory as error:
        return Refused(
            DeviceFailed(f"the device has too little free memory even for one picture ({error}); use --device cpu")
        )
    except DeviceLost as error:
        return Lost(str(error))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001 - of a model's runtime anything can come; a new process may fare better
        traceback.print_exc()
        return Lost(f"{type(error).__name__}: {error}"[:500])
    return None


def _open(settings: WorkerSettings) -> ImageEncoder:
    module, _, name = settings.opener.partition(":")
    encoder: ImageEncoder = getattr(importlib.import_module(module), name)(settings.opening)
    return encoder


def _embed_nothing(encoder: ImageEncoder) -> None:
    import numpy as np

    side = encoder.preprocessing.size_px
    encoder.encode_images(np.zeros((1, side, side, 3), np.uint8))


def _prepare_process(settings: WorkerSettings) -> None:
    # The parent decides what Ctrl-C and SIGTERM mean; both go to every process of a group.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    die_with_parent()
    go_behind_others()
    # What libraries print would tear the progress bar.
    try:
        target = os.open(settings.stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:
        target = os.open(os.devnull, os.O_WRONLY)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    faulthandler.enable(file=2)


class _Worker:
    """Takes batches, decodes them ahead and embeds them one after the other."""

    def __init__(self, connection: Connection, encoder: ImageEncoder, settings: WorkerSettings) -> None:
        self._connection = connection
        self._model = ElasticBatches(encoder, settings.batch_size)
        self._prefetcher = Prefetcher(encoder.preprocessing, settings.decode_threads)
        self._ready: queue.SimpleQueue[Decoding | None] = queue.SimpleQueue()
        self._finish = threading.Event()

    def run(self) -> None:
        """Work until told to finish. Raises OutOfDeviceMemory, DeviceLost and whatever else the model raises."""
        threading.Thread(target=self._receive, name="receive-batches", daemon=True).start()
        try:
            for decoding, began in self._batches():
                pixels = decoding.result()
                if self._finish.is_set():
                    return
                self._connection.send(self._encode(pixels, waited=time.perf_counter() - began))
        finally:
            self._prefetcher.close()

    def _batches(self) -> Iterator[tuple[Decoding, float]]:
        """Yield the batches as they come, each with the moment since when it was waited for."""
        while True:
            began = time.perf_counter()
            decoding = self._ready.get()
            if decoding is None or self._finish.is_set():
                return
            yield decoding, began

    def _receive(self) -> None:
        while True:
            try:
                message: ToWorker = self._connection.recv()
            except (EOFError, OSError):
                message = Finish()
            if isinstance(message, Batch):
                self._ready.put(self._prefetcher.begin(message))
            else:
                self._finish.set()
                self._ready.put(None)
                return

    def _encode(self, pixels: Pixels, *, waited: float) -> Encoded:
        import numpy as np

        began = time.perf_counter()
        vectors = self._model.encode(pixels.values)
        seconds = Seconds(pixels.read, pixels.decode, waited, time.perf_counter() - began)
        with np.errstate(over="ignore", invalid="ignore"):
            kept = vectors.astype(np.float16)
            # Also false where a number is none, or too large for what is kept.
            sound: NDArray[np.bool_] = np.abs(np.linalg.norm(kept.astype(np.float32), axis=1) - 1) < _NORM_TOLERANCE
        failures = list(pixels.failures)
        failures += [
            (job.task_id, Failure("not_a_vector", "the model gave no vector of unit length for this picture"))
            for job, good in zip(pixels.jobs, sound, strict=True)
            if not good
        ]
        return Encoded(
            pixels.number,
            task_ids=tuple(job.task_id for job, good in zip(pixels.jobs, sound, strict=True) if good),
            vectors=kept[sound],
            failures=tuple(failures),
            seconds=seconds,
            largest=self._model.largest,
        )


class ElasticBatches:
    """Gives a model as many pictures at a time as its device has room for: halved when memory runs out, grown back later."""

    def __init__(self, encoder: ImageEncoder, batch_size: int) -> None:
        self.largest = batch_size
        self._encoder = encoder
        self._wanted = batch_size
        self._grow_after = _GROW_AFTER
        self._went_well = 0
        self._grew = False

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [n, dim] for uint8 [n, size_px, size_px, 3]. Raises OutOfDeviceMemory where not even one fits."""
        import numpy as np

        parts = [np.empty((0, self._encoder.dim), np.float32)]
        first = 0
        while first < len(pixels):
            part = pixels[first : first + self.largest]
            try:
                parts.append(self._encoder.encode_images(part))
            except OutOfDeviceMemory:
                if len(part) == 1:
                    raise
                self._shrink(len(part))
                continue
            first += len(part)
            self._grow(len(part))
        return np.concatenate(parts)

    def _shrink(self, tried: int) -> None:
        if self._grew:
            # What takes the memory seems to stay, so the next try waits longer.
            self._grow_after = min(2 * self._grow_after, _GROW_AFTER_MAX)
            self._grew = False
        self.largest = max(1, tried // 2)
        self._went_well = 0

    def _grow(self, taken: int) -> None:
        if self.largest >= self._wanted or taken < self.largest:
            return
        self._went_well += 1
        if self._went_well >= self._grow_after:
            self.largest = min(self._wanted, 2 * self.largest)
            self._went_well = 0
            self._grew = True
