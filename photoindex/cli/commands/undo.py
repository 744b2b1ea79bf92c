"""`photoindex undo [ENTRY]`: revert a change."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.details import print_json


def register(app: typer.Typer) -> None:
    """Add the command `undo`."""
    app.command("undo")(undo)


def undo(
    entry: Annotated[
        int | None,
        typer.Argument(metavar="ENTRY", min=1, help="The entry's number in `photoindex log`; default: the newest."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check whether it can be undone; change nothing.")
    ] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Revert the changes of a journal entry; undoing an undo redoes it.

    Nothing is changed if a row has changed again since. Files that
    `duplicates apply` moved go back to their places.
    """
    from photoindex.library.maintenance.journal import undo as revert

    with opened(library) as found:
        done = revert(found, entry, dry_run=dry_run)
    if json:
        row: dict[str, object] = {
            "schema": 1, "entry": done.entry_id, "undone_by": done.undone_by, "rows": done.rows, "dry_run": dry_run,
        }  # fmt: skip
        print_json(row | {"files": done.files} if done.files else row)
        return
    rows = f"{done.rows:,} {'row' if done.rows == 1 else 'rows'}"
    if done.files:
        rows = f"{done.files:,} {'file' if done.files == 1 else 'files'} put back, {rows}"
    if dry_run:
        print(f"entry {done.entry_id} can be undone: {rows} would be restored; nothing was changed")
    elif done.files:
        print(f"entry {done.entry_id} undone: {rows} restored")
    else:
        print(f"entry {done.entry_id} undone: {rows} restored; redo with: photoindex undo {done.undone_by}")
