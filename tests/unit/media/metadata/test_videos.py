"""Dates, zones and cameras in the containers of videos: which times are UTC, and which are the camera's wall clock."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from photoindex.domain.facts.resolve import resolve
from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.containers.container_tags import read_container_tags
from photoindex.media.metadata.description import describe
from photoindex.types import Described, FactValue, Kind, MediaType, Resolved
from tests.metadata_blocks import (
    DATE_TIME_ORIGINAL,
    MAKE,
    MODEL,
    ORIENTATION,
    box,
    exif_segment,
    jpeg,
    short,
    text,
    tiff,
    xmp,
)

HEADER_TIME = "2019-07-24T08:25:57"
MDPM = bytes.fromhex("17ee8c60f84d11d98cd60800200c9a66") + b"MDPM"


def movie(path: Path, header_time: str = f"{HEADER_TIME}Z") -> bytes:
    """Return a video that FFmpeg wrote, in the container of the name's extension."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        container.metadata["creation_time"] = header_time
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for _ in range(2):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path.read_bytes()


def read(data: bytes, format_name: str) -> Described:
    content = Content(b"/nowhere/a", b"\0" * 32, len(data), 0, data[: 64 << 10], data)
    return describe(content, MediaType(Kind.VIDEO, format_name))


def in_berlin(described: Described, name: bytes = b"MVI_0001.MOV") -> Resolved:
    return resolve(described.facts, name=name, folder=b"", mtime_ns=0, home_zone="Europe/Berlin")


def with_user_data(data: bytes, *parts: bytes) -> bytes:
    """Return an MP4 of FFmpeg, whose last box is moov, with more user data."""
    start = data.rindex(b"moov") - 4
    return data[:start] + box(b"moov", data[start + 8 :], box(b"udta", *parts))


