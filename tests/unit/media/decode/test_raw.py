"""Decoding RAW files: embedded preview or sensor data, upright either way, and truncated files."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from photoindex.media.identify.kind import sniff
from photoindex.media.metadata.description import describe
from photoindex.media.problems import Undecodable
from photoindex.media.truncation import blocks_without_jpeg, missing_bytes
from tests.metadata_blocks import LONG, box
from tests.unit.media.media_pictures import (
    content_of,
    corners,
    decoded,
    dng,
    exif_with_orientation,
    is_scene,
    saved,
    scene,
    stored_for,
    video,
)

DARK = 0.5
TURNS = range(1, 9)


def dimmed(image: Image.Image) -> Image.Image:
    return image.point([round(value * DARK) for value in range(256)] * 3)


def is_from_preview(array: np.ndarray) -> bool:
    """Return whether the picture is the preview, which is the scene at half brightness."""
    return is_scene(np.minimum(array.astype(int) / DARK, 255).astype(np.uint8), tolerance=40)


@pytest.mark.parametrize("orientation", TURNS)
def test_the_sensor_data_is_developed_upright(orientation: int) -> None:
    pixels = decoded(dng(stored_for(orientation, scene(240, 160)), orientation=orientation), longest_side_px=120)
    assert pixels.array.shape == (80, 120, 3)
    assert is_scene(pixels.array)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_preview_without_an_orientation_is_rotated_like_the_sensor_data(orientation: int) -> None:
    preview = saved(dimmed(stored_for(orientation, scene(120, 80))), "JPEG", quality=95)
    data = dng(stored_for(orientation, scene(240, 160)), orientation=orientation, preview=preview)
    pixels = decoded(data, longest_side_px=120)
    assert pixels.array.shape == (80, 120, 3)
    assert is_from_preview(pixels.array)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_preview_with_its_own_orientation_is_rotated_once(orientation: int) -> None:
    stored = dimmed(stored_for(orientation, scene(120, 80)))
    preview = saved(stored, "JPEG", quality=95, exif=exif_with_orientation(orientation))
    data = dng(stored_for(orientation, scene(240, 160)), orientation=orientation, preview=preview)
    pixels = decoded(data, longest_side_px=120)
    assert pixels.array.shape == (80, 120, 3)
    assert is_from_preview(pixels.array)


@pytest.mark.parametrize("orientation", TURNS)
def test_an_uncompressed_preview_is_rotated_like_the_sensor_data(orientation: int) -> None:
    preview = dimmed(stored_for(orientation, scene(120, 80)))
    pixels = decoded(dng(stored_for(orientation, scene(240, 160)), orientation=orientation, preview=preview), 120)
    assert pixels.array.shape == (80, 120, 3)
    assert is_from_preview(pixels.array)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_preview_that_is_upright_already_is_not_rotated(orientation: int) -> None:
    preview = saved(dimmed(scene(80, 120)), "JPEG", quality=95)
    data = dng(stored_for(orientation, scene(160, 240)), orientation=orientation, preview=preview)
    pixels = decoded(data, longest_side_px=120)
    assert pixels.array.shape == (120, 80, 3)
    assert is_from_preview(pixels.array)


def test_a_preview_is_compared_with_the_shape_of_the_picture_not_of_the_sensor() -> None:
    # Pixels twice as wide as high: the sensor has 80 x 120 of them, the picture is wider than high.
    sensor = scene(160, 120).resize((80, 120), Image.Resampling.NEAREST)
    upright = saved(dimmed(scene(120, 160)), "JPEG", quality=95)
    pixels = decoded(dng(sensor, orientation=6, preview=upright, wide_pixels=2), longest_side_px=160)
    assert pixels.array.shape == (160, 120, 3)
    assert is_from_preview(pixels.array)


FRAME = (250, 0, 250)


def framed(picture: Image.Image, left: int, top: int, right: int, bottom: int) -> Image.Image:
    """Return `picture` with the pixels around it that a sensor has and a camera does not show."""
    whole = Image.new("RGB", (left + picture.width + right, top + picture.height + bottom), FRAME)
    whole.paste(picture, (left, top))
    return whole


def has_frame(array: np.ndarray) -> bool:
    """Return whether an edge shows the frame, but for the two pixels into which interpolation carries its colour."""
    inner = array[2:-2, 2:-2].astype(int)
    is_frame = (inner[..., 0] > 150) & (inner[..., 2] > 150) & (inner[..., 1] < 100)
    return any(edge.mean() > 0.2 for edge in (is_frame[0], is_frame[-1], is_frame[:, 0], is_frame[:, -1]))


@pytest.mark.parametrize("longest_side_px", [1024, 100], ids=["full size", "half size"])
@pytest.mark.parametrize("orientation", TURNS)
def test_only_the_cameras_crop_of_the_sensor_is_shown(orientation: int, longest_side_px: int) -> None:
    stored = stored_for(orientation, scene(240, 160))
    sensor = framed(stored, 32, 14, 8, 6)
    data = dng(sensor, orientation=orientation, crop=(32, 14, *stored.size))
    array = decoded(data, longest_side_px).array
    assert array.shape == ((160, 240, 3) if longest_side_px > 240 else (67, 100, 3))
    assert is_scene(array)
    assert not has_frame(array)
    content = content_of(data)
    media = sniff(content.head, content.open)
    assert media is not None
    described = describe(content, media)
    assert (described.width, described.height) == (240, 160)


def test_the_crop_is_measured_from_the_active_area_and_stretched_with_it() -> None:
    sensor = framed(scene(240, 160).resize((120, 160), Image.Resampling.NEAREST), 20, 20, 30, 20)
    array = decoded(dng(sensor, crop=(12, 12, 120, 160), margin=8, wide_pixels=2)).array
    assert array.shape == (160, 240, 3)
    assert is_scene(array)
    assert not has_frame(array)


@pytest.mark.parametrize("crop", [(0, 0, 100, 160), (0, 0, 0, 0), (200, 0, 240, 160)])
def test_a_crop_that_cannot_be_right_is_ignored(crop: tuple[int, int, int, int]) -> None:
    assert decoded(dng(scene(240, 160), crop=crop)).array.shape == (160, 240, 3)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_monochrome_sensor_gives_a_grey_picture(orientation: int) -> None:
    stored = stored_for(orientation, scene(240, 160).convert("L"))
    array = decoded(dng(stored, orientation=orientation), longest_side_px=120).array
    assert array.shape == (80, 120, 3)
    assert (array == array[..., :1]).all()
    brightness = [colour[0] for colour in corners(array)]
    assert sorted(range(4), key=brightness.__getitem__) == [2, 0, 1, 3]  # blue, red, green, white


def test_the_sensor_data_is_used_if_the_preview_is_too_small() -> None:
    data = dng(scene(240, 160), preview=saved(dimmed(scene(60, 40)), "JPEG", quality=95))
    assert is_from_preview(decoded(data, longest_side_px=60).array)
    assert is_scene(decoded(data, longest_side_px=61).array)
    assert max(decoded(data, longest_side_px=1024).array.shape) == 240


def test_the_sensor_data_is_used_if_the_preview_is_damaged() -> None:
    preview = saved(dimmed(scene(120, 80)), "JPEG", quality=95)
    data = dng(scene(240, 160), preview=preview[: len(preview) // 2] + bytes(len(preview) // 2))
    assert is_scene(decoded(data, longest_side_px=120).array)


def test_a_truncated_raw_is_shown_by_its_complete_preview_with_a_note() -> None:
    data = dng(scene(240, 160), preview=saved(dimmed(scene(120, 80)), "JPEG", quality=95))
    pixels = decoded(data[: len(data) - 30000], longest_side_px=120)
    assert is_from_preview(pixels.array)
    assert pixels.notes[0].startswith("truncated: 30000 bytes")


def test_a_truncated_raw_is_shown_by_a_preview_of_half_the_size_with_a_note() -> None:
    data = dng(scene(240, 160), preview=saved(dimmed(scene(60, 40)), "JPEG", quality=95))[:-30000]
    pixels = decoded(data, longest_side_px=120)
    assert is_from_preview(pixels.array)
    assert pixels.notes[0].startswith("the sensor data cannot be read (truncated: 30000 bytes")
    with pytest.raises(Undecodable, match="truncated: 30000 bytes"):
        decoded(data, longest_side_px=121)


def test_a_truncated_raw_without_a_preview_is_undecodable() -> None:
    data = dng(scene(240, 160))
    with pytest.raises(Undecodable, match="truncated: 30000 bytes"):
        decoded(data[: len(data) - 30000], longest_side_px=120)


def test_a_header_without_its_sensor_data_is_undecodable() -> None:
    # ExifTool's test files are such headers; LibRaw gives pixels of whatever was in memory for them.
    data = dng(scene(640, 480))
    declared = struct.pack("<HHII", 0x0117, LONG, 1, 640 * 480 * 2)
    assert declared in data
    (offset,) = struct.unpack_from("<I", data, data.index(struct.pack("<HHI", 0x0111, LONG, 1)) + 8)
    dummy = b"<Dummy raw image data>"
    data = data[:offset].replace(declared, struct.pack("<HHII", 0x0117, LONG, 1, len(dummy))) + dummy
    data = data.replace(struct.pack("<HHIH", 0x0103, 3, 1, 1), struct.pack("<HHIH", 0x0103, 3, 1, 7))
    with pytest.raises(Undecodable, match="bytes cannot hold 640 x 480 pixels"):
        decoded(data)


def test_sensor_data_that_a_disk_gave_as_zeros_is_undecodable() -> None:
    # LibRaw skips what is not a lossless JPEG without an error; the pixels are whatever was in memory.
    data = dng(scene(640, 480)).replace(struct.pack("<HHIH", 0x0103, 3, 1, 1), struct.pack("<HHIH", 0x0103, 3, 1, 7))
    data = data[: -640 * 480 * 2] + bytes(640 * 480 * 2)
    with pytest.raises(Undecodable, match=r"damaged: sensor data .* in this many blocks: 1"):
        decoded(data)


def test_a_dng_with_all_its_jpeg_blocks_is_not_damaged() -> None:
    data = dng(scene(640, 480)).replace(struct.pack("<HHIH", 0x0103, 3, 1, 1), struct.pack("<HHIH", 0x0103, 3, 1, 7))
    start = len(data) - 640 * 480 * 2
    assert blocks_without_jpeg(content_of(data)) == 1
    assert blocks_without_jpeg(content_of(data[:start] + b"\xff\xd8" + data[start + 2 :])) == 0
    assert blocks_without_jpeg(content_of(dng(scene(640, 480)))) == 0


def test_a_camera_that_libraw_does_not_know_is_undecodable_by_name() -> None:
    data = dng(scene(64, 48)).replace(struct.pack("<HHI", 0xC612, 1, 4), struct.pack("<HHI", 0xC700, 1, 4))
    with pytest.raises(Undecodable, match="LibRaw cannot read this raw"):
        decoded(data.replace(struct.pack("<HHIHH", 0x0102, 3, 1, 16, 0), struct.pack("<HHIHH", 0x0102, 3, 1, 3, 0)))


def test_odd_sizes_are_kept() -> None:
    assert decoded(dng(scene(250, 170)), longest_side_px=125).array.shape == (85, 125, 3)
    assert len(corners(decoded(dng(scene(250, 170)), longest_side_px=33).array)) == 4


def fuji(size: int) -> bytes:
    """Return `size` bytes of a RAF whose header declares 5000 bytes of sensor data after its preview."""
    head = b"FUJIFILMCCD-RAW 0201FF3910000001".ljust(84, b"\0") + struct.pack(">6I", 148, 1000, 1148, 500, 1648, 5000)
    return head.ljust(size, b"\0")


@pytest.mark.parametrize(
    "whole",
    [
        dng(scene(240, 160)),
        saved(scene(300, 200), "TIFF"),
        saved(scene(300, 200), "TIFF", big_tiff=True),
        fuji(6648),
        video([np.asarray(scene(192, 128))] * 5),
        box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"mdat", bytes(9000)),
    ],
)
def test_missing_bytes_are_counted_from_a_files_own_offsets(whole: bytes) -> None:
    assert missing_bytes(content_of(whole)) == 0
    assert missing_bytes(content_of(whole + b"something behind it")) == 0
    cut = len(whole) // 4
    assert 0 < missing_bytes(content_of(whole[:-cut])) <= cut + 300


def test_no_bytes_are_missing_in_formats_without_offsets() -> None:
    for data in (b"", b"x", b"FOVb", saved(scene(), "JPEG")[:100], b"II*\0", b"\0\0\0\x08ftyp"):
        assert missing_bytes(content_of(data)) == 0


def test_a_placeholder_offset_is_ignored() -> None:
    entries = struct.pack("<HHIIHHII", 0x0111, 4, 1, 0xFFFFFFFF, 0x0117, 4, 1, 20_000_000)
    assert missing_bytes(content_of(b"IIU\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4))) == 0
