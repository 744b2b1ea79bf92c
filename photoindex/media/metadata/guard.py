"""Turning exceptions caused by damaged files into notes."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STORAGE_ERRORS = {
    errno.EIO,
    errno.ENOENT,
    errno.EACCES,
    errno.ESTALE,
    errno.ENXIO,
    errno.ENODEV,
    errno.ETIMEDOUT,
    errno.EMFILE,
}
_SHOWN_CHARACTERS = 160


@contextmanager
def guarded(note: Callable[[str], None], what: str) -> Iterator[None]:
    """Run a step over untrusted bytes; any exception becomes a note that starts with `what`.

    MemoryError and errors of the disk or network are not caused by the file and pass through.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # libraries can raise anything on hostile bytes
        if isinstance(error, OSError) and error.errno in _STORAGE_ERRORS:
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        note(f"{what} ({reason[:_SHOWN_CHARACTERS]})")
