"""Decoding every format to upright sRGB pixels or to a media problem."""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from photoindex.media.decode.decode import decode
from photoindex.media.decode.jpeg import jpeg_raster
from photoindex.media.identify.kind import sniff
from photoindex.media.problems import Empty, MediaProblem, TooLarge, Undecodable
from photoindex.types import Kind, Limits, MediaType
from tests.metadata_blocks import exif_segment
from tests.unit.media.media_pictures import (
    EVERY_FORMAT,
    adobe_rgb_profile,
    content_of,
    decoded,
    exif_with_orientation,
    heic,
    is_scene,
    jxl,
    jxl_of_jpeg,
    lossless_jpeg,
    saved,
    scene,
    srgb_profile,
    stored_for,
)


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_every_format_shows_the_scene_upright_and_in_its_colours(name: str) -> None:
    pixels = decoded(EVERY_FORMAT[name]())
    assert is_scene(pixels.array)
    assert pixels.array.dtype == np.uint8
    assert pixels.array.flags.c_contiguous
    assert pixels.notes == ()


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_every_format_is_decoded_at_the_requested_size(name: str) -> None:
    array = decoded(EVERY_FORMAT[name](), longest_side_px=48).array
    assert max(array.shape[:2]) == 48
    assert is_scene(array)


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_nothing_is_enlarged(name: str) -> None:
    data = EVERY_FORMAT[name]()
    assert max(decoded(data, longest_side_px=5000).array.shape) in (96, 192, 256)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_eight_orientations_come_out_upright(name: str, orientation: int) -> None:
    stored = stored_for(orientation, scene())
    pixels = decoded(saved(stored, name, exif=exif_with_orientation(orientation)))
    assert pixels.array.shape == (64, 96, 3)
    assert is_scene(pixels.array)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_rotated_once_although_container_and_exif_both_have_an_orientation(orientation: int) -> None:
    stored = stored_for(orientation, scene())
    pixels = decoded(heic(stored, exif_with_orientation(orientation)))
    assert pixels.array.shape == (64, 96, 3)
    assert is_scene(pixels.array)


def test_heic_without_container_rotation_is_rotated_by_exif_if_the_sizes_agree() -> None:
    stored = stored_for(6, scene())
    data = _heic_with_exif_alone(stored, 6, stored.size)
    assert is_scene(decoded(data).array)


def test_heic_with_rotated_pixels_and_an_outdated_exif_orientation_is_not_rotated() -> None:
    data = _heic_with_exif_alone(scene(), 6, (64, 96))
    assert decoded(data).array.shape == (64, 96, 3)
    assert is_scene(decoded(data).array)


def _heic_with_exif_alone(image: Image.Image, orientation: int, size: tuple[int, int]) -> bytes:
    """Return a HEIC without irot or imir whose EXIF has an orientation and a size."""
    exif = exif_with_orientation(1)
    exif.get_ifd(0x8769).update({0xA002: size[0], 0xA003: size[1]})
    data = heic(image, exif)
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, 1, 0)
    assert data.count(entry) == 1
    return data.replace(entry, struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_is_upright_in_all_orientations(orientation: int) -> None:
    stored = stored_for(orientation, scene())
    pixels = decoded(saved(stored, "AVIF", quality=95, exif=exif_with_orientation(orientation)))
    assert pixels.array.shape == (64, 96, 3)
    assert is_scene(pixels.array)


def test_a_jpeg_repacked_as_jpeg_xl_keeps_its_orientation() -> None:
    data = saved(stored_for(8, scene()), "JPEG", quality=95, exif=exif_with_orientation(8))
    assert is_scene(decoded(jxl_of_jpeg(data)).array)


@pytest.mark.parametrize("wanted", [1, 30, 37, 47, 48, 50, 95, 96])
def test_the_size_is_that_of_the_full_picture_scaled_whatever_the_codecs_steps(wanted: int) -> None:
    array = decoded(saved(scene(797, 531), "JPEG", quality=95), longest_side_px=wanted).array
    assert array.shape == (max(1, round(531 * wanted / 797)), wanted, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (3, 2000), (8, 8)])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_pictures_of_odd_shapes_decode(name: str, size: tuple[int, int]) -> None:
    array = decoded(saved(Image.new("RGB", size, (10, 200, 30)), name), longest_side_px=64).array
    assert max(array.shape[:2]) == min(64, max(size))
    assert abs(int(array[0, 0, 1]) - 200) < 8


