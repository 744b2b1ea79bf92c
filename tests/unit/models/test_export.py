"""Exporting models to ONNX, and checking the result against the original."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photoindex.errors import ModelUnavailable
from photoindex.models.description import read_description
from tests.model_folders import TINY_CLIP, TINY_CLIP_DIM, TINY_CLIP_SIZE_PX, copy_of

pytest.importorskip("open_clip")
pytestmark = pytest.mark.slow

TOWERS = ("onnx/model.json", "onnx/text.onnx", "onnx/tokenizer.json", "onnx/visual.onnx")


@pytest.fixture
def exported() -> Path:
    """Return a small exported model with causal text tower and its own vocabulary; do not modify."""
    return TINY_CLIP


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a copy of it."""
    return copy_of(TINY_CLIP, tmp_path / "model")


def change(path: Path, how: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    how(content)
    path.write_text(json.dumps(content))


def export(folder: Path) -> Any:
    from photoindex.models.export.run import export as exporting

    return exporting(folder)


def test_an_export_reports_its_files_and_accuracy(model: Path) -> None:
    report = export(model)
    assert report.dim == TINY_CLIP_DIM
    assert report.files == TOWERS
    assert report.least_image_cosine > 0.9999
    assert report.least_text_cosine > 0.9999
    described = read_description(model)
    assert (described.dim, described.context_length, described.preprocessing.size_px) == (
        TINY_CLIP_DIM,
        20,
        TINY_CLIP_SIZE_PX,
    )
    assert described.preprocessing.mean == pytest.approx((0.5, 0.5, 0.5))
    assert described.tokenizer.cut_padding
    assert not list(model.glob(".*"))


def test_the_towers_contain_no_information_about_this_computer(exported: Path) -> None:
    for name in ("onnx/text.onnx", "onnx/visual.onnx"):
        content = (exported / name).read_bytes()
        assert b"site-packages" not in content
        assert b".py" not in content


def test_a_tower_that_attends_to_padding_keeps_it(tmp_path: Path) -> None:
    from tests.unit.models.clip_models import write_model

    text = {
        "no_causal_mask": True,
        "pool_type": "last",
        "proj_bias": True,
        "tokenizer_kwargs": {"clean": "canonicalize"},
    }
    folder = write_model(tmp_path / "siglip", text=text, preprocessing={"resize_mode": "squash"})
    report = export(folder)
    assert report.least_text_cosine > 0.9999
    described = read_description(folder)
    assert not described.tokenizer.cut_padding
    assert described.tokenizer.clean == "canonicalize"
    assert described.preprocessing.resize == "squash"


def test_a_transformers_text_tower_is_loaded_from_the_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.unit.models.clip_models import write_text_model

    folder = write_text_model(tmp_path / "multilingual")

    def no_network(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", no_network)
    report = export(folder)
    assert report.least_text_cosine > 0.9999
    described = read_description(folder)
    assert described.tokenizer.clean == "whitespace"
    assert described.tokenizer.pad_id == 1
    assert described.tokenizer.cut_padding


def test_large_weights_of_the_text_tower_are_stored_separately_in_half_precision(tmp_path: Path) -> None:
    import torch

    from photoindex.models.open_clip_loader import load_model
    from tests.unit.models.clip_models import write_model

    folder = write_model(tmp_path / "large", text={"width": 512, "heads": 8, "layers": 1})
    report = export(folder)
    assert "onnx/text.onnx.data" in report.files
    assert (folder / "onnx" / "text.onnx").stat().st_size < 1_000_000
    assert report.least_text_cosine > 0.9999
    with torch.no_grad():
        numbers = sum(one.numel() for one in load_model(folder).model.transformer.parameters())
    # Two bytes per value, because the file is read and hashed for every search in a new process.
    assert 2 * numbers < (folder / "onnx" / "text.onnx.data").stat().st_size < 3 * numbers


def test_weights_that_run_code_when_loaded_are_refused(model: Path, tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return Path.touch, (tmp_path / "harmed",)

    (model / "open_clip_model.safetensors").unlink()
    (model / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(model)
    assert not (tmp_path / "harmed").exists()


def test_a_failed_export_keeps_the_existing_files(model: Path) -> None:
    before = {path.name: path.read_bytes() for path in (model / "onnx").iterdir()}
    (model / "open_clip_model.safetensors").write_bytes(b"\x10" + bytes(40))
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(model)
    assert {path.name: path.read_bytes() for path in (model / "onnx").iterdir()} == before
    assert not list(model.glob(".*"))


def test_weights_that_do_not_match_the_configuration_are_refused(model: Path) -> None:
    change(model / "open_clip_config.json", lambda config: config["model_cfg"].update(embed_dim=40))
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(model)


def test_a_folder_without_configuration_or_weights_is_not_a_model(model: Path, tmp_path: Path) -> None:
    (model / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="there are no weights in"):
        export(model)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelUnavailable, match=r"no open_clip_config\.json"):
        export(tmp_path / "empty")


@pytest.mark.parametrize(
    ("part", "settings", "message"),
    [
        ("text_cfg", {"tokenizer_kwargs": {"trust_remote_code": True}}, "trust_remote_code"),
        ("text_cfg", {"tokenizer_kwargs": {"reduction_mask": "random"}}, "reduction_mask"),
        ("text_cfg", {"hf_tokenizer_name": "someone/else", "tokenizer_mode": "clips"}, "tokenizer_mode clips"),
        (
            "text_cfg",
            {"hf_model_name": "someone/else"},
            r"config\.json, the configuration of the model's text tower, is missing",
        ),
        ("vision_cfg", {"timm_model_name": "hf-hub:someone/else"}, "another repository"),
        ("multimodal_cfg", {"width": 32}, "captioning model"),
    ],
)
def test_configurations_that_need_more_than_the_folder_are_refused(
    model: Path, part: str, settings: dict[str, object], message: str
) -> None:
    change(model / "open_clip_config.json", lambda config: config["model_cfg"].setdefault(part, {}).update(settings))
    with pytest.raises(ModelUnavailable, match=message):
        export(model)


def test_a_malformed_configuration_is_named(model: Path) -> None:
    for content in ("", "[]", '{"model_cfg": {}}', '{"model_cfg": {"vision_cfg": {}, "text_cfg": {}}}', "[" * 100_000):
        (model / "open_clip_config.json").write_text(content)
        with pytest.raises(ModelUnavailable, match=r"open_clip_config\.json"):
            export(model)


def test_models_whose_input_is_not_square_are_refused(model: Path) -> None:
    change(model / "open_clip_config.json", lambda config: config["preprocess_cfg"].update(resize_mode="longest"))
    with pytest.raises(ModelUnavailable, match="'longest'; only squares"):
        export(model)


def test_a_tokenizer_that_differs_fails_the_export_with_the_text(exported: Path, tmp_path: Path) -> None:
    from photoindex.models.export.check import check_tokenizer
    from photoindex.models.export.tokenizer import load_reference
    from photoindex.models.tokenizer import TextTokenizer

    described = read_description(exported)
    careless = described.tokenizer.model_copy(update={"clean": "whitespace"})
    tokenizer = TextTokenizer.from_file(exported / "onnx" / "tokenizer.json", careless, described.context_length)
    with pytest.raises(ModelUnavailable, match="differs from the model's own on 'A Photo Of A DOG'"):
        check_tokenizer(tokenizer, load_reference(exported))


def test_a_tower_that_differs_has_a_low_cosine(exported: Path) -> None:
    import torch

    from photoindex.models.clip_onnx import OnnxImageEncoder, OnnxTextEncoder, open_session
    from photoindex.models.export import check
    from photoindex.models.export.tokenizer import load_reference
    from photoindex.models.open_clip_loader import load_model
    from photoindex.models.tokenizer import TextTokenizer

    described = read_description(exported)
    loaded = load_model(exported)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in (loaded.model.positional_embedding, loaded.visual.attnpool.c_proj.weight):
            weights.add_(0.1 * torch.randn(weights.shape, generator=generator))
    tokenizer = TextTokenizer.from_file(exported / "onnx/tokenizer.json", described.tokenizer, described.context_length)
    texts = OnnxTextEncoder(
        open_session(exported / "onnx/text.onnx", threads=1, quick_start=True), tokenizer, described
    )
    images = OnnxImageEncoder(open_session(exported / "onnx/visual.onnx", threads=1, quick_start=False), described)
    assert check.least_text_cosine(texts, loaded, load_reference(exported)) < check.COSINE_MIN
    assert check.least_image_cosine(images, loaded) < check.COSINE_MIN


def test_the_check_pictures_have_different_vectors(exported: Path) -> None:
    from photoindex.models.clip_onnx import OnnxImageEncoder, open_session
    from photoindex.models.export.check import random_pictures

    images = OnnxImageEncoder(
        open_session(exported / "onnx/visual.onnx", threads=1, quick_start=False), read_description(exported)
    )
    vectors = images.encode_images(random_pictures(TINY_CLIP_SIZE_PX))
    assert np.min(vectors @ vectors.T) < 0.9
