"""The one place where damage in a file becomes a remark instead of an exception."""

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
    """Run a step over bytes of unknown origin; whatever a library raises on them is noted as `what`.

    MemoryError, and errors of the disk or the network, are not the file's fault and pass through.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # libraries meet hostile bytes with any exception there is
        if isinstance(error, OSError) and error.errno in _STORAGE_ERRORS:
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        note(f"{what} ({reason[:_SHOWN_CHARACTERS]})")
