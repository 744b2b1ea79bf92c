"""`run`: does everything that is pending, one step after the other, while the machine is quiet and the window open."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Protocol

from photoindex.config.schema import RunConfig
from photoindex.domain.night.patience import Machine, Patience, QuietLimits, Reason, reason_to_wait
from photoindex.domain.night.windows import window_seconds
from photoindex.durations import seconds_since_boot, spoken
from photoindex.errors import (
    DatabaseFailed,
    LibraryLocked,
    ModelUnavailable,
    NothingFound,
    PhotoIndexError,
    ProviderFailed,
    StorageFull,
    UsageError,
)
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.logs import both, log_events, open_log
from photoindex.library.night.machine import MachineWatcher
from photoindex.library.night.state import LOCK, RunState, StateFile
from photoindex.library.night.steps import INDEX, SCAN, STEPS, Step, StepOutcome
from photoindex.library.night.summary import NightSummary, Outcome, RunFailure, StepResult
from photoindex.paths import to_text
from photoindex.progress import Event, EventSink, FileQuarantined, Notice
from photoindex.store.night import nights

Stop = Callable[[], bool]
_POLL_SECONDS = 0.5
_FAILURES_KEPT = 200


class Watcher(Protocol):
    """Looks at the machine; joules: energy that was used since it was made, None where that is unknown."""

    joules: float | None

    def look(self, *, own_runs: bool) -> Machine:
        """Return what is seen now. own_runs: whether a model of ours may be on a GPU."""
        ...


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run does.

    stages: names of steps, all but `scan` by default. scan: begin with a scan. window_seconds: no batch starts later than this
    after the start. limit: subjects per step. limits: above what it waits. patience: how long before it waits and goes on.
    watcher: makes what looks at the machine, every `sample_seconds`.
    """

    stages: Sequence[str] = ()
    scan: bool = False
    window_seconds: float | None = None
    limit: int | None = None
    limits: QuietLimits = field(default_factory=QuietLimits)
    patience: Callable[[], Patience] = Patience
    watcher: Callable[[], Watcher] = MachineWatcher
    sample_seconds: float = 5.0


def run(library: Library, request: RunRequest, emit: EventSink, stop: Stop = lambda: False) -> NightSummary:
    """Run the steps. Raises UsageError for an unknown step, LibraryLocked if another run is at work.

    A step that fails does not keep the others from running; only a full disk or a failed database ends the run: StorageFull,
    DatabaseFailed. Finished work is kept.
    """
    steps = chosen_steps(request.stages, scan=request.scan)
    with exclusive(library.folder, "run", name=LOCK), open_log(library.folder, library.config.log) as log:
        with library.database.write() as connection:
            night_id = nights.begin(connection)
        started_at = time.time()
        ends_at = None if request.window_seconds is None else started_at + request.window_seconds
        state = StateFile(library.folder, RunState(os.getpid(), started_at, ends_at))
        failures = Failures(state.state)
        going = _Run(library, request, both(emit, log_events(log, "run"), state, failures), stop, state, failures)
        try:
            summary = going.run(steps)
        finally:
            state.remove()
        with library.database.write() as connection:
            nights.end(connection, night_id, summary.outcome, asdict(summary))
        log.info("run ended", extra={"action": "run", "outcome": summary.outcome, "seconds": summary.seconds})
    return summary


def window_of(until: str | None, for_seconds: float | None) -> float | None:
    """Return how long a run that starts now may begin work, None without an end. Raises UsageError."""
    try:
        return window_seconds(until, for_seconds, datetime.now())  # noqa: DTZ005 - a time of day on the clock of this room
    except ValueError as error:
        raise UsageError(f"--until: {error}") from None


def limits_of(settings: RunConfig) -> QuietLimits:
    """Return the limits of the settings, with percents as shares."""
    return QuietLimits(
        others_cpu=settings.max_cpu_util / 100,
        others_gpu=settings.max_gpu_util / 100,
        celsius=settings.max_celsius,
        watts=settings.max_watts,
        on_battery=settings.on_battery,
    )


def chosen_steps(names: Sequence[str], *, scan: bool) -> list[Step]:
    """Return the steps with these names in their order, or all. Raises UsageError."""
    known = [one.name for one in STEPS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"there is no stage '{unknown[0]}'; choose of {', '.join(known)}")
    wanted = set(names) or set(known) - {SCAN.name}
    return [one for one in STEPS if one.name in wanted or (scan and one is SCAN)]


