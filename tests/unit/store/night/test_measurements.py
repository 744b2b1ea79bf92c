"""Measurements: what is kept, and percentiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from photoindex.store.night import measurements
from tests.rows import library_in


def test_percentiles_are_those_of_the_kind(library_folder: Path) -> None:
    with library_in(library_folder) as library, library.database.write() as connection:
        assert measurements.percentiles(connection, measurements.SEARCH) is None
        for number in range(100, 0, -1):
            measurements.record(connection, measurements.SEARCH, number / 100)
        measurements.record(connection, measurements.WRITE, 7.0)
        found = measurements.percentiles(connection, measurements.SEARCH)
        assert found is not None
        assert (found.count, found.p50, found.p95, found.largest) == (100, 0.5, 0.95, 1.0)
        single = measurements.percentiles(connection, measurements.WRITE)
        assert single is not None
        assert (single.p50, single.p95) == (7.0, 7.0)


def test_only_the_newest_of_each_kind_are_kept(library_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "KEPT", 50)
    with library_in(library_folder) as library, library.database.write() as connection:
        measurements.record(connection, measurements.WRITE, 1.0)
        for number in range(999):
            measurements.record(connection, measurements.SEARCH, float(number))
        found = measurements.percentiles(connection, measurements.SEARCH)
        assert found is not None
        assert (found.count, found.largest) == (50, 998.0)
        kept = measurements.percentiles(connection, measurements.WRITE)
        assert kept is not None
        assert kept.count == 1
