"""Previews, thumbnails and the perceptual hash, compared with Pillow and ImageHash."""

from __future__ import annotations

import io

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photoindex.media.decode.decode import Pixels
from photoindex.media.decode.preload import preload_modules
from photoindex.media.decode.previews import derive, phash
from photoindex.media.decode.scale import fitted, shrink, upright
from photoindex.types import DerivedParams
from tests.unit.media.media_pictures import is_scene, scene, stored_for


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def pixels_of(image: Image.Image) -> Pixels:
    return Pixels(np.asarray(image))


@pytest.mark.parametrize(
    ("size", "preview", "thumbnail"),
    [
        ((4000, 3000), (1024, 768), (256, 192)),
        ((3000, 4000), (768, 1024), (192, 256)),
        ((1024, 683), (1024, 683), (256, 171)),
        ((1500, 1), (1024, 1), (256, 1)),
        ((300, 200), (300, 200), (256, 171)),
        ((100, 80), (100, 80), (100, 80)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_sizes_are_the_longest_side_and_never_enlarge(
    size: tuple[int, int], preview: tuple[int, int], thumbnail: tuple[int, int]
) -> None:
    derived = derive(pixels_of(Image.new("RGB", size, (90, 120, 30))), DerivedParams())
    assert opened(derived.preview_jpeg).size == preview
    assert opened(derived.thumbnail_jpeg).size == thumbnail


def test_derived_pictures_are_plain_baseline_jpegs_of_the_scene() -> None:
    derived = derive(Pixels(np.asarray(scene(1600, 1000)), ("a note",)), DerivedParams())
    for data in (derived.preview_jpeg, derived.thumbnail_jpeg):
        image = opened(data)
        assert is_scene(np.asarray(image))
        assert image.mode == "RGB"
        assert "progressive" not in image.info
        assert not image.getexif()
        assert "icc_profile" not in image.info
        assert image.layer[0][1:3] == (2, 2)  # type: ignore[attr-defined]
    assert derived.notes == ("a note",)


def test_jpeg_quality_follows_the_parameters() -> None:
    generator = np.random.default_rng(1)
    noise = Pixels(generator.integers(0, 255, (600, 800, 3), np.uint8))
    small = derive(noise, DerivedParams(preview_quality=30, thumbnail_quality=30))
    large = derive(noise, DerivedParams(preview_quality=95, thumbnail_quality=95))
    assert len(small.preview_jpeg) * 2 < len(large.preview_jpeg)
    assert len(small.thumbnail_jpeg) * 2 < len(large.thumbnail_jpeg)


def test_the_hash_is_imagehashs_phash_of_the_thumbnail_file() -> None:
    generator = np.random.default_rng(2)
    for number in range(60):
        small = Image.fromarray(generator.integers(0, 255, (number % 9 + 2, number % 7 + 2, 3), np.uint8))
        picture = small.resize((400 + number, 300), Image.Resampling.BICUBIC)
        derived = derive(pixels_of(picture), DerivedParams())
        assert derived.perceptual_hash == int(str(imagehash.phash(opened(derived.thumbnail_jpeg))), 16)
        assert 0 <= derived.perceptual_hash < 1 << 64


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    kind=st.sampled_from(["noise", "plain", "ramp", "two", "mirrored", "tiles", "text"]),
)
def test_phash_equals_imagehash_for_any_picture(seed: int, width: int, height: int, kind: str) -> None:
    generator = np.random.default_rng(seed)
    array = np.zeros((height, width, 3), np.uint8)
    if kind == "noise":
        array[:] = generator.integers(0, 256, array.shape)
    elif kind == "plain":
        array[:] = generator.integers(0, 256, 3)
    elif kind == "ramp":
        array[:] = np.linspace(0, 255, width).astype(np.uint8)[None, :, None]
    elif kind == "two":
        array[:, width // 2 :] = 255
    elif kind == "mirrored":
        array[:] = generator.integers(0, 256, array.shape)
        array = np.maximum(array, array[:, ::-1])
    elif kind == "tiles":
        array = np.tile(generator.integers(0, 256, (16, 8, 3), np.uint8), (4, 8, 1))
    else:
        array[:] = np.where(generator.random((height, width, 1)) > 0.9, 0, 255)
    other = phash(array) ^ int(str(imagehash.phash(Image.fromarray(array))), 16)
    assert other & ~undecided(array) == 0
    assert not other or kind == "tiles" or 2 in (width, height)


def undecided(array: np.ndarray) -> int:
    """Return the bits that rounding decides, by the package's own transform: repeated tiles have equal coefficients."""
    from scipy.fftpack import dct

    grey = np.asarray(Image.fromarray(array).convert("L").resize((32, 32), Image.Resampling.LANCZOS))
    coefficients = dct(dct(grey, axis=0), axis=1)[:8, :8]
    equal = np.abs(coefficients - np.median(coefficients)) < 1e-9
    return int.from_bytes(np.packbits(equal).tobytes(), "big")


def test_hashes_stored_by_earlier_versions_stay_as_they_were() -> None:
    stored = (0xF13BFC3300CC01C4, 0x96CCCBBC3C68C343, 0x998963531451DFAE, 0x9C064B093EECEB4E, 0xB9D4B16136E64666)
    for seed, expected in enumerate(stored):
        small = np.random.default_rng(seed).integers(0, 256, (4 + seed, 6, 3))
        assert phash(np.kron(small, np.ones((32, 32, 1), int)).astype(np.uint8)) == expected


def test_the_hash_changes_little_with_size_and_much_with_the_picture() -> None:
    generator = np.random.default_rng(4)
    picture, other = (
        Image.fromarray(generator.integers(0, 255, (12, 16, 3), np.uint8)).resize((1200, 900), Image.Resampling.BICUBIC)
        for _ in range(2)
    )
    params = DerivedParams()
    first = derive(pixels_of(picture), params).perceptual_hash
    again = derive(pixels_of(picture.resize((600, 450))), params).perceptual_hash
    far = derive(pixels_of(other), params).perceptual_hash
    assert (first ^ again).bit_count() <= 4
    assert (first ^ far).bit_count() >= 16


@pytest.mark.parametrize("ratio", [1.02, 1.1, 1.3, 1.465, 1.7, 1.95, 2.0, 2.6, 4.0, 7.3])
def test_shrinking_is_close_to_a_known_filter_at_every_ratio(ratio: float) -> None:
    generator = np.random.default_rng(6)
    coarse = Image.fromarray(generator.integers(0, 255, (90, 120, 3), np.uint8))
    image = coarse.resize((1200, 900), Image.Resampling.BICUBIC)
    size = (round(1200 / ratio), round(900 / ratio))
    ours = shrink(np.asarray(image), size).astype(float)
    assert ours.shape == (size[1], size[0], 3)
    filters = (Image.Resampling.HAMMING, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    noise = min(np.mean((ours - np.asarray(image.resize(size, name)).astype(float)) ** 2) for name in filters)
    assert 10 * np.log10(255**2 / noise) > 38


def test_shrinking_does_not_shift_the_picture() -> None:
    ramp = np.tile(np.linspace(0, 255, 1500).astype(np.uint8), (90, 1))
    for width in (1024, 700, 500, 300):
        small = shrink(ramp, (width, 60))[30].astype(float)
        wanted = (np.arange(width) + 0.5) / width * 255
        assert np.abs(small - wanted)[5:-5].max() < 1.6


@given(width=st.integers(1, 40000), height=st.integers(1, 40000), longest=st.integers(1, 4096))
def test_fitted_sizes_keep_the_shape_and_never_vanish(width: int, height: int, longest: int) -> None:
    small_width, small_height = fitted(width, height, longest)
    assert max(small_width, small_height) == min(longest, max(width, height))
    assert min(small_width, small_height) >= 1
    assert small_width <= width
    assert small_height <= height


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_reverts_every_exif_orientation(orientation: int) -> None:
    stored = np.asarray(stored_for(orientation, scene()))
    assert np.array_equal(upright(stored, orientation), np.asarray(scene()))


def test_an_unknown_orientation_changes_nothing() -> None:
    array = np.asarray(scene())
    for orientation in (0, 9, -1, 65535):
        assert np.array_equal(upright(array, orientation), array)


def test_modules_to_preload_can_be_imported_and_leave_rare_decoders_out() -> None:
    import importlib

    names = preload_modules()
    for name in names:
        importlib.import_module(name)
    assert not {"rawpy", "av", "pillow_heif", "pillow_jxl", "scipy.fftpack", "imagehash"} & set(names)
