"""Converts OSError to errors that say what was being done."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from photoindex.errors import StorageFull, UsageError


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Raise StorageFull for a full disk and UsageError for other OSErrors in the block; `doing` starts the message."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"{doing}: the disk is full ({error.strerror}); free some space and run the command again"
            ) from error
        raise UsageError(f"{doing} failed: {error}") from error
