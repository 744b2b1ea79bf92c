"""Pictures with very many pixels that take no time to make."""

from __future__ import annotations

import io
import struct

import pillow_heif
from PIL import Image

from tests.metadata_blocks import box


def heic_of_tiles(columns: int, rows: int, tile_px: int) -> bytes:
    """Return a HEIC (ISO 23008-12) of a grid whose square tiles all have the same bytes in the file, all (90, 120, 60)."""
    out = io.BytesIO()
    tile = Image.new("RGB", (tile_px, tile_px), (90, 120, 60))
    pillow_heif.encode("RGB", tile.size, tile.tobytes(), out, quality=60, enc_params={"preset": "ultrafast"})
    whole = out.getvalue()
    place = whole.index(b"hvcC") - 4
    coding = whole[place : place + int.from_bytes(whole[place : place + 4], "big")]
    pixels = whole[whole.index(b"mdat") + 4 :]
    items = range(2, 2 + columns * rows)
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, columns * tile_px, rows * tile_px)
    properties = box(b"ipco", coding + _size(tile_px, tile_px) + _size(columns * tile_px, rows * tile_px))
    associations = struct.pack(">IIHBB", 0, 1 + len(items), 1, 1, 3)
    associations += b"".join(struct.pack(">HBBB", item, 2, 0x80 | 1, 2) for item in items)
    names = box(b"infe", struct.pack(">IHH4sx", 2 << 24, 1, 0, b"grid"))
    names += b"".join(box(b"infe", struct.pack(">IHH4sx", 2 << 24 | 1, item, 0, b"hvc1")) for item in items)
    parts = struct.pack(f">HH{len(items)}H", 1, len(items), *items)

    def meta(offset: int) -> bytes:
        places = struct.pack(">IBBH", 1 << 24, 0x44, 0, 1 + len(items)) + struct.pack(
            ">HHHHII", 1, 1, 0, 1, 0, len(grid)
        )
        places += b"".join(struct.pack(">HHHHII", item, 0, 0, 1, offset, len(pixels)) for item in items)
        return box(
            b"meta",
            bytes(4)
            + box(b"hdlr", struct.pack(">II4s12xx", 0, 0, b"pict"))
            + box(b"pitm", struct.pack(">IH", 0, 1))
            + box(b"iloc", places)
            + box(b"iinf", struct.pack(">IH", 0, 1 + len(items)) + names)
            + box(b"iref", bytes(4) + box(b"dimg", parts))
            + box(b"iprp", properties + box(b"ipma", associations))
            + box(b"idat", grid),
        )

    head = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", pixels)


def _size(width: int, height: int) -> bytes:
    return box(b"ispe", struct.pack(">III", 0, width, height))
