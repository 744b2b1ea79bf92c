"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from photoindex.types import Kind, MediaType

MEDIA_EXTENSIONS: frozenset[bytes] = frozenset(
    b"""
    jpg jpeg jpe jfif jif mpo png apng webp tif tiff gif bmp dib jp2 j2k jpf jpx jpc j2c heic heif hif heics heifs avif avifs jxl psd psb
    pbm pgm ppm pnm pam qoi
    3fr arw bay cap cr2 cr3 crw cs1 dcr dcs dng drf erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf ori pef ptx pxn r3d raf raw
    rw2 rwl rwz sr2 srf srw sti x3f
    mov mp4 m4v qt 3gp 3g2 mkv webm avi mpg mpeg mpe m2v mts m2ts ts wmv asf flv ogv dv mj2 mxf
    """.split()
)
"""Lower-case extensions, without the dot, of photos and videos: unrecognised content under such a name is a broken photo."""

_SIMPLE: tuple[tuple[bytes, MediaType], ...] = (
    (b"\xff\xd8\xff", MediaType(Kind.IMAGE, "jpeg")),
    (b"\x89PNG\r\n\x1a\n", MediaType(Kind.IMAGE, "png")),
    (b"GIF87a", MediaType(Kind.IMAGE, "gif")),
    (b"GIF89a", MediaType(Kind.IMAGE, "gif")),
    (b"II*\0", MediaType(Kind.IMAGE, "tiff")),
    (b"MM\0*", MediaType(Kind.IMAGE, "tiff")),
)


def sniff(head: bytes, open_file: Callable[[], BinaryIO] | None = None) -> MediaType | None:
    """Return the type of the content that begins with `head` (64 KiB, or all of a smaller file), None when it is no medium.

    `open_file` is asked for a stream only where the head cannot decide (a TIFF directory or a movie header further back).
    """
    for magic, media in _SIMPLE:
        if head.startswith(magic):
            return media
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
            return MediaType(Kind.IMAGE, "heic")
        if brand == b"avif":
            return MediaType(Kind.IMAGE, "avif")
        if brand == b"crx ":
            return MediaType(Kind.RAW, "cr3")
        return MediaType(Kind.VIDEO, "mov" if brand == b"qt  " else "mp4")
    return None
