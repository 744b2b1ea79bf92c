"""Pictures, RAW files and videos for decoder tests, all showing a scene whose corners reveal its orientation."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pillow_heif
import pillow_jxl
from blake3 import blake3
from numpy.typing import NDArray
from PIL import Image, ImageCms

from photoindex.media.content import HEAD_BYTES, Content
from photoindex.media.decode.decode import Pixels, decode
from photoindex.media.identify.kind import sniff
from photoindex.types import Limits
from tests.metadata_blocks import LONG, SRATIONAL, Entry, blob, rational, short, text

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 180, 30), (40, 40, 220), (245, 245, 245)
CORNERS = (RED, GREEN, BLUE, WHITE)
"""Top left, top right, bottom left, bottom right of every scene."""

Array = NDArray[np.uint8]


def scene(width: int = 96, height: int = 64) -> Image.Image:
    """Return a picture with four coloured quarters, wider than high and different in every orientation."""
    array = np.empty((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    array[:top, :left], array[:top, left:], array[top:, :left], array[top:, left:] = CORNERS
    return Image.fromarray(array)


def corners(array: Array) -> tuple[tuple[int, ...], ...]:
    """Return the colours at the centres of the four quarters of a decoded picture."""
    height, width = array.shape[:2]
    rows, columns = (height // 4, height * 3 // 4), (width // 4, width * 3 // 4)
    return tuple(tuple(int(value) for value in array[row, column]) for row in rows for column in columns)


def is_scene(array: Array, tolerance: int = 24) -> bool:
    """Return whether a decoded picture is the scene, upright and in its colours."""
    return bool(np.abs(np.array(corners(array)) - np.array(CORNERS)).max() <= tolerance)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    """Return `image` as Pillow writes it in format `name`."""
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def exif_with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def stored_for(orientation: int, image: Image.Image) -> Image.Image:
    """Return `image` as stored by a camera that writes `orientation`; applying it makes the picture upright."""
    turn = Image.Transpose
    undo = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }
    return image.transpose(undo[orientation]) if orientation in undo else image


def content_of(data: bytes, path: bytes = b"/nowhere") -> Content:
    return Content(path, blake3(data).digest(), len(data), 0, data[:HEAD_BYTES], data)


def decoded(data: bytes, longest_side_px: int = 1024, limits: Limits | None = None) -> Pixels:
    """Identify and decode bytes that must be a photo or video."""
    content = content_of(data)
    media = sniff(content.head, content.open)
    assert media is not None
    return decode(content, media, longest_side_px, limits or Limits())


def with_entry_types(data: bytes, wanted: int) -> bytes:
    """Return an MPO whose index entries (CIPA DC-007, 0xB002) all have the type `wanted`."""
    out = bytearray(data)
    block = data.index(b"MPF\0") + 4
    order = "<" if data[block : block + 2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", data, block + 4)
    (count,) = struct.unpack_from(order + "H", data, block + directory)
    for index in range(count):
        tag, _, size, offset = struct.unpack_from(order + "HHII", data, block + directory + 2 + 12 * index)
        if tag == 0xB002:
            for entry in range(offset, offset + size, 16):
                struct.pack_into(order + "I", out, block + entry, wanted)
    return bytes(out)


def lossless_jpeg(image: Image.Image) -> bytes:
    """Return a JPEG of process 14 (ITU-T T.81, annex H), whose frame is C3."""
    context = av.CodecContext.create("ljpeg", "w")
    context.width, context.height = image.size
    context.pix_fmt, context.time_base = "yuvj444p", Fraction(1, 10)
    frame = av.VideoFrame.from_ndarray(np.asarray(image), "rgb24").reformat(format="yuvj444p")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode()])


def heic(image: Image.Image, exif: Image.Exif | None = None) -> bytes:
    """Return a HEIC of the pixels; an orientation in `exif` is also written into the container."""
    out = io.BytesIO()
    more = {"exif": exif.tobytes()} if exif is not None else {}
    pillow_heif.encode(image.mode, image.size, image.tobytes(), out, quality=90, **more)
    return out.getvalue()


def jxl(image: Image.Image) -> bytes:
    encoder = pillow_jxl.Encoder(mode=image.mode, lossless=True, num_threads=0)
    return bytes(encoder(image.tobytes(), image.width, image.height, False))


def jxl_of_jpeg(data: bytes) -> bytes:
    """Return a JPEG losslessly repacked as JPEG XL, as `cjxl` does by default."""
    encoder = pillow_jxl.Encoder(mode="RGB", lossless=True, use_container=True, num_threads=0)
    return bytes(encoder(data, 0, 0, True))


def ppm16(image: Image.Image) -> bytes:
    wide = np.asarray(image).astype(">u2") * 257
    return b"P6\n# made up\n%d %d\n65535\n" % image.size + wide.tobytes()


def video(
    frames: list[Array], container: str = "mp4", codec: str = "mpeg4", *, rate: int = 10, rotation: int = 0
) -> bytes:
    """Return a video of `frames`, all key frames; `rotation` is the display matrix's, in degrees anticlockwise."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate)
        stream.width, stream.height = frames[0].shape[1], frames[0].shape[0]
        stream.pix_fmt, stream.bit_rate, stream.gop_size = "yuv420p", 4_000_000, 1
        if rotation:
            stream.set_display_rotation(rotation)
        for array in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(array, "rgb24")):
                target.mux(packet)
        for packet in stream.encode():
            target.mux(packet)
    return out.getvalue()


