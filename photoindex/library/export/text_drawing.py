"""Draws text of any script into a picture, with Pillow's own font and system fonts for characters that it lacks."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_WELL_KNOWN = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/segoeui.ttf",
    "C:/Windows/Fonts/msyh.ttc",
)
"""Common font files for systems without fontconfig; missing ones are skipped."""

_NEVER_THERE = "\U000fffff"
"""The last private-use character, which every font draws as its box for missing glyphs."""
_FONTCONFIG_SECONDS = 5.0
_LOOKUPS_MAX = 24
_ELLIPSIS = "…"


@dataclass(slots=True)
class _Face:
    """One font, with caches of its sizes and of the characters it covers. file: None for Pillow's own font."""

    file: str | None
    index: int = 0
    sizes: dict[int, FreeTypeFont] = field(default_factory=dict)
    has: dict[str, bool] = field(default_factory=dict)

    def sized(self, size_px: int) -> FreeTypeFont:
        """Return the font in one size. Raises OSError if the file is not a font or has no outlines (colour emoji)."""
        if size_px not in self.sizes:
            font = (
                ImageFont.load_default(size_px)
                if self.file is None
                else ImageFont.truetype(self.file, size_px, index=self.index)
            )
            assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
            self.sizes[size_px] = font
        return self.sizes[size_px]

    def covers(self, character: str) -> bool:
        """Tell whether the font has a character, i.e. draws it differently from a missing glyph."""
        if character not in self.has:
            font = self.sized(32)
            box, drawn = (font.getmask(text, mode="L") for text in (_NEVER_THERE, character))
            self.has[character] = (box.size, bytes(box)) != (drawn.size, bytes(drawn))
        return self.has[character]


@dataclass(slots=True)
class TextDrawer:
    """Draws text and caches the fonts its scripts need; one instance serves all sheets of a command."""

    _faces: list[_Face] = field(default_factory=lambda: [_Face(None)])
    _nowhere: set[str] = field(default_factory=set)

    def width(self, text: str, size_px: int) -> float:
        """Return the width of a text in pixels."""
        return sum(face.sized(size_px).getlength(part) for face, part in self._runs(text))

    def fitted(self, text: str, size_px: int, width_px: float) -> str:
        """Shorten a text to fit, with an ellipsis in the middle, because the end of a file name distinguishes it."""
        if self.width(text, size_px) <= width_px:
            return text
        kept = len(text) - 1
        low, high = 0, kept
        while low < high:
            kept = (low + high + 1) // 2
            low, high = (kept, high) if self.width(_shortened(text, kept), size_px) <= width_px else (low, kept - 1)
        return _shortened(text, low)

    def draw(self, on: ImageDraw, at: tuple[float, float], text: str, size_px: int, fill: str) -> None:
        """Draw one line of text; `at` is the left end of its base line."""
        left, base = at
        for face, part in self._runs(text):
            font = face.sized(size_px)
            on.text((left, base), part, font=font, fill=fill, anchor="ls")
            left += font.getlength(part)

    def _runs(self, text: str) -> Iterator[tuple[_Face, str]]:
        """Split the text into runs of one font each."""
        face, start = self._faces[0], 0
        for end, character in enumerate(text):
            # Combining marks and joiners stay with the previous letter; any font has a space.
            if character == " " or unicodedata.category(character) in ("Mn", "Me", "Cf"):
                continue
            wanted = self._face_for(character)
            if wanted is not face:
                if end > start:
                    yield face, text[start:end]
                face, start = wanted, end
        if start < len(text):
            yield face, text[start:]

    def _face_for(self, character: str) -> _Face:
        for face in self._faces:
            if face.covers(character):
                return face
        if character not in self._nowhere and len(self._nowhere) < _LOOKUPS_MAX:
            for face in _system_faces(character):
                if face.covers(character):
                    self._faces.append(face)
                    return face
        self._nowhere.add(character)
        return self._faces[0]


def _shortened(text: str, kept: int) -> str:
    tail = kept * 2 // 5
    return text[: kept - tail].rstrip() + _ELLIPSIS + text[len(text) - tail :].lstrip()


def _system_faces(character: str) -> Iterator[_Face]:
    """Yield system fonts that may have a character and that FreeType can draw."""
    places = [place for place in [_by_fontconfig(character)] if place] + [(path, 0) for path in _WELL_KNOWN]
    for path, index in places:
        face = _Face(path, index)
        try:
            face.sized(32)
        except (OSError, ValueError):
            continue
        yield face


def _by_fontconfig(character: str) -> tuple[str, int] | None:
    """Return the file and index of fontconfig's font for a character; None without fontconfig."""
    program = shutil.which("fc-match")
    if program is None:
        return None
    pattern = f"sans-serif:charset={ord(character):x}"
    try:
        found = subprocess.run(
            [program, "-f", "%{file}\t%{index}", pattern],
            capture_output=True,
            timeout=_FONTCONFIG_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    path, _, index = found.stdout.decode("utf-8", "surrogateescape").partition("\t")
    return (path, int(index)) if Path(path).is_file() and index.isdecimal() else None
