"""A line of words over a picture is forgiven; something that came into the scene is not."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photoindex.domain.same_picture.compare import compare
from photoindex.domain.same_picture.features import Features
from tests.edits import cut, scene


def features(picture: Image.Image) -> Features:
    return Features(np.asarray(picture.convert("L")))


def with_words(picture: Image.Image) -> Image.Image:
    out = picture.copy()
    words = ImageFont.load_default(picture.width // 14)
    at = picture.width * 0.3, picture.height * 0.85
    ImageDraw.Draw(out, "RGBA").text(at, "(c) my own photo", font=words, fill=(255, 255, 255, 170))
    return out


def test_a_line_of_words_is_forgiven() -> None:
    for seed in (1, 2, 3):
        assert compare(features(scene(seed)), features(with_words(scene(seed))), thorough=False).same


def test_a_long_thing_that_came_into_the_scene_is_not() -> None:
    for seed in (1, 2, 3):
        picture = scene(seed)
        width, height = picture.size
        passing = cut(scene(seed + 50), 0.0, 0.3, 1.0, 0.5).resize((int(width * 0.6), height // 7))
        other = picture.copy()
        other.paste(passing, (int(width * 0.2), int(height * 0.6)))
        assert not compare(features(picture), features(other)).same