@pytest.mark.parametrize("value", [0, 1, 127, 128, 200, 255])
def test_sixteen_bit_grey_keeps_its_upper_eight_bits(value: int) -> None:
    wide = Image.fromarray(np.full((20, 30), value * 257, np.uint16))
    for name in ("PNG", "TIFF"):
        assert np.array_equal(decoded(saved(wide, name)).array, np.full((20, 30, 3), value, np.uint8))


def test_sixteen_bit_colour_keeps_its_upper_eight_bits() -> None:
    wide = np.asarray(scene())[..., ::-1].astype(np.uint16) * 257
    for suffix in (".png", ".tiff"):
        assert is_scene(decoded(cv2.imencode(suffix, wide)[1].tobytes()).array, tolerance=1)


def test_floating_point_tiff_from_zero_to_one_is_black_to_white() -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, -1).repeat(4, axis=0)
    pixels = decoded(saved(Image.fromarray(ramp), "TIFF"))
    assert np.array_equal(pixels.array[0, :, 0], np.arange(256))
    assert pixels.notes == ()


def test_floating_point_tiff_of_another_range_is_stretched_and_noted() -> None:
    ramp = np.linspace(-50, 2000, 256, dtype=np.float32).reshape(1, -1)
    pixels = decoded(saved(Image.fromarray(ramp), "TIFF"))
    assert pixels.array[0, 0, 0] == 0
    assert pixels.array[0, -1, 0] == 255
    assert "-50 to 2000" in pixels.notes[0]


def test_colour_tiff_in_floating_point_decodes() -> None:
    bgr = (np.asarray(scene())[..., ::-1] / 255).astype(np.float32)
    assert is_scene(decoded(cv2.imencode(".tiff", bgr)[1].tobytes()).array)


def test_grey_becomes_three_equal_channels() -> None:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(1, -1).repeat(8, axis=0))
    for name in ("PNG", "TIFF", "JPEG"):
        array = decoded(saved(ramp, name)).array
        assert array.shape == (8, 256, 3)
        assert np.ptp(array, axis=2).max() == 0


def test_black_and_white_pictures_decode() -> None:
    stripes = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (8, 8))).convert("1")
    assert set(decoded(saved(stripes, "TIFF", compression="group4")).array.ravel()) == {0, 255}
    assert set(decoded(saved(stripes, "PPM")).array.ravel()) == {0, 255}


def test_half_transparent_pixels_are_blended_with_white() -> None:
    picture = Image.new("RGBA", (20, 20), (200, 0, 0, 128))
    colour = decoded(saved(picture, "PNG")).array[10, 10]
    assert np.abs(colour.astype(int) - (227, 127, 127)).max() <= 2
    grey = Image.new("LA", (20, 20), (0, 128))
    assert abs(int(decoded(saved(grey, "PNG")).array[10, 10, 0]) - 127) <= 2


def test_a_transparent_palette_colour_becomes_white() -> None:
    picture = scene().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    data = saved(picture, "GIF", transparency=picture.getpixel((1, 1)))
    assert decoded(data).array[1, 1].tolist() == [255, 255, 255]


