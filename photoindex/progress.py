"""What long work tells while it runs; the library emits these, only the CLI renders them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase of a command begins; `total` is the number of items, None while unknown."""

    phase: str
    total: int | None
    unit: str = "files"


@dataclass(frozen=True, slots=True)
class PhaseAdvanced:
    """Progress of the running phase: `done` items in all, `bytes_done` bytes read; `slow` names what takes long now."""

    phase: str
    done: int
    bytes_done: int = 0
    slow: str = ""


@dataclass(frozen=True, slots=True)
class PhaseFinished:
    """The phase ended after `seconds`."""

    phase: str
    done: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FileQuarantined:
    """One file was given up for now; the run goes on."""

    path: bytes
    error_class: str
    message: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence the user should see; `level` is `info` or `warning`."""

    message: str
    level: str = "info"


Event = PhaseStarted | PhaseAdvanced | PhaseFinished | FileQuarantined | Notice
EventSink = Callable[[Event], None]


def ignore_events(_event: Event) -> None:
    """Take an event and do nothing with it; the default sink."""
