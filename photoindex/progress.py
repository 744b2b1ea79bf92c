"""Progress events of long operations: the library emits them, the CLI renders them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase of a command starts; `total` is the number of items, None if unknown; `unit` is empty where none are counted."""

    phase: str
    total: int | None
    unit: str = "files"


@dataclass(frozen=True, slots=True)
class PhaseAdvanced:
    """Progress of the running phase: `done` items and `bytes_done` bytes so far; `slow` names a slow file."""

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
    """One file was quarantined; the run continues."""

    path: bytes
    error_class: str
    message: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for the user; `level` is `info` or `warning`."""

    message: str
    level: str = "info"


Event = PhaseStarted | PhaseAdvanced | PhaseFinished | FileQuarantined | Notice
EventSink = Callable[[Event], None]


def ignore_events(_event: Event) -> None:
    """Ignore an event; the default sink."""