def test_an_adobe_rgb_profile_makes_colours_stronger_and_an_srgb_profile_changes_nothing() -> None:
    grass = Image.new("RGB", (32, 32), (80, 160, 60))
    plain = decoded(saved(grass, "PNG")).array[5, 5]
    same = decoded(saved(grass, "PNG", icc_profile=srgb_profile())).array[5, 5]
    wide = decoded(saved(grass, "PNG", icc_profile=adobe_rgb_profile())).array[5, 5]
    assert same.tolist() == plain.tolist() == [80, 160, 60]
    assert int(wide[0]) < 60
    assert abs(int(wide[1]) - 160) <= 4


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("how", ["colour space", "interoperability index"])
def test_adobe_rgb_declared_in_exif_only_is_converted_like_its_profile(order: str, how: str) -> None:
    grass = Image.new("RGB", (32, 32), (80, 160, 60))
    plain = saved(grass, "JPEG", quality=98)
    with_profile = decoded(saved(grass, "JPEG", quality=98, icc_profile=adobe_rgb_profile())).array[5, 5].astype(int)
    named = plain[:2] + exif_segment(_adobe_rgb_in_exif(order, how)) + plain[2:]
    assert np.abs(decoded(named).array[5, 5].astype(int) - with_profile).max() <= 2
    assert np.abs(decoded(plain).array[5, 5].astype(int) - with_profile).max() > 15


def _adobe_rgb_in_exif(order: str, how: str) -> bytes:
    """Return an EXIF block of three directories: image, EXIF and interoperability."""

    def directory(*entries: tuple[int, int, int, bytes]) -> bytes:
        table = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries)
        return struct.pack(order + "H", len(entries)) + table + bytes(4)

    exif_at, interop_at = 8 + 18, 8 + 18 + 30
    space = 2 if how == "colour space" else 0xFFFF
    image = directory((0x8769, 4, 1, struct.pack(order + "I", exif_at)))
    exif = directory(
        (0xA001, 3, 1, struct.pack(order + "H", space)), (0xA005, 4, 1, struct.pack(order + "I", interop_at))
    )
    index = directory((0x0001, 2, 4, b"R98\0" if how == "colour space" else b"R03\0"))
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", 8) + image + exif + index


def test_a_grey_picture_may_keep_the_profile_of_the_colour_picture_it_was_made_from() -> None:
    grey = Image.new("L", (32, 32), 100)
    pixels = decoded(saved(grey, "JPEG", icc_profile=srgb_profile()))
    assert pixels.notes == ()
    assert abs(int(pixels.array[5, 5, 0]) - 100) <= 1


@pytest.mark.parametrize("profile", [b"junk", srgb_profile()[:200], bytes(1000)])
def test_a_damaged_profile_is_noted_and_the_picture_decodes(profile: bytes) -> None:
    pixels = decoded(saved(scene(), "JPEG", quality=95, icc_profile=profile))
    assert is_scene(pixels.array)
    assert "profile is damaged" in pixels.notes[0]


def test_a_picture_with_damaged_exif_decodes() -> None:
    for junk in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(30)):
        for name in ("JPEG", "PNG", "WEBP"):
            assert is_scene(decoded(saved(scene(), name, quality=95, exif=junk)).array)


@pytest.mark.parametrize("written", ['tiff:Orientation="6"', "<tiff:Orientation>6</tiff:Orientation>"])
def test_the_orientation_of_xmp_applies_unless_exif_has_one(written: str) -> None:
    packet = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf {written}/></x:xmpmeta>".encode()
    for name in ("JPEG", "PNG", "WEBP"):
        data = saved(stored_for(6, scene()), name, quality=95, xmp=packet) if name != "PNG" else _png_with_xmp(packet)
        assert is_scene(decoded(data).array), name
    exif = exif_with_orientation(1)
    assert is_scene(decoded(saved(scene(), "JPEG", quality=95, xmp=packet, exif=exif)).array)


def _png_with_xmp(packet: bytes) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", packet.decode())
    return saved(stored_for(6, scene()), "PNG", pnginfo=chunks)


def test_junk_between_the_segments_of_a_jpeg_is_noted_and_the_picture_decodes() -> None:
    data = saved(scene(), "JPEG", quality=95)
    tables = data.index(b"\xff\xdb")
    pixels = decoded(data[:tables] + b"\0\0\0" + data[tables:], longest_side_px=40)
    assert is_scene(pixels.array)
    assert pixels.notes[0].startswith("damaged:")