def adobe_rgb_profile() -> bytes:
    """Return a small matrix profile with the primaries and gamma of Adobe RGB (1998)."""
    return _matrix_profile(((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)))


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def grey_profile(gamma: float) -> bytes:
    """Return a profile of a grey space with the given exponent."""
    return _profile(b"GRAY", [(b"wtpt", _xyz((0.9642, 1.0, 0.8249))), (b"kTRC", _curve(gamma))])


def _matrix_profile(columns: tuple[tuple[float, float, float], ...]) -> bytes:
    """Build a profile of three primaries (XYZ, D50) and gamma 2.2."""
    primaries = [(name, _xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    curves = [(name, _curve(2.2)) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"RGB ", [(b"wtpt", _xyz((0.9642, 1.0, 0.8249))), *primaries, *curves])


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _profile(space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    """Build an ICC v2 display profile (ICC.1:2001-04, clause 6) of `tags`."""
    parts = [(b"desc", b"desc\0\0\0\0" + struct.pack(">I", 8) + b"made up\0" + bytes(78)), *tags]
    offset, table, body = 128 + 4 + 12 * len(parts), struct.pack(">I", len(parts)), b""
    for name, data in parts:
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = bytearray(128)
    header[0:4] = struct.pack(">I", 128 + len(table) + len(body))
    header[8:12] = b"\x02\x10\0\0"
    header[12:24] = b"mntr" + space + b"XYZ "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    return bytes(header) + table + body


def dng(
    image: Image.Image,
    *,
    orientation: int = 1,
    preview: bytes | Image.Image | None = None,
    make: str = "Photoindex",
    sub: bool = True,
    crop: tuple[int, int, int, int] | None = None,
    wide_pixels: int = 1,
    margin: int = 0,
) -> bytes:
    """Return a DNG (1.4, uncompressed) with `image` as its sensor data: RGGB, or monochrome for a grey image.

    preview: an embedded JPEG, or a picture to embed without compression. crop: left, top, width and height of the default
    crop in the active area, which is inside a border of `margin` pixels. wide_pixels: width of a pixel in heights.
    """
    # XYZ to linear sRGB (IEC 61966-2-1): the camera's own colours are those of the screen.
    matrix = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
    rationals = b"".join(struct.pack("<2i", round(value * 10000), 10000) for value in matrix)
    is_grey = image.mode == "L"
    camera: list[Entry] = [
        text(0x010F, make),
        text(0x0110, "Test Camera"),
        short(0x0112, orientation),
        blob(0xC612, b"\1\4\0\0", 1),
        text(0xC614, "Test Camera"),
        (0xC621, SRATIONAL, 9, rationals),
        rational(0xC628, (1, 1), (1, 1), (1, 1)),
        short(0xC65A, 21),
    ]
    width, height = image.size
    cfa = [] if is_grey else [short(0x828D, 2, 2), blob(0x828E, b"\0\1\1\2", 1)]
    left, top, wide, high = crop or (0, 0, width - 2 * margin, height - 2 * margin)
    sensor = [
        *_long(0x00FE, 0),
        *_long(0x0100, width),
        *_long(0x0101, height),
        short(0x0102, 16),
        short(0x0103, 1),
        short(0x0106, 34892 if is_grey else 32803),
        short(0x0115, 1),
        *_long(0x0116, height),
        short(0x011C, 1),
        *cfa,
        short(0xC61D, 65535),
        rational(0xC61E, (wide_pixels, 1), (1, 1)),
        short(0xC61F, left, top),
        short(0xC620, wide, high),
        short(0xC68D, margin, margin, height - margin, width - margin),
    ]
    data = _linear(image).tobytes() if is_grey else _mosaic(image)
    if preview is None or not sub:
        return _tiff([[*camera, *sensor]], [data])
    if isinstance(preview, bytes):
        with Image.open(io.BytesIO(preview)) as small:
            width, height = small.size
        block, compression, photometric = preview, 7, 6
    else:
        (width, height), block, compression, photometric = preview.size, preview.tobytes(), 1, 2
    thumbnail = [*_long(0x00FE, 1), *_long(0x0100, width), *_long(0x0101, height), short(0x0102, 8, 8, 8)]
    thumbnail += [short(0x0103, compression), short(0x0106, photometric), short(0x0115, 3), *_long(0x0116, height)]
    thumbnail += [short(0x011C, 1)]
    return _tiff([[*camera, *thumbnail], sensor], [block, data])


def _linear(image: Image.Image) -> NDArray[np.uint16]:
    return ((np.asarray(image) / 255.0) ** 2.2 * 65535).astype("<u2")


def _mosaic(image: Image.Image) -> bytes:
    """Return the linear 16-bit values of an RGGB sensor."""
    linear = _linear(image)
    mosaic = linear[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = linear[::2, ::2, 0], linear[1::2, 1::2, 2]
    return mosaic.tobytes()


def _long(tag: int, value: int) -> list[Entry]:
    return [(tag, LONG, 1, struct.pack("<I", value))]


def _tiff(directories: list[list[Entry]], blocks: list[bytes]) -> bytes:
    """Return a little-endian TIFF: the first directory with the others as sub-directories, one strip each."""
    entries = [
        [*directory, *_long(0x0111, 0), *_long(0x0117, len(block))]
        for directory, block in zip(directories, blocks, strict=True)
    ]
    if len(entries) > 1:
        entries[0] += [(0x014A, LONG, len(entries) - 1, bytes(4 * (len(entries) - 1)))]
    places, offset = [], 8
    for directory in entries:
        places.append(offset)
        offset += 6 + 12 * len(directory) + sum(len(data) + len(data) % 2 for *_, data in directory if len(data) > 4)
    strips = []
    for block in blocks:
        strips.append(offset)
        offset += len(block) + len(block) % 2
    out = b"II*\0" + struct.pack("<I", 8)
    for number, directory in enumerate(entries):
        fixed = {0x0111: struct.pack("<I", strips[number]), 0x014A: struct.pack(f"<{len(places) - 1}I", *places[1:])}
        out += _directory(
            [(tag, kind, count, fixed.get(tag, data)) for tag, kind, count, data in directory], places[number]
        )
    return out + b"".join(block + bytes(len(block) % 2) for block in blocks)


def _directory(entries: list[Entry], start: int) -> bytes:
    behind, values = start + 6 + 12 * len(entries), b""
    table = struct.pack("<H", len(entries))
    for tag, kind, count, data in sorted(entries):
        if len(data) <= 4:
            field = data.ljust(4, b"\0")
        else:
            field = struct.pack("<I", behind + len(values))
            values += data + bytes(len(data) % 2)
        table += struct.pack("<HHI", tag, kind, count) + field
    return table + bytes(4) + values


def _lab() -> bytes:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    converted = ImageCms.applyTransform(scene(), transform)
    assert converted is not None
    return saved(converted, "TIFF")


def _transparent() -> Image.Image:
    """Return the scene with its last quarter fully transparent black instead of white."""
    image = scene().convert("RGBA")
    image.paste((0, 0, 0, 0), (image.width // 2, image.height // 2, image.width, image.height))
    return image


EVERY_FORMAT: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(scene(), "JPEG", quality=95),
    "jpeg progressive": lambda: saved(scene(), "JPEG", quality=95, progressive=True),
    "jpeg 4:4:4": lambda: saved(scene(), "JPEG", quality=95, subsampling=0),
    "jpeg cmyk": lambda: saved(scene().convert("CMYK"), "JPEG", quality=95),
    "jpeg adobe rgb": lambda: saved(_in_adobe_rgb(), "JPEG", quality=95, icc_profile=adobe_rgb_profile()),
    "mpo": lambda: with_entry_types(
        saved(scene(), "MPO", quality=95, save_all=True, append_images=[Image.new("RGB", (96, 64))]), 0x020002
    ),
    "png": lambda: saved(scene(), "PNG"),
    "png palette": lambda: saved(scene().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
    "png transparent": lambda: saved(_transparent(), "PNG"),
    "png animated": lambda: saved(scene(), "PNG", save_all=True, append_images=[Image.new("RGB", (96, 64))]),
    "webp": lambda: saved(scene(), "WEBP", quality=95),
    "webp transparent": lambda: saved(_transparent(), "WEBP", lossless=True),
    "webp animated": lambda: saved(
        scene(), "WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", (96, 64))]
    ),
    "tiff": lambda: saved(scene(), "TIFF"),
    "tiff deflate": lambda: saved(scene(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff big": lambda: saved(scene(), "TIFF", big_tiff=True),
    "tiff cmyk": lambda: saved(scene().convert("CMYK"), "TIFF"),
    "tiff lab": _lab,
    "tiff pages": lambda: saved(scene(), "TIFF", save_all=True, append_images=[Image.new("RGB", (10, 10))]),
    "gif": lambda: saved(scene(), "GIF"),
    "gif animated": lambda: saved(scene(), "GIF", save_all=True, append_images=[Image.new("RGB", (96, 64))]),
    "bmp": lambda: saved(scene(), "BMP"),
    "jp2": lambda: saved(scene(), "JPEG2000"),
    "j2k": lambda: saved(scene(), "JPEG2000", no_jp2=True),
    "heic": lambda: heic(scene()),
    "heic transparent": lambda: heic(_transparent()),
    "avif": lambda: saved(scene(), "AVIF", quality=95),
    "jxl": lambda: jxl(scene()),
    "jxl of a jpeg": lambda: jxl_of_jpeg(saved(scene(), "JPEG", quality=95)),
    "ppm": lambda: saved(scene(), "PPM"),
    "ppm 16 bits": lambda: ppm16(scene()),
    "qoi": lambda: saved(scene(), "QOI"),
    "dng": lambda: dng(scene(256, 160)),
    "mp4": lambda: video([np.asarray(scene(192, 128))] * 12),
    "mov": lambda: video([np.asarray(scene(192, 128))] * 12, "mov"),
    "mkv": lambda: video([np.asarray(scene(192, 128))] * 12, "matroska"),
    "webm": lambda: video([np.asarray(scene(192, 128))] * 12, "webm", "libvpx"),
    "avi": lambda: video([np.asarray(scene(192, 128))] * 12, "avi"),
    "mts": lambda: video([np.asarray(scene(192, 128))] * 12, "mpegts", "mpeg2video", rate=25),
    "mpeg": lambda: video([np.asarray(scene(192, 128))] * 12, "mpeg", "mpeg2video", rate=25),
    "wmv": lambda: video([np.asarray(scene(192, 128))] * 12, "asf", "wmv2"),
    "flv": lambda: video([np.asarray(scene(192, 128))] * 12, "flv", "flv"),
}
"""Every format that tests can write, each showing the scene."""


def _in_adobe_rgb() -> Image.Image:
    """Return the scene converted to Adobe RGB."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(adobe_rgb_profile()))
    converted = ImageCms.profileToProfile(scene(), ImageCms.createProfile("sRGB"), profile)
    assert converted is not None
    return converted
