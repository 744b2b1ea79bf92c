"""How the picture in a HEIF or AVIF file is coded, to say why no decoder reads it."""

from __future__ import annotations

from collections.abc import Iterator

_CODINGS = {
    b"unci": "uncompressed pixels (ISO 23001-17)",
    b"j2k1": "JPEG 2000",
    b"jpeg": "JPEG",
    b"avc1": "H.264 (AVC)",
    b"vvc1": "H.266 (VVC)",
    b"evc1": "EVC",
    b"lhv1": "layered HEVC",
    b"jxl ": "JPEG XL",
}
"""Item types (ISO 23008-12 and 23001-17) that neither libheif nor libavif, as they come with the program, decode."""
_DECODED = {b"hvc1", b"av01"}
_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes whose contents are boxes -> bytes before those."""
_MAX_BOXES = 4096
_REMEDY = "; convert it, for example with: heif-dec FILE FILE.png"


def unsupported_coding(data: bytes) -> str | None:
    """Return what in the first bytes of a HEIF or AVIF file no decoder supports, and the remedy, None if nothing is known."""
    found = list(_boxes(data, 0, len(data), [_MAX_BOXES]))
    names = {name for name, _ in found}
    if b"mini" in names and b"meta" not in names:
        return (
            "the picture is in a MinimizedImageBox (brand mif3; ISO 23008-12), which this version does not support"
            + _REMEDY
        )
    types = {content[8:12] for name, content in found if name == b"infe" and content[:1] in (b"\2", b"\3")}
    coding = next((_CODINGS[kind] for kind in sorted(types) if kind in _CODINGS), None)
    if coding is None or types & _DECODED:
        return None
    packing = next((content[4:8].decode("ascii", "replace") for name, content in found if name == b"cmpC"), None)
    packed = f", compressed by {packing}" if packing else ""
    return f"the picture is coded as {coding}{packed}, which this version does not support" + _REMEDY


def _boxes(data: bytes, start: int, end: int, left: list[int]) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and the first bytes of each box, also of those in `meta`; stops at the first invalid one."""
    while start + 8 <= end and left[0] > 0:
        left[0] -= 1
        size, name, content = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], start + 8
        if size == 1:
            size, content = int.from_bytes(data[content : content + 8], "big"), content + 8
        last = end if size == 0 else min(start + size, end)
        if last < content:
            return
        yield name, data[content : min(last, content + 16)]
        if name in _CONTAINERS:
            yield from _boxes(data, content + _CONTAINERS[name], last, left)
        elif name == b"iinf":
            yield from _boxes(data, content + (6 if data[content : content + 1] == b"\0" else 8), last, left)
        start = last
