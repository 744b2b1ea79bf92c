"""Converting colours to sRGB by profile, by formula and by code points."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from photoindex.media.decode.cicp import HLG, PQ, cicp_to_srgb, needs_conversion
from photoindex.media.decode.colour import DAMAGED_PROFILE, to_srgb
from photoindex.media.decode.raster import Space
from tests.unit.media.media_pictures import adobe_rgb_profile, decoded, grey_profile, heic, srgb_profile

BT709, BT2020, DISPLAY_P3, SRGB = 1, 9, 12, 13
RAMP = np.arange(256, dtype=np.uint8)
GREYS = np.repeat(RAMP.reshape(1, -1, 1), 3, axis=2)


def test_without_a_profile_colours_are_treated_as_srgb() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)
    assert np.array_equal(to_srgb(colours, Space.RGB, None)[0], colours)
    assert np.array_equal(to_srgb(RAMP.reshape(1, -1), Space.GREY, None)[0], GREYS)


@pytest.mark.parametrize(
    ("ink", "colour"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 255, 255, 0), (255, 0, 0)),
        ((0, 0, 0, 255), (0, 0, 0)),
    ],
)
def test_cmyk_without_a_profile_is_converted_by_the_simple_formula(
    ink: tuple[int, ...], colour: tuple[int, ...]
) -> None:
    image = np.full((2, 2, 4), ink, np.uint8)
    assert to_srgb(image, Space.CMYK, None)[0][0, 0].tolist() == list(colour)


def test_black_and_white_are_unchanged_by_every_profile() -> None:
    for profile in (srgb_profile(), adobe_rgb_profile()):
        image, notes = to_srgb(GREYS, Space.RGB, profile)
        assert notes == ()
        assert image[0, 0].max() <= 2
        assert image[0, -1].min() >= 253


def test_a_grey_profile_changes_midtones_but_not_black_and_white() -> None:
    linear, notes = to_srgb(RAMP.reshape(1, -1), Space.GREY, grey_profile(1.0))
    assert notes == ()
    assert linear.shape == (1, 256, 3)
    assert linear[0, 0].max() <= 2
    assert linear[0, 128].tolist() == pytest.approx([188] * 3, abs=2)
    assert linear[0, 255].min() >= 253


def test_a_profile_for_another_colour_space_is_ignored_with_a_note() -> None:
    ink = np.zeros((2, 2, 4), np.uint8)
    image, notes = to_srgb(ink, Space.CMYK, srgb_profile())
    assert notes == (DAMAGED_PROFILE,)
    assert image[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize(("primaries", "transfer"), [(BT709, 1), (BT709, SRGB), (2, 2), (6, 6), (0, 0), (22, 250)])
def test_code_points_for_srgb_or_unspecified_change_nothing(primaries: int, transfer: int) -> None:
    assert not needs_conversion(primaries, transfer)
    assert cicp_to_srgb(GREYS, primaries, transfer) is GREYS


@pytest.mark.parametrize("primaries", [BT2020, DISPLAY_P3])
def test_wide_gamut_keeps_greys_and_makes_colours_stronger(primaries: int) -> None:
    assert np.abs(cicp_to_srgb(GREYS, primaries, SRGB).astype(int) - GREYS).max() <= 1
    grass = np.full((1, 1, 3), (80, 160, 60), np.uint8)
    stronger = cicp_to_srgb(grass, primaries, SRGB)[0, 0]
    assert stronger[0] < 80
    assert stronger[1] > 160


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("primaries", [BT709, BT2020])
def test_hdr_greys_stay_grey_and_in_order(primaries: int, transfer: int) -> None:
    image = cicp_to_srgb(GREYS, primaries, transfer).astype(int)
    assert np.ptp(image, axis=2).max() <= 2
    assert (np.diff(image[0, :, 1]) >= 0).all()
    assert image[0, 0, 0] == 0
    assert image[0, -1, 0] >= 250
    assert len(np.unique(image[0, :, 1])) > 80


def test_a_heif_with_wide_primaries_but_no_profile_is_converted() -> None:
    grass = Image.new("RGB", (64, 64), (80, 160, 60))
    out = io.BytesIO()
    pillow_heif.encode(
        "RGB", grass.size, grass.tobytes(), out, quality=95, color_primaries=DISPLAY_P3, transfer_characteristics=SRGB
    )
    wide, plain = decoded(out.getvalue()).array[9, 9].astype(int), decoded(heic(grass)).array[9, 9].astype(int)
    assert wide[0] < plain[0] - 10
    assert wide[1] >= plain[1]
