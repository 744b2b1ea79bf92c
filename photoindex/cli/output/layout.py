"""Fits text into columns: lines break at spaces and behind slashes, never inside a word, a number or an id."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from photoindex.paths import is_within, relative_to, to_text

_READABLE_CELLS = 24
"""A column of running text or paths should have this width, or as much as its longest value needs."""
_NARROW_CELLS = 16
"""A column of running text is at least so wide before other columns break."""
_PIECE = re.compile(r"[^ /]*(?:/+| +|$)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, safe to print. path: the names of a path may be shortened in the middle, other text is never cut."""

    text: str
    path: bool = False

    def full(self) -> int:
        """The cells that the text takes on one line."""
        return _cells(self.text)

    def least(self) -> int:
        """The cells that the text takes where a line ends wherever it may."""
        longest = max((_cells(piece.rstrip(" ")) for piece in _PIECE.findall(self.text)), default=0)
        return min(longest, _READABLE_CELLS) if self.path else longest


_COMMAND_IN_QUOTES = re.compile(r"photoindex \w.*'")
"""A command to be copied: a line break inside its quotes would be part of a name, so the terminal has to wrap it."""


def wrap(cell: Cell, cells: int) -> list[str]:
    """Return the lines of a cell, at most `cells` wide: at least one.

    A name of a path that is longer is shortened in the middle. Anything else that is longer is cut, and nothing of it lost.
    """
    if cell.full() <= cells or _COMMAND_IN_QUOTES.search(cell.text):
        return [cell.text]
    lines, line = [], ""
    for piece in _PIECE.findall(cell.text):
        if line and _cells(line + piece.rstrip(" ")) > cells:
            lines.append(line.rstrip(" "))
            line = ""
        if cell.path and _cells(piece.rstrip(" ")) > cells:
            piece = _shortened(piece.rstrip(" "), cells)  # noqa: PLW2901
        *whole, rest = _cut(piece, cells)
        lines += whole
        line += rest
    return [*lines, line.rstrip(" ")] if line.strip(" ") or not lines else lines


def _shortened(name: str, cells: int) -> str:
    """Return a name with an ellipsis in its middle; its end, with the extension, is what tells names apart."""
    behind = _start(name[::-1], cells // 2)[::-1]
    return _start(name, cells - 1 - _cells(behind)) + "…" + behind


def _start(text: str, cells: int) -> str:
    """Return as much of the start of a text as fits into so many cells."""
    from rich.cells import get_character_cell_size

    taken = 0
    for index, character in enumerate(text):
        taken += get_character_cell_size(character)
        if taken > cells:
            return text[:index]
    return text


def _cut(piece: str, cells: int) -> Iterator[str]:
    """Yield the parts of a word that is longer than a line; mostly the word itself."""
    while _cells(piece.rstrip(" ")) > cells:
        part = _start(piece, cells) or piece[0]
        yield part
        piece = piece[len(part) :]
    yield piece


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


@dataclass(frozen=True, slots=True)
class Width:
    """What a column needs, in cells. wide: it takes the room that is left; fixed: it is never narrower than `full`."""

    full: int
    least: int
    wide: bool = False
    fixed: bool = False

    @property
    def wanted(self) -> int:
        """What the column should have before columns that can be spared are shown."""
        return max(self.least, min(self.full, _READABLE_CELLS)) if self.wide else self.full

    @property
    def narrowest(self) -> int:
        """What the column must have."""
        if self.wide:
            return max(self.least, min(self.full, _NARROW_CELLS))
        return self.full if self.fixed else self.least


def widths(columns: Sequence[Width], room: int) -> list[int] | None:
    """Return the width of each column, in `room` cells for all; None where they do not fit.

    Wide columns give way first, then the others that may break, the widest first; what is left goes to the wide
    ones, as far as they need it; the last one of all takes the rest for longer values to come.
    """
    given = [one.wanted for one in columns]
    excess = sum(given) - room
    while excess > 0:
        giving = [index for index, one in enumerate(columns) if given[index] > one.narrowest]
        if not giving:
            return None
        widest = max(giving, key=lambda index: (columns[index].wide, given[index]))
        given[widest] -= 1
        excess -= 1
    spare = -excess
    growing = [index for index, one in enumerate(columns) if one.wide]
    # The narrowest first, which leave something of their share to the others.
    for number, index in enumerate(sorted(growing, key=lambda index: columns[index].full - given[index])):
        more = max(0, min(columns[index].full - given[index], spare // (len(growing) - number)))
        given[index] += more
        spare -= more
    if columns and columns[-1].wide:
        given[-1] += spare
    return given


class CurrentFolder:
    """Shows paths relative to the current folder where they lie below it, as `ls` and `git` do."""

    def __init__(self) -> None:
        # A shell keeps the name by which a person came here; a scan kept the name that it was given.
        named = os.environb.get(b"PWD", b"")
        self._folders: list[bytes] = []
        with suppress(OSError):  # the folder was removed
            self._folders.append(os.getcwdb())
        with suppress(OSError, ValueError):
            if named.startswith(b"/") and named == os.path.normpath(named) and os.path.samefile(named, b"."):
                self._folders.append(named)
        self._folders = [one for one in dict.fromkeys(self._folders) if one != b"/"]

    def shown(self, path: bytes) -> bytes:
        """Return a path as it is called from here."""
        for folder in self._folders:
            if path != folder and is_within(path, folder):
                below = relative_to(path, folder)
                return b"./" + below if below.startswith(b"-") else below
        return path

    def shown_in(self, text: str) -> str:
        """Return a text with the paths in it as they are called from here."""
        for folder in self._folders:
            text = re.sub(rf"(?<![^\s'\"(=]){re.escape(to_text(folder))}/(?=[^\s/'\"-])", "", text)
        return text
