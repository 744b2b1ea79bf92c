"""Runs scans and reads the resulting tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from photoindex.app import open_library
from photoindex.config.load import load_config
from photoindex.library.handle import Library
from photoindex.library.scan.scan import ScanRequest, ScanSummary, scan
from photoindex.pipeline.ingest.derived_check import MARKER_NAME
from photoindex.progress import Event
from tests.new_library import ensure_library


@dataclass
class LibraryRunner:
    """Runs operations on a test's library and reads its tables."""

    folder: Path
    settings: dict[str, object] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def open(self) -> AbstractContextManager[Library]:
        """Open the library; create it if necessary."""
        ensure_library(self.folder)
        return open_library(load_config({"library": self.folder, "scan.jobs": 2, **self.settings}), create=True)

    def scan(self, *tops: Path, stop: Callable[[], bool] = lambda: False, **request: Any) -> ScanSummary:
        """Scan `tops`, or every known root by default."""
        with self.open() as library:
            wanted = ScanRequest(tops=[os.fsencode(top) for top in tops], **request)
            return scan(library, wanted, self.events.append, stop)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT on the library's database."""
        with self.open() as library:
            connection = library.database.raw_connection()
            try:
                return list(connection.execute(statement, values))
            finally:
                connection.close()

    def value(self, statement: str, *values: object) -> Any:
        """Return the single value of a SELECT."""
        ((only,),) = self.rows(statement, *values)
        return only

    def derived_files(self) -> set[str]:
        """Return the names of all derived files, including temporary ones, without the folder's marker."""
        return {path.name for path in (self.folder / "derived").rglob("*") if path.is_file()} - {MARKER_NAME}


def counts(summary: ScanSummary) -> dict[str, int]:
    """Return the non-zero counts of a summary."""
    names = ("new", "changed", "moved", "duplicate", "unchanged", "quarantined", "excluded", "sidecars", "missing")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def refuse_listing(monkeypatch: pytest.MonkeyPatch, ending: bytes) -> None:
    """Make folders whose path ends with `ending` unreadable, as permissions do for everybody but root."""
    real = os.scandir

    def refuse(path: bytes) -> object:
        if isinstance(path, bytes) and path.endswith(ending):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
