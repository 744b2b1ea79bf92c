"""What NVIDIA's driver tells of the GPUs; the driver is a fake that keeps what runs on it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from photoindex.library.night.gpu import find_gpus

OURS, GAME = 4001, 4002


class NVMLError(Exception):
    """What the driver refuses."""


@dataclass
class Driver:
    """A driver with one GPU. running: process -> share of the GPU in percent. by_process: whether it tells them apart."""

    running: dict[int, int] = field(default_factory=dict)
    by_process: bool = True
    gpus: int = 1
    NVML_TEMPERATURE_GPU: int = 0
    NVMLError: type[Exception] = NVMLError

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.gpus:
            raise NVMLError

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return self.gpus

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:  # noqa: N802
        return number

    def nvmlDeviceGetComputeRunningProcesses(self, _handle: int) -> list[Any]:  # noqa: N802
        return [SimpleNamespace(pid=pid) for pid in self.running]

    def nvmlDeviceGetProcessUtilization(self, _handle: int, since: int) -> list[Any]:  # noqa: N802
        if not self.by_process:
            raise NVMLError
        return [SimpleNamespace(pid=pid, timeStamp=since + 1, smUtil=share) for pid, share in self.running.items()]

    def nvmlDeviceGetUtilizationRates(self, _handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=min(100, sum(self.running.values())))

    def nvmlDeviceGetTemperature(self, _handle: int, _sensor: int) -> int:  # noqa: N802
        return 71

    def nvmlDeviceGetPowerUsage(self, _handle: int) -> int:  # noqa: N802
        raise NVMLError

    def nvmlDeviceGetName(self, _handle: int) -> str:  # noqa: N802
        return "NVIDIA Test"

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "555.1"


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    made = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", made)  # type: ignore[arg-type]
    return made


def test_our_own_work_on_the_gpu_is_not_taken_for_somebody_elses(driver: Driver) -> None:
    driver.running = {OURS: 98}
    gpus = find_gpus()
    assert gpus is not None
    assert gpus.used_by_others({OURS}, own_runs=True) == 0
    driver.running = {OURS: 40, GAME: 57}
    assert gpus.used_by_others({OURS}, own_runs=True) == pytest.approx(0.57)


def test_where_processes_cannot_be_told_apart_the_whole_use_counts_while_nothing_of_ours_runs(driver: Driver) -> None:
    driver.by_process, driver.running = False, {GAME: 93}
    gpus = find_gpus()
    assert gpus is not None
    assert gpus.used_by_others(set(), own_runs=False) == pytest.approx(0.93)
    driver.running = {OURS: 93}
    assert gpus.used_by_others({OURS}, own_runs=True) is None


def test_in_a_container_nothing_is_said_while_ours_runs(driver: Driver) -> None:
    """The driver names the processes of the host, so ours is among them under another number."""
    driver.running = {77_123: 98}
    gpus = find_gpus()
    assert gpus is not None
    assert gpus.used_by_others({OURS}, own_runs=True) is None
    assert gpus.used_by_others({OURS}, own_runs=False) == pytest.approx(0.98)


def test_what_the_driver_does_not_tell_is_unknown(driver: Driver) -> None:
    gpus = find_gpus()
    assert gpus is not None
    assert gpus.celsius() == 71
    assert gpus.watts() is None
    assert gpus.names() == ["NVIDIA Test, driver 555.1"]
    driver.gpus = 0
    assert find_gpus() is None
