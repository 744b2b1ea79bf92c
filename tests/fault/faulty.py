"""Functions that fail in a worker process; in their own module so that workers can import them."""

from __future__ import annotations

import os
import resource
import signal
import time
from typing import Any

from photoindex.media import content
from photoindex.media.decode import decode
from photoindex.pipeline.ingest.worker import FileJob, Outcome, ingest_file
from photoindex.types import Failure


def crash(_: object) -> None:
    """Die of a segmentation fault."""
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(_: object) -> None:
    """Never return."""
    while True:
        time.sleep(60)


def hoard(_: object) -> int:
    """Allocate more memory than a worker is allowed."""
    return len(bytearray(4 << 30))


def fail(_: object) -> None:
    """Raise an unexpected error."""
    raise LookupError("a decoder's own error")


def double(value: int) -> int:
    """Return twice the value."""
    return 2 * value


def page_faults_of_large_buffers(_: object) -> int:
    """Fill three buffers of 16 MiB, free them, and return how many pages the kernel had to give for them."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _buffer in [bytes([1]) * (16 << 20) for _ in range(3)]:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def worker_niceness(_: object) -> int:
    """Return the worker's niceness: 0 yields nothing to other programs, 19 everything."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def worker_pid(_: object) -> int:
    """Return the worker's process id."""
    return os.getpid()


def ingest_or_fail(job: FileJob) -> Outcome:
    """Ingest a file, or fail as its name says."""
    for name, fault in ((b"crash", crash), (b"hang", hang), (b"hoard", hoard), (b"fail", fail)):
        if job.name.startswith(name):
            fault(job)
    return ingest_file(job)


def ingest_terminated(_job: FileJob) -> Outcome:
    """End as a worker that somebody terminates."""
    os._exit(signal.SIGTERM)


def ingest_short_of_memory(job: FileJob) -> Outcome:
    """Ingest a file where a decoder runs out of memory that nobody foresaw."""
    real = decode.shrink

    def fails(*_: object) -> None:
        raise MemoryError

    decode.shrink = fails
    try:
        return ingest_file(job)
    finally:
        decode.shrink = real


def ingest_growing(job: FileJob) -> Outcome:
    """Ingest a file that another program goes on writing."""
    real = content._read

    def growing(descriptor: int, path: bytes, *more: Any) -> Any:
        found = real(descriptor, path, *more)
        with open(path, "ab") as file:
            file.write(b"more")
        return found

    content._read = growing
    try:
        return ingest_file(job)
    finally:
        content._read = real


def ingest_unreadable(job: FileJob) -> Outcome:
    """Fail as where a disk returns an error."""
    return Outcome(job, failure=Failure("unreadable", "cannot be read: Input/output error", retry=True))
