"""The executor for stages that need an original at a larger size: decodes it in a worker process, then runs the model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

from photoindex.pipeline.larger_picture import LargerPicture
from photoindex.pipeline.run.executor import Completed, Executor, ExecutorLost, Finished, Job
from photoindex.types import Failure

_POLL_SECONDS = 0.02


class OriginalsFirst:
    """Two executors in a row; a larger picture exists only in memory, and only until the model has seen it.

    The input of a job is an Original; `decoders` run `read_larger`, and the model gets the JPEG that it returns.
    """

    name = "the model process"

    def __init__(self, decoders: Executor, model: Executor) -> None:
        self.batch_size = model.batch_size
        self.batches_at_once = model.batches_at_once
        self.runs_on = ""
        self.opened_at: float | None = None
        self._decoders = decoders
        self._model = model
        self._stack = ExitStack()
        self._jobs: dict[int, Job] = {}
        self._decoded: list[Job] = []
        self._failed: list[Completed] = []
        self._read_seconds = 0.0
        self._finishing = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._decoders)
            stack.enter_context(self._model)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    @property
    def batches_running(self) -> int:
        """How many batches have not been returned yet, wherever they are."""
        return -(-len(self._jobs) // self.batch_size)

    @property
    def is_busy(self) -> bool:
        """Whether anything is being decoded or looked at, or the model is ending."""
        return self._model.is_busy or bool(self._failed) or (bool(self._jobs) and not self._finishing)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Have each original decoded."""
        self._jobs.update((job.task_id, job) for job in jobs)
        for job in jobs:
            self._decoders.submit([job])

    def collect(self, seconds: float) -> list[Completed]:
        """Return what could not be decoded, and what the model completed. Raises what both executors raise."""
        if self._decoders.is_busy and not self._finishing:
            for batch in self._decoders.collect(_POLL_SECONDS if self._model.is_busy else seconds):
                self._take(batch)
        try:
            self._submit_decoded()
            # Until it is open, the model may have an error to tell of, though it has no batch yet.
            waits = self._model.is_busy or self._model.opened_at is None
            answers = self._model.collect(0 if self._decoders.is_busy or self._failed else seconds) if waits else []
        except ExecutorLost as lost:
            raise ExecutorLost(str(lost), [self._jobs.pop(job.task_id) for job in lost.jobs]) from lost
        self.runs_on, self.opened_at = self._model.runs_on, self._model.opened_at
        failed, self._failed = self._failed, []
        return failed + [self._as_submitted(answer) for answer in answers]

    def finish(self) -> None:
        """Accept no more batches, drop what is not with the model yet, and end after what it is running now."""
        self._finishing = True
        self._decoded.clear()
        self._decoders.finish()
        self._model.finish()

    def restart(self) -> None:
        """Restart the model; decoding goes on."""
        self._model.restart()

    def output(self) -> str:
        """Return the last output of libraries."""
        return self._model.output()

    def slowest(self) -> tuple[Job, float] | None:
        """Return the original that has been decoded longest."""
        return self._decoders.slowest()

    def _take(self, batch: Completed) -> None:
        """Keep decoded pictures for the model, and the failures and returned jobs for the runner."""
        for each in batch.finished:
            failure = each.result if isinstance(each.result, Failure) else each.failure
            if isinstance(each.result, LargerPicture):
                self._read_seconds += each.result.seconds
                self._decoded.append(replace(each.job, input=each.result.jpeg))
            else:
                del self._jobs[each.job.task_id]
                self._failed.append(Completed((Finished(each.job, failure=failure),), largest=self.batch_size))
        if batch.returned:
            for job in batch.returned:
                del self._jobs[job.task_id]
            self._failed.append(Completed(returned=batch.returned, largest=self.batch_size))

    def _submit_decoded(self) -> None:
        """Submit whole batches, and a smaller one where no more is being decoded."""
        while len(self._decoded) >= self.batch_size or (self._decoded and not self._decoders.is_busy):
            batch, self._decoded = self._decoded[: self.batch_size], self._decoded[self.batch_size :]
            self._model.submit(batch)

    def _as_submitted(self, answer: Completed) -> Completed:
        """Return what the model completed with the jobs as they were submitted, and the time of their decoding."""
        finished = tuple(replace(each, job=self._jobs.pop(each.job.task_id)) for each in answer.finished)
        returned = tuple(self._jobs.pop(job.task_id) for job in answer.returned)
        read, self._read_seconds = self._read_seconds, 0.0
        steps = {**answer.steps, "read": answer.steps.get("read", 0.0) + read}
        return replace(answer, finished=finished, returned=returned, steps=steps)
