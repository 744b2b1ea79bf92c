"""The pool of decoders as an executor: what ends the run takes no finished work with it."""

from __future__ import annotations

import time

import pytest

from photoindex.errors import StorageFull
from photoindex.pipeline.run.decoder_pool import DecoderPool
from photoindex.pipeline.run.executor import Job
from photoindex.types import Limits


def full_at_three(number: int) -> int:
    if number == 3:
        raise StorageFull("the disk is full")
    return number * 10


def test_finished_files_come_back_before_the_error_that_ends_the_run() -> None:
    with DecoderPool(full_at_three, count=2, limits=Limits(100.0, 1024, 30.0), stop=lambda: False) as pool:
        pool.submit([Job(number, number, 1, number) for number in range(1, 7)])
        deadline = time.monotonic() + 30
        while not all(future.done() for future in pool._running) and time.monotonic() < deadline:
            time.sleep(0.01)
        results = [done.result for batch in pool.collect(1.0) for done in batch.finished]
        assert sorted(results) == [10, 20, 40, 50, 60]
        with pytest.raises(StorageFull):
            pool.collect(1.0)
