"""`photoindex redo STAGE [QUERY…]`: queue finished work again."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_term
from photoindex.cli.arguments.value_completion import STAGES, complete_from


def register(app: typer.Typer) -> None:
    """Add the command `redo`."""
    app.command("redo", cls=QueryCommand)(redo)


def redo(
    stage: Annotated[
        str,
        typer.Argument(
            metavar="STAGE", autocompletion=complete_from(*STAGES), help="The stage to repeat: ingest, embed."
        ),
    ],
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY",
            autocompletion=complete_term,
            help="Only for matching photos, as in `search`; words match names and metadata only.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print how many; change nothing.")] = False,
    library: LibraryOption = None,
) -> None:
    """Queue a stage's finished tasks again for the next `scan`, `embed` or `faces`; old results stay until they are replaced."""
    from photoindex.library.maintenance.redo import redo as queue_again
    from photoindex.library.maintenance.tasks import commands_for_waiting

    with opened(library) as found:
        count = queue_again(found, stage, query or (), dry_run=dry_run)
        commands = commands_for_waiting(found, [stage])
    number = f"{count:,} {'task' if count == 1 else 'tasks'}"
    if not count:
        print("nothing to redo")
    elif dry_run:
        print(f"{number} would be queued again; nothing was changed")
    else:
        print(f"{number} queued again; process with: {commands}")
