"""What is measured in frames: sharpness, exposure and eyes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from photoindex.domain.bursts.eyes import look_closed
from photoindex.domain.bursts.measure import measure
from photoindex.domain.bursts.values import Eyes, Face
from tests.burst_pictures import BLURRED, BRIGHT, SHAKEN, as_bgr, frame
from tests.drawn_eyes import face, head


@pytest.mark.parametrize("seed", range(1, 9))
def test_blurred_and_shaken_frames_have_less_than_three_quarters_of_the_sharpness(seed: int) -> None:
    sharp = [measure(as_bgr(frame(seed, number=number))).sharpness for number in range(3)]
    assert min(sharp) > 0.75 * max(sharp)
    assert measure(as_bgr(frame(seed, BLURRED, number=3))).sharpness < 0.75 * min(sharp)
    assert measure(as_bgr(frame(seed, SHAKEN, number=3))).sharpness < 0.75 * min(sharp)


def test_sharpness_hardly_depends_on_brightness_and_contrast() -> None:
    picture = as_bgr(frame(3))
    darker = (picture * 0.6 + 10).astype(np.uint8)
    assert measure(darker).sharpness == pytest.approx(measure(picture).sharpness, rel=0.15)


def test_a_plain_picture_has_no_sharpness() -> None:
    assert measure(np.full((768, 1024, 3), 90, np.uint8)).sharpness == 0.0


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (16, 17), (33, 31)])
def test_pictures_of_any_size_are_measured(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    found = measure(picture, [Face(0.0, 0.0, 1.0, 1.0)])
    assert np.isfinite([found.sharpness, *(one.sharpness for one in found.faces)]).all()
    assert np.isfinite(found.signature).all()


def test_lights_and_shadows_without_detail_are_counted() -> None:
    found = measure(as_bgr(frame(2))), measure(as_bgr(frame(2, BRIGHT)))
    assert found[1].bright > found[0].bright + 0.1
    black = np.full((400, 600, 3), 120, np.uint8)
    black[:100] = 0
    assert measure(black).dark == pytest.approx(0.25)


def test_faces_are_measured_for_themselves() -> None:
    box = Face(0.3, 0.3, 0.3, 0.4)
    sharp = frame(5)
    left, top, right, bottom = 300, 225, 600, 525
    soft = sharp.copy()
    soft.paste(sharp.crop((left, top, right, bottom)).filter(ImageFilter.GaussianBlur(2)), (left, top))
    first, second = (measure(as_bgr(one), [box]) for one in (sharp, soft))
    assert second.faces[0].sharpness < 0.5 * first.faces[0].sharpness
    assert second.sharpness > 0.75 * first.sharpness


def test_small_faces_and_those_outside_the_picture_are_not_measured() -> None:
    picture = as_bgr(frame(5))
    assert measure(picture, [Face(0.5, 0.5, 0.02, 0.02), Face(1.2, 0.2, 0.2, 0.3)]).faces == ()


def eyes(*, open_eyes: bool, seed: int, apart: int = 90, at: tuple[int, int] = (500, 350)) -> Eyes:
    (found,) = measure(head(open_eyes=open_eyes, seed=seed, apart=apart, at=at), [face(apart=apart, at=at)]).faces
    assert found.eyes is not None
    return found.eyes


@pytest.mark.parametrize("apart", [36, 60, 120])
def test_closed_eyes_are_told_beside_open_ones_of_the_same_face(apart: int) -> None:
    opened = [eyes(open_eyes=True, seed=seed, apart=apart, at=(500 + 3 * seed, 350 - seed)) for seed in range(4)]
    closed = eyes(open_eyes=False, seed=9, apart=apart)
    assert look_closed(closed, opened)
    assert not any(look_closed(one, [other for other in [*opened, closed] if other is not one]) for one in opened)


def test_without_two_open_frames_nothing_is_said_of_eyes() -> None:
    closed = [eyes(open_eyes=False, seed=seed) for seed in range(3)]
    assert not any(look_closed(one, [other for other in closed if other is not one]) for one in closed)
    assert not look_closed(closed[0], [])
    assert not look_closed(closed[0], [eyes(open_eyes=True, seed=0)])


def test_eyes_of_small_faces_are_not_judged() -> None:
    (found,) = measure(head(apart=26), [face(apart=26)]).faces
    assert found.eyes is None


def test_eyes_at_the_edge_of_the_picture_are_no_trouble() -> None:
    outside = Face(0.0, 0.0, 0.3, 0.3, None, ((-0.05, 0.01), (0.2, -0.1)))
    assert measure(head(), [outside]).faces[0].eyes is not None
    assert measure(as_bgr(Image.new("RGB", (40, 40))), [Face(0, 0, 1, 1, None, ((0.1, 0.1), (0.95, 0.1)))]).faces
