"""Preprocessing pictures for a model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photoindex.models.base import Preprocessing
from photoindex.models.preprocess import prepare

REPOSITORY = Path(__file__).parents[3]
SIZES = [(1024, 768), (768, 1024), (186, 595), (97, 96), (33, 900), (64, 64), (20, 21), (1, 3), (641, 480)]


def preprocessing(
    size_px: int,
    resize: Literal["shortest", "squash"] = "shortest",
    interpolation: Literal["bicubic", "bilinear"] = "bicubic",
) -> Preprocessing:
    return Preprocessing(size_px, resize, interpolation, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


def of_open_clip(image: Image.Image, wanted: Preprocessing) -> NDArray[np.uint8]:
    transform = pytest.importorskip("open_clip.transform")
    config = transform.PreprocessCfg(
        size=wanted.size_px,
        mean=wanted.mean,
        std=wanted.standard_deviation,
        interpolation=wanted.interpolation,
        resize_mode=wanted.resize,
    )
    values = transform.image_transform_v2(config, is_train=False)(image)
    result: NDArray[np.uint8] = (values * 255).round().byte().permute(1, 2, 0).numpy()
    return result


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resize", ["shortest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_every_pixel_equals_that_of_open_clip(
    size: tuple[int, int], resize: Literal["shortest", "squash"], interpolation: Literal["bicubic", "bilinear"]
) -> None:
    wanted = preprocessing(64, resize, interpolation)
    image = noise(*size)
    np.testing.assert_array_equal(prepare(image, wanted), of_open_clip(image, wanted))


@pytest.mark.parametrize("size", [(1024, 20), (1023, 19), (1024, 3), (19, 1021), (2, 1024)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_thin_picture_gives_the_same_result_as_scaling_it_whole(size: tuple[int, int], mode: str) -> None:
    image = noise(*size, seed=3).convert(mode)
    if mode == "RGBA":
        image.putalpha(noise(*size, seed=4).convert("L"))
    wanted = preprocessing(224)
    np.testing.assert_array_equal(prepare(image, wanted), of_open_clip(image, wanted))


@pytest.mark.parametrize("size", [(1024, 1), (1, 1024)])
def test_a_line_of_pixels_takes_little_memory(size: tuple[int, int]) -> None:
    lines = [
        "import resource, tests.unit.models.test_preprocess as here",
        f"image, wanted = here.noise(*{size}), here.preprocessing(224)",
        "here.prepare(here.noise(64, 64), wanted)",
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss",
        "here.prepare(image, wanted)",
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    # Scaled whole, it would have 224 x 229,376 pixels of four bytes.
    assert int(ran.stdout) * 1024 < 100e6


def test_a_grey_picture_has_three_equal_channels_as_in_open_clip() -> None:
    image = noise(90, 60).convert("L")
    prepared = prepare(image, preprocessing(32))
    np.testing.assert_array_equal(prepared, of_open_clip(image, preprocessing(32)))
    assert (prepared[..., 0] == prepared[..., 2]).all()


def test_the_centre_of_a_wide_picture_is_used() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    prepared = prepare(image, preprocessing(50))
    assert prepared.shape == (50, 50, 3)
    assert prepared.dtype == np.uint8
    assert tuple(prepared[25, 25]) == (0, 0, 255)
    assert (prepared[:, 5:45] == (0, 0, 255)).all()


def test_squashing_uses_the_whole_of_a_wide_picture() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    prepared = prepare(image, preprocessing(60, "squash"))
    assert [tuple(prepared[30, column]) for column in (5, 30, 55)] == [(255, 0, 0), (0, 0, 255), (255, 0, 0)]
