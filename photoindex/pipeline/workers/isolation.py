"""Worker processes that a bad file cannot take the run down with: limits set, parent watched, crash and hang survived."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from photoindex.types import Failure, Limits

Task = TypeVar("Task")
Result = TypeVar("Result")

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_GRACE_SECONDS = 15.0
_TERM_SECONDS = 0.1
"""Workers ignore SIGTERM, so the pool need not wait long before it kills one that hangs."""
_ENDED_FROM_OUTSIDE = frozenset({-signal.SIGTERM, signal.SIGTERM, 255})
"""Exit codes that say nothing about the file: terminated, or unknown because the forkserver is gone."""
_TASKS_PER_WORKER = 5000
"""A worker is replaced after this many files: C decoders leak a little, and a million files are many."""
_NICENESS = 10
"""As for `nice`: beside a program that wants all of a core, a tenth of the time."""


def start_forkserver(preload: Sequence[str]) -> None:
    """Begin to start the process that workers are forked from, with `preload` modules imported once for all of them.

    Returns at once; the imports go on beside the caller. Does nothing where it runs already.
    """
    import multiprocessing
    from multiprocessing import forkserver, resource_tracker

    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["photoindex.pipeline.workers.forkserver_setup", *preload]
    )
    # First: it unblocks SIGINT in this thread when it starts.
    resource_tracker.ensure_running()  # type: ignore[no-untyped-call]
    # Libraries that start threads when they are loaded would start them in every worker: one a worker is the plan, and a
    # process with threads is not safe to fork.
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    # A blocked signal stays blocked in the forkserver and in every worker that it forks: the terminal sends Ctrl-C to all
    # processes of a command, and only the parent decides what it means.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def workers(count: int, limits: Limits, *, give_way: bool = False) -> Iterator[WorkerPool]:
    """Give a pool of `count` processes; on the way out running ones are killed unless the pool was drained.

    give_way: whether other programs go first, see `go_behind_others`.
    """
    import multiprocessing

    from pebble import CONSTS, ProcessPool

    CONSTS.term_timeout = _TERM_SECONDS
    start_forkserver(())  # does nothing where one runs already
    pool: Any = ProcessPool(
        max_workers=count,
        max_tasks=_TASKS_PER_WORKER,
        initializer=_prepare_worker,
        initargs=(limits, go_behind_others if give_way else None),
        context=multiprocessing.get_context("forkserver"),
    )
    try:
        yield WorkerPool(pool, limits)
        pool.close()
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.join()


class WorkerPool:
    """Runs a function on tasks in worker processes, each with the time limit of one file."""

    def __init__(self, pool: Any, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits

    def submit(self, function: Callable[[Task], Result], task: Task) -> Future[Result]:
        """Schedule `function(task)`; both must be importable and picklable."""
        future: Future[Result] = self._pool.schedule(
            _guarded, args=(function, task, self._limits.seconds), timeout=self._limits.seconds
        )
        return future


def ended_from_outside(error: BaseException) -> bool:
    """Tell whether a worker was ended by somebody else than its file."""
    from concurrent.futures import CancelledError
    from concurrent.futures.process import BrokenProcessPool

    from pebble import ProcessExpired

    if isinstance(error, ProcessExpired):
        return error.exitcode in _ENDED_FROM_OUTSIDE
    return isinstance(error, (BrokenProcessPool, CancelledError))


def was_killed(error: BaseException) -> bool:
    """Tell whether a worker was ended by SIGKILL, which no decoder sends to itself."""
    from pebble import ProcessExpired

    return isinstance(error, ProcessExpired) and error.exitcode == -signal.SIGKILL


def failure_of(error: BaseException, limits: Limits) -> Failure | None:
    """Return what a worker's end says about its file, None where the error is a bug of ours."""
    from pebble import ProcessExpired

    if isinstance(error, FutureTimeout):
        return Failure(
            "hang", f"reading took longer than {limits.seconds:g} s and was stopped; --file-seconds raises it"
        )
    if isinstance(error, ProcessExpired):
        if error.exitcode is not None and error.exitcode == -signal.SIGALRM:
            return Failure(
                "hang", f"reading took longer than {limits.seconds:g} s and was stopped; --file-seconds raises it"
            )
        return Failure("crash", f"the decoder crashed ({_describe_exit(error.exitcode)})")
    if isinstance(error, MemoryError):
        return Failure("out_of_memory", "reading needs more memory than a worker may use; --worker-memory-mb raises it")
    return None


def _describe_exit(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        try:
            return f"signal {signal.Signals(-exitcode).name}"
        except ValueError:
            return f"signal {-exitcode}"
    return f"exit code {exitcode}"


def _guarded(function: Callable[[Task], Result], task: Task, seconds: float) -> Result:
    # The pool's own timeout ends a hanging worker. This timer is for the case that nobody is left to do it: the kernel
    # ends the process even where a decoder holds the interpreter lock for ever and the parent is gone.
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
    try:
        return function(task)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def go_behind_others() -> None:
    """Leave the processors to other programs where they want them: a search beside a scan is what somebody waits for."""
    with suppress(OSError):  # where that is not allowed, the work is done all the same
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _prepare_worker(limits: Limits, further: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _limit_memory(limits.memory_mb)
    die_with_parent()
    _use_one_thread()
    if further is not None:
        further()


def _limit_memory(memory_mb: int) -> None:
    import resource

    used = 0
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"VmData:"):
                    used = int(line.split()[1]) << 10
    except OSError:
        pass  # not Linux: the limit counts from zero
    # RLIMIT_DATA counts private memory only; RLIMIT_AS would count libraries and memory maps as well.
    limit = used + (memory_mb << 20)
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def die_with_parent() -> None:
    """End this process, one of multiprocessing's, as soon as the one that started it is gone."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:
        return

    def watch(sentinel: Any) -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), name="parent-watch", daemon=True).start()


def _use_one_thread() -> None:
    if "cv2" in sys.modules:  # loaded in the forkserver, where pictures are to be decoded
        import cv2

        cv2.setNumThreads(1)
