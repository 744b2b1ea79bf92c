"""The layout of exported photos: a path of fields, `{year}/{event}/{name}`, filled with what is known of each photo."""

from __future__ import annotations

import os
import re
import string
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches

from photoindex.errors import UsageError

FIELDS: Mapping[str, str] = {
    "year": "the year when it was taken: 2019",
    "month": "the month as two digits: 06",
    "day": "the day of the month: 01",
    "date": "the whole date: 2019-06-01",
    "event": "the key of the trip, or else the day: 2019-06-01-trip-portugal",
    "place": "city, region and country",
    "city": "the city",
    "country": "the country",
    "camera": "maker and model",
    "person": "the named people it shows: Anna & Ben",
    "album": "its album; of several your own, then the first by name",
    "rating": "0 to 5, or rejected",
    "name": "the name of the file: IMG_1.jpg",
    "stem": "the name without its extension: IMG_1",
    "ext": "the extension in lower case: jpg",
    "id": "the photo's number",
}
"""Field -> what it is."""
UNKNOWN = "unknown"
DEFAULT = "{name}"

_COMPONENT_BYTES = 200
"""File systems allow 255; a number and the ends of companions' names are added."""
_REFUSED = re.compile(r'[/\\:*?"<>|]')
"""What separates folders, or what Windows and its file systems do not allow in a name."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Cn", "Co"}


class Layout:
    """A checked layout. fields: those that it uses."""

    def __init__(self, text: str) -> None:
        self._components = [_parsed(component, text) for component in text.split("/")]
        self.fields = {part for component in self._components for is_field, part in component if is_field}
        last = {part for is_field, part in self._components[-1] if is_field}
        if not last & {"name", "stem", "id"}:
            raise UsageError(f"--layout {text}: its last part names the file, and needs {{name}}, {{stem}} or {{id}}")
        self._with_extension = bool(last & {"name", "ext"})

    def fill(self, values: Mapping[str, str | None]) -> tuple[list[str], str]:
        """Return the folders and the name of a photo's main file; invalid bytes of names stay as surrogates."""
        filled = [
            "".join(safe(values.get(part)) if is_field else part for is_field, part in component)
            for component in self._components
        ]
        extension = values.get("ext")
        added = f".{safe(extension)}" if extension and not self._with_extension else ""
        stem, extension = os.path.splitext(filled[-1] + added)
        return [shortened(folder) for folder in filled[:-1]], shortened(stem, extension)


def _parsed(component: str, text: str) -> list[tuple[bool, str]]:
    """Return the parts of one component: whether it is a field, and its name or text. Raises UsageError."""
    if component in ("", ".", ".."):
        raise UsageError(f"--layout {text}: a path of names and fields such as {{year}}/{{event}}/{{name}} is needed")
    parts: list[tuple[bool, str]] = []
    try:
        for literal, name, spec, conversion in string.Formatter().parse(component):
            if literal:
                parts.append((False, literal))
            if name is None:
                continue
            if spec or conversion:
                raise UsageError(f"--layout {text}: a field is {{{name}}} and nothing more")
            if name not in FIELDS:
                near = get_close_matches(name, FIELDS, n=1)
                hint = f"did you mean {{{near[0]}}}?" if near else f"fields: {', '.join(FIELDS)}"
                raise UsageError(f"--layout {text}: there is no field {{{name}}}; {hint}")
            parts.append((True, name))
    except ValueError as error:
        raise UsageError(f"--layout {text}: {error}; write {{{{ or }}}} for a brace") from error
    if any("\0" in part for _, part in parts):
        raise UsageError("--layout: a name of a file has no NUL")
    return parts


def safe(value: str | None) -> str:
    """Return a value as a part of a name on any system: no separators, no unseen characters, no dot or dash at its start."""
    text = "".join(map(_seen, _REFUSED.sub("_", (value or "").strip()))).rstrip(". ")
    if text.startswith((".", "-")):
        text = f"_{text[1:]}"
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    return text or UNKNOWN


def _seen(character: str) -> str:
    return "_" if unicodedata.category(character) in _UNSEEN and character not in "\u200c\u200d" else character


def shortened(stem: str, extension: str = "") -> str:
    """Return a name of at most _COMPONENT_BYTES bytes; the extension stays."""
    room = _COMPONENT_BYTES - len(_bytes(extension))
    if room < 1:
        stem, extension, room = stem + extension, "", _COMPONENT_BYTES
    while len(_bytes(stem)) > room:
        stem = stem[: min(len(stem) - 1, room)]
    return (stem.rstrip(" ") or "_") + extension


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
