"""Drawing text of any script into a picture, with Pillow's own font and, where it lacks a letter, those of the system."""

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
"""Where fonts lie on systems without fontconfig; those that are not there are passed over."""

_NEVER_THERE = "\U000fffff"
"""The last private character, which every font draws as its box for the unknown."""
_FONTCONFIG_SECONDS = 5.0
_LOOKUPS_MAX = 24
_ELLIPSIS = "…"


@dataclass(slots=True)
class _Face:
    """One font in the sizes that were asked for, and which characters it has. file: None for Pillow's own."""

    file: str | None
    index: int = 0
    sizes: dict[int, FreeTypeFont] = field(default_factory=dict)
    has: dict[str, bool] = field(default_factory=dict)

    def sized(self, size_px: int) -> FreeTypeFont:
        """Return the font in one size. Raises OSError where the file is no font or has no outlines (colour emoji)."""
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
        """Tell whether the font has a character: it is drawn otherwise than one that no font has."""
        if character not in self.has:
            font = self.sized(32)
            box, drawn = (font.getmask(text, mode="L") for text in (_NEVER_THERE, character))
            self.has[character] = (box.size, bytes(box)) != (drawn.size, bytes(drawn))
        return self.has[character]


@dataclass(slots=True)
class Lettering:
    """Draws texts, and remembers which fonts their scripts needed; one is made for the sheets of one command."""

    _faces: list[_Face] = field(default_factory=lambda: [_Face(None)])
    _nowhere: set[str] = field(default_factory=set)

    def width(self, text: str, size_px: int) -> float:
        """Return how many pixels wide a text is."""
        return sum(face.sized(size_px).getlength(part) for face, part in self._runs(text))

    def fitted(self, text: str, size_px: int, width_px: float) -> str:
        """Return the text, its middle replaced by an ellipsis where it is wider: a name's end tells it from its neighbours."""
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
        """Yield the text in parts that one font draws."""
        face, start = self._faces[0], 0
        for end, character in enumerate(text):
            # Marks and joiners belong to the letter before them, and spaces to any font.
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
    """Yield fonts of the system that may have a character and that FreeType can draw."""
    places = [place for place in [_by_fontconfig(character)] if place] + [(path, 0) for path in _WELL_KNOWN]
    for path, index in places:
        face = _Face(path, index)
        try:
            face.sized(32)
        except (OSError, ValueError):
            continue
        yield face


def _by_fontconfig(character: str) -> tuple[str, int] | None:
    """Return the file and index of the font that fontconfig would take for a character; None without fontconfig."""
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
