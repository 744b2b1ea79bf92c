"""The executor for services: a few calls at a time, retries, a circuit breaker, and no call beyond the budget."""

from __future__ import annotations

import io
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Self

from photoindex.errors import ProviderFailed
from photoindex.file_access import read_file
from photoindex.pipeline.run.executor import Completed, Finished, Job
from photoindex.pipeline.run.prefetch import failure_of_preview
from photoindex.pipeline.run.spending import Purse
from photoindex.providers.base import CallFailed, OpenProvider, PictureRefused
from photoindex.stages.base import UnreadablePreview, opened_preview
from photoindex.store.night.ledger import Reservation
from photoindex.types import Failure, Result

REFUSED = "picture_refused"
"""Error class of a content that a service cannot look at."""
BUDGET_SPENT = "may not be asked any more: the budget of this month is spent"
_BATCH = 8
_JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Patience:
    """tries: calls for one picture. wait_seconds: before the second one, on average; twice as long before each later one.

    longest_seconds: of any wait. breaker: failed calls in a row, of whichever pictures, after which none is made any more.
    """

    tries: int = 4
    wait_seconds: float = 1.0
    longest_seconds: float = 60.0
    breaker: int = 10


@dataclass(slots=True)
class _Asked:
    """What came of one picture. tried: calls that were made; billed: those that may have been billed. more: reserved for them.

    result, failure: neither if the service gave no answer.
    """

    job: Job
    tried: int = 0
    billed: int = 0
    more: list[Reservation] = field(default_factory=list)
    result: tuple[Result, ...] | None = None
    failure: Failure | None = None
    seconds: float = 0.0


@dataclass(slots=True)
class _Batch:
    """Pictures that are asked about, and the reservation of one call for each."""

    asked: list[Future[_Asked]]
    reservation: Reservation | None

    @property
    def is_done(self) -> bool:
        """Whether there is an end to every picture."""
        return all(one.done() for one in self.asked)


