"""Work that goes wrong in a worker process, for tests; it lives in a module of its own so that workers can import it."""

from __future__ import annotations

import os
import signal
import time

from photoindex.pipeline.ingest.worker import FileJob, Outcome, ingest_file


def crash(_: object) -> None:
    """End the process as a segmentation fault does."""
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(_: object) -> None:
    """Never return."""
    while True:
        time.sleep(60)


def hoard(_: object) -> int:
    """Ask for more memory than a worker may have."""
    return len(bytearray(4 << 30))


def fail(_: object) -> None:
    """Raise what nobody expects."""
    raise LookupError("a decoder's own error")


def double(value: int) -> int:
    """Return twice the value."""
    return 2 * value


def my_niceness(_: object) -> int:
    """Return how much the worker leaves to other programs: 0 nothing, 19 all."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def my_process(_: object) -> int:
    """Return the worker's process id."""
    return os.getpid()


def ingest_or_fail(job: FileJob) -> Outcome:
    """Ingest a file, unless its name says what is to go wrong."""
    for name, fault in ((b"crash", crash), (b"hang", hang), (b"hoard", hoard), (b"fail", fail)):
        if job.name.startswith(name):
            fault(job)
    return ingest_file(job)
