"""The tests' tiny captioner matches its recipe, and says what is in pictures that it was not trained on."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photoindex.models.captions.files import found_captioner, names_of
from photoindex.models.captions.opening import open_captioner
from photoindex.models.captions.transformers_captioner import Question
from photoindex.models.lock import CAPTIONS, LockedModel
from photoindex.models.weights import InstalledModel, lock_of
from photoindex.stages.caption import CaptionStage
from photoindex.types import Text
from tests.tiny_captioner import wording
from tests.tiny_clip import scenes

pytest.importorskip("torch")
pytest.importorskip("transformers")
FIXTURE = Path(__file__).resolve().parents[3] / "fixtures" / "tiny-captioner"


def test_the_files_match_the_recipe() -> None:
    from transformers import AutoConfig, AutoTokenizer

    from tests.tiny_captioner.model import configuration
    from tests.tiny_captioner.train import Recipe

    recipe = Recipe()
    made, shipped = configuration(recipe.text_width, recipe.text_layers), AutoConfig.from_pretrained(FIXTURE)
    for part in ("vision_config", "text_config"):
        of_recipe, of_files = (getattr(config, part).to_dict() | {"dtype": None} for config in (made, shipped))
        assert of_recipe == of_files
    tokens = AutoTokenizer.from_pretrained(FIXTURE).get_vocab()
    assert tokens == {token: number for number, token in enumerate(wording.vocabulary())}
    assert json.loads((FIXTURE / "accuracy.json").read_text())["recipe"] == dataclasses.asdict(recipe)
    assert sum(path.stat().st_size for path in FIXTURE.iterdir()) < 1_500_000


def test_the_figures_are_good_enough() -> None:
    accuracy = json.loads((FIXTURE / "accuracy.json").read_text())["accuracy"]
    assert accuracy["unseen_combinations"] == sum(scenes.is_unseen(scene) for scene in scenes.all_scenes())
    assert accuracy["exact"] >= 0.8
    readme = (Path(wording.__file__).parent / "README.md").read_text(encoding="utf-8")
    parts = ("colour", "shape", "count", "background", "position")
    assert f"| {accuracy['exact']:.3f} |" in readme
    assert f"| {', '.join(f'{accuracy[part]:.3f}' for part in parts)} |" in readme


def test_previews_of_combinations_that_it_never_saw_are_described_word_for_word() -> None:
    locked = LockedModel(
        title="tiny", task=CAPTIONS, source="made", licence="none", terms="none", installed_at="2026-01-01",
        found=found_captioner(FIXTURE), files={one: lock_of(FIXTURE / one) for one in names_of(FIXTURE)},
    )  # fmt: skip
    captioner = open_captioner(InstalledModel("tiny", FIXTURE, locked), Question("What is this?", 20), device="cpu")
    stage = CaptionStage(captioner, "en", batch_size=8)
    generator = np.random.default_rng(11)
    wanted = [scene for scene in scenes.all_scenes() if scenes.is_unseen(scene)][::13]
    prepared = [stage.prepare(preview_of(scene, generator)) for scene in wanted]
    said = [
        outcome[0].text
        for outcome in stage.run(prepared)
        if isinstance(outcome, tuple) and isinstance(outcome[0], Text)
    ]
    right = [text == wording.sentence_of(scene) for text, scene in zip(said, wanted, strict=True)]
    assert sum(right) / len(right) >= 0.8


def preview_of(scene: scenes.Scene, generator: np.random.Generator) -> bytes:
    """Return the preview of a photo of a scene, as a library makes it."""
    photo = scenes.jpeg(scenes.render(scene, generator, (1200, 900)), 90)
    photo.thumbnail((1024, 1024), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=82)
    return stream.getvalue()
