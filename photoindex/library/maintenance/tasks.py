"""Lists and selects tasks by stage, state, error and path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from photoindex import stages
from photoindex.errors import UsageError
from photoindex.library.embed.model_choice import command_to_embed
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import choose
from photoindex.library.people.model_choice import command_for_variant
from photoindex.library.words import reader_choice
from photoindex.stages import embed, faces, ingest, ocr
from photoindex.store.photos.counts import count_tasks
from photoindex.store.tasks.admin import (
    DISMISSED,
    PAGE_ROWS,
    TaskFilter,
    TaskRow,
    count_tasks_matching,
    page_of_tasks,
    stages_known,
    stages_waiting,
    variants_waiting,
)
from photoindex.types import TaskState

STATES: tuple[str, ...] = (*TaskState, DISMISSED)
"""The states that can be selected; dismissed tasks are quarantined ones that the user chose to ignore."""

UNFINISHED: tuple[str, ...] = tuple(state for state in STATES if state != TaskState.DONE)
"""The states of what is left to do and of what failed."""


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks to select; all given conditions must match. `paths` are files or folders."""

    stage: str | None = None
    states: tuple[str, ...] = ()
    error_class: str | None = None
    paths: tuple[bytes, ...] = ()


def tasks(library: Library, query: TaskQuery, *, limit: int | None = None) -> Iterator[TaskRow]:
    """Yield the matching tasks by id, at most `limit`, in pages: memory stays constant and no transaction stays open.

    Raises UsageError for an unknown stage or state, NothingFound for an unknown path.
    """
    with library.database.read() as connection:
        wanted = task_filter(connection, query)
    last_id, left = 0, limit
    while left is None or left > 0:
        with library.database.read() as connection:
            page = page_of_tasks(
                connection, wanted, after_id=last_id, rows=PAGE_ROWS if left is None else min(left, PAGE_ROWS)
            )
        if not page:
            return
        yield from page
        last_id = page[-1].id
        left = None if left is None else left - len(page)


def count_done(library: Library, query: TaskQuery) -> int:
    """Return how many tasks are done that `query` selects but for their state. Raises UsageError and NothingFound like `tasks`."""
    with library.database.read() as connection:
        wanted = task_filter(connection, replace(query, states=(TaskState.DONE,)))
        if query.paths or query.error_class is not None:
            return count_tasks_matching(connection, wanted)
        counts = count_tasks(connection)
    return sum(states[TaskState.DONE] for stage, states in counts.items() if query.stage in (None, stage))


def task_filter(connection: Connection, query: TaskQuery) -> TaskFilter:
    """Convert `query` to a filter. Raises UsageError and NothingFound like `tasks`."""
    if query.stage is not None:
        check_stage(connection, query.stage)
    for state in query.states:
        if state not in STATES:
            raise UsageError(f"there is no state '{state}'; states: {', '.join(STATES)}")
    chosen = choose(connection, query.paths)
    return TaskFilter(
        stage=query.stage,
        states=query.states,
        error_class=query.error_class,
        file_ids=chosen.file_ids,
        locations=chosen.locations,
    )


def check_stage(connection: Connection, stage: str) -> None:
    """Raise UsageError with the known stages if there is no such stage."""
    names = stage_names(connection)
    if stage not in names:
        raise UsageError(f"there is no stage '{stage}'; stages: {', '.join(names)}")


def stage_names(connection: Connection) -> Sequence[str]:
    """Return the stages of this program and those that the library has tasks of."""
    return sorted({stage.name for stage in stages.STAGES} | stages_known(connection))


def commands_for_waiting(library: Library, wanted: Sequence[str] = ()) -> str:
    """Return the commands that process the pending tasks, as text: `photoindex scan, photoindex embed`.

    wanted: the stages; all that have pending tasks by default.
    """
    with library.database.read() as connection:
        waiting = set(wanted) or stages_waiting(connection) or {ingest.STAGE.name}
        embedding = variants_waiting(connection, embed.STAGE.name) if embed.STAGE.name in waiting else []
        looking = variants_waiting(connection, faces.STAGE.name) if faces.STAGE.name in waiting else []
        reading = variants_waiting(connection, ocr.STAGE.name) if ocr.STAGE.name in waiting else []
    by_model = {embed.STAGE.name, faces.STAGE.name, ocr.STAGE.name}
    commands = [f"photoindex {stage.command}" for stage in stages.STAGES if stage.name in waiting - by_model]
    commands += [command_to_embed(library, json.loads(key).get("model", "")) for key in embedding]
    commands += [command_for_variant(library, key) for key in looking]
    commands += [reader_choice.command_for_variant(library, key) for key in reading]
    unknown = sorted(waiting - {stage.name for stage in stages.STAGES})
    commands += [f"a version that has the stage '{name}'" for name in unknown]
    return ", ".join(dict.fromkeys(commands))


__all__ = [
    "STATES",
    "UNFINISHED",
    "TaskQuery",
    "TaskRow",
    "check_stage",
    "commands_for_waiting",
    "count_done",
    "stage_names",
    "task_filter",
    "tasks",
]
