"""Perceptual hashes of pictures and of windows of them, and finding the content inside a border."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from photoindex.domain.same_picture.hashes import WINDOWS, PictureHashes, hashes_of, window_rectangles
from photoindex.domain.same_picture.orientations import apply_orientation, reoriented_hashes
from photoindex.domain.same_picture.trimming import Rectangle, content_rectangle
from photoindex.pipeline.duplicates.candidates import has_structure
from tests.edits import EDITS, Edit, cut, scaled, scene

RADIUS = 10


def grey(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("L"))


def hashed(picture: Image.Image) -> PictureHashes:
    return hashes_of(grey(picture))


def distance_to_windows(small: PictureHashes, large: PictureHashes) -> int:
    asked = np.array([small.full, small.windows[0]], np.uint64)
    return int(np.bitwise_count(asked[:, None] ^ large.windows[None]).min())


def on_a_screen(picture: Image.Image) -> Image.Image:
    page = Image.new("RGB", (540, 1170))
    small = picture.resize((540, round(picture.height * 540 / picture.width)))
    page.paste(small, (0, (1170 - small.height) // 2))
    ImageDraw.Draw(page).text((20, 10), "12:34      87 %", font=ImageFont.load_default(20), fill="white")
    return page


def with_a_banner(picture: Image.Image) -> Image.Image:
    out = picture.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((0, 0, out.width, out.height // 6), fill="white")
    draw.text((30, 10), "HAPPY BIRTHDAY", font=ImageFont.load_default(90), fill="black")
    return out


FRAMED: dict[str, Edit] = {
    "cut by 10 %": lambda picture: cut(picture, 0.07, 0.02, 0.97, 0.92),
    "cut by 20 %": lambda picture: cut(picture, 0.03, 0.14, 0.83, 0.94),
    "cut to a square": lambda picture: ImageOps.fit(picture, (min(picture.size),) * 2),
    "framed": lambda picture: ImageOps.expand(picture, border=picture.width // 20, fill="white"),
    "on a screen": on_a_screen,
    "with a banner": with_a_banner,
}


@pytest.mark.parametrize("name", FRAMED)
def test_a_part_or_a_framed_copy_is_near_a_window(name: str) -> None:
    for seed in (1, 2, 3):
        picture, copy = hashed(scene(seed)), hashed(FRAMED[name](scene(seed)))
        assert min(distance_to_windows(copy, picture), distance_to_windows(picture, copy)) <= RADIUS


def test_windows_of_other_pictures_are_far() -> None:
    known = [hashed(scene(seed)) for seed in range(8)]
    for place, one in enumerate(known):
        assert all(distance_to_windows(one, other) > RADIUS for other in known[:place] + known[place + 1 :])


def test_the_content_is_inside_the_border_bars_and_banner() -> None:
    picture = scene(4)
    width, height = picture.size
    framed = content_rectangle(grey(FRAMED["framed"](picture)))
    assert framed.left == pytest.approx(50 / (width + 100), abs=0.01)
    assert framed.bottom == pytest.approx(1 - 50 / (height + 100), abs=0.01)
    screen = content_rectangle(grey(on_a_screen(picture)))
    assert (screen.left, screen.right) == (0.0, 1.0)
    assert screen.bottom - screen.top == pytest.approx(405 / 1170, abs=0.01)
    assert content_rectangle(grey(with_a_banner(picture))).top == pytest.approx(1 / 6, abs=0.02)


def test_a_picture_without_a_border_is_its_own_content() -> None:
    assert content_rectangle(grey(scene(5))).is_whole
    assert content_rectangle(np.full((60, 80), 200, np.uint8)).is_whole
    assert content_rectangle(np.zeros((3, 5), np.uint8)).is_whole


def test_a_rectangle_survives_packing() -> None:
    one = Rectangle(0.1, 0.2, 0.75, 1.0)
    again = Rectangle.unpacked(one.packed())
    assert len(one.packed()) == 8
    assert (again.left, again.top, again.right, again.bottom) == pytest.approx((0.1, 0.2, 0.75, 1.0), abs=1e-5)
    assert Rectangle.unpacked(Rectangle().packed()).is_whole


def test_plain_pictures_have_no_structure_whatever_their_rounding() -> None:
    random = np.random.default_rng(0)
    plain = np.full((192, 256), 118, np.uint8)
    noisy = plain + random.integers(0, 2, plain.shape, dtype=np.uint8)
    found = [hashes_of(plain), hashes_of(noisy), hashes_of(np.zeros((192, 256), np.uint8))]
    assert {one.full for one in found} == {0}
    assert not has_structure(np.concatenate([one.windows for one in found])).any()
    assert has_structure(hashed(scene(1)).windows).all()


def test_rounding_of_pixels_hardly_changes_bits() -> None:
    for seed in range(4):
        picture = scene(seed)
        first, second = hashed(picture), hashed(scaled(EDITS["saved at quality 40"](picture), 0.5))
        assert (first.full ^ second.full).bit_count() <= 2


@pytest.mark.parametrize("turn", range(8))
def test_the_hash_of_a_rotated_picture_is_close_to_the_transformed_one(turn: int) -> None:
    near = 0
    for seed in range(6):
        plane = grey(scene(seed)).astype(np.float32)
        expected = int(reoriented_hashes(np.array([hashes_of(plane.astype(np.uint8)).full], np.uint64), turn)[0])
        turned = hashes_of(apply_orientation(plane, turn).astype(np.uint8)).full
        near += (turned ^ expected).bit_count() <= RADIUS
    assert near == 6


def test_windows_lie_inside_and_are_as_many_as_hashes() -> None:
    for size in ((400, 300), (300, 400), (300, 300)):
        windows = window_rectangles(*size)
        assert len(windows) == WINDOWS == len(hashes_of(grey(scene(1, size))).windows)
        assert windows[0].is_whole
        for one in windows:
            assert -1e-9 <= one.left < one.right <= 1 + 1e-9
            assert -1e-9 <= one.top < one.bottom <= 1 + 1e-9


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 2), (2000, 20)])
def test_tiny_and_narrow_pictures_have_hashes(size: tuple[int, int]) -> None:
    assert len(hashed(Image.new("RGB", size, "red")).windows) == WINDOWS
