"""The pixels that a model gets from a preview, and the variant of the embed stage."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from photoindex.models.base import Preprocessing
from photoindex.models.preprocess import prepare
from photoindex.stages.base import UnreadablePreview
from photoindex.stages.embed import pixels_of, variant
from tests.originals import jpeg

CLIP = Preprocessing(224, "shortest", "bicubic", (0.48, 0.46, 0.41), (0.27, 0.26, 0.28))
MADE_WITH = {"model": "m", "digest": "d", "preprocessing": CLIP, "dim": 512}


def detailed_jpeg(size: tuple[int, int]) -> bytes:
    """A JPEG with soft shapes and fine grain, like the preview of a photo."""
    random = np.random.default_rng(3)
    soft = Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = random.normal(0, 12, (size[1], size[0], 1))
    out = io.BytesIO()
    Image.fromarray(np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=82)
    return out.getvalue()


@pytest.mark.parametrize("size", [(1024, 768), (768, 1024), (1024, 682), (400, 300), (224, 224), (200, 90)])
def test_the_pixels_match_the_models_own_preprocessing(size: tuple[int, int]) -> None:
    data = detailed_jpeg(size)
    whole = prepare(Image.open(io.BytesIO(data)).convert("RGB"), CLIP)
    seen = pixels_of(data, CLIP)
    assert seen.shape == (224, 224, 3)
    assert seen.dtype == np.uint8
    difference = seen.astype(float) - whole
    # Decoding at half the size changes less than the JPEG compression itself.
    assert float(np.sqrt((difference**2).mean())) < 2.5


def test_a_preview_not_much_larger_than_the_input_is_decoded_at_full_size() -> None:
    data = detailed_jpeg((600, 450))
    whole = prepare(Image.open(io.BytesIO(data)).convert("RGB"), CLIP)
    assert np.array_equal(pixels_of(data, CLIP), whole)


def test_a_grey_preview_has_three_equal_channels() -> None:
    out = io.BytesIO()
    Image.new("L", (640, 480), 90).save(out, "JPEG")
    seen = pixels_of(out.getvalue(), CLIP)
    assert seen.shape == (224, 224, 3)
    assert np.ptp(seen.reshape(-1, 3), axis=1).max() == 0


@pytest.mark.parametrize("data", [b"", b"no picture", jpeg(1)[:700], b"\x89PNG\r\n\x1a\n" + bytes(64)])
def test_a_preview_that_cannot_be_decoded_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePreview) as raised:
        pixels_of(data, CLIP)
    assert "0x" not in str(raised.value)


def test_the_variant_contains_everything_that_changes_vectors() -> None:
    first = variant(**MADE_WITH)  # type: ignore[arg-type]
    others = [
        MADE_WITH | {"model": "n"},
        MADE_WITH | {"digest": "e"},
        MADE_WITH | {"dim": 768},
        MADE_WITH | {"preprocessing": replace(CLIP, size_px=256)},
        MADE_WITH | {"preprocessing": replace(CLIP, resize="squash")},
        MADE_WITH | {"preprocessing": replace(CLIP, mean=(0.5, 0.5, 0.5))},
    ]
    assert all(variant(**other) != first for other in others)  # type: ignore[arg-type]
    assert variant(**MADE_WITH) == first  # type: ignore[arg-type]
