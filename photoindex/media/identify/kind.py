"""Identifying a file's format by its magic bytes, never by its name."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from photoindex.media.identify.boxes import sniff_boxes
from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.media.identify.streams import sniff_stream
from photoindex.media.identify.tiff import sniff_tiff
from photoindex.types import Kind, MediaType

MEDIA_EXTENSIONS: frozenset[bytes] = frozenset(
    b"""
    jpg jpeg jpe jfif jif mpo png apng webp tif tiff gif bmp dib jp2 j2k jpf jpx jpc j2c heic heif hif heics heifs avif avifs jxl psd psb
    pbm pgm ppm pnm pam qoi
    3fr arw bay cr2 cr3 crw dcr dcs dng drf erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf ori pef ptx raf raw rw2 rwl rwz sr2
    srf srw sti x3f
    mov mp4 m4v qt 3gp 3g2 mkv webm avi mpg mpeg mpe m2v mts m2ts wmv asf flv ogv dv mj2
    """.split()
)
"""Lower-case extensions, without the dot, of photos and videos; a file with one whose content is unknown is reported as broken.

Extensions that usually mean something else (ts, cap) are left out; such files are still recognised by content.
"""

_MAGIC: tuple[tuple[int, bytes, Kind, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", Kind.IMAGE, "png"),
    (0, b"GIF87a", Kind.IMAGE, "gif"),
    (0, b"GIF89a", Kind.IMAGE, "gif"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Kind.IMAGE, "jp2"),
    (0, b"\xff\x4f\xff\x51\0", Kind.IMAGE, "j2k"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", Kind.IMAGE, "jxl"),
    (0, b"\xff\x0a", Kind.IMAGE, "jxl"),
    (0, b"8BPS\0\x01", Kind.IMAGE, "psd"),
    (0, b"8BPS\0\x02", Kind.IMAGE, "psd"),
    (6, b"HEAPCCDR", Kind.RAW, "crw"),
    (0, b"IIRO", Kind.RAW, "orf"),
    (0, b"IIRS", Kind.RAW, "orf"),
    (0, b"MMOR", Kind.RAW, "orf"),
    (0, b"IIU\0", Kind.RAW, "rw2"),
    (0, b"FUJIFILMCCD-RAW", Kind.RAW, "raf"),
    (0, b"\0MRM", Kind.RAW, "mrw"),
    (0, b"\0MRI", Kind.RAW, "mrw"),
    (0, b"FOVb", Kind.RAW, "x3f"),
    (25, b"ARECOYK", Kind.RAW, "raw"),
    (0, b"NOKIARAW", Kind.RAW, "raw"),
    (0, b"DSC-Image", Kind.RAW, "raw"),
    (0, b"qktk", Kind.RAW, "raw"),
    (0, b"qktn", Kind.RAW, "raw"),
)
"""Offset, magic bytes, kind, format: signatures that are unambiguous."""

_TIFF_HEADERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BMP_HEADER_BYTES = {12, 40, 52, 56, 64, 108, 124}
# MPO (CIPA DC-007): entries of these types are views of one scene; gain maps and previews have other types.
_MPO_VIEWS = {0x020001, 0x020002, 0x020003}
_PNM_SPACE = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+"
_PNM_HEADER = re.compile(rb"P([1-6])" + _PNM_SPACE + rb"(\d{1,9})" + _PNM_SPACE + rb"(\d{1,9})(?=[ \t\r\n\v\f])")
_PNM_MAXIMUM = re.compile(_PNM_SPACE + rb"(\d{1,5})[ \t\r\n\v\f]")
_PNM_TEXT = re.compile(rb"(?:[\d \t\r\n\v\f]|#[^\r\n]*(?:[\r\n]|\Z))+\Z")
_PAM_HEADER = re.compile(
    rb"P7\n(?=(?:.*\n)*?WIDTH \d)(?=(?:.*\n)*?HEIGHT \d)(?=(?:.*\n)*?DEPTH \d)(?=(?:.*\n)*?MAXVAL \d)(?:[ -~]*\n){4,40}?ENDHDR\n"
)


def sniff(head: bytes, open_file: Callable[[], BinaryIO] | None = None) -> MediaType | None:
    """Return the media type of a file from its first bytes, None if it is not a photo or video.

    head: the first 64 KiB, or all of a smaller file. `open_file` is called only if the head is not enough: for a TIFF
    directory or movie header further back. Raises OSError if that stream cannot be read.
    """
    for offset, magic, kind, name in _MAGIC:
        if head.startswith(magic, offset):
            return MediaType(kind, name)
    image_format = next((name for name, matches in _HEADER_TESTS if matches(head)), None)
    if image_format is not None:
        return MediaType(Kind.IMAGE, image_format)
    with RangedReader(head, open_file) as reader:
        if head.startswith(_TIFF_HEADERS):
            return sniff_tiff(reader)
        return sniff_boxes(reader) or sniff_stream(head)


def _is_jpeg(head: bytes) -> bool:
    return head.startswith(b"\xff\xd8\xff")


def _is_webp(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _is_mpo(head: bytes) -> bool:
    """Tell whether a JPEG's multi-picture index lists other views of the scene."""
    start = head.find(b"MPF\0") if _is_jpeg(head) else -1
    if start < 4 or head[start - 4 : start - 2] != b"\xff\xe2":
        return False
    block = head[start + 4 : start - 2 + int.from_bytes(head[start - 2 : start], "big")]
    order = "<" if block[:2] == b"II" else ">"
    try:
        (directory,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, directory)
        for index in range(min(count, 16)):
            tag, _, size, offset = struct.unpack_from(order + "HHII", block, directory + 2 + 12 * index)
            if tag == 0xB002:
                entries = range(offset, offset + min(size, 16 * 64), 16)
                return any(
                    struct.unpack_from(order + "I", block, entry)[0] & 0xFFFFFF in _MPO_VIEWS for entry in entries
                )
    except struct.error:
        return False
    return False


def _is_bmp(head: bytes) -> bool:
    if not head.startswith(b"BM") or len(head) < 26:
        return False
    header_bytes = int.from_bytes(head[14:18], "little")
    planes = int.from_bytes(head[22:24] if header_bytes == 12 else head[26:28], "little")
    return header_bytes in _BMP_HEADER_BYTES and planes == 1


def _is_pnm(head: bytes) -> bool:
    """Match a Netpbm file by its whole header, and by its digits if the pixels are text: prose can start with 'P1' too."""
    if head.startswith(b"P7"):
        return _PAM_HEADER.match(head) is not None
    header = _PNM_HEADER.match(head)
    if header is None or not int(header[2]) or not int(header[3]):
        return False
    end = header.end()
    if header[1] not in b"14":
        maximum = _PNM_MAXIMUM.match(head, end)
        if maximum is None or not 0 < int(maximum[1]) < 65536:
            return False
        end = maximum.end() - 1
    if header[1] in b"123":
        return len(head) > end + 1 and _PNM_TEXT.match(head, end) is not None
    return len(head) > end + 1


def _is_qoi(head: bytes) -> bool:
    return head.startswith(b"qoif") and len(head) >= 14 and head[12] in (3, 4) and head[13] in (0, 1)


_HEADER_TESTS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("mpo", _is_mpo),
    ("jpeg", _is_jpeg),
    ("webp", _is_webp),
    ("bmp", _is_bmp),
    ("pnm", _is_pnm),
    ("qoi", _is_qoi),
)
"""Formats that need a header test; the first match wins."""
