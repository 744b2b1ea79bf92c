"""The gazetteer of the real data, created once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from photoindex.geo.gazetteer import Gazetteer


@pytest.fixture(scope="session")
def world_folder(cache_folder: Path) -> Path:
    """Return the folder with the table of the real data, created once for all workers."""
    folder = cache_folder / "photoindex"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(cache_folder / "places.lock"), Gazetteer(folder) as gazetteer:
        gazetteer.nearest(0, 0)
    return folder


@pytest.fixture
def world(world_folder: Path) -> Iterator[Gazetteer]:
    with Gazetteer(world_folder) as gazetteer:
        yield gazetteer
