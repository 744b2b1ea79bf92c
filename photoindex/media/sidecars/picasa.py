"""Reading the `.picasa.ini` files in which Picasa keeps what it knows about the photos of a folder."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from photoindex.media.metadata.encodings import decode_markup
from photoindex.media.metadata.findings import KEYWORD_LIMIT, TEXT_LIMIT_CHARACTERS, Findings, clean_text
from photoindex.types import Region, SidecarKind, SidecarPart, SidecarRead

_SECTION = re.compile(r"\[(.+)\]")
_FACE = re.compile(r"rect64\(([^)]*)\),([^;]*)")
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,16}")
_LARGEST = 0xFFFF
_UNNAMED = "ffffffffffffffff"
_CONTACTS = frozenset({"contacts", "contacts2"})
_PHOTO_LIMIT = 50_000
_FACE_LIMIT = 500
"""Of one photo."""
_NAME_CHARACTERS = 500


def read_picasa(data: bytes) -> SidecarRead:
    """Return the faces, star, caption and keywords of each photo by its file name.

    Faces are named where the file lists Picasa's contacts with names, which it does since Picasa 3.9. `rotate`, which turns
    a photo on Picasa's screen alone, is left out: faces are of the picture as it is stored.
    """
    found = Findings("sidecar")
    contacts: dict[str, str] = {}
    photos: dict[str, dict[str, str]] = {}
    for section, key, value in _entries(decode_markup(data, found.note)):
        if section.lower() in _CONTACTS:
            # Without a semicolon it is a contact of an account on the web: its number there, but no name.
            name, semicolon, _ = html.unescape(value).partition(";")
            if semicolon and (cleaned := clean_text(name)):
                contacts[_contact(key)] = cleaned[:_NAME_CHARACTERS]
        elif key in ("faces", "star", "caption", "keywords"):
            if section not in photos and len(photos) >= _PHOTO_LIMIT:
                found.note(f"more than {_PHOTO_LIMIT} photos; the others were left out")
                break
            photos.setdefault(section, {}).setdefault(key, value)
    parts = {name: _part(name, values, contacts, found) for name, values in photos.items()}
    return SidecarRead(
        SidecarKind.PICASA,
        {},
        parts={name: part for name, part in parts.items() if part.facts or part.regions},
        notes=tuple(found.notes),
    )


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (section, key, value); lines that are neither a section nor an entry are left out."""
    section = ""
    for line in re.split(r"[\r\n]+", text):
        if match := _SECTION.fullmatch(line.strip()):
            section = clean_text(match[1])
            continue
        key, equals, value = line.partition("=")
        if section and equals:
            yield section, key.strip().lower(), value.strip()[:TEXT_LIMIT_CHARACTERS]


def _contact(written: str) -> str:
    """Return an id of a contact without leading zeros, which Picasa writes in one place and not in another."""
    return written.strip().lower().lstrip("0")


def _part(name: str, values: dict[str, str], contacts: dict[str, str], found: Findings) -> SidecarPart:
    of_photo = Findings("sidecar")
    if values.get("star", "").lower() == "yes":
        of_photo.add("favourite", 1)
    of_photo.add("description", clean_text(html.unescape(values.get("caption", "")).replace("\\n", "\n")))
    keywords = (clean_text(html.unescape(word)) for word in values.get("keywords", "").split(","))
    of_photo.add("keywords", list(dict.fromkeys(word for word in keywords if word))[:KEYWORD_LIMIT])
    return SidecarPart(of_photo.facts, tuple(_regions(name, values.get("faces", ""), contacts, found)))


def _regions(name: str, written: str, contacts: dict[str, str], found: Findings) -> Iterator[Region]:
    faces = [face for face in written.split(";") if face.strip()]
    for face in faces[:_FACE_LIMIT]:
        match = _FACE.fullmatch(face.strip())
        edges = None if match is None else _edges(match[1].strip().lower())
        if match is None or edges is None:
            found.note(f"{name}: a face has no sensible rectangle")
            continue
        left, top, right, bottom = edges
        contact = _contact(match[2])
        if contact not in contacts and contact not in ("", _UNNAMED):
            found.note(f"{name}: a face has a name that only Picasa's contacts.xml knows")
        yield Region(
            kind="face",
            name=contacts.get(contact),
            x=round(left, 6),
            y=round(top, 6),
            width=round(right - left, 6),
            height=round(bottom - top, 6),
            schema="picasa",
        )
    if len(faces) > _FACE_LIMIT:
        found.note(f"{name}: more than {_FACE_LIMIT} faces; the others were left out")


def _edges(digits: str) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom as fractions: four numbers of 16 bits without the zeros at the beginning."""
    if not _HEXADECIMAL.fullmatch(digits):
        return None
    padded = digits.zfill(16)
    left, top, right, bottom = (int(padded[place : place + 4], 16) / _LARGEST for place in range(0, 16, 4))
    return (left, top, right, bottom) if left < right and top < bottom else None
