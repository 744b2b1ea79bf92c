"""Rare variants of formats are read, or refused with what they are and what helps."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from photoindex.media.problems import TooLarge, Undecodable
from photoindex.types import Limits
from tests.metadata_blocks import box, described
from tests.unit.media.media_pictures import Array, adobe_rgb_profile, corners, decoded, is_scene, saved, scene

WIDTH, HEIGHT = 96, 64
SCENE = np.asarray(scene(WIDTH, HEIGHT))
OPAQUE = np.full((HEIGHT, WIDTH), 255, np.uint8)
BIT_FIELDS, ALPHA_BIT_FIELDS = 3, 6
LAYOUTS = {
    "xRGB": (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    "xBGR": (32, (0xFF, 0xFF00, 0xFF0000, 0)),
    "RGBx": (32, (0xFF000000, 0xFF0000, 0xFF00, 0)),
    "10 bits": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0)),
    "ARGB": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "ABGR": (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    "RGBA": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
    "565": (16, (0xF800, 0x7E0, 0x1F, 0)),
    "555": (16, (0x7C00, 0x3E0, 0x1F, 0)),
    "565 BGR": (16, (0x1F, 0x7E0, 0xF800, 0)),
    "1555": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "4444": (16, (0xF00, 0xF0, 0xF, 0xF000)),
}


def bmp(
    bits: int,
    masks: tuple[int, ...],
    *,
    header: int = 124,
    kind: int = BIT_FIELDS,
    alpha: Array = OPAQUE,
    rows: int = -1,
) -> bytes:
    """Return a BMP of the scene in bit fields; `rows` is -1 where the first row is at the top, 1 at the bottom."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint64)
    for mask, values in zip(masks, (*np.moveaxis(SCENE, 2, 0), alpha), strict=True):
        if mask:
            shift = (mask & -mask).bit_length() - 1
            pixels |= (values.astype(np.uint64) * (mask >> shift) + 127) // 255 << shift
    data = pixels[::-rows].astype(f"<u{bits // 8}").tobytes()
    info = struct.pack("<IiiHHI20x", header, WIDTH, rows * HEIGHT, 1, bits, kind)
    info += struct.pack("<4I", *masks)[: 16 if kind == ALPHA_BIT_FIELDS or header >= 56 else 12]
    info = info.ljust(header, b"\0")
    return b"BM" + struct.pack("<I4xI", 14 + len(info) + len(data), 14 + len(info)) + info + data


@pytest.mark.parametrize("rows", [-1, 1])
@pytest.mark.parametrize("header", [40, 56, 108, 124])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_bmp_with_any_bit_fields(layout: str, header: int, rows: int) -> None:
    bits, masks = LAYOUTS[layout]
    kind = ALPHA_BIT_FIELDS if header == 40 and masks[3] else BIT_FIELDS
    assert is_scene(decoded(bmp(bits, masks, header=header, kind=kind, rows=rows)).array)


