"""The profile of Adobe RGB (1998), for cameras that name it in EXIF and embed none."""

from __future__ import annotations

import struct
from functools import lru_cache

# Colorants as XYZ under D50, and the curve's exponent, as in section 4.3 of Adobe RGB (1998), version 2005-05.
_WHITE = (0.9642, 1.0, 0.8249)
_PRIMARIES = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
_GAMMA = 563 / 256
_HEADER_BYTES = 128


@lru_cache(maxsize=1)
def adobe_rgb_profile() -> bytes:
    """Return an ICC profile (ICC.1:2001-04, three components and matrix) of Adobe RGB (1998)."""
    description = b"desc\0\0\0\0" + struct.pack(">I", 10) + b"Adobe RGB\0" + bytes(78)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(_GAMMA * 256))
    tags = [
        (b"desc", description),
        (b"wtpt", _xyz(_WHITE)),
        *zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, _PRIMARIES), strict=True),
        *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    table, body = struct.pack(">I", len(tags)), b""
    first = _HEADER_BYTES + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", first + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4xI12s", first + len(body), 0x02100000, b"mntrRGB XYZ ").ljust(36, b"\0") + b"acsp"
    illuminant = struct.pack(">3i", *(round(value * 65536) for value in _WHITE))
    return (header.ljust(68, b"\0") + illuminant).ljust(_HEADER_BYTES, b"\0") + table + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))
