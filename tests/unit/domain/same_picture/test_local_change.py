"""Small changes of a picture that is otherwise the same: a faint watermark is one, scaling and compression are none."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from photoindex.domain.same_picture.compare import same_colours
from tests.edits import jpeg, scaled, scene


def marked(picture: Image.Image, opacity: int) -> Image.Image:
    """Return a picture with a line of words over it, 255 being opaque."""
    copy = picture.copy()
    font = ImageFont.load_default(picture.height // 20)
    place = (picture.width * 0.5, picture.height * 0.85)
    ImageDraw.Draw(copy, "RGBA").text(place, "(c) A. Photographer", font=font, fill=(255, 255, 255, opacity))
    return copy


@pytest.fixture(params=range(4))
def picture(request: pytest.FixtureRequest) -> Image.Image:
    return scaled(scene(request.param), 0.256)


@pytest.mark.parametrize("opacity", [120, 170, 255])
def test_a_watermark_is_seen(picture: Image.Image, opacity: int) -> None:
    assert not same_colours(jpeg(picture, 90), jpeg(marked(picture, opacity), 85))


@pytest.mark.parametrize("quality", [20, 40, 85])
@pytest.mark.parametrize("size", [1.0, 0.5])
def test_compression_and_scaling_are_no_change(picture: Image.Image, quality: int, size: float) -> None:
    assert same_colours(jpeg(picture, 90), jpeg(scaled(picture, size), quality))
