"""The one renderer of every command that prints a list: table, paths, NUL, JSON lines, CSV or a template.

On a terminal rows are a table; in a pipe they are lines of plain values (for photos one path a line, its raw bytes). File
names are arbitrary bytes: a terminal gets them escaped, a pipe and `-0` get them as they are.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from photoindex.errors import UsageError
from photoindex.paths import display, to_text

if TYPE_CHECKING:
    from rich.table import Table

Row = Mapping[str, object]

FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="TEMPLATE", help=r"Print each row by a template: '{path}\t{id}'.", show_default=False
    ),
]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")]
NullOption = Annotated[bool, typer.Option("--null", "-0", help="End each path with NUL instead of a line feed.")]

_TABLE_CHUNK_ROWS = 200
_SCHEMA = 1
_LEAST_CELLS = 10
_WIDE_ENOUGH_CELLS = 24
"""Below this a wide column is no pleasure to read: a spare one goes first."""
_GAP_CELLS = 2


class Form(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    PLAIN = "plain"
    NUL = "nul"
    JSON = "json"
    CSV = "csv"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Column:
    """One value of each row.

    name: its key in the row, in JSON, in CSV's header and in templates. heading: of the table's column, None where the
    table leaves it out. plain: it is what a pipe gets (several are separated by tabs). show: its text in a table.
    wide: takes what the other columns leave of the terminal's width. spare: left out of the table where the terminal has no
    room for it, empty ones and those of the highest number first; 0 never is. structured: a list or object, left out of CSV.
    """

    name: str
    heading: str | None = None
    plain: bool = False
    justify: Literal["left", "right"] = "left"
    style: str = ""
    show: Callable[[object], str] | None = None
    wide: bool = False
    spare: int = 0
    structured: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows go, in which form; `terminal` says that a person reads it, so that names are escaped."""

    form: Form
    stream: BinaryIO
    terminal: bool = False
    template: str | None = None


def choose_output(*, json: bool = False, csv: bool = False, null: bool = False, template: str | None = None) -> Output:
    """Return the output that the options ask for; without any, a table on a terminal and plain lines in a pipe.

    Raises UsageError when more than one is given.
    """
    asked = [
        (form, option)
        for given, form, option in (
            (json, Form.JSON, "--json"),
            (csv, Form.CSV, "--csv"),
            (null, Form.NUL, "-0"),
            (template is not None, Form.TEMPLATE, "--format"),
        )
        if given
    ]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(option for _, option in asked)} exclude each other; give one of them")
    terminal = sys.stdout.isatty()
    form = asked[0][0] if asked else (Form.TABLE if terminal else Form.PLAIN)
    return Output(form=form, stream=sys.stdout.buffer, terminal=terminal, template=template)


def render(rows: Iterable[Row], columns: Sequence[Column], output: Output) -> int:
    """Print `rows` as they come and return how many there were.

    Each row has a value for each column's name; a missing one is None. Raises UsageError for a bad template,
    BrokenPipeError when the reader has gone.
    """
    # What was printed before through sys.stdout must not come after what goes to its buffer.
    sys.stdout.flush()
    printed = _PRINTERS[output.form](iter(rows), columns, output)
    output.stream.flush()
    return printed


def encoded(text: str) -> bytes:
    """Return `text` as the bytes to print: a path made by `paths.to_text` gets its own bytes back."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def visible(value: object) -> str:
    """Return a value as text that is safe on a terminal: control characters and other bytes come out escaped."""
    if isinstance(value, bytes):
        return display(value)
    return display(encoded(text_of(value)))


def visible_lines(text: str) -> str:
    """Return text of several lines as `visible` does, its line breaks kept."""
    return "\n".join(map(visible, text.split("\n")))


def text_of(value: object) -> str:
    """Return a value as plain text: None is empty, lists are joined with '; ', paths keep their bytes as surrogates."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "; ".join(text_of(one) for one in value)
    if isinstance(value, Mapping):
        return json.dumps(as_json(value))
    return str(value)


def as_json(value: object) -> object:
    """Return a value as JSON can hold it: paths as text (other bytes as surrogates), no NaN, tuples as lists."""
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    return value


