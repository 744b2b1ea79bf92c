"""The operating system's refusals as errors that say what was being done."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from photoindex.errors import StorageFull, UsageError


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Raise StorageFull for a full disk and UsageError for every other OSError inside the block; `doing` opens the sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"{doing}: there is no room ({error.strerror}); nothing was kept of it") from error
        raise UsageError(f"{doing} failed: {error}") from error
