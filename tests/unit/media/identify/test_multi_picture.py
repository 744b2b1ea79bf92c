"""Whether a file shows more than its first picture, told from real files of every format that can."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from photoindex.media.identify.multi_picture import MOVES, PAGES, VIEWS, further_pictures
from photoindex.media.identify.ranged_reader import Reach

FRAMES = [Image.effect_noise((60, 40), 60 + 20 * number).convert("RGB") for number in range(3)]
FORMATS = ["gif", "png", "webp", "tiff", "avif"]


def saved(format_name: str, count: int, **options: object) -> bytes:
    stream = io.BytesIO()
    if count > 1:
        options |= {"save_all": True, "append_images": FRAMES[1:count]}
    FRAMES[0].save(stream, format_name, **options)
    return stream.getvalue()


def told(data: bytes, format_name: str, head_bytes: int = 64) -> str | None:
    with Reach(data[:head_bytes], lambda: io.BytesIO(data)) as reach:
        return further_pictures(reach, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_picture_alone_is_told_from_several(format_name: str) -> None:
    assert told(saved(format_name, 1), format_name) is None
    expected = PAGES if format_name == "tiff" else MOVES
    assert told(saved(format_name, 2), format_name) == expected
    assert told(saved(format_name, 3), format_name) == expected


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_file_that_ends_anywhere_does_no_harm(format_name: str) -> None:
    data = saved(format_name, 2)
    for size in (0, 1, 7, 12, 13, 20, 40, 100, len(data) // 2, len(data) - 1):
        assert told(data[:size], format_name) in (None, MOVES, PAGES)


def test_a_comment_in_a_gif_and_a_colour_table_of_a_frame_are_no_frames() -> None:
    assert told(saved("gif", 1, comment=b"," * 600), "gif") is None
    # One frame with a colour table of its own, as an encoder may write it.
    whole = saved("gif", 1)
    table = 3 << ((whole[10] & 7) + 1)
    colours = whole[13 : 13 + table]
    start = whole.index(b",", 13 + table)
    own = bytes([whole[10] & 7 | 0x80])
    moved = whole[:10] + b"\0" + whole[11:13] + whole[13 + table : start + 9] + own + colours + whole[start + 10 :]
    with Image.open(io.BytesIO(moved)) as picture:
        assert picture.n_frames == 1
    assert told(moved, "gif") is None


def test_a_gif_of_endless_blocks_is_not_believed_to_be_one_picture() -> None:
    blocks = b"!\xfe" + b"\1x" * 200_000
    assert told(b"GIF89a\1\0\1\0\0\0\0" + blocks, "gif", 4096) == MOVES


def test_a_small_copy_inside_a_tiff_is_no_page() -> None:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    stream = io.BytesIO()
    second = ImageFileDirectory_v2()
    second[254] = 1
    small = FRAMES[1].resize((15, 10))
    small.encoderinfo = {"tiffinfo": second}
    FRAMES[0].save(stream, "tiff", save_all=True, append_images=[small])
    with Image.open(stream) as picture:
        assert picture.n_frames == 2
    assert told(stream.getvalue(), "tiff") is None


def jxl(*fields: tuple[int, int]) -> bytes:
    """A codestream's first bytes: its fields as (value, bits)."""
    value = shift = 0
    for number, bits in fields:
        value |= number << shift
        shift += bits
    return b"\xff\x0a" + value.to_bytes(40, "little")


SIZE = ((0, 1), (1, 2), (749, 13), (0, 3), (1, 2), (999, 13))
SIZE_IN_EIGHTS = ((1, 1), (3, 5), (1, 3))


@pytest.mark.parametrize("size", [SIZE, SIZE_IN_EIGHTS])
def test_a_jpeg_xl_says_in_its_header_that_it_moves(size: tuple[tuple[int, int], ...]) -> None:
    extra, no_size, size_too = ((0, 1), (1, 1), (0, 3)), (0, 1), ((1, 1), *SIZE)
    assert told(jxl(*size, (1, 1)), "jxl") is None
    assert told(jxl(*size, (0, 1), (0, 1)), "jxl") is None
    assert told(jxl(*size, *extra, no_size, (0, 1), (0, 1)), "jxl") is None
    assert told(jxl(*size, *extra, no_size, (0, 1), (1, 1)), "jxl") == MOVES
    moving = jxl(*size, *extra, *size_too, (0, 1), (1, 1))
    assert told(moving, "jxl") == MOVES
    signature = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    for name, number in ((b"jxlc", b""), (b"jxlp", b"\0\0\0\0")):
        box = (8 + len(number) + len(moving)).to_bytes(4, "big") + name + number + moving
        assert told(signature + box, "jxl") == MOVES
        assert told(signature + b"\0\0\0\1" + name + (len(box) + 8).to_bytes(8, "big") + box[8:], "jxl") == MOVES


def test_a_real_jpeg_xl_is_one_picture() -> None:
    pytest.importorskip("pillow_jxl")
    assert told(saved("jxl", 1), "jxl") is None
    assert told(saved("jxl", 1, lossless=True), "jxl") is None


def test_views_of_an_mpo_count_and_other_formats_are_not_read() -> None:
    assert told(b"", "mpo") == VIEWS

    def refuse() -> io.BytesIO:
        raise AssertionError("the file was opened")

    with Reach(b"", refuse) as reach:
        for format_name in ("jpeg", "bmp", "cr2", "mp4"):
            assert further_pictures(reach, format_name) is None