def _print_plain(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    end = b"\0" if output.form is Form.NUL else b"\n"
    plain = [one for one in columns if one.plain] or [one for one in columns if one.heading is not None]
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last number is the answer
        values = (row.get(one.name) for one in plain)
        output.stream.write(b"\t".join(map(_plain, values)) + end)
    return count


def _plain(value: object) -> bytes:
    """Return a path's own bytes; other text must not break the line or the column that it stands in."""
    if isinstance(value, bytes):
        return value
    return encoded(text_of(value).replace("\\", "\\\\").translate({9: "\\t", 10: "\\n", 13: "\\r", 0: "\\0"}))


def _print_json(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        line = {"schema": _SCHEMA} | {one.name: as_json(row.get(one.name)) for one in columns}
        output.stream.write(json.dumps(line, allow_nan=False).encode("ascii") + b"\n")
    return count


class _TextStream:
    """What csv.writer writes to: text in, the bytes of paths out."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(encoded(text))


def _print_csv(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    import csv

    names = [one.name for one in columns if not one.structured]
    writer = csv.writer(_TextStream(output.stream), lineterminator="\n")
    writer.writerow(names)
    show = visible if output.terminal else text_of
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        writer.writerow([show(row.get(name)) for name in names])
    return count


def _print_template(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    from photoindex.cli.output.template import Template

    template = Template(output.template or "", [one.name for one in columns])
    show = visible if output.terminal else text_of
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        output.stream.write(encoded(template.fill(row, show)))
    return count


def _print_table(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    """Print tables of some hundred rows each, all with the first one's widths: memory stays flat, columns stay in line."""
    from rich.console import Console

    console = Console(highlight=False)
    shown = [one for one in columns if one.heading is not None]
    widths: list[int] | None = None
    count = 0
    while some := list(islice(rows, _TABLE_CHUNK_ROWS)):
        first = widths is None
        if first:
            shown = _with_room(shown, some, console.width)
        chunk = [[_cell(one, row) for one in shown] for row in some]
        widths = widths or _widths(shown, chunk, console.width)
        with console.capture() as capture:
            console.print(_table(shown, chunk, widths, header=first))
        output.stream.write(encoded(capture.get()))
        count += len(chunk)
    return count


def _cell(column: Column, row: Row) -> str:
    value = row.get(column.name)
    return visible(column.show(value) if column.show is not None and value is not None else value)


def _with_room(columns: Sequence[Column], rows: Sequence[Row], available: int) -> list[Column]:
    """Return the columns without spare ones for which the terminal has no room beside the others' whole values."""
    kept = list(columns)
    widths = dict(zip(kept, _full_widths(kept, [[_cell(one, row) for one in kept] for row in rows]), strict=True))
    needed = {
        one: max(_LEAST_CELLS, min(width, _WIDE_ENOUGH_CELLS)) if one.wide else width for one, width in widths.items()
    }
    empty = {one for one in kept if not any(_cell(one, row) for row in rows)}
    while sum(needed[one] for one in kept) + _GAP_CELLS * (len(kept) - 1) > available:
        sparest = max(kept, key=lambda one: (one.spare > 0 and one in empty, one.spare))
        if not sparest.spare:
            break
        kept.remove(sparest)
    return kept


def _full_widths(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [
        max(map(cell_len, chain([column.heading or ""], (row[index] for row in cells))))
        for index, column in enumerate(columns)
    ]


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], available: int) -> list[int]:
    widths = _full_widths(columns, cells)
    wide = [index for index, column in enumerate(columns) if column.wide]
    others = [index for index, column in enumerate(columns) if not column.wide]
    if wide:
        room = available - _GAP_CELLS * (len(columns) - 1)
        least = min(max(widths[index] for index in wide), room // 3)
        while others and sum(widths[index] for index in others) > room - least * len(wide):
            widest = max(others, key=lambda index: widths[index])
            if widths[widest] <= _LEAST_CELLS:
                break
            widths[widest] -= 1
        for index in wide:
            widths[index] = max(_LEAST_CELLS, (room - sum(widths[other] for other in others)) // len(wide))
    return widths


def _table(columns: Sequence[Column], cells: Sequence[Sequence[str]], widths: Sequence[int], *, header: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=header, pad_edge=False, padding=(0, _GAP_CELLS, 0, 0), header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        heading = Text(column.heading or "")
        table.add_column(heading, justify=column.justify, style=column.style, width=width, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    return table


_PRINTERS: dict[Form, Callable[[Iterator[Row], Sequence[Column], Output], int]] = {
    Form.TABLE: _print_table,
    Form.PLAIN: _print_plain,
    Form.NUL: _print_plain,
    Form.JSON: _print_json,
    Form.CSV: _print_csv,
    Form.TEMPLATE: _print_template,
}
