"""`photoindex saved` and `photoindex saved remove NAME…`: the queries that `search --saved` saved."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.value_completion import complete_names
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Row, choose_output, render

if TYPE_CHECKING:
    from photoindex.library.handle import Library

_COLUMNS = (
    Column("name", "name", plain=True),
    Column("query", "query", plain=True, wide=True),
    Column("saved_at"),
)


def register(app: typer.Typer) -> None:
    """Add the command `saved`."""
    group = typer.Typer(
        name="saved", help="List the saved queries; `search QUERY --saved NAME` saves one, `@NAME` uses it."
    )
    group.callback(invoke_without_command=True)(_list)
    group.command("remove", help="Remove saved queries; `photoindex undo` brings them back.")(_remove)
    app.add_typer(group)


def _list(
    context: typer.Context,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    if context.invoked_subcommand is not None:
        return
    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    with opened(library, reading=True) as found:
        if not render(_rows(found), _COLUMNS, output) and output.terminal:
            print("nothing is saved yet; see: photoindex search --help", file=sys.stderr)


def _rows(library: Library) -> Iterator[Row]:
    from photoindex.library.search.saved import saved_queries
    from photoindex.library.timestamps import utc

    for one in saved_queries(library):
        yield {"name": f"@{one.name}", "query": one.query, "saved_at": utc(one.at)}


def _remove(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME", autocompletion=complete_names("saved"), help="Their names, with or without the @."
        ),
    ],
    library: LibraryOption = None,
) -> None:
    from photoindex.library.search.saved import remove

    with opened(library) as found:
        broken = remove(found, names)
    if broken:
        listed = ", ".join(f"@{name}" for name in broken)
        print(f"photoindex: {listed} no longer works without it; to undo this: photoindex undo", file=sys.stderr)
