"""Identifying formats by content."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import BinaryIO

import av
import numpy as np
import pytest
from PIL import Image

from photoindex.media.identify.kind import MEDIA_EXTENSIONS, sniff
from photoindex.types import Kind, MediaType
from tests.metadata_blocks import LONG, Entry, blob, box, short, text, tiff
from tests.unit.media.media_pictures import EVERY_FORMAT, dng, saved, scene, with_entry_types

EXPECTED = {
    "jpeg": "jpeg",
    "mpo": "mpo",
    "png": "png",
    "webp": "webp",
    "tiff": "tiff",
    "gif": "gif",
    "bmp": "bmp",
    "jp2": "jp2",
    "j2k": "j2k",
    "heic": "heic",
    "avif": "avif",
    "jxl": "jxl",
    "ppm": "pnm",
    "qoi": "qoi",
    "dng": "dng",
    "mp4": "mp4",
    "mov": "mov",
    "mkv": "mkv",
    "webm": "webm",
    "avi": "avi",
    "mts": "mts",
    "mpeg": "mpeg",
    "wmv": "wmv",
    "flv": "flv",
}
VIDEOS = {"mp4", "mov", "mkv", "webm", "avi", "mts", "mpeg", "wmv", "flv"}


def opener(data: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(data)


def name_of(data: bytes) -> str | None:
    media = sniff(data[: 64 << 10], opener(data))
    return media.format if media else None


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_every_format_is_identified_by_its_content(name: str) -> None:
    data = EVERY_FORMAT[name]()
    media = sniff(data[: 64 << 10], opener(data))
    wanted = EXPECTED[name.split(maxsplit=1)[0]]
    kind = Kind.VIDEO if wanted in VIDEOS else Kind.RAW if wanted == "dng" else Kind.IMAGE
    assert media == MediaType(kind, wanted)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"II\x1a\0\0\0HEAPCCDR\2\0\1\0", "crw"),
        (b"IIRO\x08\0\0\0" + bytes(40), "orf"),
        (b"IIRS\x08\0\0\0" + bytes(40), "orf"),
        (b"MMOR\0\0\0\x08" + bytes(40), "orf"),
        (b"IIU\0\x18\0\0\0" + bytes(40), "rw2"),
        (b"FUJIFILMCCD-RAW 0201FF3910000001", "raf"),
        (b"\0MRM\0\0\x0a\x0c\0PRD", "mrw"),
        (b"FOVb\2\0\2\0" + bytes(40), "x3f"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(40), "cr2"),
        (b"II*\0\x08\x0a\0\0IIIICwaR" + bytes(40), "iiq"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "cr3"),
        (b"\x00070.1 .reV\0\0LATIGID N\0\0\0ARECOYK 03:41", "raw"),
    ],
)
def test_raw_formats_with_their_own_signatures(head: bytes, name: str) -> None:
    assert sniff(head) == MediaType(Kind.RAW, name)


SENSOR = short(0x0106, 32803)


@pytest.mark.parametrize(
    ("make", "model", "more", "name"),
    [
        ("NIKON CORPORATION", "NIKON D70", [SENSOR], "nef"),
        ("NIKON", "COOLPIX P7000", [SENSOR], "nrw"),
        ("SONY", "ILCE-7M3", [SENSOR], "arw"),
        ("SONY", "DSC-R1", [SENSOR], "sr2"),
        ("SONY", "DSC-F828", [SENSOR], "srf"),
        ("SONY", "DSLR-A100", [blob(0xC634, b"\0\1\2\3")], "arw"),
        ("PENTAX Corporation", "PENTAX K10D", [short(0x0103, 65535)], "pef"),
        ("SAMSUNG", "NX300", [SENSOR], "srw"),
        ("Hasselblad", "Hasselblad H3D", [SENSOR], "3fr"),
        ("SEIKO EPSON CORP.", "R-D1", [SENSOR], "erf"),
        ("Mamiya-OP Co.,Ltd.", "MAMIYA ZD", [SENSOR], "mef"),
        ("Leaf", "Aptus 22", [blob(0x8606, b"leaf")], "mos"),
        ("Kodak", "DCS Pro SLR/n", [SENSOR], "dcr"),
        ("EASTMAN KODAK COMPANY", "KODAK P880", [SENSOR], "kdc"),
        ("Leica Camera AG", "M8 Digital", [SENSOR], "rwl"),
        ("Unknown Works", "One", [SENSOR], "raw"),
        ("Canon", "EOS 6D", [blob(0xC612, b"\1\4\0\0", 1)], "dng"),
    ],
)
def test_tiff_based_raw_formats_are_identified_by_their_directories(
    make: str, model: str, more: list[Entry], name: str
) -> None:
    for order in "<>":
        entries = [text(0x010F, make), text(0x0110, model), *more]
        if order == ">":
            entries = [(tag, kind, count, data[::-1] if kind == 3 else data) for tag, kind, count, data in entries]
        assert sniff(tiff(entries, order=order)) == MediaType(Kind.RAW, name)


@pytest.mark.parametrize("make", ["NIKON CORPORATION", "SONY", "Canon", "PENTAX", "Kodak"])
def test_a_tiff_developed_from_a_cameras_raw_is_a_plain_tiff(make: str) -> None:
    image = scene()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = make, "A camera"
    assert name_of(saved(image, "TIFF", exif=exif)) == "tiff"
    assert name_of(saved(image, "TIFF", exif=exif, compression="tiff_lzw")) == "tiff"


def test_a_directory_past_the_head_is_read_from_the_file() -> None:
    data = dng(scene(256, 160))
    far = data[:4] + struct.pack("<I", len(data)) + data[8:]
    directory = _moved(data, len(data))
    assert sniff(far[:4096], opener(far + directory)) == MediaType(Kind.RAW, "dng")
    assert sniff(far[:4096]) == MediaType(Kind.IMAGE, "tiff")


def _moved(data: bytes, _offset: int) -> bytes:
    """Return the first directory of a TIFF so that it can be moved; its values stay in place."""
    (count,) = struct.unpack_from("<H", data, 8)
    return data[8 : 8 + 2 + 12 * count + 4]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"P1",
        b"P1 is the first priority of this plan, P2 the second\n",
        b"P5 99 red balloons 255 go by\n",
        b"P6\n12 13\n70000\n" + bytes(90),
        b"P3 1 1 255",
        b"P2\n10 10\n255\nten numbers should stand here\n",
        b"P7 is a page size\n",
        b"BMW cars are not pictures, and this text is long enough to hold a header",
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        b"II*",
        b"GIF88a" + bytes(20),
        b"%PDF-1.7\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + bytes(60),
        b"ID3\x04" + bytes(60),
        b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom" + bytes(60),
        b"\0\0\0\x14ftypzzzz\0\0\0\0zzzz" + bytes(60),
        b"OggS\0\2" + bytes(22) + b"\x01vorbis",
        b"moov is no box here, and free text follows mdat",
        b"freemdatmoov" * 10,
        b"qoifolks" + bytes(20),
        b"G" * 100,
    ],
)
def test_other_files_are_not_mistaken_for_pictures(data: bytes) -> None:
    assert sniff(data, opener(data)) is None


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "aac"), ("mov", "pcm_s16le"), ("matroska", "aac"), ("asf", "mp2"), ("ogg", "libopus"), ("flv", "aac")],
)
def test_audio_files_are_not_videos(container: str, codec: str) -> None:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode()]:
            target.mux(packet)
    data = out.getvalue()
    assert sniff(data[: 64 << 10], opener(data)) is None


def test_a_movie_header_past_the_head_distinguishes_audio_from_video() -> None:
    handler = {name: box(b"moov", box(b"trak", box(b"hdlr", bytes(8), name, bytes(12)))) for name in (b"soun", b"vide")}
    front = box(b"ftyp", b"mp42", bytes(4), b"isom") + box(b"mdat", bytes(70000))
    assert name_of(front + handler[b"soun"]) is None
    assert name_of(front + handler[b"vide"]) == "mp4"


def test_quicktime_without_a_brand_is_identified_by_its_boxes() -> None:
    movie = box(b"moov", box(b"trak", box(b"hdlr", bytes(8), b"vide", bytes(12))))
    assert name_of(box(b"wide") + box(b"mdat", bytes(900)) + movie) == "mov"
    assert name_of(box(b"free", bytes(20)) + movie) == "mov"
    assert name_of(box(b"free", bytes(20)) + b"then nothing") is None


@pytest.mark.parametrize(
    ("brands", "name"),
    [
        (b"heic\0\0\0\0mif1heic", "heic"),
        (b"mif1\0\0\0\0mif1heic", "heic"),
        (b"msf1\0\0\0\0msf1hevc", "heic"),
        (b"mif1\0\0\0\0mif1avif", "avif"),
        (b"avis\0\0\0\0avifmsf1", "avif"),
        (b"mif1\0\0\0\0mif1miaf", "heif"),
        (b"M4V \0\0\0\1isomavc1", "m4v"),
        (b"3gp5\0\0\0\x003gp43gp5", "3gp"),
        (b"3g2a\0\0\0\x003g2aisom", "3g2"),
        (b"what\0\0\0\0isommp42", "mp4"),
    ],
)
def test_brands_distinguish_pictures_from_videos(brands: bytes, name: str) -> None:
    assert name_of(box(b"ftyp", brands) + bytes(32)) == name


def test_a_jpeg_with_a_picture_index_is_an_mpo_only_if_it_has_other_views() -> None:
    pictures = saved(scene(), "MPO", save_all=True, append_images=[scene()])
    assert name_of(with_entry_types(pictures, 0x020002)) == "mpo"
    assert name_of(with_entry_types(pictures, 0)) == "jpeg"


def test_hostile_directories_end_the_search_instead_of_looping() -> None:
    itself = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x014A, LONG, 1, 8) + struct.pack("<I", 8)
    assert sniff(itself, opener(itself)) == MediaType(Kind.IMAGE, "tiff")
    absurd = b"MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 400
    assert sniff(absurd, opener(absurd)) == MediaType(Kind.IMAGE, "tiff")


def test_damaged_heads_never_raise() -> None:
    generator = np.random.default_rng(3)
    for name, make in EVERY_FORMAT.items():
        data = make()[:4096]
        for _ in range(60):
            damaged = bytearray(data)
            for place in generator.integers(0, min(len(data), 400), 5):
                damaged[place] = generator.integers(0, 256)
            media = sniff(bytes(damaged), opener(bytes(damaged)))
            assert media is None or isinstance(media.format, str), name


def test_extensions_are_lower_case_and_without_the_dot() -> None:
    assert {b"jpg", b"heic", b"cr3", b"mov", b"dng"} <= MEDIA_EXTENSIONS
    assert all(extension == extension.lower() and b"." not in extension for extension in MEDIA_EXTENSIONS)
    assert not {b"txt", b"xmp", b"json", b"zip", b"ico", b"svg", b"m4a", b"mp3", b"ts"} & MEDIA_EXTENSIONS
