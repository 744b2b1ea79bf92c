"""Names of one folder, compared as people compare them: without regard to case or to how accents are encoded."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from photoindex.types import Kind, SidecarKind

_MOST_IN_ANOTHER_CASE = 16
"""Files whose names differ in case alone; more are made to cost time."""


@dataclass(frozen=True, slots=True)
class SidecarName:
    """One sidecar of the folder; `title` is the name of the photo that a Takeout JSON states."""

    id: int
    name: bytes
    kind: SidecarKind
    title: str | None = None


@dataclass(frozen=True, slots=True)
class MediaName:
    """One photo or video of the folder."""

    id: int
    name: bytes
    kind: Kind


@dataclass(frozen=True, slots=True)
class SidecarMatch:
    """A sidecar speaks of a file, and a sentence that says why."""

    sidecar_id: int
    file_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Medium:
    """A photo or video with its name as NFC text and that name's parts; `extension` has its dot or is empty."""

    id: int
    kind: Kind
    text: str
    stem: str
    extension: str


def as_text(name: bytes) -> str:
    """Return a name as NFC text; bytes that are no UTF-8 stay apart as surrogates."""
    return unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))


def fold(text: str) -> str:
    """Return NFC text without regard to case; unlike case folding proper it keeps ß and ss apart, as file systems do."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def split_extension(name: str) -> tuple[str, str]:
    """Return stem and extension with its dot; a leading dot starts no extension."""
    stem, dot, extension = name.rpartition(".")
    return (stem, dot + extension) if stem else (name, "")


def distance(sidecar: bytes, file: bytes) -> int:
    """Return how far a sidecar's name is from that of the file it speaks of: 0 `a.jpg.xmp`, 1 `a.xmp`, 2 any other."""
    target, name = fold(split_extension(as_text(sidecar))[0]), fold(as_text(file))
    if target == name:
        return 0
    return 1 if target == split_extension(name)[0] else 2


def media_of(files: Iterable[MediaName]) -> list[Medium]:
    """Return the names of photos and videos, taken apart once, in the order of their names."""
    texts = sorted((as_text(file.name), file.id, file.kind) for file in files)
    return [Medium(id_, kind, text, *split_extension(text)) for text, id_, kind in texts]


class NameIndex:
    """Media by a name or a part of one; a name in exact case wins over those that differ in case."""

    def __init__(self) -> None:
        self._exact: dict[str, list[Medium]] = defaultdict(list)
        self._folded: dict[str, list[Medium]] = defaultdict(list)

    def add(self, text: str, medium: Medium) -> None:
        """Enter one medium under an NFC text."""
        self._exact[text].append(medium)
        self._folded[fold(text)].append(medium)

    def find(self, text: str) -> list[Medium]:
        """Return the media under exactly `text`, else those that differ in case, unless they are too many to mean it."""
        if exact := self._exact.get(text):
            return exact
        others = self._folded.get(fold(text), [])
        return others if len(others) <= _MOST_IN_ANOTHER_CASE else []


def shown(text: str) -> str:
    """Return a name fit for a sentence."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