def test_transparency_of_bmp_is_on_white_and_an_empty_alpha_field_is_none() -> None:
    bits, masks = LAYOUTS["ABGR"]
    half = decoded(bmp(bits, masks, alpha=OPAQUE // 2)).array
    assert np.abs(half.astype(int) - (SCENE.astype(int) + 255) // 2).max() <= 2
    assert is_scene(decoded(bmp(bits, masks, alpha=OPAQUE * 0)).array)


def test_damaged_bit_fields_and_truncated_pixels_are_named() -> None:
    with pytest.raises(Undecodable, match="one run of bits"):
        decoded(bmp(32, (0xFF00FF, 0xFF00, 0xFF, 0)))
    with pytest.raises(Undecodable, match="truncated"):
        decoded(bmp(*LAYOUTS["xBGR"])[:-10])
    with pytest.raises(TooLarge, match="--max-megapixels"):
        decoded(bmp(*LAYOUTS["xBGR"]), limits=Limits(max_megapixels=0.001))


def photoshop(planes: list[Array], mode: int, bits: int, *, packed: bool, large: bool, icc: bytes = b"") -> bytes:
    """Return a PSD, or with `large` a PSB, of these channels, uint8 [height, width] each."""
    resources = b"8BIM\x04\x0f\0\0" + struct.pack(">I", len(icc)) + icc + bytes(len(icc) & 1) if icc else b""
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 2 if large else 1, len(planes), HEIGHT, WIDTH, bits, mode)
    head += bytes(4) + struct.pack(">I", len(resources)) + resources + bytes(8 if large else 4)
    rows = []
    for plane, row in itertools.product(planes, range(HEIGHT)):
        values = plane[row] if bits == 8 else plane[row].astype(">u2") * 256 + 77
        rows.append(values.astype(f">u{bits // 8}").tobytes())
    if not packed:
        return head + b"\0\0" + b"".join(rows)
    runs = [
        b"".join(bytes([len(row[at : at + 100]) - 1]) + row[at : at + 100] for at in range(0, len(row), 100))
        for row in rows
    ]
    return head + b"\0\1" + struct.pack(f">{len(runs)}{'I' if large else 'H'}", *map(len, runs)) + b"".join(runs)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("bits", "large"), [(16, False), (8, True), (16, True)])
@pytest.mark.parametrize("name", ["grey", "RGB", "RGBA", "CMYK", "CMYK and spot", "Lab"])
def test_photoshop_files_of_16_bits_and_large_ones(name: str, bits: int, large: bool, packed: bool) -> None:
    colours = list(np.moveaxis(SCENE, 2, 0))
    lab = np.asarray(scene(WIDTH, HEIGHT).convert("LAB")) ^ np.array((0, 128, 128), np.uint8)
    mode, planes = {
        "grey": (1, [SCENE[..., 1]]),
        "RGB": (3, colours),
        "RGBA": (3, [*colours, OPAQUE]),
        "CMYK": (4, [*colours, OPAQUE]),  # full ink is 0
        "CMYK and spot": (4, [*colours, OPAQUE, OPAQUE]),
        "Lab": (9, list(np.moveaxis(lab, 2, 0))),
    }[name]
    array = decoded(photoshop(planes, mode, bits, packed=packed, large=large)).array
    if name == "grey":
        assert np.array_equal(array, np.repeat(SCENE[..., 1:2], 3, axis=2))
    else:
        assert is_scene(array)


def test_the_profile_of_a_photoshop_file_of_16_bits_is_used() -> None:
    planes = list(np.moveaxis(SCENE, 2, 0))
    data = photoshop(planes, 3, 16, packed=False, large=False, icc=adobe_rgb_profile())
    expected = decoded(saved(scene(WIDTH, HEIGHT), "PNG", icc_profile=adobe_rgb_profile())).array
    assert corners(decoded(data).array) == corners(expected)


def test_other_photoshop_files_are_refused_by_name() -> None:
    with pytest.raises(Undecodable, match=r"32 bits a channel.*save it as"):
        decoded(photoshop([SCENE[..., 0]], 1, 32, packed=False, large=False))
    with pytest.raises(Undecodable, match="truncated"):
        decoded(photoshop(list(np.moveaxis(SCENE, 2, 0)), 3, 16, packed=False, large=False)[:-10])


def big_tiff(order: str, *, deflate: bool = False, offset: int | None = None, icc: bytes = b"") -> bytes:
    """Return a BigTIFF (libtiff's specification) of the scene with an EXIF directory."""
    data = zlib.compress(SCENE.tobytes()) if deflate else SCENE.tobytes()
    data += bytes(-len(data) % 8)

    def directory(entries: list[tuple[int, int, tuple[int, ...] | bytes]], start: int) -> bytes:
        table, tail = struct.pack(order + "Q", len(entries)), b""
        values = start + 8 + 20 * len(entries) + 8
        for tag, kind, given in entries:
            code = {2: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}[kind]
            value = struct.pack(f"{order}{len(given)}{code}", *given)
            inline = value.ljust(8, b"\0") if len(value) <= 8 else struct.pack(order + "Q", values + len(tail))
            tail += value if len(value) > 8 else b""
            table += struct.pack(order + "HHQ", tag, kind, len(given)) + inline
        return table + bytes(8) + tail

    exif = directory([(0x9003, 2, b"2019:06:01 12:34:56\0")], 16 + len(data))
    entries: list[tuple[int, int, tuple[int, ...] | bytes]] = [
        (256, 4, (WIDTH,)), (257, 4, (HEIGHT,)), (258, 3, (8, 8, 8)), (259, 3, (8 if deflate else 1,)), (262, 3, (2,)),
        (271, 2, b"Photoindex\0"), (273, 16, (16 if offset is None else offset,)), (277, 3, (3,)), (278, 4, (HEIGHT,)),
        (279, 16, (len(data),)), (34665, 18, (16 + len(data),)), *([(34675, 7, icc)] if icc else []),
    ]  # fmt: skip
    at = 16 + len(data) + len(exif)
    name = b"II" if order == "<" else b"MM"
    return name + struct.pack(order + "HHHQ", 43, 8, 0, at) + data + exif + directory(entries, at)


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_big_tiff_of_both_byte_orders(order: str, deflate: bool) -> None:
    data = big_tiff(order, deflate=deflate)
    assert np.array_equal(decoded(data).array, SCENE)
    result = described(data, "tiff")
    assert (result.width, result.height, result.notes) == (WIDTH, HEIGHT, ())
    assert result.facts["exif"]["camera_make"] == "Photoindex"
    assert result.facts["exif"]["taken_at"] == "2019-06-01T12:34:56"


def test_the_profile_of_a_big_endian_big_tiff_is_used() -> None:
    expected = decoded(saved(scene(WIDTH, HEIGHT), "PNG", icc_profile=adobe_rgb_profile())).array
    assert corners(decoded(big_tiff(">", icc=adobe_rgb_profile())).array) == corners(expected)


def test_a_big_endian_big_tiff_beyond_4_gib_is_refused_by_name() -> None:
    with pytest.raises(Undecodable, match="up to 4 GiB only; save it as"):
        decoded(big_tiff(">", offset=1 << 33))
    for order in "<>":
        assert described(big_tiff(order, offset=1 << 33), "tiff").facts["exif"]["camera_make"] == "Photoindex"
    with pytest.raises(Undecodable, match="directory of the BigTIFF"):
        decoded(big_tiff(">")[:1000])


def full(name: bytes, version: int, *parts: bytes) -> bytes:
    return box(name, bytes([version, 0, 0, 0]), *parts)


def uncompressed_heif(major: bytes, packing: bytes | None) -> bytes:
    """Return a HEIF of uncompressed RGB (ISO 23001-17), packed as a `cmpC` box says."""
    data = SCENE.tobytes() if packing is None else zlib.compress(SCENE.tobytes())
    components = b"".join(struct.pack(">HBBB", index, 7, 0, 0) for index in range(3))
    properties = [
        box(b"cmpd", struct.pack(">I3H", 3, 4, 5, 6)),
        full(b"uncC", 0, bytes(4), struct.pack(">I", 3), components, bytes([0, 1, 0, 0]), bytes(20)),
        full(b"ispe", 0, struct.pack(">II", WIDTH, HEIGHT)),
        *([] if packing is None else [full(b"cmpC", 0, packing, b"\0")]),
    ]
    uses = bytes(range(0x81, 0x81 + len(properties)))

    def meta(offset: int) -> bytes:
        return full(
            b"meta",
            0,
            box(b"hdlr", struct.pack(">II4s12xx", 0, 0, b"pict")),
            full(b"pitm", 0, b"\0\1"),
            full(b"iloc", 0, struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(data))),
            full(b"iinf", 0, b"\0\1", full(b"infe", 2, struct.pack(">HH4sx", 1, 0, b"unci"))),
            box(b"iprp", box(b"ipco", *properties), full(b"ipma", 0, struct.pack(">IHB", 1, 1, len(uses)), uses)),
        )

    head = box(b"ftyp", major + b"\0\0\0\0mif1unif")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", data)