class ServiceCalls:
    """See `Executor`. A job's input is the path of a preview; the preview is sent as pixels alone, without metadata.

    A failing service costs no task an attempt: a picture without an answer stays pending. `collect` raises ProviderFailed when
    the budget is spent, the service fails too often in a row, or refuses every call.

    calls: that may have been billed so far. unanswered: contents for which the service gave no answer.
    """

    def __init__(
        self,
        name: str,
        provider: OpenProvider,
        stage: str,
        purse: Purse,
        *,
        at_once: int,
        patience: Patience | None = None,
    ) -> None:
        self.name = name
        self.batch_size = max(_BATCH, at_once)
        self.batches_at_once = 2
        self.runs_on = provider.runs_on
        self.opened_at: float | None = None
        self.calls = 0
        self.unanswered: set[int] = set()
        self._provider = provider
        self._stage = stage
        self._purse = purse
        self._patience = patience or Patience()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=f"ask-{name}")
        self._batches: list[_Batch] = []
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._failures = 0
        self._quiet_until = 0.0
        self._over = ""
        # Waits differ, so that calls that failed together are not made together again.
        self._chance = random.Random()  # noqa: S311 - no secret

    def __enter__(self) -> Self:
        self.opened_at = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        batches, self._batches = self._batches, []
        for batch in batches:
            self._settle(batch)

    @property
    def batches_running(self) -> int:
        """How many batches have not been returned yet."""
        return len(self._batches)

    @property
    def is_busy(self) -> bool:
        """Whether any batch has not been returned yet."""
        return bool(self._batches)

    @property
    def refused(self) -> str:
        """Why no more pictures are asked about, as a message; empty while they are."""
        return f"{self.name} {self._over}; finished work is kept, and a later run continues" if self._over else ""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Reserve the price of a batch, as far as the budget allows, and ask about its pictures.

        Jobs that are not asked about are not returned: the runner gives their tasks back when `collect` has raised.
        """
        reservation = None if self._over else self._purse.reserve(len(jobs))
        calls = 0 if reservation is None else reservation.calls
        if calls < len(jobs):
            self._stop_asking(BUDGET_SPENT)
        self._batches.append(_Batch([self._pool.submit(self._ask, job) for job in jobs[:calls]], reservation))

    def collect(self, seconds: float) -> list[Completed]:
        """Return the batches whose pictures were all asked about. Raises ProviderFailed, once all these are returned."""
        asked = [batch for batch in self._batches if batch.asked]
        running = [one for batch in asked for one in batch.asked if not one.done()]
        if running and not any(batch.is_done for batch in asked):
            wait(running, timeout=seconds, return_when=FIRST_COMPLETED)
        done = [batch for batch in asked if batch.is_done]
        if self._over and not running and not done:
            raise ProviderFailed(self.refused)
        # Those without a picture to ask about stay until the end, so that the runner claims no more tasks meanwhile.
        self._batches = [batch for batch in self._batches if batch not in done]
        return [self._completed(batch) for batch in done]

    def finish(self) -> None:
        """Accept no more batches, and end after the calls that are being made."""
        self._ending.set()

    def restart(self) -> None:
        """Do nothing: there is no process that could be lost."""

    def output(self) -> str:
        """Return nothing: there is no process that prints."""
        return ""

    def slowest(self) -> None:
        """Return nothing: a call has a time limit of its own."""

    def _ask(self, job: Job) -> _Asked:
        """Ask about one picture, several times where the service fails; in a thread."""
        asked = _Asked(job)
        began = time.perf_counter()
        try:
            jpeg = pixels_only(read_file(job.input))
        except (OSError, UnreadablePreview) as error:
            asked.failure = failure_of_preview(error)
            return asked
        while asked.tried < self._patience.tries and self._may_call(asked):
            asked.tried += 1
            try:
                asked.result = self._provider.ask(jpeg, self._stage)
            except CallFailed as failed:
                asked.billed += failed.may_be_billed
                self._count_failure(failed)
                if not failed.retry or asked.tried == self._patience.tries:
                    break
                self._pause(asked.tried, failed.retry_after)
            except ProviderFailed as refused:
                self._stop_asking(f"looks at no picture: {refused}")
                self._ending.set()
            except PictureRefused as refused:
                asked.failure = Failure(REFUSED, str(refused))
            if asked.result is not None or asked.failure is not None:
                asked.billed += 1
                self._failures = 0
                break
        asked.seconds = time.perf_counter() - began
        return asked

    def _may_call(self, asked: _Asked) -> bool:
        """Wait while the service wants quiet; return whether it may be called, with a reserved call to pay for it."""
        while (quiet := self._quiet_until - time.monotonic()) > 0 and not self._ending.wait(quiet):
            pass
        if self._ending.is_set():
            return False
        if asked.billed <= len(asked.more):
            return True
        more = self._purse.reserve(1)
        if more is None:
            self._stop_asking(BUDGET_SPENT)
            return False
        asked.more.append(more)
        return True

    def _count_failure(self, failed: CallFailed) -> None:
        with self._lock:
            self._failures += 1
            broken = self._failures >= self._patience.breaker
        if broken:
            self._stop_asking(f"failed {self._patience.breaker} times in a row, most recently because it {failed}")
            self._ending.set()

    def _stop_asking(self, why: str) -> None:
        with self._lock:
            self._over = self._over or why

    def _pause(self, tried: int, retry_after: float | None) -> None:
        """Wait before the next try; where the service says how long, no other picture is asked about meanwhile."""
        patience = self._patience
        if retry_after is None:
            seconds = patience.wait_seconds * 2 ** (tried - 1) * self._chance.uniform(0.5, 1.5)
            self._ending.wait(min(seconds, patience.longest_seconds))
            return
        seconds = min(retry_after * self._chance.uniform(1.0, 1.1), patience.longest_seconds)
        with self._lock:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)

    def _completed(self, batch: _Batch) -> Completed:
        self._settle(batch)
        asked = [one.result() for one in batch.asked]
        self.unanswered.update(
            one.job.subject_id for one in asked if one.tried and one.result is None and one.failure is None
        )
        finished = tuple(
            Finished(one.job, one.result, one.failure, one.seconds)
            for one in asked
            if one.result is not None or one.failure is not None
        )
        return Completed(finished, steps={"infer": sum(one.seconds for one in asked)}, largest=len(asked))

    def _settle(self, batch: _Batch) -> None:
        """Enter what a batch may have cost: also a call that ended with an error in this program may have been billed."""
        asked = [one for one in batch.asked if not one.cancelled()]
        results = [one.result() for one in asked if one.exception() is None]
        billed = sum(one.billed for one in results) + len(asked) - len(results)
        self.calls += billed
        reservations = [more for one in results for more in one.more]
        for reservation in [batch.reservation, *reservations] if batch.reservation else reservations:
            spent = min(billed, reservation.calls)
            self._purse.settle(reservation, spent)
            billed -= spent


def pixels_only(preview_jpeg: bytes) -> bytes:
    """Return a preview (JPEG) as a JPEG of its pixels alone: without EXIF, XMP, colour profile or comment.

    Raises UnreadablePreview.
    """
    import numpy as np
    from PIL import Image

    with opened_preview(preview_jpeg) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()
