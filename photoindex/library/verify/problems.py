"""What a check of the library found, and what cures it."""

from __future__ import annotations

from dataclasses import dataclass

from photoindex.library.handle import Library
from photoindex.progress import EventSink

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. check: which check found it. count: how many things have it; examples: some of their names.

    remedy: a command, or what to do. harmful: False for what only takes up space. repaired: by this run; `remedy` is then
    what is left to do, empty if nothing is.
    """

    check: str
    problem: str
    remedy: str = ""
    count: int = 1
    examples: tuple[bytes, ...] = ()
    harmful: bool = True
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Checking:
    """One run of all checks. repair: put right what can be put right without an original."""

    library: Library
    emit: EventSink
    repair: bool = False


def counted(count: int, one: str, many: str) -> str:
    """Return a count with a phrase: `1 task is`, `5 tasks are`."""
    return f"{count:,} {one if count == 1 else many}"
