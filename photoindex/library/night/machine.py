"""What the machine is doing besides a run: load of other programs, battery, heat, power."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photoindex.domain.night.patience import Machine
from photoindex.library.night.gpu import Gpus, find_gpus

_POWERCAP = Path("/sys/class/powercap")
_PROCESSOR_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")


@dataclass(slots=True)
class MachineWatcher:
    """Looks at this computer now and then; loads and power are averages since the last look.

    joules: energy that processor and GPUs have used since the watcher was made, as far as they tell; None: neither does.
    """

    gpus: Gpus | None = field(default_factory=find_gpus)
    powercap: Path = _POWERCAP
    joules: float | None = None
    _looked_at: float = field(default_factory=time.monotonic)
    _cpu: tuple[float, float] = (0.0, 0.0)
    _energy: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cpu = _cpu_seconds()
        self._energy = self._counters()

    def look(self, *, own_runs: bool) -> Machine:
        """Return what is seen now. own_runs: whether a model of ours may be on a GPU."""
        now = time.monotonic()
        seconds, self._looked_at = max(1e-6, now - self._looked_at), now
        watts = self._watts(seconds)
        if watts is not None:
            self.joules = (self.joules or 0.0) + watts * seconds
        heats = [_processor_celsius(), None if self.gpus is None else self.gpus.celsius()]
        return Machine(
            others_cpu=self._others_cpu(seconds),
            others_gpu=None if self.gpus is None else self.gpus.used_by_others(own_processes(), own_runs=own_runs),
            on_battery=_on_battery(),
            celsius=max((one for one in heats if one is not None), default=None),
            watts=watts,
        )

    def _others_cpu(self, seconds: float) -> float:
        """Return the share of all cores that other programs used for so many seconds."""
        import psutil

        before, self._cpu = self._cpu, _cpu_seconds()
        busy, own = (new - old for new, old in zip(self._cpu, before, strict=True))
        return min(1.0, max(0.0, busy - max(0.0, own)) / (seconds * (psutil.cpu_count() or 1)))

    def _watts(self, seconds: float) -> float | None:
        """Return what processor and GPUs drew for so many seconds, None if neither tells."""
        before, self._energy = self._energy, self._counters()
        # A counter that starts again at 0 is left out once.
        used = [(self._energy[one] - old) / 1e6 for one, old in before.items() if old <= self._energy.get(one, -1)]
        of_gpus = None if self.gpus is None else self.gpus.watts()
        known = [sum(used) / seconds] if used else []
        known += [] if of_gpus is None else [of_gpus]
        return sum(known) if known else None

    def _counters(self) -> dict[str, int]:
        """Return the energy counters of the processors' packages, in microjoules; most systems let only root read them."""
        found = {}
        for path in self.powercap.glob("intel-rapl:[0-9]*"):
            if path.name.count(":") == 1:  # the parts of a package have two
                with suppress(OSError, ValueError):
                    found[path.name] = int((path / "energy_uj").read_text())
        return found


def own_processes() -> set[int]:
    """Return the numbers of this process and of all that it started."""
    import psutil

    return {psutil.Process().pid, *(one.pid for one in psutil.Process().children(recursive=True))}


def _cpu_seconds() -> tuple[float, float]:
    """Return the processor time since the start of the computer: of everything, and of this process and its children."""
    import psutil

    every = psutil.cpu_times()
    idle = every.idle + getattr(every, "iowait", 0.0) + getattr(every, "steal", 0.0) + getattr(every, "guest", 0.0)
    own = 0.0
    process = psutil.Process()
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            used = one.cpu_times()
            own += used.user + used.system + used.children_user + used.children_system
    return sum(every) - idle, own


def _on_battery() -> bool | None:
    import psutil

    with suppress(AttributeError, OSError):
        battery = psutil.sensors_battery()
        return None if battery is None or battery.power_plugged is None else not battery.power_plugged
    return None


def _processor_celsius() -> float | None:
    import psutil

    with suppress(AttributeError, OSError):
        sensors: Mapping[str, Any] = psutil.sensors_temperatures()
        return max((one.current for name in _PROCESSOR_SENSORS for one in sensors.get(name, ())), default=None)
    return None
