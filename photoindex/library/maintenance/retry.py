"""Retries or dismisses failed and quarantined tasks."""

from __future__ import annotations

import time
from dataclasses import replace

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.maintenance.tasks import TaskQuery, task_filter
from photoindex.store.tasks.admin import DISMISSED, TaskFilter, count_tasks_matching, put_back
from photoindex.store.tasks.admin import dismiss as dismiss_tasks

_RETRIED = ("failed", "quarantined")


def retry(library: Library, query: TaskQuery, *, dry_run: bool = False) -> int:
    """Make failed and quarantined tasks pending, so that the next scan retries them; return how many.

    Those of files that are gone stay as they are: no scan would take them. Dismissed ones are included only if `query` has their state or a path. Raises UsageError for other states.
    """
    states = query.states or ((*_RETRIED, DISMISSED) if query.paths else _RETRIED)
    with library.database.read() if dry_run else library.database.write() as connection:
        wanted = _restricted(task_filter(connection, query), states, allowed=(*_RETRIED, DISMISSED))
        wanted = replace(wanted, runnable=True)
        return count_tasks_matching(connection, wanted) if dry_run else put_back(connection, wanted)


def dismiss(library: Library, query: TaskQuery, *, dry_run: bool = False) -> int:
    """Dismiss quarantined tasks, so that they no longer count as quarantined; return how many.

    Written to the journal, so that `undo` can revert it. Raises UsageError for other states.
    """
    with library.database.read() if dry_run else library.database.write() as connection:
        wanted = _restricted(task_filter(connection, query), query.states or ("quarantined",), allowed=("quarantined",))
        count = count_tasks_matching(connection, wanted)
        if count and not dry_run:
            summary = f"{count} quarantined {'file' if count == 1 else 'files'} dismissed"
            dismiss_tasks(connection, wanted, at=time.time(), command="retry --dismiss", summary=summary)
        return count


def _restricted(wanted: TaskFilter, states: tuple[str, ...], *, allowed: tuple[str, ...]) -> TaskFilter:
    for state in states:
        if state not in allowed:
            raise UsageError(
                f"only {', '.join(allowed)} tasks can be chosen here, not {state} ones; "
                "to repeat finished work: photoindex redo STAGE"
            )
    return replace(wanted, states=states)
