"""Prints numbers as a table with small bars, one part below the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from photoindex.cli.output.render import Output, encoded, visible

_BAR_CELLS_MIN, _BAR_CELLS_MAX = 10, 40
_LABEL_CELLS_MIN, _LABEL_CELLS_MAX = 12, 44
_BETWEEN = 6
"""Cells before a label and on both sides of its number."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True)
class BarPart:
    """One part: its title, a label and a number for each line, and lines without a bar at its end."""

    title: str
    lines: Sequence[tuple[str, int]]
    rest: Sequence[tuple[str, int]] = ()


def print_bars(parts: Sequence[BarPart], output: Output) -> None:
    """Print the parts on a terminal: label, number and bar; no line is broken."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    with console.capture() as capture:
        for line, style in _lines(parts, console.width):
            console.print(Text(line, style=style), no_wrap=True, overflow="crop")
    output.stream.write(encoded(capture.get()))
    output.stream.flush()


def _lines(parts: Sequence[BarPart], width: int) -> Iterator[tuple[str, str]]:
    """Yield the lines with their styles."""
    from rich.cells import cell_len, set_cell_size

    for part in parts:
        every = (*part.lines, *part.rest)
        numbers = max(len(f"{number:,}") for _, number in every)
        room = max(_BAR_CELLS_MIN, width - numbers - _BETWEEN - _BAR_CELLS_MIN)
        longest = max(cell_len(visible(label)) for label, _ in every)
        column = min(max(longest, _LABEL_CELLS_MIN), _LABEL_CELLS_MAX, room)
        bars = min(_BAR_CELLS_MAX, width - column - numbers - _BETWEEN)
        yield "", ""
        yield part.title, "bold"
        most = max((number for _, number in part.lines), default=0)
        for label, number in (*part.lines, *part.rest):
            shown = visible(label)
            if cell_len(shown) > column:
                shown = set_cell_size(shown, column - 1) + "…"
            with_bar = (label, number) in part.lines
            bar = _bar(number / most * bars) if with_bar and bars > 0 else ""
            yield f"  {set_cell_size(shown, column)}  {number:>{numbers},}  {bar}".rstrip(), "" if with_bar else "dim"


def _bar(cells: float) -> str:
    """Return a bar so many cells long, at least an eighth of one."""
    eighths = max(1, round(cells * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
