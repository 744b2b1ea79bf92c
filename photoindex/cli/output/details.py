"""Prints details for people: sections of aligned rows, in colour on a terminal and plain in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photoindex.cli.output.render import ascii_json, visible
from photoindex.cli.terminal.capabilities import preview_window

if TYPE_CHECKING:
    from photoindex.cli.output.layout import CurrentFolder

_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and rows of cells; the first cell is the row's label."""

    heading: str
    rows: Sequence[Sequence[object]]


def print_details(title: str, sections: Sequence[Section]) -> None:
    """Print details; empty sections are omitted, and control characters in cells are escaped."""
    filled = [one for one in sections if one.rows]
    window = preview_window()
    if window is not None or sys.stdout.isatty():
        _print_rich(title, filled, window and window[0])
    else:
        _print_plain(title, filled)


def print_json(value: Mapping[str, object]) -> None:
    """Print one JSON object as one line of ASCII; bytes of a path that are not UTF-8 become surrogates."""
    print(ascii_json(value))


def size_text(size_bytes: int) -> str:
    """Format a number of bytes for people, in powers of 1000: 6.8 MB."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{size_bytes} B" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.3g} TB" if value < 999.5 else f"{value:,.0f} TB"


def _cells(section: Section, folder: CurrentFolder | None = None) -> list[list[str]]:
    """Return the cells as text, in rows of equal length; folder: paths below it are relative to it."""
    width = max(len(row) for row in section.rows)
    return [[_cell(cell, folder) for cell in row] + [""] * (width - len(row)) for row in section.rows]


def _cell(value: object, folder: CurrentFolder | None) -> str:
    if folder is None:
        return visible(value)
    return visible(folder.shown(value)) if isinstance(value, bytes) else folder.shown_in(visible(value))


def _print_plain(title: str, sections: Sequence[Section]) -> None:
    from rich.cells import cell_len, set_cell_size

    print(visible(title))
    for section in sections:
        cells = _cells(section)
        widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
        print(section.heading)
        for row in cells:
            padded = "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True))
            print(_INDENT + padded.rstrip())


def _print_rich(title: str, sections: Sequence[Section], columns: int | None) -> None:
    from rich.console import Console
    from rich.text import Text

    from photoindex.cli.output.layout import Cell, CurrentFolder, wrap
    from photoindex.cli.output.table import aligned

    # fzf gives a pipe and shows colours.
    console = Console(file=sys.stdout, highlight=False, width=columns, force_terminal=True if columns else None)
    folder = CurrentFolder()
    for number, line in enumerate(wrap(Cell(folder.shown_in(visible(title))), console.width - len(_INDENT))):
        console.print(Text(_INDENT * (number > 0) + line, style="bold cyan"), soft_wrap=True)
    for section in sections:
        console.print(Text(section.heading, style="bold"))
        for each in aligned(_cells(section, folder), console.width - len(_INDENT)):
            console.print(Text(_INDENT).append(each), soft_wrap=True)
