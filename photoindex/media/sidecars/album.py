"""Reading what exports say of albums: Google Takeout's JSON in an album's folder, and Apple's lists of file names."""

from __future__ import annotations

import csv

from photoindex.media.metadata.findings import clean_text
from photoindex.media.sidecars.common import BrokenSidecar, as_utf8
from photoindex.media.sidecars.takeout import parse_photo
from photoindex.types import SidecarKind, SidecarPart, SidecarRead

APPLE_HEADER = "images"
"""The only column of Apple's list of an album, in lower case."""
PLACE = "place"
"""The fact of a part: where a photo is in the album, from 1."""
_NAMES_LIMIT = 100_000
_NAME_CHARACTERS = 1024
"""More than any file system allows. The csv module's own limit is one for the whole process, and libraries change it."""


def is_takeout_album(text: bytes) -> bool:
    """Return whether JSON is about an album: it has a title and who may see it, and nothing that only photos have."""
    if b'"title"' not in text or b'"access"' not in text:
        return False
    try:
        return _takeout_title(text) is not None
    except BrokenSidecar:
        return False


def read_takeout_album(data: bytes) -> SidecarRead:
    """Return the title of the album whose photos are in the folder of this file, None if it has no name."""
    title = _takeout_title(as_utf8(data))
    return SidecarRead(SidecarKind.TAKEOUT_ALBUM, {}, title=title or None)


def _takeout_title(text: bytes) -> str | None:
    whole = parse_photo(text)
    about = whole.get("albumData", whole)
    if not isinstance(about, dict) or not isinstance(about.get("access"), str) or "photoTakenTime" in about:
        return None
    title = about.get("title")
    # JSON can escape half of a surrogate pair, which no database accepts.
    return clean_text(title.encode("utf-8", "replace").decode()) if isinstance(title, str) else None


def is_apple_album(text: bytes) -> bool:
    """Return whether a CSV file is Apple's list of an album."""
    return text.split(b"\n", 1)[0].strip(b'\r" \t').lower() == APPLE_HEADER.encode()


def read_apple_album(data: bytes) -> SidecarRead:
    """Return the file names of an album's photos as parts, with their places. Raises BrokenSidecar."""
    lines = as_utf8(data).decode("utf-8", "replace").replace("\0", "").splitlines()
    try:
        rows = [row[0].strip() for row in csv.reader(lines[1:]) if row]
    except csv.Error as error:
        raise BrokenSidecar(f"the list of the album is damaged: {error}") from None
    if any(len(row) > _NAME_CHARACTERS for row in rows):
        raise BrokenSidecar(f"the list of the album is damaged: a name of more than {_NAME_CHARACTERS:,} characters")
    names = list(dict.fromkeys(name for name in rows if name and "/" not in name))
    notes = () if len(names) <= _NAMES_LIMIT else (f"more than {_NAMES_LIMIT:,} photos; the others were left out",)
    parts = {name: SidecarPart({PLACE: place}) for place, name in enumerate(names[:_NAMES_LIMIT], 1)}
    return SidecarRead(SidecarKind.APPLE_ALBUM, {}, parts=parts, notes=notes)
