"""Renders lists for all commands: as a table, paths, NUL-separated, JSON lines, GeoJSON, CSV or by a template.

On a terminal rows are printed as a table; in a pipe as lines of plain values (photos: one path per line, as raw bytes).
File names are arbitrary bytes: they are escaped on a terminal, and unchanged in a pipe and with `-0`.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, BinaryIO, Literal, Protocol

import typer

from photoindex.cli.arguments.value_completion import complete_columns
from photoindex.errors import UsageError
from photoindex.paths import display, to_text

Row = Mapping[str, object]

FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="TEMPLATE",
        autocompletion=complete_columns,
        help=r"Print each row with a template: '{path}\t{id}'.",
        show_default=False,
    ),
]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")]
CsvSafeOption = Annotated[
    bool,
    typer.Option(
        "--csv-safe", help="Print CSV for a spreadsheet: text that would run as a formula begins with a quote."
    ),
]
NullOption = Annotated[bool, typer.Option("--null", "-0", help="End each path with NUL instead of a line feed.")]

_SCHEMA = 1


class Form(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    PLAIN = "plain"
    NUL = "nul"
    JSON = "json"
    GEOJSON = "geojson"
    CSV = "csv"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the output.

    name: key in the row, in JSON, in the CSV header and in templates. heading: of the table column, None to omit it from
    tables. plain: printed in a pipe (several are separated by tabs). show: formats the value for a table. wide: running text
    or paths, which take the remaining width of the terminal. spare: dropped from the table if the terminal is too narrow, empty columns and the
    highest number first; 0: never. structured: a list or object, omitted from CSV.
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
    """The form and stream of the output; on a terminal, names are escaped.

    no_formulas: text cells of CSV that a spreadsheet would run as a formula begin with a quote.
    """

    form: Form
    stream: DataStream
    terminal: bool = False
    template: str | None = None
    no_formulas: bool = False


def choose_output(
    *,
    json: bool = False,
    geojson: bool = False,
    csv: bool = False,
    csv_safe: bool = False,
    null: bool = False,
    template: str | None = None,
) -> Output:
    """Return the output for the options; by default, a table on a terminal and plain lines in a pipe.

    Raises UsageError when more than one is given.
    """
    asked = [
        (form, option)
        for given, form, option in (
            (json, Form.JSON, "--json"),
            (geojson, Form.GEOJSON, "--geojson"),
            (csv, Form.CSV, "--csv"),
            (csv_safe, Form.CSV, "--csv-safe"),
            (null, Form.NUL, "-0"),
            (template is not None, Form.TEMPLATE, "--format"),
        )
        if given
    ]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(option for _, option in asked)} exclude each other; use only one")
    terminal = sys.stdout.isatty()
    form = asked[0][0] if asked else (Form.TABLE if terminal else Form.PLAIN)
    # Cells of a table are escaped one by one, because the table has colours.
    stream = sys.stdout.buffer if form is Form.TABLE else data_stream()
    return Output(form=form, stream=stream, terminal=terminal, template=template, no_formulas=csv_safe)


class DataStream(Protocol):
    """Takes bytes."""

    def write(self, data: bytes, /) -> int: ...  # noqa: D102

    def flush(self) -> None: ...  # noqa: D102


class _TerminalStream:
    """Writes data to a terminal with everything escaped that could control it; line ends, tabs and NUL stay."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes, /) -> int:
        parts = _SEPARATORS.split(data)
        self._stream.write(b"".join(part if part in _KEPT else display(part).encode("utf-8") for part in parts))
        return len(data)

    def flush(self) -> None:
        self._stream.flush()


_SEPARATORS = re.compile(rb"([\n\t\0])")
_KEPT = frozenset({b"\n", b"\t", b"\0"})


