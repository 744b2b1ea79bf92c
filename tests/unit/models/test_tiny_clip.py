"""The tests' tiny model matches its recipe, and its captions are true."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_clip import captions, scenes, vocabulary
from tests.tiny_model import FIXTURE

HARD = ("", "ÄÖÜ ß é", "夕日の海", "🏖️👨‍👩‍👧", "a\u200bb\u00a0c", "\x00\x1b", "three   RED circles", "xyzzy 0123456789")


def test_the_vocabulary_matches_the_recipe(tmp_path: Path) -> None:
    written = tmp_path / "vocabulary.gz"
    vocabulary.write_vocabulary(written, vocabulary.learn_merges(captions.vocabulary_words()))
    assert written.read_bytes() == (FIXTURE / "bpe_simple_vocab.txt.gz").read_bytes()


def test_the_configuration_matches_the_recipe() -> None:
    pytest.importorskip("torch")
    from tests.tiny_clip.train import Recipe, configuration

    tokens = vocabulary.token_count(vocabulary.learn_merges(captions.vocabulary_words()))
    assert json.loads((FIXTURE / "open_clip_config.json").read_text()) == configuration(Recipe(), tokens)


def test_the_accuracy_figures_match_the_recipe_and_are_good_enough() -> None:
    pytest.importorskip("torch")
    from tests.tiny_clip.train import Recipe

    report = json.loads((FIXTURE / "accuracy.json").read_text())
    assert report["recipe"] == dataclasses.asdict(Recipe())
    accuracy = report["accuracy"]
    assert accuracy["unseen_combinations"] == sum(scenes.is_unseen(scene) for scene in scenes.all_scenes())
    assert accuracy["text_to_image_recall_at_5"] >= 0.99
    assert accuracy["image_to_text_recall_at_5"] >= 0.99
    readme = (Path(vocabulary.__file__).parent / "README.md").read_text(encoding="utf-8")
    parts = ("colour", "shape", "count", "background", "position")
    for row in (
        [f"{accuracy[f'text_to_image_recall_at_{number}']:.3f}" for number in (1, 5)],
        [f"{accuracy['image_to_text_recall_at_5']:.3f}"],
        [f"{accuracy[f'{part}_precision_at_20']:.2f}" for part in parts],
    ):
        assert f"| {', '.join(row)} |" in readme
    cosines = [accuracy[f"cosine_{which}"] for which in ("right", "any", "absent_99th_percentile")]
    assert f"| {'; '.join(f'{cosine:.2f}' for cosine in cosines)} |" in readme


@pytest.mark.slow
def test_the_exported_towers_match_the_weights(tmp_path: Path) -> None:
    pytest.importorskip("open_clip")
    from photoindex.models.encoders import open_image_encoder, open_text_encoder
    from photoindex.models.export.run import export
    from tests.unit.models.clip_models import installed

    again = tmp_path / "model"
    shutil.copytree(FIXTURE, again, ignore=shutil.ignore_patterns("onnx"))
    export(again)
    for name in ("model.json", "tokenizer.json"):
        assert (again / "onnx" / name).read_bytes() == (FIXTURE / "onnx" / name).read_bytes()
    texts = [captions.describe(scene) for scene in scenes.all_scenes()[::97]]
    shipped, fresh = (open_text_encoder(installed(folder)).encode_texts(texts) for folder in (FIXTURE, again))
    assert np.abs(shipped - fresh).max() < 1e-4
    pixels = np.random.default_rng(1).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    shipped, fresh = (
        open_image_encoder(installed(folder), device="cpu", runtime="onnx").encode_images(pixels)
        for folder in (FIXTURE, again)
    )
    assert np.abs(shipped - fresh).max() < 1e-4


def test_the_fixture_is_small() -> None:
    assert sum(path.stat().st_size for path in FIXTURE.rglob("*") if path.is_file()) < 2_000_000


def test_a_word_of_the_captions_is_one_token_and_every_text_can_be_encoded() -> None:
    pytest.importorskip("open_clip")
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer(str(FIXTURE / "bpe_simple_vocab.txt.gz"))
    words = captions.vocabulary_words()
    assert all(len(tokenizer.encode(word)) == 1 for word in words)
    for text in HARD:
        tokens = tokenizer.encode(text)
        assert tokenizer.decode(tokens).replace(" ", "") == tokenizer.clean_fn(text).replace(" ", "")
        assert tokenizer.eot_token_id > max(tokens, default=0)


def test_captions_are_true_of_their_scene() -> None:
    generator = np.random.default_rng(3)
    every = scenes.all_scenes()
    for row in generator.integers(len(every), size=500):
        known = captions.traits_of(every[row]).numbers()
        text, asked = captions.caption(every[row], generator)
        assert text
        assert all(wanted in (-1, is_) for wanted, is_ in zip(asked.numbers(), known, strict=True))


def test_a_description_identifies_exactly_one_combination() -> None:
    every = scenes.all_scenes()
    assert len({captions.describe(scene) for scene in every}) == len(every)


def test_a_tenth_of_the_combinations_is_held_out_of_training_and_contains_every_word() -> None:
    every = scenes.all_scenes()
    unseen = [scene for scene in every if scenes.is_unseen(scene)]
    assert 0.08 < len(unseen) / len(every) < 0.12
    for part in ("colour", "shape", "count", "background", "position"):
        assert {getattr(scene, part) for scene in unseen} == {getattr(scene, part) for scene in every}


def test_the_same_seed_draws_the_same_picture() -> None:
    scene = scenes.Scene("red", "heart", 2, "wood", "left")
    first, again, other = (scenes.render(scene, np.random.default_rng(seed), (120, 90)) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert first.size == (120, 90)
