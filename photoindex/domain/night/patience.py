"""Decides from what the machine is doing whether a run waits, without changing its mind at every moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """What was seen of the machine; None: unknown.

    others_cpu: share of all cores that other programs use, 0 to 1. others_gpu: share of the GPU that they use. on_battery:
    whether no mains power is there. celsius: the hottest sensor of processor and GPU. watts: what both draw.
    """

    others_cpu: float | None = None
    others_gpu: float | None = None
    on_battery: bool | None = None
    celsius: float | None = None
    watts: float | None = None


@dataclass(frozen=True, slots=True)
class QuietLimits:
    """Above what a run waits; shares are 0 to 1, None: no limit."""

    others_cpu: float | None = 0.5
    others_gpu: float | None = 0.85
    celsius: float | None = 90.0
    watts: float | None = None
    on_battery: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run waits. what: the kind of reason, always in the same words. now: how it is at the moment."""

    what: str
    now: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.now})" if self.now else self.what


def reason_to_wait(seen: Machine, limits: QuietLimits) -> Reason | None:
    """Return why a run should wait, None if nothing speaks against working."""
    if seen.on_battery and not limits.on_battery:
        return Reason("the computer runs on its battery")
    if _above(seen.others_gpu, limits.others_gpu):
        return Reason("other programs use the GPU", f"{seen.others_gpu:.0%}, the limit is {limits.others_gpu:.0%}")
    if _above(seen.others_cpu, limits.others_cpu):
        return Reason(
            "other programs use the processor", f"{seen.others_cpu:.0%}, the limit is {limits.others_cpu:.0%}"
        )
    if _above(seen.celsius, limits.celsius):
        return Reason("the computer is hot", f"{seen.celsius:.0f} °C, the limit is {limits.celsius:.0f} °C")
    if _above(seen.watts, limits.watts):
        return Reason("the computer draws much power", f"{seen.watts:.0f} W, the limit is {limits.watts:.0f} W")
    return None


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


@dataclass(slots=True)
class Patience:
    """Waits once there was a reason for `busy_seconds`, and goes on once there was none for `calm_seconds`."""

    busy_seconds: float = 15.0
    calm_seconds: float = 60.0
    reason: Reason | None = None
    """Why it waits, None while it works."""
    _changing_since: float | None = None

    def observe(self, now: float, reason: Reason | None) -> None:
        """Take in what speaks against working at a time in seconds, None if nothing does."""
        if (reason is None) == (self.reason is None):
            self._changing_since = None
            self.reason = reason
            return
        if self._changing_since is None:
            self._changing_since = now
        if now - self._changing_since >= (self.calm_seconds if reason is None else self.busy_seconds):
            self.reason, self._changing_since = reason, None
