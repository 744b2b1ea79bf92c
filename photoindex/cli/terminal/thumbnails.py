"""Prints rows of thumbnails on the terminal, each with id and name below."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photoindex.cli.output.render import visible
from photoindex.cli.terminal.capabilities import Terminal, find_terminal, find_terminal_of_fzf, preview_window
from photoindex.cli.terminal.graphics import (
    PLACEHOLDER_ROWS_MAX,
    Protocol,
    above_cursor,
    blocks,
    iterm2,
    kitty,
    kitty_placeholders,
    passed_through,
    sixel,
)
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image
    from rich.color import ColorSystem
    from rich.console import Console
    from rich.text import Text

    from photoindex.library.export.photo_cards import GallerySection, Item

_GAP_COLUMNS = 2
_CELLS = (26, 9)
"""Columns and rows of one thumbnail: about 260 x 180 pixels."""
_CELLS_OF_BLOCKS = (36, 13)
"""With half blocks, a cell is one pixel wide and two pixels high."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of thumbnails of columns x rows cells, `beside` of them in a row."""

    columns: int
    rows: int
    beside: int

    @property
    def width(self) -> int:
        """Width of a full row of thumbnails in columns, with the gaps."""
        return self.beside * (self.columns + _GAP_COLUMNS) - _GAP_COLUMNS


