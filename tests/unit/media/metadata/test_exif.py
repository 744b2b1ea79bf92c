"""Facts from EXIF blocks, built by hand and by Pillow."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from PIL import Image

from tests.metadata_blocks import (
    BYTE,
    DATE_TIME,
    DATE_TIME_DIGITIZED,
    DATE_TIME_ORIGINAL,
    LONG,
    MAKE,
    MODEL,
    ORIENTATION,
    SRATIONAL,
    Entry,
    apple_note,
    blob,
    described,
    exif_facts,
    exif_segment,
    jpeg,
    position,
    rational,
    segment,
    short,
    text,
    tiff,
)

BERLIN = position([(52, 1), (31, 1), (1200, 100)], "N", [(13, 1), (24, 1), (1800, 100)], "E")


def test_a_picture_saved_by_pillow_gives_its_facts_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[MAKE], exif[MODEL], exif[ORIENTATION] = "Leica", "M6", 6
    exif.get_ifd(0x8769).update(
        {DATE_TIME_ORIGINAL: "2019:06:01 12:34:56", 0x8827: 400, 0x829D: 2.8, 0x829A: 0.004, 0x920A: 35.0}
    )
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg", exif=exif)
    result = described((tmp_path / "a.jpg").read_bytes())
    assert (result.width, result.height, result.orientation) == (48, 64, 6)
    assert result.facts["exif"] == {
        "camera_make": "Leica",
        "camera_model": "M6",
        "taken_at": "2019-06-01T12:34:56",
        "iso": 400,
        "aperture": 2.8,
        "exposure_seconds": 0.004,
        "focal_length_mm": 35.0,
        "orientation": 6,
    }
    assert result.notes == ()


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_are_read(order: str) -> None:
    block = tiff(
        [text(MAKE, "Canon"), short(ORIENTATION, 3, order=order)],
        [rational(0x829D, (28, 10), order=order)],
        order=order,
    )
    result = described(jpeg(exif_segment(block)))
    assert result.facts["exif"] == {"camera_make": "Canon", "aperture": 2.8, "orientation": 3}


def test_the_three_times_carry_their_own_subseconds_and_zones() -> None:
    facts = exif_facts(
        [text(DATE_TIME, "2020:01:02 03:04:05")],
        [
            text(DATE_TIME_ORIGINAL, "2019:06:01 12:34:56"),
            text(0x9291, "045"),
            text(0x9011, "+02:00"),
            text(DATE_TIME_DIGITIZED, "2019:06:02 00:00:01"),
            text(0x9012, "-03:30"),
        ],
    )
    assert facts == {
        "taken_at": "2019-06-01T12:34:56.045+02:00",
        "digitized_at": "2019-06-02T00:00:01-03:30",
        "modified_at": "2020-01-02T03:04:05",
    }


@pytest.mark.parametrize("blank", ["", "    :  :     :  :  ", "                   "])
def test_a_blank_date_is_unknown_without_a_note(blank: str) -> None:
    result = described(jpeg(exif_segment(tiff(exif=[text(DATE_TIME_ORIGINAL, blank)]))))
    assert result.facts == {}
    assert result.notes == ()


@pytest.mark.parametrize(
    ("written", "kept", "why"),
    [
        ("2015:08:22 24:08:19", "2015-08-22T00:08:19", "hour 24 is taken as hour 0 of the same date"),
        ("1987:00:00 00:00:00", "1987", "the month is zero, which means unknown"),
        ("2019:02:30 00:00:00", "2019-02", "day 30 does not exist"),
        ("2019:02:03 25:00:00", "2019-02-03", "hour 25 does not exist"),
    ],
)
def test_a_partly_odd_date_keeps_what_is_sound_with_a_note(written: str, kept: str, why: str) -> None:
    result = described(jpeg(exif_segment(tiff(exif=[text(DATE_TIME_ORIGINAL, written)]))))
    assert result.facts == {"exif": {"taken_at": kept}}
    assert result.notes == (f"exif: taken_at '{written}': {why}",)


def test_an_odd_gps_time_keeps_its_day() -> None:
    gps = [rational(7, (24, 1), (8, 1), (19, 1)), text(0x1D, "2015:08:22")]
    assert described(jpeg(exif_segment(tiff(gps=gps)))).facts == {"exif": {"gps_at": "2015-08-22T00:08:19+00:00"}}
    gps = [rational(7, (12, 1), (75, 1), (19, 1)), text(0x1D, "2015:08:22")]
    assert described(jpeg(exif_segment(tiff(gps=gps)))).facts == {"exif": {"gps_at": "2015-08-22"}}


@pytest.mark.parametrize(
    ("entry", "fact"),
    [
        (text(DATE_TIME_ORIGINAL, "0000:00:00 00:00:00"), "taken_at"),
        (text(DATE_TIME_ORIGINAL, "1825:12:31 00:00:00"), "taken_at"),
        (text(DATE_TIME_ORIGINAL, "2999:01:01 00:00:00"), "taken_at"),
        (text(DATE_TIME_ORIGINAL, "1980:00:00 00:00:00"), "taken_at"),
        (text(DATE_TIME_ORIGINAL, "200X:0X:0X 0X:0X:0X"), "taken_at"),
        (short(0x8827, 65535), "iso"),
        (rational(0x829A, (4294967295, 1)), "exposure_seconds"),
        (rational(0x829D, (1, 1000)), "aperture"),
    ],
)
def test_an_impossible_value_is_refused_with_a_note_that_names_it(entry: Entry, fact: str) -> None:
    result = described(jpeg(exif_segment(tiff(exif=[entry]))))
    assert result.facts == {}
    assert any(note.startswith(f"exif: {fact} ") and "refused" in note for note in result.notes)


@pytest.mark.parametrize("number", [0, 9, 65535])
def test_an_orientation_outside_1_to_8_is_ignored(number: int) -> None:
    result = described(jpeg(exif_segment(tiff([short(ORIENTATION, number)])), width=40, height=30))
    assert (result.width, result.height, result.orientation) == (40, 30, 1)
    assert "exif" not in result.facts


def test_zero_aperture_focal_length_and_fractions_over_zero_are_unknown() -> None:
    assert exif_facts(exif=[rational(0x829D, (0, 1)), rational(0x920A, (0, 0)), rational(0x829A, (1, 0))]) == {}


def test_an_iso_beyond_16_bits_is_read_from_the_wider_tags() -> None:
    assert exif_facts(exif=[short(0x8827, 65535), (0x8832, LONG, 1, struct.pack("<I", 102400))]) == {"iso": 102400}


def test_apex_values_are_used_if_exposure_and_aperture_are_missing() -> None:
    speed = (0x9201, SRATIONAL, 1, struct.pack("<ii", 8, 1))
    facts = exif_facts(exif=[speed, rational(0x9202, (4, 1))])
    assert facts == {"exposure_seconds": pytest.approx(1 / 256, abs=1e-6), "aperture": 4.0}


def test_a_position_is_signed_by_its_hemispheres_and_rounded_to_seven_decimals() -> None:
    south_west = position([(33, 1), (51, 1), (2455, 100)], "S", [(70, 1), (40, 1), (0, 1)], "W")
    facts = exif_facts(gps=[*south_west, blob(5, b"\1", BYTE), rational(6, (125, 10))])
    assert facts == {"latitude": -33.8568194, "longitude": -70.6666667, "altitude_m": -12.5}


def test_minutes_and_seconds_that_a_device_leaves_out_count_as_zero() -> None:
    facts = exif_facts(gps=position([(525, 10), (0, 0), (0, 0)], "N", [(13, 1)], "E"))
    assert (facts["latitude"], facts["longitude"]) == (52.5, 13.0)


@pytest.mark.parametrize(
    "gps",
    [
        position([(0, 0), (0, 0), (0, 0)], "N", [(0, 0), (0, 0), (0, 0)], "E"),
        position([(0, 1)], "N", [(0, 1)], "E"),
        position([(91, 1)], "N", [(13, 1)], "E"),
        position([(52, 1)], "N", [(181, 1)], "E"),
        position([(52, 1)], "", [(13, 1)], "E"),
        [rational(2, (52, 1)), rational(4, (13, 1))],
        [text(1, "N"), text(3, "E")],
    ],
)
def test_impossible_and_incomplete_positions_are_rejected(gps: list[Entry]) -> None:
    facts = exif_facts(gps=gps)
    assert "latitude" not in facts
    assert "longitude" not in facts


def test_fractions_over_zero_are_refused_with_a_note_for_each_fact_of_a_position() -> None:
    nothing = [(0, 0), (0, 0), (0, 0)]
    gps = [*position(nothing, "N", nothing, "E"), rational(6, (5, 0)), rational(7, *nothing), text(0x1D, "2019:06:01")]
    result = described(jpeg(exif_segment(tiff(gps=gps))))
    assert result.facts == {}
    assert result.notes == (
        "exif: latitude '0/0, 0/0, 0/0' refused: division by zero",
        "exif: longitude '0/0, 0/0, 0/0' refused: division by zero",
        "exif: gps_at '0/0, 0/0, 0/0' refused: division by zero",
        "exif: altitude_m '5/0' refused: division by zero",
    )


def test_gps_time_keeps_its_fraction_and_is_utc() -> None:
    gps = [*BERLIN, text(0x1D, "2019:06:01"), rational(7, (10, 1), (34, 1), (56250, 1000))]
    assert exif_facts(gps=gps)["gps_at"] == "2019-06-01T10:34:56.250+00:00"


def test_texts_are_read_as_utf8_then_windows_1252_without_padding() -> None:
    facts = exif_facts(
        [text(MAKE, "  NIKON   "), text(0x013B, "Jörg"), text(0x8298, "Käthe".encode("latin-1")), text(MODEL, " ")]
    )
    assert facts == {"camera_make": "NIKON", "artist": "Jörg", "copyright": "Käthe"}


def test_a_text_is_cut_at_64_ki_characters() -> None:
    block = tiff([blob(0x010E, b"x" * 300_000, 2)])
    result = described(block, "tiff")
    assert result.facts["exif"]["description"] == "x" * 65536


def test_windows_texts_are_utf16_and_keywords_are_separated_by_semicolons() -> None:
    def windows(tag: int, value: str) -> Entry:
        return blob(tag, (value + "\0").encode("utf-16-le"), BYTE)

    facts = exif_facts([windows(0x9C9B, "Ein Titel"), windows(0x9C9E, "Meer; Straße;;Meer"), windows(0x9C9D, "名前")])
    assert facts == {"title": "Ein Titel", "keywords": ["Meer", "Straße"], "artist": "名前"}


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (b"ASCII\0\0\0at the lake\0\0\0\0", "at the lake"),
        (b"UNICODE\0" + "am Fluß".encode("utf-16-le"), "am Fluß"),
        (b"UNICODE\0" + "\ufeffam Fluß".encode("utf-16-be"), "am Fluß"),
        (b"\0\0\0\0\0\0\0\0undefined charset", "undefined charset"),
        (b"JIS\0\0\0\0\0" + "写真".encode("iso2022_jp"), "写真"),
        (b"no prefix at all", "no prefix at all"),
    ],
)
def test_a_user_comment_is_read_by_its_character_code(comment: bytes, expected: str) -> None:
    assert exif_facts(exif=[blob(0x9286, comment)]) == {"description": expected}


def test_a_long_user_comment_is_read_whole() -> None:
    assert exif_facts(exif=[blob(0x9286, b"ASCII\0\0\0" + b"word " * 1000)])["description"] == ("word " * 1000).strip()


def test_stars_are_kept_and_percentages_become_stars() -> None:
    assert exif_facts([short(0x4746, 4)])["rating"] == 4
    assert exif_facts([short(0x4749, 75)])["rating"] == 4
    assert "rating" not in exif_facts([short(0x4746, 17)])


def test_the_live_photo_identifier_is_found_in_apples_makernote() -> None:
    identifier = b"1EA799FF-8384-4BC4-87AA-139A814D9125\0"
    entry = struct.pack(">HHII", 0x0011, 2, len(identifier), 14 + 2 + 12 + 4)
    note = b"Apple iOS\0\0\1MM" + struct.pack(">H", 1) + entry + b"\0\0\0\0" + identifier
    facts = exif_facts([text(MAKE, "Apple")], [blob(0x927C, note)])
    assert facts["content_identifier"] == "1EA799FF-8384-4BC4-87AA-139A814D9125"


def test_a_second_exif_block_does_not_override_the_first() -> None:
    first, second = (exif_segment(tiff([text(MAKE, make)])) for make in ("Canon", "Nikon"))
    assert described(jpeg(first, second)).facts == {"exif": {"camera_make": "Canon"}}


def test_tags_in_the_wrong_directory_are_found() -> None:
    facts = exif_facts([text(DATE_TIME_ORIGINAL, "1994:01:02 15:56:14")], [text(MAKE, "Kodak")])
    assert facts == {"taken_at": "1994-01-02T15:56:14", "camera_make": "Kodak"}


def test_adobe_rgb_is_recognised_by_the_interoperability_index() -> None:
    block = tiff([text(MAKE, "Canon")], [short(0xA001, 0xFFFF), (0xA005, LONG, 1, b"\0\0\0\0")])
    index = struct.pack("<H", 1) + struct.pack("<HHI4s", 1, 2, 4, b"R03\0") + b"\0\0\0\0"
    patched = block.replace(
        struct.pack("<HHI4s", 0xA005, LONG, 1, b"\0\0\0\0"), struct.pack("<HHII", 0xA005, LONG, 1, len(block))
    )
    assert described(jpeg(exif_segment(patched + index))).facts["exif"]["colour_space"] == "Adobe RGB"


def test_junk_between_segments_and_fill_bytes_are_skipped() -> None:
    data = jpeg(b"junk", exif_segment(tiff([text(MAKE, "Canon")])), b"\xff\xff", segment(0xE2, b"something else"))
    result = described(data)
    assert (result.width, result.facts["exif"]["camera_make"]) == (40, "Canon")


def test_burst_and_live_photo_identifiers_are_read_from_apples_makernote() -> None:
    note = apple_note((0x000B, "4C13D9B6-BURST"), (0x0011, "9B6D-LIVE"), (0x0015, "another one"))
    facts = exif_facts(exif=[blob(0x927C, note)])
    assert facts == {"burst_identifier": "4C13D9B6-BURST", "content_identifier": "9B6D-LIVE"}


def test_exif_split_over_two_segments_is_joined() -> None:
    block = tiff(
        [text(0x010E, "x" * 70_000), text(MODEL, "a camera")], [text(DATE_TIME_ORIGINAL, "2019:06:01 12:34:56")]
    )
    parts = [block[start : start + 65_000] for start in range(0, len(block), 65_000)]
    assert len(parts) == 2
    facts = described(jpeg(*map(exif_segment, parts))).facts["exif"]
    assert facts["description"] == "x" * 65_536
    assert (facts["camera_model"], facts["taken_at"]) == ("a camera", "2019-06-01T12:34:56")


def test_a_make_that_is_a_number_is_refused_with_a_note() -> None:
    result = described(jpeg(exif_segment(tiff([short(MAKE, 12336), text(MODEL, "a camera")]))))
    assert result.facts["exif"] == {"camera_model": "a camera"}
    assert result.notes == ("exif: camera_make '12336' refused: a number instead of text",)


def test_a_trail_cameras_time_is_read_from_its_makernote() -> None:
    note = b"\x01\xf1" + bytes(20) + struct.pack("<6H", 1, 30, 10, 3, 16, 2020) + bytes(40)
    assert exif_facts(exif=[blob(0x927C, note)]) == {"taken_at": "2020-03-16T10:30:01"}
    standard = text(DATE_TIME_ORIGINAL, "2019:06:01 12:34:56")
    assert exif_facts(exif=[standard, blob(0x927C, note)]) == {"taken_at": "2019-06-01T12:34:56"}
    assert exif_facts(exif=[blob(0x927C, b"\x01\xf1" + bytes(60))]) == {}
