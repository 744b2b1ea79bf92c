"""The lens in EXIF, in XMP, in a container's tags, and in the maker notes of pictures made here."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.containers.container_tags import read_container_tags
from photoindex.media.sidecars.xmp import read_xmp_sidecar
from photoindex.types import Kind
from tests import maker_notes
from tests.metadata_blocks import (
    MAKE,
    MODEL,
    described,
    exif_facts,
    exif_segment,
    jpeg,
    rational,
    text,
    tiff,
    xmp,
    xmp_segment,
)

LENS_SPECIFICATION, LENS_MODEL, DNG_LENS_INFO = 0xA432, 0xA434, 0xC630
Note = Callable[[int], bytes]


def lens_of(data: bytes) -> tuple[object, object]:
    facts = described(data).facts.get("exif", {})
    return facts.get("lens"), facts.get("lens_range")


@pytest.mark.parametrize(
    ("make", "note", "expected"),
    [
        ("Canon", maker_notes.canon("EF24-105mm f/4L IS USM", 24, 105), ("EF24-105mm f/4L IS USM", "24-105mm")),
        ("Canon", maker_notes.canon("", 7400, 22_200, 1000), (None, "7.4-22.2mm")),
        ("Canon", maker_notes.canon("", 0xFFFF, 0xFFFF), (None, None)),
        ("NIKON CORPORATION", maker_notes.nikon(18, 70, 3.5, 4.5), (None, "18-70mm f/3.5-4.5")),
        ("NIKON CORPORATION", maker_notes.nikon(50, 50, 1.8, 1.8), (None, "50mm f/1.8")),
        ("NIKON CORPORATION", maker_notes.first_nikon(28, 105, 3.5, 4.5), (None, "28-105mm f/3.5-4.5")),
        ("NIKON CORPORATION", maker_notes.nikon(0, 0, 0, 0), (None, None)),
        ("OLYMPUS CORPORATION", maker_notes.olympus("OLYMPUS M.17mm F1.8"), ("OLYMPUS M.17mm F1.8", None)),
        ("OLYMPUS", maker_notes.olympus("", 14, 54, header=b"OLYMP\0\1\0", inside=True), (None, "14-54mm f/2.8-5.6")),
        ("OLYMPUS", maker_notes.olympus("", 14, 54, header=b"OLYMP\0\1\0"), (None, "14-54mm f/2.8-5.6")),
        ("OLYMPUS", maker_notes.olympus("OLYMPUS 14-42mm Lens", 14, 42, inside=True), ("OLYMPUS 14-42mm Lens", "14-42mm f/2.8-5.6")),
        ("OM Digital Solutions", maker_notes.olympus("OM 20mm F1.4", header=b"OM SYSTEM\0\0\0II\4\0"), ("OM 20mm F1.4", None)),
        ("Panasonic", maker_notes.panasonic("LUMIX G VARIO 14-45/F3.5-5.6"), ("LUMIX G VARIO 14-45/F3.5-5.6", None)),
        ("Panasonic", maker_notes.panasonic("NO-LENS"), (None, None)),
        ("LEICA", maker_notes.panasonic("LEICA D 14-50mm", b"LEICA\0\0\0"), ("LEICA D 14-50mm", None)),
        ("LEICA CAMERA AG", maker_notes.leica("Vario-Elmar T 1:3.5-5.6 / 18-56 ASPH."), ("Vario-Elmar T 1:3.5-5.6 / 18-56 ASPH.", None)),
        ("FUJIFILM", maker_notes.fujifilm(18, 55, 2.8, 4), (None, "18-55mm f/2.8-4")),
        ("SONY", maker_notes.sony("0000240070282802"), (None, "24-70mm f/2.8")),
        ("SONY", maker_notes.sony("0000240070282802", b""), (None, "24-70mm f/2.8")),
        ("SONY", maker_notes.sony("e803000001000000"), (None, None)),
        ("SIGMA", maker_notes.sigma((17, 70), (2.8, 4)), (None, "17-70mm f/2.8-4")),
        ("SIGMA", maker_notes.sigma((30, 30), (2.8, 22)), (None, "30mm")),
        ("PENTAX", maker_notes.pentax(3, 44), (None, None)),
    ],
)  # fmt: skip
def test_a_maker_note_says_the_lens_in_words_or_numbers(make: str, note: Note, expected: tuple[object, object]) -> None:
    assert lens_of(maker_notes.picture(make, note)) == expected


@pytest.mark.parametrize("moved", [-62, -8, 54, 300])
def test_the_offsets_of_a_note_that_a_program_has_moved_are_corrected(moved: int) -> None:
    note = maker_notes.canon("", 5800, 23_200, 1000)
    assert lens_of(maker_notes.picture("Canon", note, moved=moved)) == (None, "5.8-23.2mm")


def test_a_note_in_another_byte_order_than_the_block_around_it_is_read() -> None:
    note = maker_notes.canon("EF50mm f/1.8", 50, 50)
    assert lens_of(maker_notes.picture("Canon", note, order=">")) == ("EF50mm f/1.8", "50mm")


@pytest.mark.parametrize("keep", range(0, 110, 7))
def test_a_note_cut_short_gives_no_lens_and_no_error(keep: int) -> None:
    whole = maker_notes.canon("EF50mm f/1.8", 50, 50)
    result = described(maker_notes.picture("Canon", lambda offset: whole(offset)[:keep].ljust(keep + 5, b"\xff")))
    assert "lens" not in result.facts["exif"]
    assert result.facts["exif"]["camera_make"] == "Canon"
    assert not any("damaged" in note for note in result.notes)


def test_the_standard_tag_comes_before_the_maker_note_and_both_tags_of_the_range_are_read() -> None:
    assert exif_facts(
        [], [text(LENS_MODEL, "EF50mm f/1.8 STM"), rational(LENS_SPECIFICATION, (50, 1), (50, 1), (0, 0), (0, 0))]
    ) == {
        "lens": "EF50mm f/1.8 STM",
        "lens_range": "50mm",
    }
    dng = rational(DNG_LENS_INFO, (240, 10), (700, 10), (28, 10), (28, 10))
    assert exif_facts([text(MODEL, "X100"), dng], [text(LENS_MODEL, "24.0-70.0 mm f/2.8")]) == {
        "camera_model": "X100",
        "lens_range": "24-70mm f/2.8",
    }


JUNK = ["\x01", "----", "0.0 mm f/0.0", "Unknown (255)", "N/A", "DT 0mm F0 SAM", "Camera 7", "0", "65535"]


@pytest.mark.parametrize("junk", JUNK)
def test_every_reader_refuses_a_text_that_names_no_lens(junk: str) -> None:
    exif = described(jpeg(exif_segment(tiff([text(MAKE, "Maker"), text(MODEL, "Camera 7")], [text(LENS_MODEL, junk)]))))
    model = 'tiff:Model="Camera 7"'
    escaped = junk.replace("\x01", "?")
    packets = [
        xmp(f'{model} xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:Lens="{escaped}"'),
        xmp(f'{model} exifEX:LensModel="{escaped}"'),
    ]
    found = [exif.facts["exif"]]
    for packet in packets:
        found += [described(jpeg(xmp_segment(packet))).facts["xmp"], read_xmp_sidecar(packet).facts]
    found.append(read_container_tags(Blocks(tags={"model": "Camera 7", "lens": junk})).facts)
    found.append(
        read_container_tags(Blocks(tags={"model": "Camera 7", "com.apple.quicktime.camera.lens_model": junk})).facts
    )
    found.append(
        described(maker_notes.picture("Panasonic", maker_notes.panasonic(junk), model="Camera 7")).facts["exif"]
    )
    assert [facts for facts in found if "lens" in facts or "lens_range" in facts] == []
    assert all(facts["camera_model"] == "Camera 7" for facts in found)
    # Control characters alone are no text at all.
    assert junk == "\x01" or any("lens" in note and "names no lens" in note for note in exif.notes)


def test_xmp_gives_names_and_ranges_of_lenses() -> None:
    aux = 'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"'
    packet = xmp(f'{aux} aux:Lens="EF-S18-55mm f/3.5-5.6 III" aux:LensInfo="18/1 55/1 0/0 0/0"')
    assert described(jpeg(xmp_segment(packet))).facts["xmp"] == {
        "lens": "EF-S18-55mm f/3.5-5.6 III",
        "lens_range": "18-55mm",
    }
    items = "".join(f"<rdf:li>{number}</rdf:li>" for number in ("160/10", "35/1", "4/1", "4/1"))
    packet = xmp("", f"<exifEX:LensSpecification><rdf:Seq>{items}</rdf:Seq></exifEX:LensSpecification>")
    assert read_xmp_sidecar(packet).facts == {"lens_range": "16-35mm f/4"}


def test_the_lens_of_a_movie_is_in_its_tags() -> None:
    tags = {"com.apple.quicktime.camera.lens_model": "iPhone 15 Pro back camera 6.765mm f/1.78"}
    assert read_container_tags(Blocks(tags=tags)).facts == {"lens": "iPhone 15 Pro back camera 6.765mm f/1.78"}


def test_the_ciff_and_sigma_containers_give_the_range() -> None:
    settings = [0] * 46
    settings[23:26] = 21_000, 7000, 1000
    maker, values = b"Canon\0Canon PowerShot G2\0", struct.pack("<46H", *settings)
    records = ((0x080A, len(maker), 0), (0x102D, len(values), len(maker)))
    table = struct.pack("<H", 2) + b"".join(struct.pack("<HII", *record) for record in records)
    heap = maker + values + table + struct.pack("<I", len(maker) + len(values))
    facts = described(b"II" + struct.pack("<I", 14) + b"HEAPCCDR" + heap, "crw", Kind.RAW).facts["container"]
    assert facts["lens_range"] == "7-21mm"