def test_a_missing_end_marker_alone_is_a_note() -> None:
    pixels = decoded(saved(scene(), "JPEG", quality=95).removesuffix(b"\xff\xd9"))
    assert is_scene(pixels.array)
    assert pixels.notes == ("the JPEG's end marker is missing",)


def test_data_after_the_end_of_a_jpeg_is_ignored() -> None:
    pixels = decoded(saved(scene(), "JPEG", quality=95) + EVERY_FORMAT["mp4"]())
    assert is_scene(pixels.array)
    assert pixels.notes == ()


def test_an_invalid_orientation_is_treated_as_upright() -> None:
    for value in (0, 9, 255, 65535):
        for name in ("JPEG", "WEBP", "PNG"):
            assert is_scene(decoded(saved(scene(), name, quality=95, exif=exif_with_orientation(value))).array)


def test_a_picture_one_pixel_over_the_limit_is_too_large_and_the_option_is_named() -> None:
    for name in ("jpeg", "png", "webp", "tiff", "gif", "bmp", "jp2", "heic", "avif", "jxl", "ppm", "qoi"):
        data = EVERY_FORMAT[name]()
        assert decoded(data, limits=Limits(max_megapixels=96 * 64 / 1e6)).array.size
        with pytest.raises(TooLarge, match="--max-megapixels"):
            decoded(data, limits=Limits(max_megapixels=(96 * 64 - 1) / 1e6))
    for name, pixels in (("dng", 256 * 160), ("mp4", 192 * 128)):
        with pytest.raises(TooLarge, match="--max-megapixels"):
            decoded(EVERY_FORMAT[name](), limits=Limits(max_megapixels=(pixels - 1) / 1e6))


def test_pillows_own_limit_neither_warns_nor_refuses_below_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    pixels = decoded(EVERY_FORMAT["png"]())
    assert pixels.notes == ()
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("name", ["png", "gif", "bmp", "webp", "jpeg", "jxl", "tiff"])
def test_a_decompression_bomb_is_refused_by_its_header(name: str) -> None:
    data = bytearray(EVERY_FORMAT[name]())
    places: dict[str, tuple[int, bytes]] = {
        "png": (16, b"\0\0\xff\xff\0\0\xff\xff"),
        "gif": (6, b"\xff\xff\xff\xff"),
        "bmp": (18, b"\xff\xff\0\0\xff\xff\0\0"),
    }
    if name == "png":
        data[16:24] = places[name][1]
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif name in places:
        place, number = places[name]
        data[place : place + len(number)] = number
    elif name == "jpeg":
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    elif name == "jxl":
        # Not small, 30 bits of height, ratio 1: 2^30 by 2^30 pixels.
        start = data.index(b"\xff\x0a")
        header = 0 | 3 << 1 | ((1 << 30) - 1) << 3 | 1 << 33
        data[start + 2 : start + 10] = header.to_bytes(8, "little")
    elif name == "webp":
        start = data.index(b"VP8 ")
        data[start + 14 : start + 18] = b"\xff\x3f\xff\x3f"
    else:
        for tag in (b"\x00\x01\x04\x00\x01\x00\x00\x00", b"\x01\x01\x04\x00\x01\x00\x00\x00"):
            place = data.index(tag)
            data[place + 8 : place + 12] = b"\xff\xff\0\0"
    with pytest.raises(TooLarge, match="--max-megapixels"):
        decoded(bytes(data), limits=Limits(max_megapixels=200))