@dataclass(slots=True)
class Failures:
    """A sink that keeps the first files that fail, for the report."""

    state: RunState
    found: list[RunFailure] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take in a failure."""
        if isinstance(event, FileQuarantined) and len(self.found) < _FAILURES_KEPT:
            self.found.append(RunFailure(self.state.step, to_text(event.path), event.error_class, event.message))


@dataclass(slots=True)
class _Run:
    library: Library
    request: RunRequest
    emit: EventSink
    stop: Stop
    state: StateFile
    failures: Failures
    started: float = field(default_factory=seconds_since_boot)
    watcher: Watcher = field(init=False)
    patience: Patience = field(init=False)
    waited: dict[str, float] = field(default_factory=dict)
    _sampled_at: float = 0.0
    _at_work: bool = False
    _pauses: bool = False
    _did_something: bool = False

    def __post_init__(self) -> None:
        self.patience = self.request.patience()
        self.watcher = self.request.watcher()

    def run(self, steps: Sequence[Step]) -> NightSummary:
        summary = NightSummary(started_at=self.state.state.started_at, waited=self.waited, failures=self.failures.found)
        self._first_look()
        try:
            for step in steps:
                summary.steps.append(self._do(step))
                self.state.state.finished.append(step.name)
        finally:
            summary.seconds = round(seconds_since_boot() - self.started, 3)
            summary.joules = self.watcher.joules
        summary.outcome = self._outcome(summary)
        return summary

    def _outcome(self, summary: NightSummary) -> Outcome:
        if self.stop():
            return "stopped" if summary.left else "done"
        if summary.error_code is not None:
            return "failed"
        return "window" if self._is_over() and summary.left else "done"

    def _is_over(self) -> bool:
        seconds = self.request.window_seconds
        return seconds is not None and seconds_since_boot() >= self.started + seconds

    def _ends(self) -> bool:
        return self.stop() or self._is_over()

    def _do(self, step: Step) -> StepResult:
        """Do a step, in as many passes as it takes: each time the machine is needed by somebody, a pass ends."""
        result = StepResult(name=step.name, unit=step.unit)
        self.state.state.step = step.name
        self.state.write()
        joules = self.watcher.joules
        try:
            while self._is_needed(step) and self._waits(result) and not self._ends():
                if self._pass(step, result):
                    break
            else:
                result.left = step.pending(self.library).left
        except (NothingFound, LibraryLocked) as reason:
            result.skipped = str(reason)
        except (StorageFull, DatabaseFailed):
            raise
        except PhotoIndexError as error:
            if isinstance(error, ModelUnavailable) and not self._has_model(step):
                result.skipped = str(error)
            else:
                result.error, result.error_code = str(error), error.exit_code
                self.emit(Notice(f"{step.name}: {error}", "warning"))
        self._look()
        if self.watcher.joules is not None:
            result.joules = round(self.watcher.joules - (joules or 0.0), 1)
        self._did_something |= bool(result.done)
        return result

    def _has_model(self, step: Step) -> bool:
        """Tell whether the model of a step is there, which a plan needs, too. Where a step raises nevertheless, it is unusable."""
        try:
            step.pending(self.library)
        except PhotoIndexError:
            return False
        return True

    def _is_needed(self, step: Step) -> bool:
        """Tell whether a step has work that is worth waiting for, if it has to wait."""
        if self.patience.reason is None or step is SCAN:
            return True
        return self._did_something if step is INDEX else step.pending(self.library).left > 0

    def _pass(self, step: Step, result: StepResult) -> bool:
        """Work until the step is done, or has to stop; return whether the step is over."""
        limit = (
            None if self.request.limit is None else self.request.limit - result.done - result.given_up - result.failed
        )
        started = time.monotonic()
        self._at_work, self._pauses = True, False
        try:
            outcome = step.run(self.library, limit, self.emit, self._must_stop)
        finally:
            self._at_work = False
            result.seconds = round(result.seconds + time.monotonic() - started, 3)
        _add(result, outcome)
        return not (outcome.stopped and self._pauses and not self._ends())

    def _must_stop(self) -> bool:
        if self._ends():
            return True
        if not self._pauses:  # a pass that was told to stop has ended, whatever the machine does meanwhile
            if time.monotonic() - self._sampled_at >= self.request.sample_seconds:
                self._look()
            self._pauses = self.patience.reason is not None
        return self._pauses

    def _first_look(self) -> None:
        """Look at the machine before anything starts: what speaks against it now counts at once."""
        time.sleep(min(1.0, self.request.sample_seconds))
        self._look(at_once=True)

    def _look(self, *, at_once: bool = False) -> None:
        self._sampled_at = time.monotonic()
        seen = self.watcher.look(own_runs=self._at_work)
        reason = reason_to_wait(seen, self.request.limits)
        if at_once:
            self.patience.reason = reason
        else:
            self.patience.observe(self._sampled_at, reason)

    def _waits(self, result: StepResult) -> bool:
        """Wait until the machine is quiet; return False if the run ends meanwhile."""
        if self.patience.reason is None:
            return True
        began = time.monotonic()
        said = ""
        while (reason := self.patience.reason) is not None and not self._ends():
            if reason.what != said:
                said = reason.what
                self._say_waiting(reason)
            before = time.monotonic()
            time.sleep(_POLL_SECONDS)
            if time.monotonic() - self._sampled_at >= self.request.sample_seconds:
                self._look()
                self._note_waiting()
            self.waited[said] = round(self.waited.get(said, 0.0) + time.monotonic() - before, 3)
        seconds = time.monotonic() - began
        result.waited_seconds = round(result.waited_seconds + seconds, 3)
        self.state.state.waiting = self.state.state.waiting_since = None
        self.state.write()
        if self._ends():
            return False
        self.emit(Notice(f"{self.state.state.step}: goes on after waiting for {spoken(seconds)}"))
        return True

    def _say_waiting(self, reason: Reason) -> None:
        self._note_waiting()
        self.emit(Notice(f"{self.state.state.step}: waiting: {reason}"))

    def _note_waiting(self) -> None:
        """Let `status` say why it waits, as it is now."""
        state, reason = self.state.state, self.patience.reason
        if reason is not None and state.waiting != str(reason):
            state.waiting, state.waiting_since = str(reason), state.waiting_since or time.time()
            self.state.write()


def _add(result: StepResult, outcome: StepOutcome) -> None:
    result.done += outcome.done
    result.failed = outcome.failed
    result.given_up += outcome.given_up
    result.left = outcome.left
    result.infer_seconds = round(result.infer_seconds + outcome.infer_seconds, 3)
    result.model = outcome.model or result.model
    result.runs_on = outcome.runs_on or result.runs_on
    if outcome.refused:
        result.error, result.error_code = outcome.refused, ProviderFailed.exit_code
    result.bottleneck = outcome.bottleneck or result.bottleneck
