"""`photoindex retry`: retry or dismiss failed and quarantined tasks."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.arguments.value_completion import STATES, complete_from
from photoindex.cli.commands.tasks import ErrorClassOption, PathsArgument, StageOption, task_query


def register(app: typer.Typer) -> None:
    """Add the command `retry`."""
    app.command("retry")(retry)


def retry(
    paths: PathsArgument = None,
    stage: StageOption = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            autocompletion=complete_from(*STATES[-3:]),
            help="Only failed, quarantined or dismissed tasks; repeatable.",
        ),
    ] = None,
    error_class: ErrorClassOption = None,
    dismiss: Annotated[
        bool, typer.Option("--dismiss", help="Ignore quarantined files: they are no longer counted. Can be undone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print how many; change nothing.")] = False,
    library: LibraryOption = None,
) -> None:
    """Queue failed and quarantined tasks again for the next `scan`, `embed` or `faces`.

    Dismissed tasks are included only with a PATH or `--state dismissed`.
    """
    from photoindex.library.maintenance.retry import dismiss as dismiss_tasks
    from photoindex.library.maintenance.retry import retry as queue_again
    from photoindex.library.maintenance.tasks import commands_for_waiting

    query = task_query(paths, stage, state, error_class)
    with opened(library) as found:
        count = (dismiss_tasks if dismiss else queue_again)(found, query, dry_run=dry_run)
        commands = commands_for_waiting(found)
    print(_sentence(count, commands, dismiss=dismiss, dry_run=dry_run))


def _sentence(count: int, commands: str, *, dismiss: bool, dry_run: bool) -> str:
    number = f"{count:,} {'task' if count == 1 else 'tasks'}"
    if not count:
        return "nothing to dismiss" if dismiss else "nothing to retry"
    if dry_run:
        return f"{number} would be {'dismissed' if dismiss else 'queued again'}; nothing was changed"
    if dismiss:
        return f"{number} dismissed; undo with: photoindex undo"
    return f"{number} queued again; process with: {commands}"
