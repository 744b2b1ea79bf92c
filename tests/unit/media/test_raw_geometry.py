"""Orientation, crop and size of a picture from the numbers that LibRaw gives."""

from __future__ import annotations

import pytest
from rawpy import ImageSizes

from photoindex.media.raw_geometry import Crop, crop, is_turned, orientation, stored_size, upright_size

WHOLE = (0, 0, 0, 0)


def sizes(
    *numbers: float, crop: tuple[int, int, int, int] = WHOLE, pixel_aspect: float = 1, flip: int = 0
) -> ImageSizes:
    """Return ImageSizes from the height and width of the sensor data, the visible height and width, top and left."""
    raw_height, raw_width, height, width, top, left = numbers
    return ImageSizes(raw_height, raw_width, height, width, top, left, height, width, pixel_aspect, flip, *crop)


# As LibRaw reads the headers of a Canon PowerShot G2 and a Fujifilm FinePix S5 Pro.
CANON_G2 = (1728, 2376, 1720, 2312, 6, 12)
CANON_G2_CROP = (32, 14, 2272, 1704)
FUJIFILM_S5 = (1444, 4352, 3551, 3552, 10, 48)


def test_the_crop_is_moved_by_the_margins_of_the_visible_area() -> None:
    assert crop(sizes(*CANON_G2, crop=CANON_G2_CROP)) == Crop(20, 8, 2272, 1704)
    assert stored_size(sizes(*CANON_G2, crop=CANON_G2_CROP)) == (2272, 1704)


@pytest.mark.parametrize(
    "wrong", [WHOLE, (0, 0, 2272, 1704), (32, 14, 1000, 1704), (32, 14, 2400, 1704), (32, 14, 2272, 1800)]
)
def test_a_crop_outside_the_visible_area_or_far_too_small_is_ignored(wrong: tuple[int, int, int, int]) -> None:
    assert crop(sizes(*CANON_G2, crop=wrong)) == Crop(0, 0, 2312, 1720)


def test_pixels_are_made_square_by_stretching() -> None:
    assert stored_size(sizes(976, 848, 976, 848, 0, 0, pixel_aspect=1.5)) == (1272, 976)
    assert stored_size(sizes(976, 848, 976, 848, 0, 0, pixel_aspect=0.5)) == (848, 1952)


def test_a_picture_that_stands_has_its_sides_swapped() -> None:
    for flip, wanted in enumerate((1, 2, 4, 3, 5, 8, 6, 7)):
        turned = sizes(160, 240, 160, 240, 0, 0, flip=flip)
        assert orientation(turned) == wanted
        assert upright_size(turned) == ((160, 240) if wanted > 4 else (240, 160))
    assert orientation(sizes(160, 240, 160, 240, 0, 0, flip=90)) == 1


def test_the_size_of_a_sensor_at_45_degrees_is_that_of_its_turned_picture() -> None:
    turned = sizes(*FUJIFILM_S5)
    assert is_turned(turned)
    width, height = upright_size(turned)
    assert (width, height) == (3009, 2012)
    other_layout = sizes(2848, 2176, 3551, 3552, 0, 24)
    assert upright_size(other_layout) == (3009, 2012)
    assert upright_size(sizes(1444, 4352, 3651, 3652, 10, 48)) == (3652, 3651)
    assert not is_turned(sizes(*CANON_G2))
