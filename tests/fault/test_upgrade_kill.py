"""A library's upgrade, killed at any of its statements: nothing is lost, and the next opening completes it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from photoindex.store.engine.database import Database
from photoindex.store.schema import migrate
from tests.series import SOAKING

MOMENTS = 20
PROGRAM = """
import os, pathlib, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from photoindex.store.engine.database import Database
from photoindex.store.schema import migrate
left = [int(sys.argv[2])]
@event.listens_for(Engine, 'before_cursor_execute')
def count(*_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
migrate.bring_up_to_date(Database(pathlib.Path(sys.argv[1])))
print(int(sys.argv[2]) - left[0])
"""
"""Upgrades a database and dies before one of the statements, or prints how many there were."""


@dataclass(frozen=True)
class Made:
    """A database at the first revision, with a photo. statements: how many its upgrade takes."""

    path: Path
    statements: int


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("upgrade")
    database = Database(folder / "first.db")
    migrate.bring_up_to_date(database, history=migrate.History(migrate.SHIPPED.folder, migrate.REVISIONS[:1]))
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO photo (kind, format, size_bytes, keywords, sources, added_at, title)"
                " VALUES ('image', 'jpeg', 1, '[]', '{}', 0.0, 'At the sea')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO photo_text (photo_id, name, folder, camera, keywords, title, description)"
                " VALUES (1, 'a.jpg', '2019', '', '', 'At the sea', '')"
            )
        )
    database.close()
    whole = shutil.copyfile(database.path, folder / "whole.db")
    return Made(database.path, int(upgraded(whole, 1_000_000).stdout))


def upgraded(path: Path, kill_before: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(path), str(kill_before)]
    return subprocess.run(command, timeout=60, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("moment", range(MOMENTS) if SOAKING else (1, 9, 17))
def test_an_upgrade_killed_at_any_statement_loses_nothing(made: Made, tmp_path: Path, moment: int) -> None:
    """From the first revision to the newest, killed after a share of all statements; the next opening completes it."""
    assert made.statements > 100
    path = shutil.copyfile(made.path, tmp_path / "photoindex.db")
    killed = upgraded(path, 1 + moment * (made.statements - 1) // MOMENTS)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    database = Database(path)
    assert migrate.current_revision(database) in migrate.REVISIONS
    migrate.bring_up_to_date(database)
    with database.read() as connection:
        assert connection.execute(text("SELECT title FROM photo")).scalars().all() == ["At the sea"]
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).first() is None
        found = text("SELECT rowid FROM photo_text_fts WHERE photo_text_fts MATCH 'sea'")
        assert connection.execute(found).scalars().all() == [1]
    database.close()
