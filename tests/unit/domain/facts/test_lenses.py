"""What a lens is called."""

from __future__ import annotations

import pytest

from photoindex.domain.facts.lenses import focal_lengths, lens_name, lens_range, range_of


@pytest.mark.parametrize(
    "name",
    [
        "EF24-105mm f/4L IS USM", "AF-S DX VR Zoom-Nikkor 18-55mm f/3.5-5.6G", "LUMIX G VARIO 14-45/F3.5-5.6", "XF50mmF2 R WR",
        "iPhone 15 Pro back triple camera 2.22mm f/2.2", "Sigma 85mm F1.4 DG HSM | A", "OLYMPUS M.17mm F1.8", "VS28-80/3.5",
        "HUAWEI P30 Rear Main Camera", "FOL7", "50mm Summilux", "24-70mm F2.8 ZA SSM II", "Объектив 50 мм",
    ],
)  # fmt: skip
def test_a_name_in_words_is_kept_as_it_was_written(name: str) -> None:
    assert lens_name(name) == name
    assert lens_name(f" {name} \0\0") == name
    assert lens_range(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "\x01", "0?\x06???A", "caf\ufffd 50mm", "----", "-", "?", "0", "135", "65535", "X", "N/A", "n/a", "NA", "None", "null",
        "Unknown", "unknown (255)", "Unknown Lens (12334)", "Unknown (AE CE 44 42)", "UNDEFINED", "No lens", "NO-LENS", "Manual lens",
        "0.0 mm f/0.0", "0mm f/0", "DT 0mm F0 SAM", "E 0-0mm F0", "E-Mount, T-Mount, Other Lens or no lens", "Lens",
    ],
)  # fmt: skip
def test_a_text_that_means_unknown_is_neither_a_name_nor_a_range(text: str) -> None:
    assert lens_name(text) is None
    assert lens_range(text) is None


def test_the_name_of_the_camera_is_no_lens() -> None:
    assert lens_name("FinePix X100", "FinePix X100") is None
    assert lens_name("finepix x-100 ", "FinePix X100") is None
    assert lens_name("FinePix X100", "FinePix X100S") == "FinePix X100"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24.0-70.0 mm f/2.8", "24-70mm f/2.8"),
        ("18-250mm F3.5-6.3", "18-250mm f/3.5-6.3"),
        ("7.4 - 22.2 mm", "7.4-22.2mm"),
        ("15 to 30 mm", "15-30mm"),
        ("24-105mm f/?", "24-105mm"),
        ("50mm f/0", "50mm"),
        ("50mm 1:1.8", "50mm f/1.8"),
        ("4.150000095mm f/2.2", "4.15mm f/2.2"),
        ("Unknown 5-10mm", "5-10mm"),
        ("100.0 mm f/2.8", "100mm f/2.8"),
    ],
)
def test_mere_numbers_are_written_in_one_form(text: str, expected: str) -> None:
    assert lens_name(text) is None
    assert lens_range(text) == expected
    assert lens_range(expected) == expected


def test_unknown_and_impossible_numbers_are_left_out_of_a_range() -> None:
    assert range_of(24, 70, 2.8, 2.8) == "24-70mm f/2.8"
    assert range_of(18.0, 55.0, 3.5, 5.6) == "18-55mm f/3.5-5.6"
    assert range_of(18, 55, None, 5.6) == "18-55mm"
    assert range_of(18, 55, 0, 0) == "18-55mm"
    assert range_of(50, 0) == range_of(50, None) == range_of(50, 50) == "50mm"
    assert [
        range_of(*numbers) for numbers in ((0, 0), (None, 70), (0, 70), (70, 24), (float("nan"), 5), (1e9, 1e9))
    ] == [None] * 6


def test_the_focal_lengths_in_a_name_are_found() -> None:
    assert focal_lengths("AF-S Nikkor 24-70mm f/2.8E ED VR") == (24, 70)
    assert focal_lengths("LUMIX G VARIO 14-45/F3.5-5.6") == (14, 45)
    assert focal_lengths("Canon EF 50mm f/1.8") == (50, 50)
    assert focal_lengths("Rear camera") is None