@pytest.mark.parametrize("major", [b"mif1", b"unif"])
@pytest.mark.parametrize(
    ("packing", "said"), [(None, ","), (b"zlib", ", compressed by zlib,"), (b"defl", ", compressed by defl,")]
)
def test_uncompressed_heif_is_refused_by_name(major: bytes, packing: bytes | None, said: str) -> None:
    data = uncompressed_heif(major, packing)
    reason = f"uncompressed pixels (ISO 23001-17){said} which this version does not support; convert it"
    with pytest.raises(Undecodable) as refused:  # until a libheif with this codec comes with pillow-heif
        decoded(data)
    assert reason in str(refused.value)
    assert reason in described(data, "heif").notes[0]


@pytest.mark.parametrize("codec", [b"avif", b"heic"])
@pytest.mark.parametrize("table", [b"", b"mif3"])
def test_a_picture_in_a_minimized_box_is_refused_by_name(codec: bytes, table: bytes) -> None:
    data = box(b"ftyp", b"mif3", codec, table) + box(b"mini", bytes(range(200)))
    with pytest.raises(Undecodable, match=r"MinimizedImageBox.*convert it"):
        decoded(data)
    notes = described(data, codec.decode()).notes
    assert "MinimizedImageBox" in notes[0]
    assert "damaged" not in " ".join(notes)


def test_avif_with_an_unusual_major_brand_is_read() -> None:
    data = saved(scene(WIDTH, HEIGHT), "AVIF")
    for major in (b"mif2", b"mif3", b"miaf"):
        assert is_scene(decoded(data.replace(b"ftypavif", b"ftyp" + major, 1)).array)


def test_a_little_endian_big_tiff_by_pillow_equals_ours() -> None:
    out = io.BytesIO()
    Image.fromarray(SCENE).save(out, "TIFF", big_tiff=True)
    assert np.array_equal(decoded(out.getvalue()).array, decoded(big_tiff(">")).array)
