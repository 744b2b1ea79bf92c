"""Fixtures for all tests; no test sees the user's own settings or library."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One user cache for all tests and workers of a run: creating the table of place names takes seconds."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"


@pytest.fixture(scope="session", autouse=True)
def shared_statements() -> Iterator[None]:
    """Compile the SQL of each statement once for all tests of a worker."""
    from photoindex.store.engine import sqlite_connections
    from tests.shared_statements import create_sharing_engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_connections, "create_engine", create_sharing_engine)
        yield


@pytest.fixture(autouse=True)
def clean_environment(
    tmp_path_factory: pytest.TempPathFactory, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Remove the user's settings and point the home folders into the test's own folder."""
    for name in list(os.environ):
        if name.startswith(("PHOTOINDEX_", "XDG_")) and name != "PHOTOINDEX_TESTDATA":
            monkeypatch.delenv(name)
    for name in (
        "DEPLOY_PROFILE",
        "DATABASE_URL",
        "VECTOR_BACKEND",
        "QDRANT_URL",
        "ORIGINALS_PATH",
        "DERIVED_PATH",
        "AI_CONFIDENCE_THRESHOLD",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder))
    return


@pytest.fixture
def library_folder(tmp_path: Path) -> Path:
    """A folder for a library that does not exist yet."""
    return tmp_path / "library"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A 3 MB file system; the test is skipped if this process may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of real photos; tests that need it are skipped if it is missing."""
    folder = Path(os.environ.get("PHOTOINDEX_TESTDATA", REPOSITORY.parent / "shared" / "testdata"))
    if not folder.is_dir():
        pytest.skip(f"no real photos in {folder}; set PHOTOINDEX_TESTDATA to run this test")
    return folder
