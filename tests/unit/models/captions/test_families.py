"""Captioners of every family: real classes of transformers with small random weights, through the same code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from photoindex.errors import ModelUnavailable
from photoindex.models.captions.families import family_named
from photoindex.models.captions.files import found_captioner, is_captioner, names_of
from photoindex.models.captions.opening import open_captioner
from photoindex.models.captions.transformers_captioner import Question
from photoindex.models.lock import CAPTIONS, LockedModel
from photoindex.models.weights import InstalledModel, lock_of
from tests.small_captioners import MAKERS, write_small_captioner

pytest.importorskip("torch")
pytest.importorskip("transformers")
MAX_TOKENS = 12


def installed(folder: Path, name: str) -> InstalledModel:
    write_small_captioner(folder, name)
    locked = LockedModel(
        title=name, task=CAPTIONS, source="made", licence="none", terms="none", installed_at="2026-01-01",
        found=found_captioner(folder), files={one: lock_of(folder / one) for one in names_of(folder)},
    )  # fmt: skip
    return InstalledModel(name, folder, locked)


@pytest.fixture(params=sorted(MAKERS))
def model(request: pytest.FixtureRequest, tmp_path: Path) -> InstalledModel:
    return installed(tmp_path / request.param, request.param)


def test_pictures_of_all_shapes_are_described_together_as_they_are_alone(model: InstalledModel) -> None:
    family = family_named(model.captioner.captioner)
    captioner = open_captioner(model, Question(family.prompt, MAX_TOKENS), device="cpu")
    generator = np.random.default_rng(0)
    shapes = ((60, 90, 3), (90, 60, 3), (64, 64, 3), (40, 200, 3))
    prepared = [captioner.prepare(generator.integers(0, 255, shape, dtype=np.uint8)) for shape in shapes]
    together = captioner.caption(prepared)
    assert together == [captioner.caption([one])[0] for one in prepared]
    assert not any({"describe", "<image>"} & set(one.text.split()) for one in together), "the question is no answer"
    assert captioner.runs_on == "cpu (float32, transformers)"
    if family.varies:
        lengths = [captioner.likely_length(one) for one in prepared]
        assert lengths[3] != lengths[2]


def test_an_answer_that_does_not_end_is_told_from_one_that_does(tmp_path: Path) -> None:
    model = installed(tmp_path / "blip", "blip")
    captioner = open_captioner(model, Question("", MAX_TOKENS), device="cpu")
    (one,) = captioner.caption([captioner.prepare(np.zeros((32, 32, 3), np.uint8))])
    assert not one.whole


def test_a_folder_without_a_part_of_the_weights_is_refused(tmp_path: Path) -> None:
    folder = write_small_captioner(tmp_path / "blip", "blip")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = folder / "model.safetensors.index.json"
    parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index.write_text(json.dumps({"weight_map": dict(enumerate(parts))}))
    with pytest.raises(ModelUnavailable, match=parts[1]):
        names_of(folder)
    (folder / parts[1]).write_bytes(b"")
    assert {*parts, index.name} <= set(names_of(folder))
    index.write_text('{"weight_map": {"a": "../../etc/passwd"}}')
    with pytest.raises(ModelUnavailable, match="passwd"):
        names_of(folder)


def test_other_models_are_no_captioners(tmp_path: Path) -> None:
    for text in ('{"model_type": "bert"}', "[]", "{", '{"model_type": 5}'):
        (tmp_path / "config.json").write_text(text)
        assert not is_captioner(tmp_path)


def test_code_that_a_description_refers_to_is_not_run(tmp_path: Path) -> None:
    folder = write_small_captioner(tmp_path / "blip", "blip")
    config = folder / "config.json"
    config.write_text(config.read_text().replace("{", '{"auto_map": {"AutoConfig": "evil.Config"},', 1))
    (folder / "evil.py").write_text("raise SystemExit('run')")
    assert "evil.py" not in names_of(folder)
    files = {one: lock_of(folder / one) for one in (*names_of(folder), "evil.py")}
    locked = LockedModel(
        title="x", task=CAPTIONS, source="x", licence="x", terms="x", installed_at="x", trust_remote_code=True,
        found=found_captioner(folder), files=files,
    )  # fmt: skip
    model = InstalledModel("evil", folder, locked)
    assert open_captioner(model, Question("", 4), device="cpu").runs_on.startswith("cpu")
