"""`photoindex log`: the journal of changes made by the user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Form, choose_output, render, text_of

if TYPE_CHECKING:
    from photoindex.library.handle import Library

_COLUMNS = (
    Column("id", "entry", plain=True, justify="right"),
    Column("at", "when", plain=True),
    Column("command", "command", plain=True),
    Column("summary", "what", plain=True, wide=True),
    Column("changes", "rows", justify="right"),
    Column("undoes"),
    Column("undone_by", "undone by", justify="right"),
)


def register(app: typer.Typer) -> None:
    """Add the command `log`."""
    app.command("log")(log)


def log(
    limit: Annotated[
        int | None,
        typer.Option("-n", "--limit", metavar="N", min=0, help="Maximum number of entries.", show_default=False),
    ] = None,
    changes: Annotated[
        bool, typer.Option("--changes", "-v", help="Print every changed row, before and after.")
    ] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """List your changes, newest first; `photoindex undo ENTRY` reverts one."""
    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    people = output.form in (Form.TABLE, Form.PLAIN)
    with opened(library, reading=True) as found:
        if changes:
            render(_changes(found, limit, people=people), _change_columns(people=people), output)
        else:
            render(_entries(found, limit, people=people), _COLUMNS, output)


def _entries(library: Library, limit: int | None, *, people: bool) -> Iterator[dict[str, object]]:
    from photoindex.library.maintenance.journal import log as read_log

    for entry in read_log(library, limit):
        yield {
            "id": entry.id,
            "at": _time(entry.at, people=people),
            "command": entry.command,
            "summary": entry.summary,
            "changes": entry.changes,
            "undoes": entry.undoes,
            "undone_by": entry.undone_by,
        }


def _change_columns(*, people: bool) -> tuple[Column, ...]:
    values: tuple[Column, ...] = (Column("before", structured=True), Column("after", structured=True))
    if people:
        values = (Column("before", "before", plain=True, wide=True), Column("after", "after", plain=True, wide=True))
    return (
        Column("entry", "entry", plain=True, justify="right"),
        Column("at", "when", spare=1),
        Column("command", "command", plain=True),
        Column("table", "table", plain=True),
        Column("key", "row", plain=True),
        *values,
    )


def _changes(library: Library, limit: int | None, *, people: bool) -> Iterator[dict[str, object]]:
    from photoindex.library.maintenance.journal import log_changes

    for change in log_changes(library, limit):
        row: dict[str, object] = {
            "entry": change.entry.id,
            "at": _time(change.entry.at, people=people),
            "command": change.entry.command,
            "table": change.table,
            "key": change.key,
            "before": change.before,
            "after": change.after,
        }
        if people:
            row["key"] = ", ".join(text_of(value) for value in change.key.values())
            row["before"] = _differing(change.before, change.after)
            row["after"] = _differing(change.after, change.before)
        yield row


def _differing(row: dict[str, object] | None, other: dict[str, object] | None) -> str:
    """Return the values of `row` that differ from `other`, or a placeholder if a row does not exist."""
    if row is None:
        return "(no row)"
    return ", ".join(
        f"{name}={text_of(value)}"
        for name, value in row.items()
        if value not in (None, [], {}) and (other is None or other.get(name) != value)
    ) or ("(empty)" if other is None else "-")


def _time(seconds: float, *, people: bool) -> str | None:
    from photoindex.library.timestamps import local_time, utc

    return local_time(seconds) if people else utc(seconds)
