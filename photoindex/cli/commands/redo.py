"""`photoindex redo STAGE [QUERY…]`: do finished work again."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import LibraryOption, opened


def register(app: typer.Typer) -> None:
    """Add the command `redo`."""
    app.command("redo")(redo)


def redo(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="Which work to do again: ingest, embed.")],
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[QUERY]...",
            help="Only for the photos that match, as in `search`; words are looked for in texts alone.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many; change nothing.")] = False,
    library: LibraryOption = None,
) -> None:
    """Put a stage's finished tasks back, for the next `scan` or `embed` to do again; results stay until new ones replace them."""
    from photoindex.library.maintenance.redo import redo as put_back
    from photoindex.library.maintenance.tasks import command_for

    with opened(library) as found:
        count = put_back(found, stage, query or (), dry_run=dry_run)
    number = f"{count:,} {'task' if count == 1 else 'tasks'}"
    if not count:
        print("nothing to put back")
    elif dry_run:
        print(f"{number} would be put back; nothing was changed")
    else:
        print(f"{number} put back; work them with: {command_for(stage)}")
