"""Checks of the database: its pages, its links, its full-text index, its tasks and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.verify.problems import EXAMPLES, Checking, Problem, counted
from photoindex.paths import display
from photoindex.store.engine import text_search
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.night import consistency, proofs

_RESTORE = "restore the newest snapshot: photoindex restore SNAPSHOT --library NEW"
_PROBLEMS = 10


def pages(checking: Checking) -> Iterator[Problem]:
    """Check every page and row of the database file."""
    with checking.library.database.read() as connection:
        found = engine_of(connection).quick_check(connection, _PROBLEMS)
    for one in found:
        yield Problem("database", one, _RESTORE)


def links(checking: Checking) -> Iterator[Problem]:
    """Check that no row points at a missing one."""
    with checking.library.database.read() as connection:
        broken = engine_of(connection).broken_links(connection)
    for (table, other), count in broken.items():
        yield Problem(
            "links", f"{counted(count, 'row', 'rows')} of {table} without the row of {other}", _RESTORE, count
        )


def full_text(checking: Checking) -> Iterator[Problem]:
    """Compare the full-text index with the texts; left out where nothing can be written."""
    if checking.library.unwritable:
        return
    database = checking.library.database
    with database.write() as connection:
        sound = text_search.is_consistent(connection)
    if sound and text_search.exists(database):
        return
    what = "the full-text index differs from the texts"
    if checking.repair:
        text_search.create(database)  # with its triggers
        with database.write() as connection:
            repaired = text_search.make_consistent(connection)
        yield Problem("full text", what, "" if repaired else _RESTORE, repaired=repaired)
    else:
        yield Problem("full text", what, "photoindex verify --repair")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows that should not be: how to count and cure them, in words for one and for many, and what to run after the cure."""

    check: str
    one: str
    many: str
    count: Callable[[Connection], int]
    cure: Callable[[Connection], int]
    afterwards: str


_FILES = _Rows(
    "files", "file was never read and is not queued", "files were never read and are not queued",
    consistency.count_unread_files, consistency.queue_unread_files, "photoindex scan",
)  # fmt: skip
_TASKS = _Rows(
    "tasks", "task is for a file or content that is gone", "tasks are for files or contents that are gone",
    consistency.count_tasks_without_subject, consistency.remove_tasks_without_subject, "",
)  # fmt: skip


def files(checking: Checking) -> Iterator[Problem]:
    """Check that every present file has a content, or waits to be read, or was given up for a reason."""
    yield from _find_rows(checking, _FILES)


def tasks(checking: Checking) -> Iterator[Problem]:
    """Check that every task has its file or content."""
    yield from _find_rows(checking, _TASKS)


def known_damage(checking: Checking) -> Iterator[Problem]:
    """Name originals that were not good when they were read last."""
    with checking.library.database.read() as connection:
        found = proofs.troubles(connection)
    for outcome in (proofs.DAMAGED, proofs.UNREADABLE):
        paths = tuple(one.path for one in found if one.outcome == outcome)
        if paths:
            text = counted(len(paths), f"original was {outcome}", f"originals were {outcome}")
            remedy = "see what cures them: photoindex verify --originals PATH"
            text = f"{text} when read last, among them {display(paths[0])}"
            yield Problem("originals", text, remedy, len(paths), paths[:EXAMPLES])


def _find_rows(checking: Checking, rows: _Rows) -> Iterator[Problem]:
    with checking.library.database.read() as connection:
        number = rows.count(connection)
    if not number:
        return
    text = counted(number, rows.one, rows.many)
    if not checking.repair:
        yield Problem(rows.check, text, "photoindex verify --repair", number)
        return
    with checking.library.database.write() as connection:
        rows.cure(connection)
    yield Problem(rows.check, text, rows.afterwards, number, repaired=True)
