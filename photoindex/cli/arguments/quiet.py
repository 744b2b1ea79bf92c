"""`--quiet`, for cron: nothing is printed unless something is new or wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from photoindex.cli.output.progress import ProgressMode
from photoindex.errors import LibraryLocked

QuietOption = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="For cron: print nothing unless something is new or wrong."),
]
_LONG_SECONDS = 24 * 3600.0


def progress_of(progress: ProgressMode, *, quiet: bool) -> ProgressMode:
    """Return how progress is shown: not at all with `quiet`, but for warnings and files that fail."""
    return ProgressMode.NONE if quiet else progress


@contextmanager
def leaves_the_work_to_others(*, quiet: bool) -> Iterator[None]:
    """With `quiet`, end the command with 0 where another one is at the same work: a run that is still going is no fault.

    One that has gone on for more than a day is: LibraryLocked says so.
    """
    try:
        yield
    except LibraryLocked as error:
        if not quiet or (error.since is not None and time.time() - error.since > _LONG_SECONDS):
            raise
        raise typer.Exit from None
