"""Recognising sidecars, first by extension, then by content."""

from __future__ import annotations

import re

from photoindex.media.content import Content
from photoindex.media.sidecars.album import is_apple_album, is_takeout_album
from photoindex.media.sidecars.common import SIDECAR_LIMIT_BYTES, BrokenSidecar, as_utf8
from photoindex.types import SidecarKind

_KINDS = {
    b"xmp": SidecarKind.XMP,
    b"aae": SidecarKind.AAE,
    b"json": SidecarKind.TAKEOUT,
    b"csv": SidecarKind.APPLE_ALBUM,
}
_PICASA_NAMES = frozenset({b".picasa.ini", b"picasa.ini"})
_INI_SECTION = re.compile(rb"^\s*\[[^\]\r\n]+\]", re.MULTILINE)
_XMP_MARKER = re.compile(rb"<\s*(?:\w+:)?(?:xmpmeta|xapmeta|RDF)[\s/>]|<\?xpacket\s")
_PLIST_MARKER = re.compile(rb"<\s*plist[\s>]|<!DOCTYPE\s+plist\s")
_PHOTO_MEMBERS = (
    "photoTakenTime",
    "creationTime",
    "modificationTime",
    "photoLastModifiedTime",
    "imageViews",
    "geoDataExif",
    "googlePhotosOrigin",
)
"""Members that Takeout writes for photos but not for albums."""

_BLANK = b"\0 \t\r\n"
"""What a full disk or a power cut leaves in a file."""


def recognise_sidecar(name: bytes, content: Content) -> SidecarKind | None:
    """Return the kind of a sidecar, None for other files; the name is checked before any byte.

    Damaged sidecars are recognised too if their kind is clear; `read_sidecar` then reports the damage. XMP and AAE files of
    more than 4 MiB are recognised by their first 64 KiB, JSON of that size never. Blank XMP and AAE files count as damaged
    sidecars, and so does JSON that cannot be parsed if its name is one that Takeout uses; other JSON is ignored. What
    describes an album is a kind of its own.
    """
    if name.lower() in _PICASA_NAMES:
        return SidecarKind.PICASA if _INI_SECTION.search(as_utf8(content.head)) else None
    kind = _KINDS.get(name.rpartition(b".")[2].lower()) if b"." in name else None
    if kind is None:
        return None
    small = content.size_bytes <= SIDECAR_LIMIT_BYTES and content.data is not None
    data = content.data if small and content.data is not None else content.head
    if kind in (SidecarKind.XMP, SidecarKind.AAE) and not data.strip(_BLANK):
        return kind
    if kind is SidecarKind.XMP:
        return kind if _XMP_MARKER.search(as_utf8(data)) else None
    if kind is SidecarKind.AAE:
        return kind if _is_adjustment(data) else None
    return _recognise_text(as_utf8(data), name, kind) if small else None


def _recognise_text(text: bytes, name: bytes, kind: SidecarKind) -> SidecarKind | None:
    """Return the kind of a small JSON or CSV file, None for one that is no sidecar."""
    if kind is SidecarKind.APPLE_ALBUM:
        return kind if is_apple_album(text) else None
    if is_takeout_album(text):
        return SidecarKind.TAKEOUT_ALBUM
    return kind if _is_takeout(text) or _is_broken_takeout(text, name) else None


def _is_adjustment(data: bytes) -> bool:
    if data.startswith(b"bplist00"):
        return b"adjustment" in data
    text = as_utf8(data)
    return b"adjustment" in text and _PLIST_MARKER.search(text) is not None


def _is_takeout(text: bytes) -> bool:
    if not text.lstrip(b" \t\r\n").startswith(b"{") or b'"title"' not in text:
        return False
    if b'"geoData"' not in text and not any(f'"{member}"'.encode() in text for member in _PHOTO_MEMBERS):
        return False
    from photoindex.media.sidecars.takeout import parse_photo

    try:
        photo = parse_photo(text)
    except BrokenSidecar:
        return True
    if not isinstance(photo.get("title"), str):
        return False
    # Albums have a position too, but also an access setting.
    return any(member in photo for member in _PHOTO_MEMBERS) or ("geoData" in photo and "access" not in photo)


def _is_broken_takeout(text: bytes, name: bytes) -> bool:
    from photoindex.domain.sidecars.names import SidecarName, split_extension
    from photoindex.domain.sidecars.takeout_names import TakeoutJson
    from photoindex.media.identify.kind import MEDIA_EXTENSIONS

    json_file = TakeoutJson.of(SidecarName(0, name, SidecarKind.TAKEOUT))
    extensions = {split_extension(target)[1].lower() for target in (json_file.name, *json_file.targets)}
    if not any(extension[1:].encode("utf-8", "surrogateescape") in MEDIA_EXTENSIONS for extension in extensions):
        return False
    from photoindex.media.sidecars.takeout import OtherJson, parse_photo

    try:
        parse_photo(text)
    except OtherJson:
        return False
    except BrokenSidecar:
        return True
    return False
