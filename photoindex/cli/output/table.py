"""Prints rows as a table that fits the terminal, or each row as a block of lines where its columns do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, zip_longest
from operator import or_
from typing import TYPE_CHECKING

from photoindex.cli.output.layout import Cell, CurrentFolder, Width, widths, wrap
from photoindex.cli.output.render import Column, Output, Row, encoded, visible

if TYPE_CHECKING:
    from rich.text import Text

_CHUNK_ROWS = 200
_GAP_CELLS = 2
_EXCEPTIONS = 1 / 4
"""So many rows may have values on lines of their own, because they do not fit their columns."""


def print_table(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> int:
    """Print the rows as they arrive and return their number; paths below the current folder are relative to it.

    The columns have the widths of the first chunk, so that memory stays constant, until too much does not fit any more.
    """
    from rich.console import Console

    console, folder = Console(highlight=False), CurrentFolder()
    shown = [one for one in columns if one.heading is not None]
    layout: _Layout | None = None
    count = 0
    while some := list(islice(rows, _CHUNK_ROWS)):
        cells = [[_cell(one, row, folder) for one in shown] for row in some]
        new = layout is None or not layout.fits(cells)
        if layout is None or new:
            layout = _Layout(shown, cells, console.width)
        with console.capture() as capture:
            for line in layout.lines(cells, header=new, first=count == 0):
                console.print(line, soft_wrap=True)
        output.stream.write(encoded(capture.get()))
        count += len(some)
    return count


def _cell(column: Column, row: Row, folder: CurrentFolder) -> Cell:
    value = row.get(column.name)
    if column.show is not None and value is not None:
        value = column.show(value)
    if isinstance(value, bytes):
        return Cell(visible(folder.shown(value)), path=True)
    return Cell(folder.shown_in(visible(value)))


class _Layout:
    """Which columns are shown, and how wide; without widths where they do not fit beside each other.

    cells: the rows to measure, with a cell for each of `columns`. exceptions: the share of rows that need not fit.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Sequence[Sequence[Cell]],
        available: int,
        exceptions: float = _EXCEPTIONS,
    ) -> None:
        self._available = available
        measured = sorted(cells, key=lambda row: max(cell.least() for cell in row), reverse=True)
        for left_out in range(min(int(len(cells) * exceptions) + 1, len(cells))):
            self._kept = _with_room(columns, measured[left_out:], available)
            self._columns = [columns[index] for index in self._kept]
            needs = [_needs(columns[index], [row[index] for row in measured[left_out:]]) for index in self._kept]
            self._widths = widths(needs, available - _GAP_CELLS * (len(needs) - 1))
            if self._widths is not None:
                break

    def fits(self, cells: Sequence[Sequence[Cell]]) -> bool:
        """Tell whether these rows can be printed in this layout, too."""
        if self._widths is None:
            return True
        exceptions = sum(
            any(
                _needs(column, [row[index]]).narrowest > width
                for column, index, width in zip(self._columns, self._kept, self._widths, strict=True)
            )
            for row in cells
        )
        return exceptions <= len(cells) * _EXCEPTIONS

    def lines(self, cells: Sequence[Sequence[Cell]], *, header: bool, first: bool) -> Iterator[Text]:
        """Yield the lines to print; header: also the headings. first: nothing was printed before."""
        from rich.text import Text

        rows = [[row[index] for index in self._kept] for row in cells]
        if self._widths is None:
            for number, row in enumerate(rows):
                if number or not first:
                    yield Text()
                yield from self._block(row)
            return
        if header:
            headings = [
                wrap(Cell(one.heading or ""), width) for one, width in zip(self._columns, self._widths, strict=True)
            ]
            yield from self._beside(headings, self._widths, ["bold"] * len(self._columns))
        for row in rows:
            yield from self._row(row, self._widths)

    def rows(self, cells: Sequence[Sequence[Cell]]) -> Iterator[Text]:
        """Yield the lines of rows without headings; where nothing fits beside the first cells, all else is below them."""
        first = max(row[0].full() for row in cells)
        given = self._widths or [min(first, self._available // 2), *(0 for _ in cells[0][1:])]
        for row in cells:
            yield from self._row(row, given, in_order=True)

    def _row(self, row: Sequence[Cell], cells: Sequence[int], *, in_order: bool = False) -> Iterator[Text]:
        """Yield the lines of a row, then what does not fit its column: below it, as far to the right as it goes.

        in_order: what is behind it, too.
        """
        from rich.text import Text

        too_long = [
            _longest(column, cell) > width for column, cell, width in zip(self._columns, row, cells, strict=True)
        ]
        if in_order:
            too_long = list(accumulate(too_long, or_))
        inside = [[] if long else wrap(cell, width) for cell, width, long in zip(row, cells, too_long, strict=True)]
        if any(inside):
            yield from self._beside(inside, cells, [one.style for one in self._columns])
        starts = accumulate(cells, lambda start, width: start + width + _GAP_CELLS, initial=0)
        for column, cell, long, start in zip(self._columns, row, too_long, starts, strict=False):
            if long and cell.text:
                room = self._available - max(cell.least(), min(cell.full(), self._available - 2 * _GAP_CELLS))
                from_left = max(0, min(start, room))
                for line in wrap(cell, self._available - from_left):
                    yield Text(" " * from_left).append(line, style=column.style)

    def _beside(self, parts: Sequence[Sequence[str]], cells: Sequence[int], styles: Sequence[str]) -> Iterator[Text]:
        from rich.text import Text

        for lines in zip_longest(*parts, fillvalue=""):
            whole = Text()
            for column, line, width, style in zip(self._columns, lines, cells, styles, strict=True):
                padding = " " * max(0, width - Cell(line).full())
                before, behind = (padding, "") if column.justify == "right" else ("", padding)
                whole.append(before).append(line, style=style).append(behind + " " * _GAP_CELLS)
            whole.rstrip()
            yield whole

    def _block(self, row: Sequence[Cell]) -> Iterator[Text]:
        """Yield a row as lines below each other: a line for each value that there is, with its heading."""
        from rich.text import Text

        labels = [Cell(visible(one.heading or one.name)) for one in self._columns]
        margin = max(label.full() for label in labels) + _GAP_CELLS
        for column, label, cell in zip(self._columns, labels, row, strict=True):
            # Nothing is shortened: there is no more room elsewhere.
            for number, line in enumerate(wrap(Cell(cell.text), max(1, self._available - margin)) if cell.text else []):
                shown = label.text if number == 0 else ""
                yield (
                    Text(shown, style="bold")
                    .append(" " * (margin - Cell(shown).full()))
                    .append(line, style=column.style)
                )


def aligned(rows: Sequence[Sequence[str]], available: int) -> Iterator[Text]:
    """Yield rows without headings as lines of at most so many cells, the first cell of each dim; nothing is shortened."""
    columns = [Column("label", "", style="dim"), *(Column("value", "", wide=True) for _ in rows[0][1:])]
    cells = [[Cell(text) for text in row] for row in rows]
    return _Layout(columns, cells, available, exceptions=1).rows(cells)


def _longest(column: Column, cell: Cell) -> int:
    """Return the cells of what must stay on one line; a name of a path is shortened instead."""
    if column.justify == "right":
        return cell.full()
    return 0 if cell.path else cell.least()


def _needs(column: Column, cells: Sequence[Cell]) -> Width:
    every = [Cell(column.heading or ""), *cells]
    return Width(
        full=max(one.full() for one in every), least=max(one.least() for one in every),
        wide=column.wide, fixed=column.justify == "right",
    )  # fmt: skip


def _with_room(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], available: int) -> list[int]:
    """Return the indices of the columns without those that have to be spared, empty ones first."""
    kept = list(range(len(columns)))
    wanted = [_needs(column, [row[index] for row in rows]).wanted for index, column in enumerate(columns)]
    empty = [not any(row[index].text for row in rows) for index in kept]
    while sum(wanted[index] for index in kept) + _GAP_CELLS * (len(kept) - 1) > available:
        sparest = max(kept, key=lambda index: (columns[index].spare > 0 and empty[index], columns[index].spare))
        if not columns[sparest].spare:
            break
        kept.remove(sparest)
    return kept
