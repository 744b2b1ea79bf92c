"""What one check says: a level, a line, a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from photoindex.library.handle import Library


class Level(StrEnum):
    """ok; warn: works, and will not for ever or not for all; fail: does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says. remedy: a command or what to do, empty where all is well."""

    level: Level
    text: str
    remedy: str = ""


MachineCheck = Callable[[Path], Iterator[Finding]]
"""Takes the folder of the library, which need not exist."""
LibraryCheck = Callable[[Library], Iterator[Finding]]


def ok(text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Level.OK, text)


def warn(text: str, remedy: str) -> Finding:
    """Return a warning."""
    return Finding(Level.WARN, text, remedy)


def fail(text: str, remedy: str) -> Finding:
    """Return a failure."""
    return Finding(Level.FAIL, text, remedy)


def size(size_bytes: float) -> str:
    """Return a size in decimal units: `250 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 999.5:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"
