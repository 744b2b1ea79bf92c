"""Telling plain TIFF pictures from TIFF-based RAW formats by their directories."""

from __future__ import annotations

from dataclasses import dataclass, field

from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.media.identify.tiff_walk import walk
from photoindex.types import Kind, MediaType

TIFF = MediaType(Kind.IMAGE, "tiff")

# Tags of TIFF 6.0, TIFF/EP (ISO 12234-2), DNG 1.7 and camera makers.
_COMPRESSION, _PHOTOMETRIC, _MAKE, _MODEL = 0x0103, 0x0106, 0x010F, 0x0110
_JPEG_OFFSET, _CFA_PATTERN, _LEAF_DATA, _DNG_VERSION, _DNG_PRIVATE = 0x0201, 0x828E, 0x8606, 0xC612, 0xC634
_WANTED = frozenset(
    {_COMPRESSION, _PHOTOMETRIC, _MAKE, _MODEL, _JPEG_OFFSET, _CFA_PATTERN, _LEAF_DATA, _DNG_VERSION, _DNG_PRIVATE}
)

_RAW_PHOTOMETRIC = {32803, 34892}  # colour filter array, linear raw
_RAW_COMPRESSION = {
    262,  # Kodak
    32767,  # Sony ARW
    32769,  # packed RAW
    32770,  # Samsung
    34713,  # Nikon
    65000,  # Kodak DCR
    65535,  # Pentax
}
_OLD_JPEG = 6

_MAKERS: tuple[tuple[bytes, str], ...] = (
    (b"CANON", "cr2"),
    (b"NIKON", "nef"),
    (b"SONY", "arw"),
    (b"PENTAX", "pef"),
    (b"ASAHI", "pef"),
    (b"RICOH", "pef"),
    (b"SAMSUNG", "srw"),
    (b"HASSELBLAD", "3fr"),
    (b"IMACON", "fff"),
    (b"SEIKO EPSON", "erf"),
    (b"MAMIYA", "mef"),
    (b"LEAF", "mos"),
    (b"PHASE ONE", "iiq"),
    (b"KODAK", "dcr"),
    (b"EASTMAN KODAK", "dcr"),
    (b"OLYMPUS", "orf"),
    (b"PANASONIC", "rw2"),
    (b"LEICA", "rwl"),
)


@dataclass(slots=True)
class _Survey:
    """Values collected from all directories of one file."""

    photometric: set[int] = field(default_factory=set)
    compression: set[int] = field(default_factory=set)
    tags: set[int] = field(default_factory=set)
    make: bytes = b""
    model: bytes = b""


def sniff_tiff(reader: RangedReader) -> MediaType:
    """Return the media type of a file with a TIFF header: a RAW format if its directories show one, else TIFF.

    Raises OSError if a directory past the head cannot be read.
    """
    head = reader.head
    if head[8:10] == b"CR" and head[2:4] == b"*\0":
        return MediaType(Kind.RAW, "cr2")
    if head[8:12] in (b"IIII", b"MMMM"):
        return MediaType(Kind.RAW, "iiq")
    found = _survey(reader)
    if _DNG_VERSION in found.tags:
        return MediaType(Kind.RAW, "dng")
    if not _is_raw(found):
        return TIFF
    return MediaType(Kind.RAW, _format(found))


def _survey(reader: RangedReader) -> _Survey:
    found = _Survey()
    for entries in walk(reader, _WANTED):
        found.tags.update(entries)
        if _MAKE in entries and not found.make:
            found.make = entries[_MAKE].text().upper()
        if _MODEL in entries and not found.model:
            found.model = entries[_MODEL].text().upper()
        if _PHOTOMETRIC in entries:
            found.photometric.update(entries[_PHOTOMETRIC].numbers()[:1])
        if _COMPRESSION in entries:
            found.compression.update(entries[_COMPRESSION].numbers()[:1])
    return found


def _is_raw(found: _Survey) -> bool:
    if found.photometric & _RAW_PHOTOMETRIC or found.compression & _RAW_COMPRESSION:
        return True
    if _CFA_PATTERN in found.tags or _LEAF_DATA in found.tags:
        return True
    # These cameras keep the sensor data in private directories; the public ones hold only small JPEGs.
    camera = found.make.startswith((b"SONY", b"CANON", b"NIKON", b"KODAK", b"EASTMAN KODAK"))
    return camera and (_DNG_PRIVATE in found.tags or (_OLD_JPEG in found.compression and _JPEG_OFFSET in found.tags))


def _format(found: _Survey) -> str:
    if found.make.startswith(b"NIKON") and found.model.startswith(b"COOLPIX"):
        return "nrw"
    if found.model.startswith((b"DSC-F828", b"DSC-V3")):
        return "srf"
    if found.model.startswith(b"DSC-R1"):
        return "sr2"
    name = next((name for maker, name in _MAKERS if found.make.startswith(maker)), "raw")
    if name == "dcr" and b"DCS" not in found.model:
        return "kdc"
    return name
