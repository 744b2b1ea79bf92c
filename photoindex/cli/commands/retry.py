"""`photoindex retry`: put failed and quarantined tasks back, or leave them so."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.commands.tasks import ErrorClassOption, PathsArgument, StageOption, task_query


def register(app: typer.Typer) -> None:
    """Add the command `retry`."""
    app.command("retry")(retry)


def retry(
    paths: PathsArgument = None,
    stage: StageOption = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only failed, quarantined or dismissed tasks; repeatable."),
    ] = None,
    error_class: ErrorClassOption = None,
    dismiss: Annotated[
        bool, typer.Option("--dismiss", help="Leave quarantined files so: scans no longer count them. Can be undone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many; change nothing.")] = False,
    library: LibraryOption = None,
) -> None:
    """Put failed and quarantined tasks back, for the next `scan` or `embed` to try again.

    Dismissed ones are put back where a PATH or `--state dismissed` names them.
    """
    from photoindex.library.maintenance.retry import dismiss as dismiss_tasks
    from photoindex.library.maintenance.retry import retry as put_back
    from photoindex.library.maintenance.tasks import commands_for_waiting

    query = task_query(paths, stage, state, error_class)
    with opened(library) as found:
        count = (dismiss_tasks if dismiss else put_back)(found, query, dry_run=dry_run)
        commands = commands_for_waiting(found)
    print(_sentence(count, commands, dismiss=dismiss, dry_run=dry_run))


def _sentence(count: int, commands: str, *, dismiss: bool, dry_run: bool) -> str:
    number = f"{count:,} {'task' if count == 1 else 'tasks'}"
    if not count:
        return "nothing to dismiss" if dismiss else "nothing to put back"
    if dry_run:
        return f"{number} would be {'dismissed' if dismiss else 'put back'}; nothing was changed"
    if dismiss:
        return f"{number} dismissed; take it back with: photoindex undo"
    return f"{number} put back; work them with: {commands}"
