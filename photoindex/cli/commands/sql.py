"""`photoindex sql "SELECT …"`: query the library in SQL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.output.render import (
    Column,
    CsvSafeOption,
    choose_output,
    data_stream,
    encoded,
    render,
    text_of,
    visible,
    without_formula,
)
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.maintenance.sql import QueryResult

_PARAMETER_OPTIONS = ("-p", "--param")


class _WithParameters(TyperCommand):
    """Accepts `-p NAME VALUE` like sqlite-utils; Typer has no repeatable option with two values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join each `-p NAME VALUE` to `-p NAME=VALUE`, then parse as usual."""
        return super().parse_args(ctx, list(_joined(args)))


def _joined(arguments: Sequence[str]) -> Iterator[str]:
    remaining = iter(arguments)
    for argument in remaining:
        yield argument
        if argument == "--":
            yield from remaining
        elif argument in _PARAMETER_OPTIONS:
            name = next(remaining, None)
            value = next(remaining, None)
            if name is None or value is None:
                raise UsageError(f"{argument} needs a name and a value: {argument} year 2019")
            yield f"{name}={value}"


def register(app: typer.Typer) -> None:
    """Add the command `sql`."""
    app.command("sql", cls=_WithParameters)(sql)


def sql(
    statement: Annotated[
        str | None,
        typer.Argument(metavar="SQL", help="One read-only statement: SELECT ... FROM v_photo", show_default=False),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", metavar="NAME VALUE", help="A value for :NAME in the statement; repeatable."),
    ] = None,
    table: Annotated[bool, typer.Option("--table", "-t", help="Print a table; the default on a terminal.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    csv_safe: CsvSafeOption = False,
    tsv: Annotated[bool, typer.Option("--tsv", help="Print tab-separated values with a header.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print an array of JSON objects.")] = False,
    nl: Annotated[bool, typer.Option("--nl", help="Print JSON, one object per line; the default in a pipe.")] = False,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="Omit the header of CSV, TSV and tables.")] = False,
    views: Annotated[bool, typer.Option("--views", help="List the documented views and their columns.")] = False,
    library: LibraryOption = None,
) -> None:
    """Query the library in SQL, read-only.

    The views v_photo, v_file, v_task, v_volume and v_journal are documented and stable: see --views.
    """
    from photoindex.library.maintenance.sql import query, view_columns

    forms = {"table": table, "csv": csv, "csv-safe": csv_safe, "tsv": tsv, "json": json, "nl": nl}
    asked = [name for name, given in forms.items() if given]
    if len(asked) > 1 and set(asked) != {"json", "nl"}:
        raise UsageError(f"{' and '.join(f'--{name}' for name in asked)} exclude each other; use only one")
    if views:
        columns = (
            Column("view", "view", plain=True),
            Column("column", "column", plain=True),
            Column("meaning", "meaning", plain=True, wide=True),
        )
        render(view_columns(), columns, choose_output(json=json or nl, csv=csv))
        return
    if statement is None:
        raise UsageError('give a statement: photoindex sql "SELECT path FROM v_photo LIMIT 10"; or --views')
    form = asked[-1] if asked else ("table" if sys.stdout.isatty() else "nl")
    parameters = dict(one.partition("=")[::2] for one in param or ())
    with opened(library, reading=True) as found, query(found, statement, parameters) as result:
        _PRINTERS[form](result, headers=not no_headers)


def _print_json(result: QueryResult, *, headers: bool) -> None:  # noqa: ARG001 - JSON always has the names
    from photoindex.library.maintenance.sql import json_lines

    _write(json_lines(result, newline=False))


def _print_json_lines(result: QueryResult, *, headers: bool) -> None:  # noqa: ARG001
    from photoindex.library.maintenance.sql import json_lines

    _write(json_lines(result, newline=True))


def _write(lines: Iterable[str]) -> None:
    sys.stdout.flush()
    stream = data_stream()
    for line in lines:
        stream.write(encoded(line) + b"\n")


def _print_csv(result: QueryResult, *, headers: bool) -> None:
    _print_separated(result, ",", headers=headers)


def _print_csv_safe(result: QueryResult, *, headers: bool) -> None:
    _print_separated(result, ",", headers=headers, show=without_formula(text_of))


def _print_tsv(result: QueryResult, *, headers: bool) -> None:
    _print_separated(result, "\t", headers=headers)


def _print_separated(
    result: QueryResult, delimiter: str, *, headers: bool, show: Callable[[object], str] = text_of
) -> None:
    import csv
    import io

    sys.stdout.flush()
    stream = data_stream()
    line = io.StringIO(newline="")
    writer = csv.writer(line, delimiter=delimiter, lineterminator="\n")
    for row in chain([result.headers] if headers else [], result.rows):
        writer.writerow([show(value) for value in row])
        stream.write(encoded(line.getvalue()))
        line.seek(0)
        line.truncate()


def _print_table(result: QueryResult, *, headers: bool) -> None:
    from tabulate import tabulate

    cells = [[visible(value) if isinstance(value, (str, bytes)) else value for value in row] for row in result.rows]
    names = [visible(name) for name in result.headers]
    print(tabulate(cells, headers=names if headers else (), tablefmt="simple", disable_numparse=True))


_PRINTERS = {
    "table": _print_table,
    "csv": _print_csv,
    "csv-safe": _print_csv_safe,
    "tsv": _print_tsv,
    "json": _print_json,
    "nl": _print_json_lines,
}