@pytest.mark.parametrize(
    "name",
    ["jpeg", "jpeg progressive", "png", "webp", "tiff", "gif", "bmp", "heic", "avif", "jxl", "ppm", "qoi", "jp2"],
)
def test_a_picture_cut_in_half_is_undecodable_not_half_a_picture(name: str) -> None:
    generator = np.random.default_rng(5)
    noise = Image.fromarray(generator.integers(0, 255, (200, 300, 3), np.uint8))
    makers = {
        "jpeg progressive": lambda: saved(noise, "JPEG", progressive=True),
        "ppm": lambda: saved(noise, "PPM"),
        "heic": lambda: heic(noise),
        "jxl": lambda: jxl(noise),
        "jp2": lambda: saved(noise, "JPEG2000"),
    }
    data = makers[name]() if name in makers else saved(noise, name.upper())
    with pytest.raises(Undecodable):
        decoded(data[: len(data) // 2])


@pytest.mark.parametrize("wanted", [16, 48, 100])
def test_a_lossless_jpeg_is_not_decoded_into_a_buffer_for_a_smaller_picture(wanted: int) -> None:
    # Codecs ignore the requested size here and write past the end of the buffer.
    for _ in range(4):
        array = decoded(lossless_jpeg(scene(400, 300)), longest_side_px=wanted).array
        assert array.shape == (wanted * 3 // 4, wanted, 3)


def test_an_empty_file_is_empty() -> None:
    with pytest.raises(Empty):
        decode(content_of(b""), MediaType(Kind.IMAGE, "jpeg"), 100, Limits())


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_damage_anywhere_ends_in_pixels_or_in_a_media_problem(name: str) -> None:
    generator = np.random.default_rng(len(name))
    data = EVERY_FORMAT[name]()
    outcomes = set()
    for _ in range(25):
        damaged = bytearray(data)
        for place in generator.integers(0, len(data), int(generator.integers(1, 12))):
            damaged[place] = generator.integers(0, 256)
        content = content_of(bytes(damaged))
        media = sniff(content.head, content.open)
        if media is None:
            continue
        try:
            array = decode(content, media, 64, Limits(max_megapixels=4)).array
        except MediaProblem as problem:
            outcomes.add(problem.error_class if str(problem) else "without a message")
        else:
            outcomes.add("pixels")
            assert array.dtype == np.uint8
            assert array.shape[2] == 3
    assert outcomes <= {"pixels", "undecodable", "too_large", "out_of_memory", "not_media"}
    assert outcomes


def test_notes_are_short_single_lines() -> None:
    data = saved(scene(), "JPEG", quality=95)
    pixels = decoded(data[:20] + b"junk\n" * 3 + data[20:])
    assert is_scene(pixels.array)
    assert pixels.notes
    assert all("\n" not in note and len(note) <= 300 for note in pixels.notes)


def test_a_content_that_is_not_in_memory_is_decoded_from_its_file(tmp_path: Path) -> None:
    for name in ("jpeg", "png", "tiff deflate", "heic", "jxl", "dng", "mp4"):
        path = tmp_path / f"{name} \udcff"
        path.write_bytes(EVERY_FORMAT[name]())
        whole = content_of(path.read_bytes(), os.fsencode(path))
        media = sniff(whole.head)
        assert media is not None
        assert is_scene(decode(replace(whole, data=None), media, 1024, Limits()).array)


def test_a_vanished_file_raises_an_os_error_instead_of_a_media_problem(tmp_path: Path) -> None:
    content = replace(content_of(EVERY_FORMAT["png"](), f"{tmp_path}/gone.png".encode()), data=None)
    with pytest.raises(FileNotFoundError):
        decode(content, MediaType(Kind.IMAGE, "png"), 100, Limits())


def test_a_content_in_memory_opens_as_bytesio() -> None:
    assert isinstance(content_of(b"abc").open(), io.BytesIO)


def test_a_progressive_jpeg_with_thousands_of_scans_is_refused_before_it_is_decoded() -> None:
    """One of 851 kB kept a decoder busy for two minutes: each scan goes through the whole picture."""
    data = saved(scene(320, 240), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    for repeats, is_read in ((20, True), (2000, False)):
        many = data[:last] + data[last:-2] * repeats + b"\xff\xd9"
        # What follows the picture, such as the movie of a motion photo, has no say in it.
        many += b"\xff\xda" * 5000
        if is_read:
            assert jpeg_raster(many, 64, Limits()).image.shape[2] == 3
        else:
            with pytest.raises(Undecodable, match="scans, more than 100"):
                jpeg_raster(many, 64, Limits())
