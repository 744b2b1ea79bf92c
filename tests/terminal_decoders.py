"""Decode pictures from the escape codes sent to terminals."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class SentPicture:
    """A picture sent to a terminal and its size in cells; keys: other parameters of its code."""

    picture: Image.Image
    columns: int
    rows: int
    keys: dict[str, str]


def kitty_pictures(sent: bytes) -> list[SentPicture]:
    """The pictures in kitty's escape codes; chunks of more than 4096 characters are refused."""
    found, head, data = [], None, b""
    for code in re.finditer(rb"\x1b_G([^;\x1b]*);([A-Za-z0-9+/=]*)\x1b\\", sent):
        keys = dict(pair.split("=") for pair in code[1].decode().split(","))
        assert len(code[2]) <= 4096
        if keys.get("a") == "q":
            continue
        if head is None:
            head = keys
            assert (keys["a"], keys["f"]) == ("T", "100")
        data += code[2]
        if keys.get("m", "0") == "0":
            picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
            picture.load()
            found.append(SentPicture(picture, int(head["c"]), int(head["r"]), head))
            head, data = None, b""
        else:
            assert len(code[2]) % 4 == 0
    assert head is None, "the last picture has no end"
    return found


def iterm2_pictures(sent: bytes) -> list[SentPicture]:
    """The pictures in iTerm2's codes."""
    found = []
    for code in re.finditer(rb"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07", sent):
        keys = dict(pair.split("=") for pair in code[1].decode().split(";"))
        data = base64.b64decode(code[2], validate=True)
        assert int(keys["size"]) == len(data)
        assert keys["inline"] == "1"
        found.append(SentPicture(Image.open(io.BytesIO(data)), int(keys["width"]), int(keys["height"]), keys))
    return found


def sixel_pictures(sent: bytes) -> list[Image.Image]:
    """The pictures in sixel codes, RGBA: pixels without a sixel are transparent."""
    return [_sixel(code[1], code[2]) for code in re.finditer(rb'\x1bP[\d;]*q"([\d;]*)(.*?)\x1b\\', sent, re.DOTALL)]


def _sixel(raster: bytes, data: bytes) -> Image.Image:
    _, _, width, height = map(int, raster.split(b";"))
    pixels = np.zeros((height, width, 4), np.uint8)
    colours: dict[int, tuple[int, ...]] = {}
    colour = left = top = 0
    for token in re.finditer(rb"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)|(.)", data, re.DOTALL):
        assert token[11] is None, f"not a sixel: {token[11]!r}"
        if token[1]:
            colours[int(token[1])] = tuple(round(int(part) * 255 / 100) for part in token.group(2, 3, 4))
        elif token[5]:
            colour = int(token[5])
        elif token[9] or token[10]:
            left, top = 0, top + (6 if token[10] else 0)
        else:
            times, bits = int(token[6] or 1), (token[7] or token[8])[0] - 63
            assert left + times <= width
            for row in range(6):
                if bits >> row & 1:
                    assert top + row < height
                    pixels[top + row, left : left + times] = (*colours[colour], 255)
            left += times
    return Image.fromarray(pixels)


def block_picture(sent: bytes) -> Image.Image:
    """The picture in lines of half blocks in 24-bit colour, RGBA."""
    lines = [line for line in sent.decode().replace("\r\n", "\n").split("\n") if line]
    rows = [_block_line(line) for line in lines]
    assert len({len(upper) for upper, _ in rows}) == 1
    return Image.fromarray(np.array([half for row in rows for half in row], np.uint8))


def _block_line(line: str) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    clear: tuple[int, ...] = (0, 0, 0, 0)
    front = behind = clear
    upper, lower = [], []
    for token in re.finditer(r"\x1b\[([\d;]*)m|(.)", line):
        if token[2] is None:
            codes = list(map(int, token[1].split(";")))
            while codes:
                code = codes.pop(0)
                if code == 0:
                    front = behind = clear
                else:
                    assert code in (38, 48)
                    assert codes.pop(0) == 2
                    chosen = (*(codes.pop(0) for _ in range(3)), 255)
                    front, behind = (chosen, behind) if code == 38 else (front, chosen)
        else:
            top, bottom = {"▀": (front, behind), "▄": (behind, front), " ": (clear, clear)}[token[2]]
            upper.append(top)
            lower.append(bottom)
    return upper, lower


def unwrapped(sent: bytes) -> bytes:
    """The codes inside tmux's passthrough wrapping."""
    wrapped = re.findall(rb"\x1bPtmux;((?:\x1b\x1b|[^\x1b])*)\x1b\\", sent)
    return b"".join(one.replace(b"\x1b\x1b", b"\x1b") for one in wrapped)
