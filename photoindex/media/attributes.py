"""Reading attributes of library objects that raise on content which the library does not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
Default = TypeVar("Default")


def value_or(default: Default, read: Callable[[], Value]) -> Value | Default:
    """Return `read()`, or `default` if it raises anything but MemoryError.

    For what a video can be decoded without: PyAV raises ValueError for a flag or side data that is newer than itself,
    UnicodeDecodeError for a name, RuntimeError for a codec in the wrong state. `read` must not read the file.
    """
    try:
        return read()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - libraries raise anything here
        return default
