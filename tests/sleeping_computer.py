"""A computer that sleeps: the clock that counts from the boot goes on, the one of processes stands still."""

from __future__ import annotations

import time

import pytest


class SleepingComputer:
    """Sleeps when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._slept = 0.0
        self._real = time.clock_gettime
        monkeypatch.setattr(time, "clock_gettime", self._told)

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def _told(self, clock: int) -> float:
        return self._real(clock) + (self._slept if clock == time.CLOCK_BOOTTIME else 0.0)
