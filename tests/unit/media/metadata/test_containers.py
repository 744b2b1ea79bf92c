"""Size and metadata of every container format."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from photoindex.media.content import read_content
from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.containers.container_tags import read_container_tags
from photoindex.media.metadata.description import describe
from photoindex.types import Described, Kind, MediaType
from tests.metadata_blocks import (
    DATE_TIME_ORIGINAL,
    LONG,
    MAKE,
    MODEL,
    ORIENTATION,
    blob,
    box,
    described,
    exif_segment,
    jpeg,
    png,
    resource,
    segment,
    short,
    text,
    tiff,
    xmp,
)

CANON = tiff([text(MAKE, "Canon"), short(ORIENTATION, 6)], [text(DATE_TIME_ORIGINAL, "2019:06:01 12:34:56")])
CANON_FACTS = {"camera_make": "Canon", "taken_at": "2019-06-01T12:34:56", "orientation": 6}
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def saved(format_name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, format_name, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("pillow_name", "format_name"),
    [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tiff"), ("AVIF", "avif")],
)
def test_exif_and_xmp_that_pillow_wrote_are_found(pillow_name: str, format_name: str) -> None:
    exif = Image.Exif()
    exif[MAKE] = "Canon"
    exif.get_ifd(0x8769)[DATE_TIME_ORIGINAL] = "2019:06:01 12:34:56"
    options: dict[str, Any] = {} if pillow_name == "TIFF" else {"xmp": xmp('xmp:Rating="3"')}
    if pillow_name == "PNG":
        options = {"pnginfo": PngImagePlugin.PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp('xmp:Rating="3"').decode())
    if pillow_name == "TIFF":
        exif[700] = xmp('xmp:Rating="3"')
    result = described(saved(pillow_name, exif=exif.tobytes(), **options), format_name)
    assert (result.width, result.height) == (64, 48)
    assert result.facts["exif"]["camera_make"] == "Canon"
    assert result.facts["exif"]["taken_at"] == "2019-06-01T12:34:56"
    assert result.facts["xmp"] == {"rating": 3}
    assert result.notes == ()


@pytest.mark.parametrize(
    ("pillow_name", "format_name"), [("GIF", "gif"), ("BMP", "bmp"), ("JPEG2000", "jp2"), ("PPM", "pnm")]
)
def test_formats_without_exif_give_their_size(pillow_name: str, format_name: str) -> None:
    result = described(saved(pillow_name), format_name)
    assert (result.width, result.height, result.notes) == (64, 48, ())


def test_the_size_of_a_heif_picture_is_the_displayed_size(tmp_path: Path) -> None:
    import pillow_heif

    exif = Image.Exif()
    exif[MAKE], exif[ORIENTATION] = "Apple", 6
    picture = pillow_heif.from_pillow(Image.new("RGB", (64, 48), "teal"))
    picture.save(tmp_path / "a.heic", quality=50, exif=exif.tobytes())
    result = described((tmp_path / "a.heic").read_bytes(), "heic")
    # The encoder converts the EXIF orientation to `irot`, as cameras do.
    assert (result.width, result.height) == (48, 64)
    assert result.facts["exif"]["camera_make"] == "Apple"


def test_the_size_of_a_heif_picture_rotated_by_exif_only_is_the_displayed_size(tmp_path: Path) -> None:
    import pillow_heif

    exif = Image.Exif()
    exif[ORIENTATION] = 1
    exif.get_ifd(0x8769).update({0xA002: 64, 0xA003: 48})
    picture = pillow_heif.from_pillow(Image.new("RGB", (64, 48), "teal"))
    picture.save(tmp_path / "a.heic", quality=50, exif=exif.tobytes())
    upright, turned = (struct.pack(">HHIHH", ORIENTATION, 3, 1, number, 0) for number in (1, 6))
    data = (tmp_path / "a.heic").read_bytes()
    assert data.count(upright) == 1
    result = described(data.replace(upright, turned), "heic")
    assert (result.width, result.height, result.orientation) == (48, 64, 6)


def test_the_exif_of_a_truncated_heif_file_is_read() -> None:
    data = box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"mdat", b"\0\0\0\6Exif\0\0" + CANON)
    result = described(data, "heic")
    assert result.facts["exif"] == CANON_FACTS
    assert any(note.startswith("container: damaged heic") for note in result.notes)


def test_an_orientation_with_a_quarter_turn_swaps_width_and_height() -> None:
    result = described(jpeg(exif_segment(CANON), width=4000, height=3000))
    assert (result.width, result.height, result.orientation) == (3000, 4000, 6)


def test_the_orientation_of_xmp_is_used_if_exif_has_none() -> None:
    result = described(png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp('tiff:Orientation="8"'))), "png")
    assert (result.width, result.height, result.orientation) == (30, 40, 8)


def test_png_texts_and_times_are_container_facts() -> None:
    result = described(
        png(
            (b"tEXt", b"Title\0Beach"),
            (b"zTXt", b"Description\0\0" + zlib.compress("Übermut".encode())),
            (b"tEXt", b"Creation Time\0Sat, 01 Jun 2019 12:34:56 +0200"),
            (b"tIME", struct.pack(">HBBBBB", 2020, 1, 2, 3, 4, 5)),
        ),
        "png",
    )
    assert result.facts == {
        "container": {
            "title": "Beach",
            "description": "Übermut",
            "taken_at": "2019-06-01T12:34:56+02:00",
            "modified_at": "2020-01-02T03:04:05+00:00",
        }
    }


def test_png_chunks_after_the_pixels_are_found() -> None:
    data = png((b"IDAT", b"first"), (b"IDAT", b"second"), (b"eXIf", CANON))
    assert described(data, "png").facts["exif"] == CANON_FACTS


def test_profiles_that_imagemagick_writes_as_hexadecimal_text_are_read() -> None:
    block = b"Exif\0\0" + CANON
    profile = b"\nexif\n%8d\n" % len(block) + block.hex().encode() + b"\n"
    data = png((b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)))
    assert described(data, "png").facts["exif"] == CANON_FACTS


def test_a_compressed_text_cannot_fill_the_memory() -> None:
    data = png((b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * (64 << 20))))
    facts = described(data, "png").facts["container"]
    assert facts["description"] == "x" * 65536


@pytest.mark.parametrize("lossless", [False, True])
def test_the_size_of_both_kinds_of_webp_is_read(lossless: bool) -> None:
    result = described(saved("WEBP", lossless=lossless), "webp")
    assert (result.width, result.height, result.notes) == (64, 48, ())


def test_a_bigtiff_gives_its_facts() -> None:
    exif = Image.Exif()
    exif[MAKE], exif[ORIENTATION] = "Canon", 6
    result = described(saved("TIFF", exif=exif, big_tiff=True), "tiff")
    assert (result.width, result.height) == (48, 64)
    assert result.facts["exif"] == {"camera_make": "Canon", "orientation": 6}


def test_iptc_and_xmp_in_the_tags_of_a_tiff_are_read() -> None:
    iptc = b"\x1c\x02\x05\0\5Title\0\0"
    block = tiff([short(0x0100, 40), short(0x0101, 30), blob(0x83BB, iptc, LONG), blob(0x02BC, xmp('xmp:Rating="2"'))])
    result = described(block, "tiff")
    assert (result.width, result.height) == (40, 30)
    assert result.facts == {"iptc": {"title": "Title"}, "xmp": {"rating": 2}}


def test_the_resources_of_photoshop_files_are_read() -> None:
    resources = (
        resource(0x0404, b"\x1c\x02\x05\0\5Title") + resource(0x0422, CANON) + resource(0x0424, xmp('xmp:Rating="2"'))
    )
    header = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 48, 64, 8, 3)
    data = header + struct.pack(">I", 0) + struct.pack(">I", len(resources)) + resources
    result = described(data, "psd")
    assert (result.width, result.height) == (48, 64)
    assert result.facts == {"exif": CANON_FACTS, "iptc": {"title": "Title"}, "xmp": {"rating": 2}}


def test_a_gif_comment_becomes_the_description() -> None:
    assert described(saved("GIF", comment=b"at the lake"), "gif").facts == {"container": {"description": "at the lake"}}


def test_exif_and_xmp_in_jpeg_2000_boxes_are_read() -> None:
    data = saved("JPEG2000") + box(b"uuid", b"JpgTiffExif->JP2", CANON) + box(b"uuid", XMP_UUID, xmp('xmp:Rating="2"'))
    result = described(data, "jp2")
    assert (result.width, result.height) == (48, 64)
    assert result.facts == {"exif": CANON_FACTS, "xmp": {"rating": 2}}


@pytest.mark.parametrize("size", [(64, 48), (64, 64), (4000, 3000), (333, 17)])
def test_the_size_in_a_jpeg_xl_header_is_read(size: tuple[int, int]) -> None:
    import pillow_jxl

    encoder = pillow_jxl.Encoder(mode="L", lossless=True, quality=100, effort=1)
    data = encoder(bytes(size[0] * size[1]), *size, jpeg_encode=False)
    result = described(bytes(data), "jxl")
    assert (result.width, result.height) == size


def test_exif_and_xmp_in_jpeg_xl_boxes_are_read() -> None:
    # 0xFF0A, then: small, height 48 = (5 + 1) * 8, ratio 4:3, all default.
    stream = b"\xff\x0a" + (1 | 5 << 1 | 3 << 6 | 1 << 9).to_bytes(2, "little") + bytes(8)
    data = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ") + box(b"jxlc", stream)
    data += box(b"Exif", bytes(4), CANON) + box(b"xml ", xmp('xmp:Rating="2"'))
    result = described(data, "jxl")
    assert (result.width, result.height, result.orientation) == (64, 48, 6)
    assert result.facts == {"exif": CANON_FACTS, "xmp": {"rating": 2}}


def test_the_directories_in_the_boxes_of_a_cr3_are_read() -> None:
    exif = tiff([text(DATE_TIME_ORIGINAL, "2021:05:12 12:21:21"), text(0x9011, "+02:00")])
    gps = tiff([text(1, "N"), (2, 5, 1, struct.pack("<II", 52, 1)), text(3, "E"), (4, 5, 1, struct.pack("<II", 13, 1))])
    image = tiff([text(MODEL, "Canon EOS R6"), short(0x0100, 3408), short(0x0101, 2272), short(ORIENTATION, 8)])
    canon = (
        bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + box(b"CMT1", image) + box(b"CMT2", exif) + box(b"CMT4", gps)
    )
    data = box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", box(b"uuid", canon))
    result = described(data, "cr3", Kind.RAW)
    assert result.facts["exif"] == {
        "camera_model": "Canon EOS R6",
        "taken_at": "2021-05-12T12:21:21+02:00",
        "latitude": 52.0,
        "longitude": 13.0,
        "orientation": 8,
    }
    assert (result.width, result.height) == (2272, 3408)


def test_the_facts_of_a_raf_are_read_from_its_jpeg() -> None:
    inner = jpeg(exif_segment(CANON))
    data = (b"FUJIFILMCCD-RAW 0201FF383501").ljust(84, b"\0") + struct.pack(">II", 200, len(inner))
    result = described(data.ljust(200, b"\0") + inner, "raf", Kind.RAW)
    assert result.facts["exif"] == CANON_FACTS


def test_the_facts_of_an_rw2_are_completed_from_its_jpeg() -> None:
    inner = jpeg(exif_segment(tiff([text(MAKE, "not this one")], [short(0x8827, 80)])))
    data = tiff([text(MAKE, "Panasonic"), blob(0x002E, inner)], magic=b"IIU\0")
    assert described(data, "rw2", Kind.RAW).facts["exif"] == {"camera_make": "Panasonic", "iso": 80}


def test_the_tiff_block_of_an_mrw_is_read() -> None:
    blocks = b"\0PRD" + struct.pack(">I", 4) + b"....\0TTW" + struct.pack(">I", len(CANON)) + CANON
    data = b"\0MRM" + struct.pack(">I", len(blocks)) + blocks
    assert described(data, "mrw", Kind.RAW).facts["exif"] == CANON_FACTS


def test_the_record_heap_of_a_crw_is_read() -> None:
    maker = b"Canon\0Canon EOS D60\0"
    info = struct.pack("<II", 3072, 2048)
    moment = struct.pack("<III", 1_068_485_966, 0, 0)
    inner_values = maker + info + moment
    records = ((0x080A, len(maker), 0), (0x1810, len(info), len(maker)), (0x180E, len(moment), len(maker) + len(info)))
    directory = struct.pack("<H", len(records)) + b"".join(struct.pack("<HII", *record) for record in records)
    inner = inner_values + directory + struct.pack("<I", len(inner_values))
    outer = struct.pack("<H", 1) + struct.pack("<HII", 0x300A, len(inner), 0)
    data = b"II" + struct.pack("<I", 26) + b"HEAPCCDR" + bytes(12) + inner + outer + struct.pack("<I", len(inner))
    result = described(data, "crw", Kind.RAW)
    assert result.facts["container"] == {
        "camera_make": "Canon",
        "camera_model": "Canon EOS D60",
        "taken_at": "2003-11-10T17:39:26",
    }
    assert (result.width, result.height) == (3072, 2048)


def test_the_property_list_of_an_x3f_is_read() -> None:
    pairs = (
        ("CAMMANUF", "SIGMA"),
        ("CAMMODEL", "SD10"),
        ("ISO", "100"),
        ("TIME", "978309395"),
        ("AP_DESC", "8"),
        ("LENSFRANGE", "15 to 30"),
    )
    texts, table = b"", b""
    for pair in pairs:
        for word in pair:
            table += struct.pack("<I", len(texts) // 2)
            texts += word.encode("utf-16-le") + b"\0\0"
    section = b"SECp" + struct.pack("<IIIII", 0x20000, len(pairs), 0, 0, len(texts)) + table + texts
    header = b"FOVb" + struct.pack("<I", 0x20002) + bytes(20) + struct.pack("<III", 2268, 1512, 0)
    directory = b"SECd" + struct.pack("<II", 0x20000, 1) + struct.pack("<II4s", len(header), len(section), b"PROP")
    data = header + section + directory + struct.pack("<I", len(header) + len(section))
    result = described(data, "x3f", Kind.RAW)
    assert (result.width, result.height) == (2268, 1512)
    assert result.facts["container"] == {
        "camera_make": "SIGMA",
        "camera_model": "SD10",
        "iso": 100,
        "taken_at": "2001-01-01T00:36:35",
        "aperture": 8.0,
        "lens_range": "15-30mm",
    }


def ciff(order: str, name: bytes) -> bytes:
    maker, moment = b"Canon\0Canon PowerShot A5\0", struct.pack(order + "III", 972_687_386, 0, 0)
    records = ((0x080A, len(maker), 0), (0x180E, len(moment), len(maker)))
    directory = struct.pack(order + "H", len(records)) + b"".join(struct.pack(order + "HII", *one) for one in records)
    heap = maker + moment + directory + struct.pack(order + "I", len(maker) + len(moment))
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "I", 26) + name + bytes(12) + heap


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_record_heap_in_a_jpeg_of_an_early_powershot_is_read(order: str) -> None:
    result = described(jpeg(segment(0xE0, ciff(order, b"HEAPJPGM"))))
    assert result.facts["container"] == {
        "camera_make": "Canon",
        "camera_model": "Canon PowerShot A5",
        "taken_at": "2000-10-27T22:56:26",
    }
    assert (result.width, result.height) == (40, 30)


def canon_trailer(packet: bytes, *, length: int | None = None) -> bytes:
    record = struct.pack(">II", 0xFFFF00F6, len(packet)) + packet
    size = struct.pack(">I", len(record) if length is None else length)
    return b"CANON OPTIONAL DATA\0".ljust(28, b"\0") + record + b"CANON OPTIONAL DATA\0" + size + bytes(40)


def test_xmp_in_a_canon_trailer_is_read() -> None:
    trailer = canon_trailer(xmp('xmp:Rating="3"'))
    assert described(jpeg() + b"\xff\xd9" + trailer).facts == {"xmp": {"rating": 3}}
    assert described(ciff("<", b"HEAPCCDR") + trailer, "crw", Kind.RAW).facts["xmp"] == {"rating": 3}


@pytest.mark.parametrize("length", [0, 7, 100_000, 0xFFFFFFFF])
def test_a_trailer_of_impossible_length_is_ignored(length: int) -> None:
    assert described(jpeg() + b"\xff\xd9" + canon_trailer(xmp('xmp:Rating="3"'), length=length)).facts == {}


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    import av
    import numpy as np

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata["com.apple.quicktime.creationdate"] = "2019-07-24T11:25:40+0300"
        container.metadata["com.apple.quicktime.location.ISO6709"] = "+32.0929+034.8620+028.516/"
        container.metadata["com.apple.quicktime.make"] = "Apple"
        container.metadata["creation_time"] = "2019-07-24T08:25:57Z"
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def describe_movie(path: Path) -> Described:
    return describe(read_content(bytes(path)), MediaType(Kind.VIDEO, "mp4"))


def test_a_movie_gives_size_duration_and_apples_own_tags(movie: Path) -> None:
    result = describe_movie(movie)
    assert (result.width, result.height, result.duration_seconds) == (64, 48, pytest.approx(0.5, abs=0.11))
    facts = dict(result.facts["container"])
    assert facts.pop("codec") == "mpeg4"
    assert facts == {
        "taken_at": "2019-07-24T11:25:40+03:00",
        "created_utc": "2019-07-24T08:25:57+00:00",
        "camera_make": "Apple",
        "latitude": 32.0929,
        "longitude": 34.862,
        "altitude_m": 28.516,
    }


def test_the_size_of_a_rotated_movie_is_the_displayed_size(movie: Path) -> None:
    data = bytearray(movie.read_bytes())
    header = data.index(b"tkhd") + 4
    data[header + 40 : header + 56] = struct.pack(">iiii", 0, 65536, 0, -65536)
    movie.write_bytes(data)
    result = describe_movie(movie)
    assert (result.width, result.height, result.orientation) == (48, 64, 6)


def test_a_content_that_is_not_held_in_memory_is_described_from_its_file(tmp_path: Path) -> None:
    for name, data, format_name in (
        ("a.jpg", jpeg(exif_segment(CANON)), "jpeg"),
        ("a.tif", tiff([short(0x0100, 40), short(0x0101, 30), text(MAKE, "Canon"), short(ORIENTATION, 6)]), "tiff"),
        ("a.png", png((b"eXIf", CANON)), "png"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        content = read_content(bytes(path), hold_bytes=0)
        assert content.data is None
        result = describe(content, MediaType(Kind.IMAGE, format_name))
        assert (result.width, result.height) == (30, 40)
        assert result.facts["exif"]["camera_make"] == "Canon"


def test_the_creation_time_of_a_container_is_utc_and_not_a_capture_time(movie: Path) -> None:
    data = movie.read_bytes()
    name = b"com.apple.quicktime.creationdate"
    movie.write_bytes(data.replace(name, name.replace(b"creationdate", b"creationxxxx")))
    facts = describe_movie(movie).facts["container"]
    assert facts["created_utc"] == "2019-07-24T08:25:57+00:00"
    assert "taken_at" not in facts


@pytest.mark.parametrize("zero", ["1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"])
def test_the_epoch_of_a_containers_clock_is_rejected(zero: str) -> None:
    found = read_container_tags(Blocks(tags={"creation_time": zero, "title": "Beach"}))
    assert found.facts == {"title": "Beach"}
    assert found.notes == [f"container: created_utc {zero!r} refused: the epoch of the container's clock"]


def test_the_date_of_a_matroska_file_is_utc(tmp_path: Path) -> None:
    import av
    import numpy as np

    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["creation_time"] = "2019-07-24T08:25:57Z"
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    result = describe(read_content(bytes(path)), MediaType(Kind.VIDEO, "mkv"))
    assert result.facts["container"]["created_utc"] == "2019-07-24T08:25:57+00:00"
    assert "taken_at" not in result.facts["container"]


WESTERN = "35° – “Hütte” 5 €"  # noqa: RUF001
FOREIGN = "Бабушка на даче"


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt"])
def test_png_texts_that_are_not_utf8_are_read(name: bytes) -> None:
    def chunk(keyword: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name == b"zTXt":
            return name, keyword + b"\0\0" + zlib.compress(value)
        return name, keyword + (b"\0\0\0\0\0" if name == b"iTXt" else b"\0") + value

    western = described(png(chunk(b"Title", WESTERN.encode("cp1252")), chunk(b"Author", "Łucja".encode())), "png")
    assert western.facts == {"container": {"title": WESTERN, "artist": "Łucja"}}
    foreign = described(
        png(chunk(b"Title", FOREIGN.encode("cp1251")), chunk(b"Author", "Иван".encode("cp1251"))), "png"
    )
    assert foreign.facts == {"container": {"title": FOREIGN, "artist": "Иван"}}
    assert foreign.notes == ("container: text that is not UTF-8 was read as Windows-1251",)


def test_gif_comments_that_are_not_utf8_are_read() -> None:
    for written, codec in (
        (WESTERN, "cp1252"),
        (FOREIGN, "cp1251"),
        ("京都の桜、鴨川の夕暮れ", "cp932"),
        ("Łódź", "utf-8"),
    ):
        facts = described(saved("GIF", comment=written.encode(codec)), "gif").facts
        assert facts == {"container": {"description": written}}


@pytest.mark.parametrize(
    ("written", "codec"), [(WESTERN, "cp1252"), (FOREIGN, "cp1251"), ("제주도 여름 휴가", "cp949")]
)
def test_texts_of_an_avi_that_are_not_utf8_are_read(tmp_path: Path, written: str, codec: str) -> None:
    import av

    data = written.encode(codec)
    with av.open(str(tmp_path / "a.avi"), "w") as target:
        target.metadata["title"] = "x" * len(data)
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame(64, 48, "yuv420p")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)
    movie = (tmp_path / "a.avi").read_bytes()
    assert movie.count(b"x" * len(data)) == 1
    result = described(movie.replace(b"x" * len(data), data), "avi", Kind.VIDEO)
    assert result.facts["container"]["title"] == written
    assert len(result.notes) == (codec != "cp1252")


@pytest.mark.parametrize(("written", "codec"), [(WESTERN, "cp1252"), (FOREIGN, "cp1251"), ("Łódź", "utf-8")])
def test_the_comment_of_a_jpeg_is_its_description(written: str, codec: str) -> None:
    data = jpeg(segment(0xFE, written.encode(codec) + b"\0"), segment(0xFE, b"another"))
    assert described(data).facts == {"container": {"description": written}}
