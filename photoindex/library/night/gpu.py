"""What NVIDIA's driver tells of the GPUs, where the package nvidia-ml-py (extra `metrics`) and a driver are there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Gpus:
    """All GPUs of this computer; every figure is None where the driver does not tell it."""

    _nvml: Any
    _handles: list[Any]
    _seen_at: dict[int, int] = field(default_factory=dict)

    def used_by_others(self, own: Collection[int], *, own_runs: bool) -> float | None:
        """Return the share of the busiest GPU that processes other than `own` use, 0 to 1.

        own_runs: whether one of them may be using a GPU now. In a container the driver names processes by other numbers; then
        what is ours cannot be told apart, and nothing is said while it runs.
        """
        shares = [self._others(number, handle, own, own_runs=own_runs) for number, handle in enumerate(self._handles)]
        return max((one for one in shares if one is not None), default=None)

    def celsius(self) -> float | None:
        """Return the temperature of the hottest GPU."""
        sensor = self._nvml.NVML_TEMPERATURE_GPU
        told = [self._told(self._nvml.nvmlDeviceGetTemperature, one, sensor) for one in self._handles]
        return max((float(one) for one in told if one is not None), default=None)

    def watts(self) -> float | None:
        """Return the power that all GPUs draw."""
        told = [self._told(self._nvml.nvmlDeviceGetPowerUsage, one) for one in self._handles]
        known = [one / 1000 for one in told if one is not None]
        return sum(known) if known else None

    def names(self) -> list[str]:
        """Return the name of each GPU, with the version of the driver."""
        driver = self._told(self._nvml.nvmlSystemGetDriverVersion) or "unknown"
        told = [self._told(self._nvml.nvmlDeviceGetName, one) for one in self._handles]
        return [f"{one or 'a GPU'}, driver {driver}" for one in told]

    def _others(self, number: int, handle: Any, own: Collection[int], *, own_runs: bool) -> float | None:
        running = self._told(self._nvml.nvmlDeviceGetComputeRunningProcesses, handle) or []
        if own_runs and not any(one.pid in own for one in running):
            return None
        since = self._seen_at.get(number, 0)
        samples = self._told(self._nvml.nvmlDeviceGetProcessUtilization, handle, since)
        if samples is not None:
            newest = {one.pid: one for one in sorted(samples, key=lambda each: each.timeStamp)}
            self._seen_at[number] = max((one.timeStamp for one in samples), default=since)
            return min(1.0, sum(float(one.smUtil) for pid, one in newest.items() if pid not in own) / 100)
        if own_runs:
            return None
        rates = self._told(self._nvml.nvmlDeviceGetUtilizationRates, handle)
        return None if rates is None else float(rates.gpu) / 100

    def _told(self, ask: Callable[..., Any], *about: Any) -> Any:
        try:
            return ask(*about)
        except self._nvml.NVMLError:
            return None


def find_gpus() -> Gpus | None:
    """Return the GPUs that NVIDIA's driver knows, None if there is none, or no package to ask it with."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return None
    return Gpus(pynvml, handles) if handles else None
