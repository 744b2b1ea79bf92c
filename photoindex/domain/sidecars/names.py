"""File names of one folder, compared without regard to case and Unicode normalisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from photoindex.paths import to_text
from photoindex.text import composed
from photoindex.types import Kind, SidecarKind

_CASE_VARIANT_LIMIT = 16
"""Maximum number of files whose names differ only in case; more are only found in hostile folders."""


@dataclass(frozen=True, slots=True)
class SidecarName:
    """One sidecar of the folder; `title` is the photo's name in a Takeout JSON, `parts` those in a sidecar of a folder."""

    id: int
    name: bytes
    kind: SidecarKind
    title: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaName:
    """One photo or video of the folder."""

    id: int
    name: bytes
    kind: Kind


@dataclass(frozen=True, slots=True)
class SidecarMatch:
    """A sidecar that belongs to a file, with a sentence that says why. part: the name of the part about the file."""

    sidecar_id: int
    file_id: int
    why: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedMediaName:
    """A photo or video with its parsed name in NFC; `extension` includes its dot or is empty."""

    id: int
    kind: Kind
    text: str
    stem: str
    extension: str


def as_text(name: bytes) -> str:
    """Return a name as NFC text; bytes that are not UTF-8 become surrogates."""
    return composed(to_text(name))


def fold(text: str) -> str:
    """Return NFC text in lower case; unlike full case folding this keeps ß and ss distinct, as file systems do."""
    return composed(composed(text).lower())


def split_extension(name: str) -> tuple[str, str]:
    """Return stem and extension with its dot; a leading dot does not start an extension."""
    stem, dot, extension = name.rpartition(".")
    return (stem, dot + extension) if stem else (name, "")


def distance(sidecar: bytes, file: bytes) -> int:
    """Return how far a sidecar's name is from its file's: 0 for `a.jpg.xmp`, 1 for `a.xmp`, 2 for any other."""
    target, name = fold(split_extension(as_text(sidecar))[0]), fold(as_text(file))
    if target == name:
        return 0
    return 1 if target == split_extension(name)[0] else 2


def parse_media_names(files: Iterable[MediaName]) -> list[ParsedMediaName]:
    """Parse the names of photos and videos, sorted by name."""
    texts = sorted((as_text(file.name), file.id, file.kind) for file in files)
    return [ParsedMediaName(id_, kind, text, *split_extension(text)) for text, id_, kind in texts]


class NameIndex:
    """Index of media by name or part of it; exact matches win over matches that differ in case."""

    def __init__(self) -> None:
        self._exact: dict[str, list[ParsedMediaName]] = defaultdict(list)
        self._folded: dict[str, list[ParsedMediaName]] = defaultdict(list)

    def add(self, text: str, medium: ParsedMediaName) -> None:
        """Add one file under an NFC text."""
        self._exact[text].append(medium)
        self._folded[fold(text)].append(medium)

    def find(self, text: str) -> list[ParsedMediaName]:
        """Return the files under exactly `text`, or else those that differ in case, unless there are too many."""
        if exact := self._exact.get(text):
            return exact
        others = self._folded.get(fold(text), [])
        return others if len(others) <= _CASE_VARIANT_LIMIT else []


def shown(text: str) -> str:
    """Return a name fit for a message."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
