"""Damaged and hostile metadata: a note, never an exception, never much time or memory."""

from __future__ import annotations

import errno
import io
import logging
import random
import struct
import tracemalloc
from typing import BinaryIO

import pytest
from PIL import Image

from photoindex.media.content import Content
from photoindex.media.metadata.description import describe
from photoindex.media.metadata.findings import NOTE_LIMIT
from photoindex.types import Described, Kind, MediaType
from tests.metadata_blocks import (
    ASCII,
    DATE_TIME_ORIGINAL,
    LONG,
    MAKE,
    RATIONAL,
    apple_note,
    blob,
    box,
    described,
    exif_segment,
    iptc_segment,
    jpeg,
    png,
    position,
    rational,
    resource,
    short,
    text,
    tiff,
    xmp,
    xmp_segment,
)

JPEG_WITH_EVERYTHING = jpeg(
    exif_segment(
        tiff(
            [text(MAKE, "Canon"), short(0x0112, 6)],
            [
                text(DATE_TIME_ORIGINAL, "2019:06:01 12:34:56"),
                rational(0x829D, (28, 10)),
                blob(0x9286, b"UNICODE\0a\0b\0"),
            ],
            position([(52, 1), (31, 1), (12, 1)], "N", [(13, 1), (24, 1), (18, 1)], "E"),
        )
    ),
    xmp_segment(xmp('xmp:Rating="3" photoshop:DateCreated="2019-06-01"')),
    iptc_segment((5, b"Title"), (55, b"20190601"), (60, b"123456+0200")),
)
PHONE_PICTURE = jpeg(
    exif_segment(
        tiff([text(MAKE, "Apple")], [blob(0x927C, apple_note((0x000B, "a burst"), (0x0011, "a live photo")))])
    ),
    xmp_segment(
        xmp(
            'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="60" xmlns:MP="http://ns.microsoft.com/photo/1.2/" '
            'xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
            'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"',
            "<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>"
            '<rdf:li MPReg:PersonDisplayName="Anna" MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"/>'
            "</rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>",
        )
    ),
)
MOTION_PICTURE = PHONE_PICTURE + b"\xff\xd9" + box(b"ftyp", b"mp42\0\0\0\0") + box(b"mdat", bytes(36))


def saved(format_name: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(buffer, format_name)
    return buffer.getvalue()


SAMPLES: tuple[tuple[bytes, str, Kind], ...] = (
    (JPEG_WITH_EVERYTHING, "jpeg", Kind.IMAGE),
    (MOTION_PICTURE, "jpeg", Kind.IMAGE),
    (png((b"eXIf", tiff([text(MAKE, "Canon")])), (b"tEXt", b"Title\0Beach"), (b"tIME", bytes(7))), "png", Kind.IMAGE),
    (
        tiff([short(0x0100, 40), short(0x0101, 30), text(MAKE, "Canon"), blob(0x83BB, bytes(32), LONG)]),
        "tiff",
        Kind.IMAGE,
    ),
    (saved("WEBP"), "webp", Kind.IMAGE),
    (saved("GIF"), "gif", Kind.IMAGE),
    (saved("BMP"), "bmp", Kind.IMAGE),
    (saved("PPM"), "pnm", Kind.IMAGE),
    (saved("JPEG2000") + box(b"uuid", b"JpgTiffExif->JP2", tiff([text(MAKE, "Canon")])), "jp2", Kind.IMAGE),
    (
        b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"jxlc", b"\xff\x0a\x6b\x02" + bytes(8)) + box(b"xml ", xmp()),
        "jxl",
        Kind.IMAGE,
    ),
    (b"8BPS\0\1" + bytes(24) + struct.pack(">I", 20) + resource(0x0404, b"\x1c\2\5\0\1a"), "psd", Kind.IMAGE),
)


def test_metadata_is_returned_whichever_bytes_are_flipped() -> None:
    generator = random.Random(20190601)
    for data, format_name, kind in SAMPLES:
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(generator.randint(1, 12)):
                damaged[generator.randrange(len(damaged))] = generator.randrange(256)
            assert isinstance(described(bytes(damaged), format_name, kind), Described)


