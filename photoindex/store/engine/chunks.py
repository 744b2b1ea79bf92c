"""Long lists in parts, so that no statement and no result becomes too large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield a list in parts of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
