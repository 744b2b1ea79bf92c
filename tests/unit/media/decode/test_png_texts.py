"""Text and profiles of a PNG cost it no pixels, however large or damaged they are."""

from __future__ import annotations

import struct
import zlib

import pytest

from tests.metadata_blocks import described
from tests.unit.media.media_pictures import adobe_rgb_profile, corners, decoded, is_scene, saved, scene

MEBIBYTE = 1 << 20
TEXT_NOTE = "text in the file is too large or damaged and was left out"
PROFILE_NOTE = "the colour profile is too large or damaged and was ignored"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunks(*chunks: bytes, after_pixels: bool = False, **options: object) -> bytes:
    """Return a PNG of the scene with `chunks` before or after its pixels."""
    data = saved(scene(), "PNG", **options)
    place = data.index(b"IEND") - 4 if after_pixels else data.index(b"IDAT") - 4
    return data[:place] + b"".join(chunks) + data[place:]


def packed(size: int) -> bytes:
    return zlib.compress(bytes(size))


DAMAGED = chunk(b"tEXt", b"Title\0Beach")[:-1] + b"\0"
TEXTS = {
    "zTXt bomb": [chunk(b"zTXt", b"Comment\0\0" + packed(64 * MEBIBYTE))],
    "iTXt bomb": [chunk(b"iTXt", b"Comment\0\1\0\0\0" + packed(64 * MEBIBYTE))],
    "many texts": [chunk(b"zTXt", b"%d\0\0" % number + packed(MEBIBYTE)) for number in range(80)],
    "one long text": [chunk(b"tEXt", b"Comment\0" + b"x" * (65 * MEBIBYTE))],
    "unknown compression": [chunk(b"zTXt", b"Comment\0\7" + packed(10))],
    "wrong checksum": [DAMAGED],
}


@pytest.mark.parametrize("after_pixels", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_a_picture_with_too_much_text_is_decoded_with_a_note(name: str, after_pixels: bool) -> None:
    pixels = decoded(with_chunks(*TEXTS[name], after_pixels=after_pixels))
    assert is_scene(pixels.array)
    # Checksums after the pixels are not looked at.
    assert pixels.notes == (() if after_pixels and name == "wrong checksum" else (TEXT_NOTE,))


def test_small_texts_are_kept_beside_a_large_one() -> None:
    turned = chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>')
    pixels = decoded(with_chunks(turned, *TEXTS["zTXt bomb"]))
    assert pixels.array.shape == (96, 64, 3)


def test_a_colour_profile_larger_than_pillow_reads_is_used() -> None:
    profile = adobe_rgb_profile()
    large = struct.pack(">I", len(profile) + 2 * MEBIBYTE) + profile[4:] + bytes(2 * MEBIBYTE)
    plain = decoded(saved(scene(), "PNG", icc_profile=profile))
    pixels = decoded(saved(scene(), "PNG", icc_profile=large))
    assert pixels.notes == ()
    assert corners(pixels.array) == corners(plain.array) != corners(decoded(saved(scene(), "PNG")).array)


def test_a_colour_profile_that_is_a_bomb_is_ignored_with_a_note() -> None:
    pixels = decoded(with_chunks(chunk(b"iCCP", b"name\0\0" + packed(64 * MEBIBYTE))))
    assert is_scene(pixels.array)
    assert pixels.notes == (PROFILE_NOTE,)


def test_metadata_that_is_too_large_is_noted_and_the_rest_is_read() -> None:
    bomb = zlib.compress(b" " * (64 * MEBIBYTE))
    data = with_chunks(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + bomb),
        chunk(b"tEXt", b"Comment\0" + b"x" * (5 * MEBIBYTE)),
        chunk(b"tEXt", b"Title\0Beach"),
    )
    result = described(data, "png")
    assert result.facts == {"container": {"title": "Beach"}}
    assert result.notes == ("container: 3 too large texts were left out or cut",)


def test_all_texts_together_are_bounded() -> None:
    packet = zlib.compress(b'<x xmp:Rating="3"/>'.ljust(4 * MEBIBYTE))
    result = described(with_chunks(*[chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packet)] * 20), "png")
    assert result.notes[0] == "container: 12 too large texts were left out or cut"
