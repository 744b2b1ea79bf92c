"""Put failed and quarantined tasks back, or leave them so for good."""

from __future__ import annotations

import time
from dataclasses import replace

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.maintenance.tasks import TaskQuery, task_filter
from photoindex.store.tasks.admin import DISMISSED, TaskFilter, count_tasks_matching, dismiss, put_back

_RETRIED = ("failed", "quarantined")


def retry(library: Library, query: TaskQuery, *, dry_run: bool = False) -> int:
    """Make failed and quarantined tasks pending, for the next scan to try; return how many.

    Dismissed ones only where `query` names them, by its states or by a path. Raises UsageError for other states.
    """
    states = query.states or ((*_RETRIED, DISMISSED) if query.paths else _RETRIED)
    with library.database.read() if dry_run else library.database.write() as connection:
        wanted = _restricted(task_filter(connection, query), states, allowed=(*_RETRIED, DISMISSED))
        return count_tasks_matching(connection, wanted) if dry_run else put_back(connection, wanted)


def leave_so(library: Library, query: TaskQuery, *, dry_run: bool = False) -> int:
    """Dismiss quarantined tasks: they no longer count as quarantined. Journalled, so that `undo` takes it back.

    Returns how many. Raises UsageError for other states.
    """
    with library.database.read() if dry_run else library.database.write() as connection:
        wanted = _restricted(task_filter(connection, query), query.states or ("quarantined",), allowed=("quarantined",))
        count = count_tasks_matching(connection, wanted)
        if count and not dry_run:
            summary = f"{count} quarantined {'file' if count == 1 else 'files'} dismissed"
            dismiss(connection, wanted, at=time.time(), command="retry --dismiss", summary=summary)
        return count


def _restricted(wanted: TaskFilter, states: tuple[str, ...], *, allowed: tuple[str, ...]) -> TaskFilter:
    for state in states:
        if state not in allowed:
            raise UsageError(
                f"only {', '.join(allowed)} tasks can be chosen here, not {state} ones; "
                "to do finished work again: photoindex redo STAGE"
            )
    return replace(wanted, states=states)
