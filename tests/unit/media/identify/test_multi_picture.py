"""Detecting animations, pages and views in real files of every format that supports them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from photoindex.media.identify.multi_picture import ANIMATED, MULTI_PAGE, MULTI_VIEW, multi_picture_reason
from photoindex.media.identify.ranged_reader import RangedReader

FRAMES = [Image.effect_noise((60, 40), 60 + 20 * number).convert("RGB") for number in range(3)]
FORMATS = ["gif", "png", "webp", "tiff", "avif"]


def saved(format_name: str, count: int, **options: object) -> bytes:
    stream = io.BytesIO()
    if count > 1:
        options |= {"save_all": True, "append_images": FRAMES[1:count]}
    FRAMES[0].save(stream, format_name, **options)
    return stream.getvalue()


def checked(data: bytes, format_name: str, head_bytes: int = 64) -> str | None:
    with RangedReader(data[:head_bytes], lambda: io.BytesIO(data)) as reader:
        return multi_picture_reason(reader, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_single_pictures_are_distinguished_from_animations_and_pages(format_name: str) -> None:
    assert checked(saved(format_name, 1), format_name) is None
    expected = MULTI_PAGE if format_name == "tiff" else ANIMATED
    assert checked(saved(format_name, 2), format_name) == expected
    assert checked(saved(format_name, 3), format_name) == expected


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_file_truncated_anywhere_raises_nothing(format_name: str) -> None:
    data = saved(format_name, 2)
    for size in (0, 1, 7, 12, 13, 20, 40, 100, len(data) // 2, len(data) - 1):
        assert checked(data[:size], format_name) in (None, ANIMATED, MULTI_PAGE)


def test_gif_comments_and_local_colour_tables_are_not_counted_as_frames() -> None:
    assert checked(saved("gif", 1, comment=b"," * 600), "gif") is None
    # One frame with a local colour table.
    whole = saved("gif", 1)
    table = 3 << ((whole[10] & 7) + 1)
    colours = whole[13 : 13 + table]
    start = whole.index(b",", 13 + table)
    own = bytes([whole[10] & 7 | 0x80])
    moved = whole[:10] + b"\0" + whole[11:13] + whole[13 + table : start + 9] + own + colours + whole[start + 10 :]
    with Image.open(io.BytesIO(moved)) as picture:
        assert picture.n_frames == 1
    assert checked(moved, "gif") is None


def test_a_gif_of_endless_blocks_counts_as_animated() -> None:
    blocks = b"!\xfe" + b"\1x" * 200_000
    assert checked(b"GIF89a\1\0\1\0\0\0\0" + blocks, "gif", 4096) == ANIMATED


def test_a_thumbnail_inside_a_tiff_is_not_a_page() -> None:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    stream = io.BytesIO()
    second = ImageFileDirectory_v2()
    second[254] = 1
    small = FRAMES[1].resize((15, 10))
    small.encoderinfo = {"tiffinfo": second}
    FRAMES[0].save(stream, "tiff", save_all=True, append_images=[small])
    with Image.open(stream) as picture:
        assert picture.n_frames == 2
    assert checked(stream.getvalue(), "tiff") is None


def jxl(*fields: tuple[int, int]) -> bytes:
    """Return the first bytes of a codestream with these fields, each (value, bits)."""
    value = shift = 0
    for number, bits in fields:
        value |= number << shift
        shift += bits
    return b"\xff\x0a" + value.to_bytes(40, "little")


SIZE = ((0, 1), (1, 2), (749, 13), (0, 3), (1, 2), (999, 13))
SIZE_IN_EIGHTS = ((1, 1), (3, 5), (1, 3))


@pytest.mark.parametrize("size", [SIZE, SIZE_IN_EIGHTS])
def test_animation_is_read_from_the_jpeg_xl_header(size: tuple[tuple[int, int], ...]) -> None:
    extra, no_size, size_too = ((0, 1), (1, 1), (0, 3)), (0, 1), ((1, 1), *SIZE)
    assert checked(jxl(*size, (1, 1)), "jxl") is None
    assert checked(jxl(*size, (0, 1), (0, 1)), "jxl") is None
    assert checked(jxl(*size, *extra, no_size, (0, 1), (0, 1)), "jxl") is None
    assert checked(jxl(*size, *extra, no_size, (0, 1), (1, 1)), "jxl") == ANIMATED
    moving = jxl(*size, *extra, *size_too, (0, 1), (1, 1))
    assert checked(moving, "jxl") == ANIMATED
    signature = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    for name, number in ((b"jxlc", b""), (b"jxlp", b"\0\0\0\0")):
        box = (8 + len(number) + len(moving)).to_bytes(4, "big") + name + number + moving
        assert checked(signature + box, "jxl") == ANIMATED
        assert checked(signature + b"\0\0\0\1" + name + (len(box) + 8).to_bytes(8, "big") + box[8:], "jxl") == ANIMATED


def test_a_real_jpeg_xl_is_one_picture() -> None:
    pytest.importorskip("pillow_jxl")
    assert checked(saved("jxl", 1), "jxl") is None
    assert checked(saved("jxl", 1, lossless=True), "jxl") is None


def test_an_mpo_is_multi_view_and_single_picture_formats_are_not_read() -> None:
    assert checked(b"", "mpo") == MULTI_VIEW

    def refuse() -> io.BytesIO:
        raise AssertionError("the file was opened")

    with RangedReader(b"", refuse) as reader:
        for format_name in ("jpeg", "bmp", "cr2", "mp4"):
            assert multi_picture_reason(reader, format_name) is None
