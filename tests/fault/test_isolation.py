"""A decoder that crashes, hangs or exhausts memory costs one file, never the run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

import psutil
import pytest

from photoindex.pipeline.workers import isolation
from photoindex.types import Limits
from tests.fault import faulty
from tests.harness import LibraryRunner, counts
from tests.originals import write_photo, write_photos

LIMITS = Limits(memory_mb=256, seconds=2.0)


def error_of(future: Future[object]) -> BaseException | None:
    wait([future], timeout=60)
    return future.exception()


@pytest.mark.parametrize(
    ("fault", "error_class", "named"),
    [
        (faulty.crash, "crash", "SIGSEGV"),
        (faulty.hang, "hang", "--file-seconds"),
        (faulty.hoard, "out_of_memory", "--worker-memory-mb"),
    ],
)
def test_the_cause_of_a_workers_death_is_reported_and_the_next_task_still_runs(
    fault: Callable[[object], object], error_class: str, named: str
) -> None:
    with isolation.workers(1, LIMITS) as pool:
        error = error_of(pool.submit(fault, None))
        assert error is not None
        failure = isolation.failure_of(error, LIMITS)
        assert failure is not None
        assert failure.error_class == error_class
        assert named in failure.message
        assert pool.submit(faulty.double, 21).result(timeout=60) == 42


def test_an_error_in_our_code_is_not_a_failure_of_the_file() -> None:
    with isolation.workers(1, LIMITS) as pool:
        error = error_of(pool.submit(faulty.fail, None))
        assert isinstance(error, LookupError)
        assert isolation.failure_of(error, LIMITS) is None


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only glibc's allocator is told what to keep")
def test_the_buffers_of_one_task_serve_the_next() -> None:
    before = dict(os.environ)
    with isolation.workers(1, LIMITS) as pool:
        assert dict(os.environ) == before
        first, *later = (pool.submit(faulty.page_faults_of_large_buffers, None).result(timeout=60) for _ in range(4))
    assert max(later) < min(first, 100)


@pytest.mark.parametrize(("low_priority", "niceness"), [(True, 10), (False, 0)])
def test_workers_of_long_work_run_at_low_priority(low_priority: bool, niceness: int) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with isolation.workers(1, LIMITS, low_priority=low_priority) as pool:
        assert pool.submit(faulty.worker_niceness, None).result(timeout=60) == max(own, niceness)


def test_no_worker_outlives_the_pool() -> None:
    with isolation.workers(2, LIMITS) as pool:
        processes = {pool.submit(faulty.worker_pid, None).result(timeout=60) for _ in range(4)}
    deadline = time.monotonic() + 20
    while any(psutil.pid_exists(each) for each in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(psutil.pid_exists(each) for each in processes)


def test_files_that_kill_their_worker_are_quarantined_by_name_and_the_rest_is_ingested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photoindex.library.scan.ingest.ingest_file", faulty.ingest_or_fail)
    folder = tmp_path / "photos"
    write_photos(folder, 12)
    for seed, name in enumerate(("crash", "hang", "hoard", "fail"), start=100):
        write_photo(folder / f"{name}.jpg", seed)
    runner = LibraryRunner(tmp_path / "library", {"scan.file_seconds": 5.0, "scan.worker_memory_mb": 512})
    assert counts(runner.scan(folder)) == {"new": 12, "quarantined": 4}, runner.events
    errors = dict(
        runner.rows(
            "SELECT file.name, task.error_class FROM task JOIN file ON file.id = task.subject_id"
            " WHERE task.state = 'quarantined'"
        )
    )
    assert errors == {
        "crash.jpg": "crash", "hang.jpg": "hang", "hoard.jpg": "out_of_memory", "fail.jpg": "unexpected",
    }  # fmt: skip
    log = (runner.folder / "logs/photoindex.log").read_text()
    assert all(f"{name}.jpg" in log for name in ("crash", "hang", "hoard", "fail"))
