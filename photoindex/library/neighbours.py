"""Photos that lie near each other in the space that search uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from photoindex.events import EventSink
from photoindex.library.context import Library


@dataclass(frozen=True, slots=True)
class NearInSpace:
    """Pairs of asset numbers, and the name of the space they lie near each other in."""

    space: str
    pairs: Iterable[tuple[int, int]]


def near_in_space(library: Library, emit: EventSink) -> NearInSpace | None:  # noqa: ARG001
    """Return the pairs of contents that the space in use puts next to each other, None where there is no space."""
    return None
