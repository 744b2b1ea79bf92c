"""Runs all checks of the computer, and of the library where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from photoindex.errors import PhotoIndexError
from photoindex.library.doctor import library_checks, machine_checks
from photoindex.library.doctor.examination import Finding, LibraryCheck, MachineCheck, fail
from photoindex.library.handle import Library

MACHINE_CHECKS: tuple[tuple[str, MachineCheck], ...] = (
    ("versions", machine_checks.versions),
    ("sqlite", machine_checks.sqlite),
    ("gpu", machine_checks.gpu),
    ("clock", machine_checks.clock),
    ("file system", machine_checks.file_system),
    ("schedule", machine_checks.schedule),
)
"""Checks that need no library, in the order of running."""

LIBRARY_CHECKS: tuple[tuple[str, LibraryCheck], ...] = (
    ("free space", library_checks.free_space),
    ("permissions", library_checks.permissions),
    ("clock", library_checks.clock),
    ("locks", library_checks.locks),
    ("models", library_checks.models),
    ("index", library_checks.index),
    ("retries", library_checks.retries),
    ("originals", library_checks.originals),
    ("backups", library_checks.backups),
)
"""Checks of an open library, in the order of running."""


def examine_machine(folder: Path) -> Iterator[tuple[str, Finding]]:
    """Yield what each check says of this computer. folder: of the library, which need not exist."""
    for name, check in MACHINE_CHECKS:
        for finding in check(folder):
            yield name, finding


def examine_library(library: Library) -> Iterator[tuple[str, Finding]]:
    """Yield what each check says of a library; a check that ends with an error has failed."""
    for name, check in LIBRARY_CHECKS:
        try:
            for finding in check(library):
                yield name, finding
        except (PhotoIndexError, OSError) as error:
            yield name, fail(str(error), "photoindex verify")