def layout_for(protocol: Protocol, width: int, height: int) -> Layout:
    """Return the layout of thumbnails for a terminal of width x height characters."""
    columns, rows = _CELLS_OF_BLOCKS if protocol is Protocol.BLOCKS else _CELLS
    columns = max(4, min(columns, width - 1))
    rows = max(2, min(rows, height - 3))
    # Keep the last column free: some terminals wrap if a picture touches it.
    return Layout(columns, rows, max(1, (width - 1 + _GAP_COLUMNS) // (columns + _GAP_COLUMNS)))


def show_on_terminal(sections: Sequence[GallerySection]) -> None:
    """Print the photos as thumbnails. Raises UsageError on a terminal without pictures and colours."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    terminal = find_terminal()
    if terminal is None or (terminal.protocol is Protocol.BLOCKS and not _has_colours(console)):
        raise UsageError(
            "--preview: this terminal supports neither pictures nor colours (TERM, NO_COLOR); use --gallery OUT.html instead"
        )
    size = shutil.get_terminal_size()
    layout = layout_for(terminal.protocol, size.columns, size.lines)
    for section in sections:
        for text, style in ((section.heading, "bold"), (section.note, "dim")):
            if text:
                console.print(Text(visible(text), style=style))
        for start in range(0, len(section.items), layout.beside):
            row = section.items[start : start + layout.beside]
            sys.stdout.flush()
            sys.stdout.buffer.write(drawn(strip(row, terminal, layout), terminal, layout, console))
            sys.stdout.buffer.flush()
            for line in captions(row, layout):
                console.print(line, no_wrap=True, crop=True, overflow="crop")


def show_thumbnail(preview: Path | None, thumbnail: Path | None) -> None:
    """Print one photo as large as half of the window allows, in a terminal or in a preview window of fzf.

    Prints nothing without colours, or where both files are missing. Raises UsageError where stdout is neither.
    """
    from rich.console import Console

    from photoindex.library.export.photo_cards import picture_of_files

    window = preview_window()
    if window is None and not sys.stdout.isatty():
        raise UsageError("--thumbnail shows a picture on a terminal or in a preview window of fzf, and this is neither")
    console = Console(highlight=False, force_terminal=True)
    terminal = find_terminal() if window is None else find_terminal_of_fzf()
    if terminal is None or (terminal.protocol is Protocol.BLOCKS and not _has_colours(console)):
        return
    columns, lines = window or shutil.get_terminal_size()
    cell_width, cell_height = (1, 2) if terminal.protocol is Protocol.BLOCKS else terminal.cell_px
    box = max(4, columns - 1) * cell_width, max(2, lines // 2) * cell_height
    if terminal.protocol is Protocol.KITTY_PLACEHOLDERS:
        box = box[0], min(box[1], PLACEHOLDER_ROWS_MAX * cell_height)
    picture = picture_of_files(preview, thumbnail, box)
    if picture is None:
        return
    layout = Layout(-(-picture.width // cell_width), -(-picture.height // cell_height), 1)
    whole = _on_cells(picture, layout.columns * cell_width, layout.rows * cell_height)
    sys.stdout.flush()
    sys.stdout.buffer.write(drawn(whole, terminal, layout, console, flowing=window is not None))
    sys.stdout.buffer.flush()


def _on_cells(picture: Image, width_px: int, height_px: int) -> Image:
    import PIL.Image

    whole = PIL.Image.new("RGBA", (width_px, height_px), (0, 0, 0, 0))
    whole.paste(picture)
    return whole


def _has_colours(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def strip(items: Sequence[Item], terminal: Terminal, layout: Layout) -> Image:
    """Return one RGBA picture of a row of thumbnails with transparent gaps; a photo without a picture gets a grey frame."""
    import PIL.Image
    from PIL import ImageDraw

    from photoindex.library.export.photo_cards import picture_of

    cell_width, cell_height = (1, 2) if terminal.protocol is Protocol.BLOCKS else terminal.cell_px
    box = layout.columns * cell_width, layout.rows * cell_height
    used = len(items) * (layout.columns + _GAP_COLUMNS) - _GAP_COLUMNS
    made = PIL.Image.new("RGBA", (used * cell_width, box[1]), (0, 0, 0, 0))
    for number, item in enumerate(items):
        left = number * (layout.columns + _GAP_COLUMNS) * cell_width
        picture = picture_of(item, box)
        if picture is None:
            frame = (left, 0, left + box[0] - 1, box[1] - 1)
            ImageDraw.Draw(made).rectangle(frame, fill=(128, 128, 128, 255))
        else:
            made.paste(picture, (left, box[1] - picture.height))
    return made


def drawn(picture: Image, terminal: Terminal, layout: Layout, console: Console, *, flowing: bool = False) -> bytes:
    """Return codes that show a strip and leave the cursor at the start of the line below it.

    flowing: fzf passes the codes on and places the picture itself, like text.
    """
    cell_width = 1 if terminal.protocol is Protocol.BLOCKS else terminal.cell_px[0]
    columns, rows = picture.width // cell_width, layout.rows
    match terminal.protocol:
        case Protocol.KITTY:
            return above_cursor(b"".join(kitty(picture, columns, rows)), rows)
        case Protocol.KITTY_PLACEHOLDERS:
            number = int.from_bytes(os.urandom(3), "big") or 1
            codes = kitty(picture, columns, rows, placeholder_id=number)
            sent = map(passed_through, codes) if terminal.tmux else codes
            return b"".join(sent) + kitty_placeholders(number, columns, rows)
        case Protocol.ITERM2:
            code = iterm2(picture, columns, rows)
            return code + b"\n" if flowing else above_cursor(code, rows)
        case Protocol.SIXEL:
            return sixel(picture) + b"\n" if flowing else above_cursor(sixel(picture), rows)
        case Protocol.BLOCKS:
            return blocks(picture, _colour_system(console))


def _colour_system(console: Console) -> ColorSystem:
    from rich.color import ColorSystem

    names = {"truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT}
    return names.get(console.color_system or "", ColorSystem.STANDARD)


def captions(items: Sequence[Item], layout: Layout) -> list[Text]:
    """Return the lines below a row of thumbnails: names, then ids with relevance and day."""
    from rich.cells import set_cell_size
    from rich.text import Text

    names, facts = Text(), Text()
    for number, item in enumerate(items):
        gap = " " * (_GAP_COLUMNS if number < len(items) - 1 else 0)
        names.append(_fitted(item.heading, layout.columns) + gap)
        shown = "  ".join(
            filter(None, ("" if item.relevance is None else f"{item.relevance}", item.taken.partition(" ")[0]))
        )
        start = f"{item.id}"
        facts.append(set_cell_size(start, min(len(start), layout.columns)), style="cyan")
        if item.keep:
            start += "  keep"
            facts.append("  keep", style="green")
        facts.append(set_cell_size(f"  {shown}", max(0, layout.columns - len(start))) + gap, style="dim")
    return [names, facts, Text()]


def _fitted(text: str, columns: int) -> str:
    """Pad or shorten text to exactly `columns` columns; shortened text ends in an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    shown = visible(text)
    if cell_len(shown) > columns:
        shown = set_cell_size(shown, columns - 1).rstrip() + "…"
    return set_cell_size(shown, columns)