def data_stream() -> DataStream:
    """Return the stream for whatever a command prints on stdout as data: byte for byte in a pipe, safe on a terminal."""
    return _TerminalStream(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


def render(rows: Iterable[Row], columns: Sequence[Column], output: Output) -> int:
    """Print `rows` as they arrive and return their number.

    Each row maps column names to values; a missing value is None. Raises UsageError for a bad template, BrokenPipeError if
    the reader has closed the pipe.
    """
    # Flush, because rows are written to the underlying buffer.
    sys.stdout.flush()
    printed = _PRINTERS[output.form](iter(rows), columns, output)
    output.stream.flush()
    return printed


def encoded(text: str) -> bytes:
    """Return `text` as the bytes to print; text made by `paths.to_text` gives the original bytes of the path."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def visible(value: object) -> str:
    """Return a value as text that is safe on a terminal: control characters and invalid bytes are escaped."""
    if isinstance(value, bytes):
        return display(value)
    return display(encoded(text_of(value)))


def visible_lines(text: str) -> str:
    """Like `visible`, but keep line breaks."""
    return "\n".join(map(visible, text.split("\n")))


def text_of(value: object) -> str:
    """Return a value as plain text: None is empty, lists are joined with '; ', paths keep invalid bytes as surrogates."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "; ".join(text_of(one) for one in value)
    if isinstance(value, Mapping):
        return ascii_json(value)
    return str(value)


def ascii_json(value: object) -> str:
    """Return JSON in ASCII, as `as_json` converts values, without control characters: `json` leaves DEL as it is."""
    try:
        text = _JSON.encode(value)
    except ValueError:  # a number that is none, which is rare: most values need no conversion
        text = _JSON.encode(as_json(value))
    return text.replace("\x7f", "\\u007f")


def as_json(value: object) -> object:
    """Convert a value for JSON: paths to text (invalid bytes as surrogates), NaN to None, tuples to lists."""
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    return value


def _as_json_type(value: object) -> object:
    if isinstance(value, (bytes, Mapping)):
        return as_json(value)
    raise TypeError(f"{type(value).__name__} is no value of JSON")


_JSON = json.JSONEncoder(allow_nan=False, default=_as_json_type)


def _print_geojson(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    from photoindex.cli.output.geojson import print_geojson

    printed, left_out = print_geojson(rows, columns, output)
    if left_out:
        print(f"left out, without a position: {left_out:,}", file=sys.stderr)
    return printed + left_out


def _print_plain(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    end = b"\0" if output.form is Form.NUL else b"\n"
    plain = [one for one in columns if one.plain] or [one for one in columns if one.heading is not None]
    names = [one.name for one in plain]
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last number is the answer
        output.stream.write(b"\t".join([_plain(row.get(name)) for name in names]) + end)
    return count


def _plain(value: object) -> bytes:
    """Return a path's raw bytes; in other text, escape line breaks and tabs."""
    if isinstance(value, bytes):
        return value
    return encoded(text_of(value).replace("\\", "\\\\").translate({9: "\\t", 10: "\\n", 13: "\\r", 0: "\\0"}))


def _print_json(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    names = [one.name for one in columns]
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        line = {"schema": _SCHEMA, **dict(zip(names, map(row.get, names), strict=True))}
        output.stream.write(ascii_json(line).encode("ascii") + b"\n")
    return count


class _TextStream:
    """A text stream for csv.writer that writes the original bytes of paths."""

    def __init__(self, stream: DataStream) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(encoded(text))


def _print_csv(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    import csv

    names = [one.name for one in columns if not one.structured]
    writer = csv.writer(_TextStream(output.stream), lineterminator="\n")
    writer.writerow(names)
    shown = visible if output.terminal else text_of
    show = without_formula(shown) if output.no_formulas else shown
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        writer.writerow([show(row.get(name)) for name in names])
    return count


def without_formula(show: Callable[[object], str]) -> Callable[[object], str]:
    """Wrap `show` so that text which a spreadsheet would run begins with a quote; numbers stay numbers."""

    def safe(value: object) -> str:
        text = show(value)
        return f"'{text}" if text.startswith(_FORMULA_STARTS) and not isinstance(value, (int, float)) else text

    return safe


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _print_template(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    from photoindex.cli.output.template import Template

    template = Template(output.template or "", [one.name for one in columns])
    show = visible if output.terminal else text_of
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        output.stream.write(encoded(template.fill(row, show)))
    return count


def _print_table(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    from photoindex.cli.output.table import print_table

    return print_table(rows, columns, output)


_PRINTERS: dict[Form, Callable[[Iterator[Row], Sequence[Column], Output], int]] = {
    Form.TABLE: _print_table,
    Form.PLAIN: _print_plain,
    Form.NUL: _print_plain,
    Form.JSON: _print_json,
    Form.GEOJSON: _print_geojson,
    Form.CSV: _print_csv,
    Form.TEMPLATE: _print_template,
}
