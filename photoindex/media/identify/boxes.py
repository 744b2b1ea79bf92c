"""Identifying ISO 14496-12 box files: HEIF, AVIF, Canon CR3, MP4, QuickTime and 3GP, and rejecting audio only."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.types import Kind, MediaType

_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {
    b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"jpeg", b"jpgs", b"j2ki", b"j2is", b"avci", b"avcs", b"vvic", b"vvis", b"evbi", b"unif",
}  # fmt: skip
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ", b"aax ", b"aaxc"}
_MOVIE_BRANDS = {
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"mp71", b"avc1", b"hvc1",
    b"hev1", b"av01", b"dash", b"f4v ", b"F4V ", b"MSNV", b"mp4v", b"mmp4", b"XAVC", b"NDSC", b"NDSM", b"CAEP", b"niko", b"pana",
    b"kddi", b"cmfc", b"cmf2", b"msdh", b"dby1", b"ndas",
}  # fmt: skip
_MOVIE_NAMES = {b"qt  ": "mov", b"M4V ": "m4v", b"M4VH": "m4v", b"M4VP": "m4v", b"mjp2": "mj2", b"mj2s": "mj2"}
_QUICKTIME_FIRST = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_MAX_BOXES = 256
_MAX_MOVIE_HEADER_BYTES = 64 << 20
_VIDEO_HANDLER = re.compile(rb"hdlr.{8}vide", re.DOTALL)
_AUDIO_HANDLER = re.compile(rb"hdlr.{8}soun", re.DOTALL)


def sniff_boxes(reader: RangedReader) -> MediaType | None:
    """Return the media type of an ISO 14496-12 or QuickTime file, None for audio only or other formats.

    Raises OSError if the movie header is past the head and cannot be read.
    """
    if reader.head[4:8] == b"ftyp":
        return _by_brand(reader)
    if reader.head[4:8] in _QUICKTIME_FIRST:
        # QuickTime files from before 2001 have no brand: accept them only if their boxes lead to a movie.
        names = [name for name, _, _ in top_level_boxes(reader)]
        if b"moov" in names or (b"mdat" in names and not reader.can_read_past_head):
            return _with_picture(reader, "mov")
    return None


def _by_brand(reader: RangedReader) -> MediaType | None:
    (size,) = struct.unpack(">I", reader.head[:4])
    if size < 16 or size > 4096:
        return None
    major = reader.head[8:12]
    table = reader.head[16:size]
    # `mif3` has the brand of the codec where others have a version number.
    brands = {
        major,
        reader.head[12:16] if major == b"mif3" else major,
        *(table[start : start + 4] for start in range(0, len(table) - 3, 4)),
    }
    if major == b"crx ":
        return MediaType(Kind.RAW, "cr3")
    if major in _HEVC_BRANDS | _AVIF_BRANDS | _HEIF_BRANDS:
        # If the major brand is generic (mif1, msf1), the compatible brands name the codec.
        if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and brands & _AVIF_BRANDS):
            return MediaType(Kind.IMAGE, "avif")
        return MediaType(Kind.IMAGE, "heic" if brands & _HEVC_BRANDS else "heif")
    return _movie_by_brand(reader, major, brands)


def _movie_by_brand(reader: RangedReader, major: bytes, brands: set[bytes]) -> MediaType | None:
    if major in _AUDIO_BRANDS:
        return None
    name = _MOVIE_NAMES.get(major)
    if name is None and major[:2] == b"3g":
        name = "3g2" if major[2:3] == b"2" else "3gp"
    if name is None and brands & _MOVIE_BRANDS:
        name = "mp4"
    return _with_picture(reader, name) if name else None


def _with_picture(reader: RangedReader, name: str) -> MediaType | None:
    """Return the video type unless there is a movie header that lists audio tracks only."""
    for box, start, size in top_level_boxes(reader):
        if box == b"moov":
            header = reader.read(start, min(size, _MAX_MOVIE_HEADER_BYTES))
            if _AUDIO_HANDLER.search(header) and not _VIDEO_HANDLER.search(header):
                return None
            break
    return MediaType(Kind.VIDEO, name)


def top_level_boxes(reader: RangedReader) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and size in bytes of each top-level box; stops at the first invalid one."""
    offset = 0
    for _ in range(_MAX_BOXES):
        header = reader.read(offset, 16)
        if len(header) < 8:
            return
        size = int.from_bytes(header[:4], "big")
        if size == 1 and len(header) == 16:
            size = int.from_bytes(header[8:], "big")
        elif size == 0:
            size = 1 << 62
        name = header[4:8]
        if size < 8 or not all(32 <= byte < 127 or byte == 0xA9 for byte in name):
            return
        yield name, offset, size
        offset += size
