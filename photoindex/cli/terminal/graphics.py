"""Encodes pictures for terminals: kitty, iTerm2, sixel, and coloured half blocks."""

from __future__ import annotations

import base64
import io
import re
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image
    from rich.color import ColorSystem

_KITTY_CHUNK = 4096
"""Maximum number of base64 characters in one kitty escape code."""
_PLACEHOLDER = "\U0010eeee"
_ROW_MARKS = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357\u035b\u0363\u0364"
    "\u0365"
)
"""The first entries of kitty's rowcolumn-diacritics.txt: combining marks for the rows and columns of a placeholder."""
PLACEHOLDER_ROWS_MAX = len(_ROW_MARKS)
_SIXEL_COLOURS = 255
_NO_COLOUR = 255
_OPAQUE = 128


class Protocol(StrEnum):
    """The protocol for showing pictures on a terminal."""

    KITTY = "kitty"
    KITTY_PLACEHOLDERS = "kitty placeholders"
    ITERM2 = "iTerm2"
    SIXEL = "sixel"
    BLOCKS = "blocks"


def kitty(picture: Image, columns: int, rows: int, *, placeholder_id: int | None = None) -> list[bytes]:
    """Return the escape codes that show an RGBA picture over columns x rows cells and leave the cursor where it is.

    placeholder_id: 1 to 2^24 - 1; the picture is then only sent, and shown where `kitty_placeholders` are printed.
    Source: kitty's terminal graphics protocol (PNG, f=100; a=T; C=1 keeps the cursor; q=2 suppresses answers).
    """
    data = base64.b64encode(_png(picture))
    head = f"a=T,f=100,q=2,c={columns},r={rows},"
    head += "C=1" if placeholder_id is None else f"U=1,i={placeholder_id}"
    chunks = [data[start : start + _KITTY_CHUNK] for start in range(0, len(data), _KITTY_CHUNK)]
    codes = []
    for number, chunk in enumerate(chunks):
        keys = [head] if number == 0 else ["q=2"]
        keys.append(f"m={int(number < len(chunks) - 1)}")
        codes.append(b"\x1b_G" + ",".join(keys).encode() + b";" + chunk + b"\x1b\\")
    return codes


def kitty_placeholders(placeholder_id: int, columns: int, rows: int) -> bytes:
    """Return lines of text that show a picture sent before; they scroll and are cleared like text, also in tmux."""
    red, green, blue = placeholder_id >> 16 & 255, placeholder_id >> 8 & 255, placeholder_id & 255
    line = f"\x1b[38;2;{red};{green};{blue}m{_PLACEHOLDER}{{}}{_ROW_MARKS[0]}{_PLACEHOLDER * (columns - 1)}\x1b[39m\n"
    return "".join(line.format(_ROW_MARKS[row]) for row in range(rows)).encode()


def iterm2(picture: Image, columns: int, rows: int) -> bytes:
    """Return the escape code (OSC 1337, inline image) that shows an RGBA picture over columns x rows cells."""
    data = _png(picture)
    head = f"File=inline=1;size={len(data)};width={columns};height={rows};preserveAspectRatio=0:"
    return b"\x1b]1337;" + head.encode() + base64.b64encode(data) + b"\x07"


def sixel(picture: Image) -> bytes:
    """Return the device control string that shows an RGBA picture pixel by pixel, with its own palette of 255 colours.

    Source: DEC STD 070, VT330/VT340 programmer reference, chapter 14. Transparent pixels are not drawn (P2=1).
    """
    import numpy as np
    import PIL.Image

    width, height = picture.size
    reduced = picture.convert("RGB").quantize(_SIXEL_COLOURS, PIL.Image.Quantize.MEDIANCUT)
    colours = (reduced.getpalette() or [])[: 3 * _SIXEL_COLOURS]
    indices = np.asarray(reduced).copy()
    indices[np.asarray(picture.getchannel("A")) < _OPAQUE] = _NO_COLOUR
    used = [index for index in np.unique(indices).tolist() if index != _NO_COLOUR]
    registers = (
        "#{};2;{};{};{}".format(index, *(round(part * 100 / 255) for part in colours[3 * index : 3 * index + 3]))
        for index in used
    )
    bands = (_sixel_band(indices[top : top + 6]) for top in range(0, height, 6))
    head = f'\x1bP0;1;0q"1;1;{width};{height}' + "".join(registers)
    return head.encode() + b"-".join(bands) + b"\x1b\\"


def _sixel_band(band: np.ndarray) -> bytes:
    """Return up to six rows of colour numbers as sixels: one run of characters per colour, separated by `$` (carriage return)."""
    import numpy as np

    weights = (1 << np.arange(len(band), dtype=np.uint8))[:, None]
    runs = []
    for colour in np.unique(band).tolist():
        if colour == _NO_COLOUR:
            continue
        bits = ((band == colour) * weights).sum(axis=0, dtype=np.uint8)
        run = (bits + 63).astype(np.uint8).tobytes().rstrip(b"?")
        runs.append(b"#%d" % colour + re.sub(rb"(.)\1{3,}", _repeated, run))
    return b"$".join(runs)


def _repeated(found: re.Match[bytes]) -> bytes:
    return b"!%d%s" % (len(found[0]), found[1])


def blocks(picture: Image, colours: ColorSystem) -> bytes:
    """Return lines of half blocks, one cell for two pixels above each other; transparent pixels stay empty."""
    pixels = picture.load()
    assert pixels is not None
    lines = []
    for top in range(0, picture.height - 1, 2):
        line, colour = [], ""
        for left in range(picture.width):
            # The picture is RGBA, so each pixel has four numbers.
            upper, lower = pixels[left, top], pixels[left, top + 1]
            assert isinstance(upper, tuple)
            assert isinstance(lower, tuple)
            wanted, character = _cell(upper, lower, colours)
            line.append(character if wanted == colour else f"\x1b[0;{wanted}m{character}")
            colour = wanted
        lines.append("".join(line) + "\x1b[0m\n")
    return "".join(lines).encode()


def _cell(upper: tuple[int, ...], lower: tuple[int, ...], colours: ColorSystem) -> tuple[str, str]:
    """Return the colour codes and the character of one cell."""
    shown = upper[3] >= _OPAQUE, lower[3] >= _OPAQUE
    if shown == (True, True):
        return f"{_codes(upper[:3], colours)};{_codes(lower[:3], colours, behind=True)}", "▀"
    if shown == (False, False):
        return "0", " "
    return (_codes(upper[:3], colours), "▀") if shown[0] else (_codes(lower[:3], colours), "▄")


@cache
def _codes(colour: tuple[int, ...], colours: ColorSystem, *, behind: bool = False) -> str:
    from rich.color import Color

    red, green, blue = colour
    return ";".join(Color.from_rgb(red, green, blue).downgrade(colours).get_ansi_codes(foreground=not behind))


def passed_through(code: bytes) -> bytes:
    """Wrap an escape code so that tmux passes it through to the outer terminal."""
    return b"\x1bPtmux;" + code.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"


def above_cursor(code: bytes, rows: int) -> bytes:
    """Return codes that show a picture of `rows` rows and leave the cursor at the start of the line below it.

    Terminals differ in where a picture leaves the cursor and in whether it scrolls. So scroll first, and save and restore
    the cursor around the picture.
    """
    return b"\r" + b"\n" * rows + b"\x1b[%dA" % rows + b"\x1b7" + code + b"\x1b8" + b"\x1b[%dB\r" % rows


def _png(picture: Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
