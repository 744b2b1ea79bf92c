"""Worker processes with limits on time and memory, so that a crash or hang on a bad file does not end the run."""

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

_ENVIRONMENT = {
    # Without these, libraries start threads on import. Workers use one thread each, and forking a process with threads is
    # not safe.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # For the allocator of glibc, in bytes: the buffers of one photo serve the next. Otherwise they go back to the kernel,
    # which clears every page anew: 1,500 page faults and 4 ms for each photo of 12 megapixels. What is larger still goes back.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
_GRACE_SECONDS = 15.0
_TERM_SECONDS = 0.1
"""Workers never get SIGTERM (see `blocked_signals`), so there is no point in waiting long before killing one that hangs."""
_KILLED_EXTERNALLY = frozenset({-signal.SIGTERM, signal.SIGTERM, 255})
"""Exit codes that the file did not cause: terminated, or unknown because the forkserver is gone."""
_TASKS_PER_WORKER = 5000
"""A worker is replaced after this many files, because C decoders leak a little memory."""
_NICENESS = 10
"""As for `nice`: a process that competes with a normal one for a core gets a tenth of the time."""


def start_forkserver(preload: Sequence[str]) -> None:
    """Start the process that workers are forked from; it imports the `preload` modules once for all of them.

    Returns at once, while the imports go on in the background. Does nothing if it is running already.
    """
    import multiprocessing
    from multiprocessing import forkserver

    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["photoindex.pipeline.workers.forkserver_setup", *preload]
    )
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        with blocked_signals(signal.SIGINT, signal.SIGTERM):
            forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def blocked_signals(*numbers: signal.Signals) -> Iterator[None]:
    """Block signals in this thread, and for good in the processes that it starts inside the block and in their children.

    The terminal sends Ctrl-C to all processes of a command, and a service manager SIGTERM, and only the parent decides what
    they mean. Ignoring them in a worker is not enough: the pool installs a handler of its own there.
    """
    from multiprocessing import resource_tracker

    # It unblocks SIGINT and SIGTERM in this thread when it starts.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def workers(count: int, limits: Limits, *, low_priority: bool = False) -> Iterator[WorkerPool]:
    """Yield a pool of `count` processes. On an error they are killed, otherwise the remaining tasks are finished first.

    low_priority: see `lower_priority`.
    """
    import multiprocessing

    from pebble import CONSTS, ProcessPool

    CONSTS.term_timeout = _TERM_SECONDS
    start_forkserver(())  # does nothing where one runs already
    pool: Any = ProcessPool(
        max_workers=count,
        max_tasks=_TASKS_PER_WORKER,
        initializer=_prepare_worker,
        initargs=(limits, lower_priority if low_priority else None),
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
    """Runs a function on tasks in worker processes, with a time limit per task."""

    def __init__(self, pool: Any, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits

    def submit(self, function: Callable[[Task], Result], task: Task) -> Future[Result]:
        """Schedule `function(task)`; both must be importable and picklable."""
        future: Future[Result] = self._pool.schedule(
            _guarded, args=(function, task, self._limits.seconds), timeout=self._limits.seconds
        )
        return future


def killed_externally(error: BaseException) -> bool:
    """Tell whether a worker was ended by something other than its file."""
    from concurrent.futures import CancelledError
    from concurrent.futures.process import BrokenProcessPool

    from pebble import ProcessExpired

    if isinstance(error, ProcessExpired):
        return error.exitcode in _KILLED_EXTERNALLY
    return isinstance(error, (BrokenProcessPool, CancelledError))


def was_killed(error: BaseException) -> bool:
    """Tell whether a worker was killed by SIGKILL, which no decoder sends to itself."""
    from pebble import ProcessExpired

    return isinstance(error, ProcessExpired) and error.exitcode == -signal.SIGKILL


def failure_of(error: BaseException, limits: Limits) -> Failure | None:
    """Return the file's failure for a worker's error, None if the error is a bug."""
    from pebble import ProcessExpired

    if isinstance(error, FutureTimeout) or getattr(error, "exitcode", None) == -signal.SIGALRM:
        return Failure(
            "hang", f"reading took longer than {limits.seconds:g} s and was stopped; --file-seconds raises it"
        )
    if isinstance(error, ProcessExpired):
        return Failure("crash", f"the decoder crashed ({_describe_exit(error.exitcode)})")
    if isinstance(error, MemoryError):
        return Failure(
            "out_of_memory",
            f"reading needs more memory than the {limits.memory_mb} MiB that a worker may use; --worker-memory-mb raises it",
        )
    return None


def _describe_exit(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        try:
            return f"signal {signal.Signals(-exitcode).name}"
        except ValueError:
            return f"signal {-exitcode}"
    return f"exit code {exitcode}"


def _guarded(function: Callable[[Task], Result], task: Task, seconds: float) -> Result:
    # Normally the pool's own timeout ends a hanging worker. This timer is for the case that the parent is gone: the
    # kernel ends the process even if a decoder never releases the interpreter lock.
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
    try:
        return function(task)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def lower_priority() -> None:
    """Lower this process's CPU priority, so that a search during a scan stays fast."""
    with suppress(OSError):  # optional: the work can be done without it
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _prepare_worker(limits: Limits, also: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _limit_memory(limits.memory_mb)
    die_with_parent()
    _use_one_thread()
    if also is not None:
        also()


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
    """End this process, started by multiprocessing, as soon as its parent ends."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:
        return

    def watch(sentinel: Any) -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), name="parent-watch", daemon=True).start()


def _use_one_thread() -> None:
    if "cv2" in sys.modules:  # imported by the forkserver if pictures will be decoded
        import cv2

        cv2.setNumThreads(1)
