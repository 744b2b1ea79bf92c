"""The model process: receives batches of previews, sends outcomes, and reports device failures."""

from __future__ import annotations

import faulthandler
import importlib
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

from photoindex.errors import DeviceFailed, PhotoIndexError
from photoindex.models.base import DeviceLost, OutOfDeviceMemory
from photoindex.pipeline.run.messages import (
    Batch,
    BatchAnswer,
    Finish,
    FromProcess,
    Lost,
    Opened,
    ProcessSettings,
    Refused,
    ToProcess,
)
from photoindex.pipeline.run.prefetch import Decoding, Inputs, Prefetcher
from photoindex.pipeline.workers.isolation import die_with_parent, lower_priority
from photoindex.stages.base import OpenStage, Outcome, StageFaulty
from photoindex.types import Failure, Result

_GROW_AFTER = 8
_GROW_AFTER_MAX = 512


def work(connection: Connection[FromProcess, ToProcess], settings: ProcessSettings) -> None:
    """Open the stage and run batches until told to finish; the target of the process."""
    _prepare_process(settings)
    try:
        last = _work(connection, settings)
        if last is not None:
            connection.send(last)
        connection.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # the parent is gone


def _work(connection: Connection[FromProcess, ToProcess], settings: ProcessSettings) -> FromProcess | None:
    """Return the last message to send, None if there was no error."""
    try:
        stage = _open(settings)
        if settings.prove:
            stage.prove()
        connection.send(Opened(stage.runs_on))
        _Worker(connection, stage, settings).run()
    except (PhotoIndexError, StageFaulty) as error:
        return Refused(error)
    except OutOfDeviceMemory as error:
        return Refused(
            DeviceFailed(f"the device has too little free memory for even one picture ({error}); use --device cpu")
        )
    except DeviceLost as error:
        return Lost(str(error))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001 - a model's runtime may raise anything; a new process may succeed
        traceback.print_exc()
        return Lost(f"{type(error).__name__}: {error}"[:500])
    return None


def _open(settings: ProcessSettings) -> OpenStage:
    module, _, name = settings.stage.open.partition(":")
    stage: OpenStage = getattr(importlib.import_module(module), name)(settings.opening)
    return stage


def _prepare_process(settings: ProcessSettings) -> None:
    # The parent handles Ctrl-C and SIGTERM; both are sent to all processes of a group.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    die_with_parent()
    lower_priority()
    _leave_cores(settings.cores)
    # Output of libraries would garble the progress bar.
    try:
        target = os.open(settings.stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except OSError:
        target = os.open(os.devnull, os.O_WRONLY)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    faulthandler.enable(file=2)


def _leave_cores(wanted: int | None) -> None:
    """Use no more than so many cores: runtimes and decoders count those that their process may use, and start as many threads."""
    if wanted is None or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if wanted < len(cores):
        os.sched_setaffinity(0, cores[len(cores) - wanted :])  # the first ones often serve interrupts


class _Worker:
    """Receives batches, decodes them in advance and runs them one after the other."""

    def __init__(
        self, connection: Connection[FromProcess, ToProcess], stage: OpenStage, settings: ProcessSettings
    ) -> None:
        self._connection = connection
        self._model = ElasticBatches(stage, settings.batch_size, settings.stage.results)
        self._prefetcher = Prefetcher(stage, settings.threads, needs=settings.stage.needs)
        self._ready: queue.SimpleQueue[Decoding | None] = queue.SimpleQueue()
        self._finish = threading.Event()

    def run(self) -> None:
        """Run batches until told to finish. Raises OutOfDeviceMemory, DeviceLost and other errors of the stage."""
        threading.Thread(target=self._receive, name="receive-batches", daemon=True).start()
        try:
            for decoding, began in self._batches():
                inputs = decoding.result()
                if self._finish.is_set():
                    return
                self._connection.send(self._answer(inputs, waited=time.perf_counter() - began))
        finally:
            self._prefetcher.close()

    def _batches(self) -> Iterator[tuple[Decoding, float]]:
        """Yield the batches in order, each with the time when waiting for it began."""
        while True:
            began = time.perf_counter()
            decoding = self._ready.get()
            if decoding is None or self._finish.is_set():
                return
            yield decoding, began

    def _receive(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                message = Finish()
            if isinstance(message, Batch):
                self._ready.put(self._prefetcher.begin(message))
            else:
                self._finish.set()
                self._ready.put(None)
                return

    def _answer(self, inputs: Inputs, *, waited: float) -> BatchAnswer:
        began = time.perf_counter()
        outcomes: dict[int, Outcome] = dict(inputs.failures)
        outcomes.update(zip(inputs.positions, self._model.run(inputs.values), strict=True))
        steps = {
            "read": inputs.read,
            "decode": inputs.decode,
            "wait": waited,
            "infer": time.perf_counter() - began,
        }
        ordered = tuple(outcomes[position] for position in range(len(outcomes)))
        return BatchAnswer(inputs.number, ordered, steps, self._model.largest)


class ElasticBatches:
    """Runs a stage with as many inputs at a time as fit on its device: halved if memory runs out, doubled later."""

    def __init__(self, stage: OpenStage, batch_size: int, results: tuple[type[Result], ...]) -> None:
        self._results = results
        self.largest = batch_size
        self._stage = stage
        self._wanted = batch_size
        self._grow_after = _GROW_AFTER
        self._successes = 0
        self._grew = False

    def run(self, inputs: Any) -> list[tuple[Any, ...] | Failure]:
        """Return the outcome of each input. Raises OutOfDeviceMemory if not even one fits."""
        outcomes: list[tuple[Any, ...] | Failure] = []
        while len(outcomes) < len(inputs):
            part = inputs[len(outcomes) : len(outcomes) + self.largest]
            try:
                returned = self._stage.run(part)
            except OutOfDeviceMemory:
                if len(part) == 1:
                    raise
                self._shrink(len(part))
                continue
            self._check(returned, len(part))
            outcomes += returned
            self._grow(len(part))
        return outcomes

    def _check(self, outcomes: Sequence[Outcome], inputs: int) -> None:
        if len(outcomes) != inputs:
            raise StageFaulty(f"the stage returned {len(outcomes)} outcomes for {inputs} inputs")
        for outcome in outcomes:
            for result in () if isinstance(outcome, Failure) else outcome:
                if not isinstance(result, self._results):
                    raise StageFaulty(f"the stage returned a {type(result).__name__}, which it does not declare")

    def _shrink(self, tried: int) -> None:
        if self._grew:
            # The memory still seems to be in use, so the next try comes later.
            self._grow_after = min(2 * self._grow_after, _GROW_AFTER_MAX)
            self._grew = False
        self.largest = max(1, tried // 2)
        self._successes = 0

    def _grow(self, taken: int) -> None:
        if self.largest >= self._wanted or taken < self.largest:
            return
        self._successes += 1
        if self._successes >= self._grow_after:
            self.largest = min(self._wanted, 2 * self.largest)
            self._successes = 0
            self._grew = True