def with_chunks(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return an AVI of FFmpeg with more chunks in its header list."""
    more = b"".join(name + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2) for name, value in chunks)
    start = data.index(b"LIST")
    (length,) = struct.unpack_from("<I", data, start + 4)
    end = start + 8 + length
    return (
        b"RIFF"
        + struct.pack("<I", len(data) - 8 + len(more))
        + data[8 : start + 4]
        + struct.pack("<I", length + len(more))
        + data[start + 8 : end]
        + more
        + data[end:]
    )


def test_a_duration_of_more_than_a_year_is_none() -> None:
    header = bytes(4) + struct.pack(">IIII", 0, 0, 1, 0xFFFFFFFF) + bytes(80)
    assert read(box(b"moov", box(b"mvhd", header)), "mov").duration_seconds is None


@pytest.mark.parametrize("version", [0, 1])
def test_a_movie_that_ffmpeg_cannot_open_gives_size_duration_and_rotation(version: int) -> None:
    header = bytes([version, 0, 0, 0]) + struct.pack(">QQIQ" if version else ">IIII", 0, 0, 1000, 4500) + bytes(80)
    where = bytes([version, 0, 0, 0]) + bytes(48 if version else 36)
    track = (
        where + struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30) + struct.pack(">II", 640 << 16, 480 << 16)
    )
    handler = box(b"hdlr", bytes(8), b"vide", bytes(13))
    moov = box(b"moov", box(b"mvhd", header), box(b"trak", box(b"tkhd", track), box(b"mdia", handler)))
    described = read(moov, "mov")
    assert (described.width, described.height, described.orientation) == (480, 640, 6)
    assert described.duration_seconds == 4.5


def nikon_record(number: int, value: str) -> bytes:
    data = value.encode() + b"\0"
    return struct.pack(">IHH", number, 2, len(data)) + data


BARE_EXIF = tiff(
    [text(MAKE, "FUJIFILM"), text(MODEL, "FinePix HS20EXR"), text(DATE_TIME_ORIGINAL, "2011:05:01 10:00:00")]
)
THUMBNAIL = jpeg(
    exif_segment(
        tiff(
            [text(MAKE, "Canon"), text(MODEL, "Canon EOS 70D"), short(ORIENTATION, 6)],
            [text(DATE_TIME_ORIGINAL, "2019:07:24 10:25:57")],
        )
    )
)


def bare(block: bytes) -> bytes:
    """Return the first directory of a TIFF without its header; its offsets count from the directory."""
    directory = bytearray(block[8:])
    for index in range(int.from_bytes(directory[:2], "little")):
        at = 2 + 12 * index
        _, kind, count, offset = struct.unpack_from("<HHII", directory, at)
        if count * {2: 1, 3: 2, 4: 4}[kind] > 4:
            struct.pack_into("<I", directory, at + 8, offset - 8)
    return bytes(directory)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "3gp"])
def test_the_headers_time_is_utc_where_the_standard_says_so(tmp_path: Path, suffix: str) -> None:
    result = in_berlin(read(movie(tmp_path / f"a.{suffix}"), suffix))
    assert result.taken_at == "2019-07-24T10:25:57+02:00"


@pytest.mark.parametrize(
    ("idit", "expected"),
    [
        (b"Wed Jul 24 08:25:57 2019\n\0", f"{HEADER_TIME}+02:00"),
        (b"2019/07/24 08:25:57", f"{HEADER_TIME}+02:00"),
        (b"2019-07-24  08:25:57\0\0", f"{HEADER_TIME}+02:00"),
        (b"2019/ 7/24  1:42PM", "2019-07-24T13:42:00+02:00"),
        (b"2019/ 7/24 12:42AM", "2019-07-24T00:42:00+02:00"),
        (b"2019/07/24/ 09:19", "2019-07-24T09:19:00+02:00"),
    ],
)
def test_the_date_of_an_avi_is_the_cameras_wall_clock(tmp_path: Path, idit: bytes, expected: str) -> None:
    described = read(with_chunks(movie(tmp_path / "a.avi"), (b"IDIT", idit)), "avi")
    assert "created_utc" not in described.facts["container"]
    assert in_berlin(described).taken_at == expected


def test_an_avi_whose_pictures_are_cut_off_has_the_duration_of_its_header() -> None:
    header = struct.pack("<IIIII", 40_000, 0, 0, 0, 625) + bytes(36)
    chunk = b"avih" + struct.pack("<I", len(header)) + header
    listed = b"LIST" + struct.pack("<I", len(chunk) + 4) + b"hdrl" + chunk
    assert read(b"RIFF" + struct.pack("<I", len(listed) + 4) + b"AVI " + listed, "avi").duration_seconds == 25.0


def test_exif_and_xmp_in_an_avi_are_read(tmp_path: Path) -> None:
    chunks = (b"strd", b"AVIF\0\0\0\0" + bare(BARE_EXIF)), (b"_PMX", xmp('xmp:Rating="4"'))
    facts = read(with_chunks(movie(tmp_path / "a.avi"), *chunks), "avi").facts
    assert facts["exif"] == {
        "camera_make": "FUJIFILM",
        "camera_model": "FinePix HS20EXR",
        "taken_at": "2011-05-01T10:00:00",
    }
    assert facts["xmp"] == {"rating": 4}


@pytest.mark.parametrize(
    ("part", "make"),
    [
        (box(b"CNTH", box(b"CNDM", b"\xff\xd8\xff\xd9")), "Canon"),
        (box(b"NCDT", box(b"NCTG", b"")), "Nikon"),
        (box(b"TAGS", b"PENTAX DIGITAL CAMERA\0more"), "PENTAX"),
        (box(b"TAGS", b"EASTMAN KODAK COMPANY\0more"), "EASTMAN KODAK"),
        (box(b"TAGS", b"KONICA MINOLTA DIGITAL CAMERA\0"), "KONICA MINOLTA"),
        (box(b"QVMI", b"anything"), "CASIO"),
        (box(b"FIRM", b"HD4.02.05.00.00"), "GoPro"),
        (box(b"FIRM", b"H22.01.02.01.00"), "GoPro"),
    ],
)
def test_the_header_of_a_camera_without_a_zone_is_its_wall_clock(tmp_path: Path, part: bytes, make: str) -> None:
    result = in_berlin(read(with_user_data(movie(tmp_path / "a.mp4"), part), "mp4"))
    assert (result.taken_at, result.camera_make) == (f"{HEADER_TIME}+02:00", make)


@pytest.mark.parametrize(
    ("part", "make"),
    [(box(b"FIRM", b"H23.01.02.20.00"), "GoPro"), (box(b"TAGS", b"\1\2"), None), (box(b"FIRM", b"1.0"), None)],
)
def test_the_header_of_other_cameras_stays_utc(tmp_path: Path, part: bytes, make: str | None) -> None:
    result = in_berlin(read(with_user_data(movie(tmp_path / "a.mp4"), part), "mp4"))
    assert (result.taken_at, result.camera_make) == ("2019-07-24T10:25:57+02:00", make)


def test_a_header_whose_clock_was_never_set_is_no_time(tmp_path: Path) -> None:
    data = movie(tmp_path / "a.mp4", "1970-01-01T00:00:00Z")
    assert (
        "taken_at" not in read(with_user_data(data, box(b"TAGS", b"PENTAX DIGITAL CAMERA\0")), "mp4").facts["container"]
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"2019-07-24T10:25:57+0300", "2019-07-24T10:25:57+03:00"),
        (b"2019:07:24 10:25:57", "2019-07-24T10:25:57+02:00"),
    ],
)
def test_the_date_in_quicktimes_user_data_counts(tmp_path: Path, written: bytes, expected: str) -> None:
    described = read(with_user_data(movie(tmp_path / "a.mp4"), box(b"date", written)), "mp4")
    assert in_berlin(described).taken_at == expected


def test_exif_of_a_canon_movies_thumbnail_counts_but_does_not_turn_the_movie(tmp_path: Path) -> None:
    described = read(with_user_data(movie(tmp_path / "a.mov"), box(b"CNTH", box(b"CNDA", THUMBNAIL))), "mov")
    result = in_berlin(described)
    assert (result.taken_at, result.camera_model) == ("2019-07-24T10:25:57+02:00", "Canon EOS 70D")
    assert (described.orientation, described.width, described.height) == (1, 64, 48)


@pytest.mark.parametrize("name", [b"PANA", b"LEIC"])
def test_exif_in_the_preview_of_a_panasonic_movie_counts(tmp_path: Path, name: bytes) -> None:
    described = read(with_user_data(movie(tmp_path / "a.mp4"), box(name, bytes(0x4080), THUMBNAIL)), "mp4")
    assert described.facts["exif"]["taken_at"] == "2019-07-24T10:25:57"


def test_exif_in_the_boxes_of_a_newer_canon_movie_counts(tmp_path: Path) -> None:
    data = movie(tmp_path / "a.mp4")
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + box(b"CMT1", tiff([text(MODEL, "Canon EOS R6")]))
    start = data.rindex(b"moov") - 4
    described = read(data[:start] + box(b"moov", data[start + 8 :], box(b"uuid", canon)), "mp4")
    assert described.facts["exif"]["camera_model"] == "Canon EOS R6"


def test_exif_of_a_fujifilm_movie_counts(tmp_path: Path) -> None:
    described = read(with_user_data(movie(tmp_path / "a.mov"), box(b"MVTG", bytes(16), bare(BARE_EXIF))), "mov")
    assert described.facts["exif"]["taken_at"] == "2011-05-01T10:00:00"
    assert "created_utc" not in described.facts["container"]


def test_the_records_of_a_nikon_movie_are_read(tmp_path: Path) -> None:
    records = nikon_record(1, "NIKON") + nikon_record(2, "D5100") + nikon_record(0x12, "2019:07:24 08:25:56")
    described = read(with_user_data(movie(tmp_path / "a.mov"), box(b"NCDT", box(b"NCTG", records))), "mov")
    facts = described.facts["container"]
    assert (facts["camera_make"], facts["camera_model"]) == ("NIKON", "D5100")
    assert facts["taken_at"] == "2019-07-24T08:25:56"


def test_the_zone_in_sonys_metadata_counts(tmp_path: Path) -> None:
    xml = (
        b'<NonRealTimeMeta><CreationDate value="2019-07-24T10:25:57+02:00"/>'
        b'<Device manufacturer="Sony" modelName="ILCE-7M3" serialNo="1"/></NonRealTimeMeta>'
    )
    meta = box(b"meta", bytes(4), box(b"hdlr", bytes(8) + b"nrtm" + bytes(13)), box(b"xml ", bytes(4), xml))
    result = resolve(read(movie(tmp_path / "a.mp4") + meta, "mp4").facts, name=b"C0001.MP4", folder=b"", mtime_ns=0)
    assert result.taken_at == "2019-07-24T10:25:57+02:00"
    assert (result.camera_make, result.camera_model) == ("Sony", "ILCE-7M3")


@pytest.mark.parametrize("key", ["com.apple.quicktime.creationdate", "date", "datetimeoriginal", "creation time"])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2019-07-24T08:25:57Z", "2019-07-24T10:25:57+02:00"),
        ("2019-07-24 08:25:57 UTC", "2019-07-24T10:25:57+02:00"),
        ("2019-07-24T08:25:57+0000", "2019-07-24T08:25:57+00:00"),
        ("2019-07-24T08:25:57", "2019-07-24T08:25:57+02:00"),
    ],
)
def test_a_date_that_ends_in_z_is_an_instant_and_no_wall_clock(key: str, written: str, expected: str) -> None:
    facts = read_container_tags(Blocks(tags={key: written})).facts
    assert (
        resolve({"container": facts}, name=b"a", folder=b"", mtime_ns=0, home_zone="Europe/Berlin").taken_at == expected
    )


def asf(ticks: int) -> bytes:
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365") + struct.pack("<Q16sQQ", 104, b"", 0, ticks)
    return bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(14) + properties


def test_the_creation_date_of_asf_is_utc() -> None:
    # 2019-07-24T08:25:57Z in units of 100 ns since 1601.
    described = read(asf((1_563_956_757 + 11_644_473_600) * 10_000_000), "wmv")
    assert in_berlin(described).taken_at == "2019-07-24T10:25:57+02:00"
    assert "container" not in read(asf(0), "wmv").facts


def avchd(packs: bytes, *, stamped: bool = True, before: int = 150) -> bytes:
    """Return a transport stream in which the packs begin after `before` bytes and go on in a second packet."""
    message = MDPM + bytes([len(packs) // 5]) + packs
    payload = b"\0\0\1\xe0".ljust(before, b"\x55") + message.replace(b"\0\0", b"\0\0\3") + b"\x80"
    packets = []
    for index, start in enumerate(range(0, len(payload), 184)):
        part = payload[start : start + 184]
        filling = b"" if len(part) == 184 else bytes([183 - len(part)]) + bytes(183 - len(part))
        header = bytes([0x47, 0x10 if index else 0x50, 0x11, 0x30 if filling else 0x10])
        packets.append(bytes(4 * stamped) + header + filling + part)
        # Packets of another stream come between.
        packets.append(bytes(4 * stamped) + b"\x47\1\0\x10" + bytes(184))
    return b"".join(packets)


def recorded(zone: int) -> bytes:
    return bytes([0x18, zone, 0x20, 0x19, 0x07, 0x19, 0x24, 0x10, 0x25, 0x57, 0xE0, 0x01, 0x08, 0, 0])


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("before", [20, 150, 180])
def test_the_h264_date_of_avchd_is_read(stamped: bool, before: int) -> None:
    described = read(avchd(recorded(0xFF), stamped=stamped, before=before), "mts")
    assert described.facts["container"]["taken_at"] == "2019-07-24T10:25:57"
    result = in_berlin(described, b"00001.MTS")
    assert (result.taken_at, result.camera_make) == ("2019-07-24T10:25:57+02:00", "Sony")


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (0x02, "+01:00"),
        (0x42, "+02:00"),  # summer time
        (0x2A, "-05:00"),
        (0x6A, "-04:00"),
        (0x0B, "+05:30"),
        (0x40, "+01:00"),
        (0x00, ""),  # never set
        (0xFF, ""),
    ],
)
def test_the_zone_of_avchd_is_read_unless_it_was_never_set(zone: int, expected: str) -> None:
    assert read(avchd(recorded(zone)), "mts").facts["container"]["taken_at"] == f"2019-07-24T10:25:57{expected}"


def degrees(number: int, degrees: int, minutes: int, over: int = 1) -> bytes:
    values = ((degrees, over), (minutes, over), (0, over))
    return b"".join(bytes([number + index]) + struct.pack(">HH", *value) for index, value in enumerate(values))


@pytest.mark.parametrize(
    ("packs", "expected"),
    [
        (b"\xb1N\0\0\0" + degrees(0xB2, 52, 30) + b"\xb5E\0\0\0" + degrees(0xB6, 13, 15), (52.5, 13.25)),
        (b"\xb1S\0\0\0" + degrees(0xB2, 52, 30) + b"\xb5W\0\0\0" + degrees(0xB6, 13, 15), (-52.5, -13.25)),
        (b"\xb1N\0\0\0" + degrees(0xB2, 0, 0) + b"\xb5E\0\0\0" + degrees(0xB6, 0, 0), (None, None)),
        (b"\xb1N\0\0\0" + degrees(0xB2, 52, 30, 0) + b"\xb5E\0\0\0" + degrees(0xB6, 13, 15), (None, None)),
        (b"\xb1N\0\0\0" + degrees(0xB2, 95, 30) + b"\xb5E\0\0\0" + degrees(0xB6, 13, 15), (None, None)),
        (b"\xb1N\0\0\0" + degrees(0xB2, 52, 30), (None, None)),
        (
            b"\xb1N\0\0\0" + degrees(0xB2, 52, 30) + b"\xb5E\0\0\0" + degrees(0xB6, 13, 15) + b"\xbeV\0\0\0",
            (None, None),
        ),
    ],
)
def test_the_position_of_avchd_is_read(packs: bytes, expected: tuple[float | None, float | None]) -> None:
    facts = read(avchd(recorded(2)[:10] + packs), "mts").facts["container"]
    assert (facts.get("latitude"), facts.get("longitude")) == expected


@pytest.mark.parametrize(
    "packs",
    [
        bytes([0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x19, 0xFF, 0xFF, 0xFF, 0xFF]),
        bytes([0x18, 2, 0x20, 0x19, 0x07]),
        bytes([0x19, 0x24, 0x10, 0x25, 0x57, 0x18, 2, 0x20, 0x19, 0x07]),
    ],
)
def test_unset_and_incomplete_dates_of_avchd_are_none(packs: bytes) -> None:
    assert "taken_at" not in read(avchd(packs), "mts").facts.get("container", {})


def dv(date: bytes, time: bytes) -> bytes:
    block = b"\x56\0\0" + b"\x62" + date + b"\x63" + time + b"\xff" * 65 + b"\0\0"
    return b"\x1f\7\0\x3f".ljust(80, b"\xff") + block + bytes(80)


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        (b"\xff\xe4\xc7\x19", b"\xff\xd7\xa5\xd0", "2019-07-24T10:25:57"),
        (b"\xff\x24\x07\x98", b"\xff\x57\x25\x10", "1998-07-24T10:25:57"),
        (b"\xff\xff\xff\xff", b"\xff\xff\xff\xff", None),
    ],
)
def test_the_recording_date_of_dv_is_the_cameras_wall_clock(date: bytes, time: bytes, expected: str | None) -> None:
    assert read(dv(date, time), "dv").facts.get("container", {}).get("taken_at") == expected


def hostile_inputs(tmp_path: Path) -> dict[str, bytes]:
    user_data = (box(b"CNTH", THUMBNAIL), box(b"MVTG", b"\xff" * 20), box(b"NCDT", box(b"NCTG", nikon_record(2, "D"))))
    return {
        "avi": with_chunks(movie(tmp_path / "a.avi"), (b"strd", b"AVIF\0\0\0\0" + bare(BARE_EXIF)), (b"IDIT", b"2019")),
        "mov": with_user_data(
            movie(tmp_path / "a.mov"), *user_data, box(b"TAGS", b"P"), box(b"PANA", b"\xff\xd8\xff\xe1")
        ),
        "mts": avchd(recorded(2)),
        "dv": dv(b"\xff\xe4\xc7\x19", b"\xff\xd7\xa5\xd0"),
        "wmv": asf(1 << 63),
    }


@pytest.mark.parametrize("format_name", ["avi", "mov", "mts", "dv", "wmv"])
def test_a_video_cut_short_anywhere_gives_no_other_time(tmp_path: Path, format_name: str) -> None:
    data = hostile_inputs(tmp_path)[format_name]
    whole = read(data, format_name).facts.get("container", {}).get("taken_at")
    for length in range(0, len(data), max(1, len(data) // 60)):
        assert read(data[:length], format_name).facts.get("container", {}).get("taken_at") in (None, whole)


def packet_of(stream: int) -> bytes:
    return b"\x47" + struct.pack(">H", stream) + b"\x10" + bytes(184)


@pytest.mark.parametrize(
    ("format_name", "before", "fact"),
    [
        (
            "avi",
            b"LIST\xff\xff\xff\xffhdrl" * 6000,
            b"_PMX" + struct.pack("<I", len(xmp('xmp:Rating="4"'))) + xmp('xmp:Rating="4"'),
        ),
        ("avi", b"JUNK\0\0\0\0" * 6000, b"IDIT\x13\0\0\x002019-07-24 08:25:57\0"),
        ("mts", packet_of(0x100) * 12_000, avchd(recorded(2), stamped=False)),
        ("mts", b"".join(packet_of(number) for number in range(40)), avchd(recorded(2), stamped=False)),
    ],
)
def test_chunks_bytes_and_streams_are_limited(format_name: str, before: bytes, fact: bytes) -> None:
    head = b"RIFF\xff\xff\xff\xffAVI " if format_name == "avi" else b""
    assert read(head + fact, format_name).facts
    assert "taken_at" not in str(read(head + before + fact, format_name).facts)
    assert "rating" not in str(read(head + before + fact, format_name).facts)


def test_each_kind_of_user_data_is_read_once() -> None:
    parts = [box(b"CNTH", jpeg(exif_segment(tiff([text(tag, "a")])))) for tag in (MAKE, MODEL)]
    assert read(box(b"moov", box(b"udta", *parts)), "mov").facts["exif"] == {"camera_make": "a"}


def test_the_time_of_an_avi_in_an_older_library_is_the_cameras_wall_clock() -> None:
    facts: dict[str, FactValue] = {"created_utc": "2009-10-27T12:14:34"}
    result = resolve({"container": facts}, name=b"a.avi", folder=b"", mtime_ns=0, home_zone="Europe/Berlin")
    assert result.taken_at == "2009-10-27T12:14:34+01:00"
