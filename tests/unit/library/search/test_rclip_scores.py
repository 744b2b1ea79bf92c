"""Scores with real weights, compared with rclip's on its own test photos.

The scores in the folder of real photos, `expected/rclip`, are those of rclip with open_clip's ViT-B-32-256, weights
datacomp_s34b_b86k (laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K on the hub); earlier versions of rclip used OpenAI's
ViT-B/32, whose scores differ (0.787 instead of 0.657 for the photo nearest to cat.jpg). To run this comparison:

    photoindex models install FOLDER-OF-THAT-REPOSITORY --id clip-vit-b-32-256
    PHOTOINDEX_TEST_MODELS=…/models pytest tests/unit/library/search/test_rclip_scores.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photoindex.models.encoders import open_image_encoder, open_text_encoder
from photoindex.models.preprocess import prepare
from photoindex.models.weights import InstalledModel, ModelStore

pytestmark = pytest.mark.shared

MODELS = os.environ.get("PHOTOINDEX_TEST_MODELS")  # read before the fixtures remove the user's settings
MODEL_ID = "clip-vit-b-32-256"
# rclip prints three digits, and uses its own resizing and ONNX files.
TOLERANCE = 0.01

QUERIES: Mapping[str, Mapping[str, float]] = {
    "test_search": {"kitty": 1},
    "test_search_by_image": {"cat.jpg": 1},
    "test_search_format[webp]": {"tree": 1},
    "test_search_format[png]": {"boats on a lake": 1},
    "test_add_queries": {"kitty": 1, "puppy": 1, "roof": 1, "fence": 1},
    "test_subtract_queries": {"kitty": 1, "puppy": -1, "roof": -1, "fence": -1},
    "test_add_and_subtract_queries": {"kitty": 1, "roof": 1, "fence": -1},
    "test_query_multipliers": {"kitty": 1, "night": 2, "fence": -0.5},
    "test_combine_text_query_with_image_query": {"cat.jpg": 1, "cat": -3, "bee": 2},
    "test_combine_image_query_with_text_query": {"kitty": 1, "cat.jpg": -1, "bee": 1.5},
}
"""The query of each file of scores: texts and photos with their weights."""

Vectors = Mapping[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def model() -> InstalledModel:
    """The model that produced the scores; skipped if it is not installed."""
    if MODELS is None:
        pytest.skip(f"PHOTOINDEX_TEST_MODELS names no models folder with '{MODEL_ID}' (datacomp_s34b_b86k)")
    found = [one for one in ModelStore(Path(MODELS)).installed() if one.id == MODEL_ID]
    if not found:
        pytest.skip(f"'{MODEL_ID}' (datacomp_s34b_b86k) is not installed in {MODELS}")
    return found[0]


@pytest.fixture(scope="module")
def photos(testdata: Path, model: InstalledModel) -> Vectors:
    """The vectors of rclip's test photos, by name."""
    encoder = open_image_encoder(model, device="cpu")
    vectors = {}
    for path in sorted((testdata / "photos" / "rclip").iterdir()):
        with Image.open(path) as image:
            pixels = prepare(image.convert("RGB"), encoder.preprocessing)
        vectors[path.name] = encoder.encode_images(pixels[None])[0]
    return vectors


@pytest.fixture(scope="module")
def vector_of(model: InstalledModel, photos: Vectors) -> Callable[[str], NDArray[np.float32]]:
    """A function that returns the vector of a text, or of a photo by its name."""
    encoder = open_text_encoder(model)
    return lambda query: photos[query] if query in photos else encoder.encode_texts([query])[0]


def expected_scores(path: Path) -> dict[str, float]:
    """Return the scores by photo name."""
    lines = re.findall(r'^(-?\d\.\d+)\t"<test_images_dir>(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: float(score) for score, name in lines}


@pytest.mark.parametrize("name", QUERIES)
def test_scores_match_rclip(
    name: str, testdata: Path, photos: Vectors, vector_of: Callable[[str], NDArray[np.float32]]
) -> None:
    expected = expected_scores(testdata / "expected" / "rclip" / f"{name}.txt")
    assert len(expected) >= 10
    query = np.sum([weight * vector_of(part) for part, weight in QUERIES[name].items()], axis=0)
    found = {photo: float(query @ photos[photo]) for photo in expected if photo in photos}
    tolerance = TOLERANCE * sum(abs(weight) for weight in QUERIES[name].values())
    assert found == pytest.approx({photo: expected[photo] for photo in found}, abs=tolerance)
    assert len(found) >= 10
