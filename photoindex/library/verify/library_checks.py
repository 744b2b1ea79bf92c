"""Runs all checks of a library: database, files, previews and indices against each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from photoindex.errors import DatabaseFailed
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import Library
from photoindex.library.verify import database_checks, file_checks
from photoindex.library.verify.problems import Checking, Problem
from photoindex.paths import display
from photoindex.progress import EventSink, ignore_events

Check = Callable[[Checking], Iterator[Problem]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("database", database_checks.pages),
    ("links", database_checks.links),
    ("full text", database_checks.full_text),
    ("files", database_checks.files),
    ("tasks", database_checks.tasks),
    ("previews", file_checks.derived),
    ("strays", file_checks.strays),
    ("temporary files", file_checks.temporary_files),
    ("indices", file_checks.indices),
    ("models", file_checks.models),
    ("originals", database_checks.known_damage),
)
"""Every check by its name, in the order of running; each yields what it finds."""


def verify_library(
    library: Library, emit: EventSink = ignore_events, *, repair: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[Problem]:
    """Yield what is wrong with a library; with `repair` put right what can be, without reading an original.

    A database that cannot be read any further is a finding, too. Raises LibraryLocked, StorageFull.
    """
    checking = Checking(library, emit, repair=repair)
    with disk_errors(f"checking {display(os.fsencode(library.folder))}"):
        for name, check in CHECKS:
            if stop():
                return
            try:
                yield from check(checking)
            except DatabaseFailed as error:
                yield Problem(name, str(error))