def test_metadata_is_returned_wherever_a_file_is_truncated() -> None:
    for data, format_name, kind in SAMPLES:
        step = max(1, len(data) // 60)
        for length in range(0, len(data), step):
            assert isinstance(described(data[:length], format_name, kind), Described)


@pytest.mark.parametrize(
    "format_name", ["jpeg", "png", "webp", "tiff", "gif", "heic", "avif", "jxl", "jp2", "psd", "no such format"]
)
@pytest.mark.parametrize("data", [b"", b"\0" * 3000, b"\xff" * 3000, bytes(range(256)) * 12])
def test_bytes_that_are_not_a_picture_give_a_size_or_a_note(data: bytes, format_name: str) -> None:
    result = described(data, format_name)
    assert result.width is not None or "container: the header has no size" in result.notes


def test_one_damaged_source_does_not_affect_the_others() -> None:
    result = described(jpeg(exif_segment(b"XX*\0damaged"), xmp_segment(b"<not xml"), iptc_segment((5, b"Title"))))
    assert result.facts == {"iptc": {"title": "Title"}}
    assert (result.width, result.height) == (40, 30)
    assert [note.split(":")[0] for note in result.notes] == ["exif", "xmp"]


def test_a_damaged_gps_directory_does_not_affect_the_rest_of_exif() -> None:
    block = tiff([text(MAKE, "Canon"), (0x8825, LONG, 1, struct.pack("<I", 0xFFFFFFF0))])
    assert described(jpeg(exif_segment(block))).facts == {"exif": {"camera_make": "Canon"}}


def test_directories_that_point_at_themselves_are_read_once() -> None:
    loop = struct.pack("<I", 8)
    block = tiff([text(MAKE, "Canon"), (0x8769, LONG, 1, loop), (0x8825, LONG, 1, loop), (0xA005, LONG, 1, loop)])
    assert described(jpeg(exif_segment(block))).facts["exif"]["camera_make"] == "Canon"


def test_counts_of_four_billion_cost_neither_time_nor_memory() -> None:
    entries = b"".join(
        struct.pack("<HHII", tag, kind, 0xFFFFFFFF, 8)
        for tag in (
            0x010E,
            MAKE,
            0x0112,
            0x0100,
            0x02BC,
            0x83BB,
            0x8649,
            0x829A,
            DATE_TIME_ORIGINAL,
            0x9286,
            0x9C9B,
            0x014A,
        )
        for kind in (ASCII, RATIONAL)
    )
    block = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 65535) + entries
    tracemalloc.start()
    result = described(jpeg(exif_segment(block)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 4 << 20
    assert result.width == 40


def test_the_number_of_segments_resources_and_datasets_is_limited() -> None:
    many = jpeg(*[b"\xff\xe1\0\2"] * 100_000, iptc_segment(*[(25, b"word%d" % number) for number in range(4000)]))
    assert described(many).width is None
    keywords = described(jpeg(iptc_segment(*[(25, b"word%d" % number) for number in range(4000)]))).facts["iptc"][
        "keywords"
    ]
    assert isinstance(keywords, list)
    assert len(keywords) == 2000


def test_a_packet_of_more_than_four_mebibytes_is_refused() -> None:
    packet = xmp('xmp:Rating="2"') + b" " * (5 << 20)
    block = tiff([short(0x0100, 40), blob(0x02BC, packet)])
    # Reading stops at the limit; only the padding after the packet is lost.
    assert described(block, "tiff").facts == {"xmp": {"rating": 2}}
    filled = xmp('xmp:Rating="2"', "<dc:title>" + "x" * (5 << 20) + "</dc:title>")
    result = described(tiff([short(0x0100, 40), blob(0x02BC, filled)]), "tiff")
    assert result.facts == {}
    assert any(note.startswith("xmp: damaged XMP") for note in result.notes)


def test_the_number_of_notes_is_limited() -> None:
    impossible = [(0x8298 + number, 2, 5, b"junk\0") for number in range(100)]
    broken = [text(DATE_TIME_ORIGINAL, "x" * 5000), *impossible]
    result = described(
        jpeg(exif_segment(tiff(exif=broken)), *[xmp_segment(b"<broken%d" % number) for number in range(100)])
    )
    assert len(result.notes) <= 3 * NOTE_LIMIT
    assert all(len(note) < 300 for note in result.notes)


def test_nothing_is_written_to_the_log_for_a_damaged_file(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        described(jpeg(exif_segment(tiff([text(MAKE, b"\xff\xfe\xfd"), (0x8769, LONG, 1, b"\xff\xff\xff\x0f")]))))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


class FailingContent(Content):
    """A content that raises a disk error when it is opened."""

    __slots__ = ()

    def open(self) -> BinaryIO:
        raise OSError(errno.EIO, "Input/output error")


def test_a_disk_error_is_not_reported_as_damage() -> None:
    content = FailingContent(b"a", bytes(32), 100, 0, b"", None)
    with pytest.raises(OSError, match="Input/output error"):
        describe(content, MediaType(Kind.IMAGE, "png"))


def test_the_hostile_samples_are_valid_before_they_are_damaged() -> None:
    result = described(MOTION_PICTURE)
    assert result.facts["exif"]["burst_identifier"] == "a burst"
    assert result.facts["container"]["motion_bytes"] == 60
    assert [region.name for region in result.regions] == ["Anna"]


def test_entities_in_regions_and_directories_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + xmp(
        'GCamera:MotionPhoto="1" xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"'
    )
    result = described(jpeg(xmp_segment(bomb)))
    assert (result.facts, result.regions) == ({}, ())
    assert {note.split(" (")[0] for note in result.notes} == {
        "xmp: damaged XMP",
        "xmp: damaged regions",
        "container: motion photo",
    }
