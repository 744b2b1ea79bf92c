"""Splitting a model that is one ONNX file into its towers, and checking them against that file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.models.description import WHOLE, read_description
from photoindex.models.encoders import open_image_encoder, open_text_encoder
from photoindex.models.export import towers
from photoindex.models.export.check import random_pictures
from photoindex.models.export.run import export
from tests.model_folders import TINY_CLIP, TINY_CLIP_DIM, TINY_CLIP_SIZE_PX
from tests.unit.models.clip_models import installed
from tests.whole_model import write_whole_model

pytest.importorskip("open_clip")
pytestmark = pytest.mark.slow

QUERIES = ("two red stars", "a blue circle on sand", "")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny model as one ONNX file; do not modify."""
    return write_whole_model(tmp_path_factory.mktemp("published") / "model")


@pytest.fixture
def model(published: Path, tmp_path: Path) -> Path:
    """Return a model's folder with a copy of it."""
    shutil.copytree(published, tmp_path / "model" / WHOLE)
    return tmp_path / "model"


def vectors(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    one = installed(folder)
    images = open_image_encoder(one, runtime="onnx", device="cpu")
    return open_text_encoder(one).encode_texts(QUERIES), images.encode_images(random_pictures(TINY_CLIP_SIZE_PX))


def gives_what_the_tiny_model_gives(folder: Path) -> bool:
    cosines = [np.sum(ours * theirs, axis=1) for ours, theirs in zip(vectors(folder), vectors(TINY_CLIP), strict=True)]
    return all((one > 0.9999).all() for one in cosines)


def change_graph(model: Path, how: Callable[[Any], object]) -> None:
    import onnx

    path = model / WHOLE / "onnx" / "model.onnx"
    content = onnx.load(str(path), load_external_data=False)
    how(content.graph)
    onnx.save(content, str(path))


def test_the_towers_give_the_vectors_of_the_whole_model(model: Path) -> None:
    report = export(model)
    assert report.dim == TINY_CLIP_DIM
    assert report.files == ("onnx/model.json", "onnx/text.onnx", "onnx/tokenizer.json", "onnx/visual.onnx")
    assert min(report.least_image_cosine, report.least_text_cosine) > 0.9999
    described = read_description(model)
    assert (described.dim, described.context_length) == (TINY_CLIP_DIM, 20)
    assert described.preprocessing == read_description(TINY_CLIP).preprocessing
    assert (described.tokenizer.clean, described.tokenizer.pad_id, described.tokenizer.cut_padding) == (
        "whitespace", 0, True,
    )  # fmt: skip
    assert gives_what_the_tiny_model_gives(model)
    assert not list(model.glob(".*"))


def test_each_tower_has_its_own_weights_alone(model: Path) -> None:
    export(model)
    whole = sum(path.stat().st_size for path in (model / WHOLE / "onnx").iterdir())
    text, visual = ((model / "onnx" / name).stat().st_size for name in ("text.onnx", "visual.onnx"))
    assert text + visual < 1.1 * whole
    for name in ("text.onnx", "visual.onnx"):
        content = (model / "onnx" / name).read_bytes()
        assert b"site-packages" not in content
        assert b"model.onnx_data" not in content


def test_vectors_of_any_length_are_normalised(model: Path) -> None:
    change_graph(model, lambda graph: [graph.output.pop() for _ in range(2)])
    export(model)
    assert gives_what_the_tiny_model_gives(model)


def test_large_weights_of_the_text_tower_are_stored_separately_in_half_precision_and_its_tokens_in_a_table(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_INLINE_BYTES_MAX", 0), ("_HALVED_BYTES_MIN", 4096), ("_TABLE_BYTES_MIN", 32 * 1024)):
        monkeypatch.setattr(towers, name, value)
    report = export(model)
    assert {"onnx/text.onnx.data", "onnx/visual.onnx.data", "onnx/text.table"} < set(report.files)
    assert read_description(model).table is not None
    assert gives_what_the_tiny_model_gives(model)


def test_a_text_tower_that_attends_to_padding_keeps_it(tmp_path: Path) -> None:
    import torch

    class Mean(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            with torch.random.fork_rng():
                torch.manual_seed(3)
                self.table = torch.nn.Embedding(1000, TINY_CLIP_DIM)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.normalize(self.table(tokens).mean(dim=1), dim=-1)

    write_whole_model(tmp_path / "model" / WHOLE, text_tower=Mean())
    report = export(tmp_path / "model")
    assert report.least_text_cosine > 0.9999
    assert not read_description(tmp_path / "model").tokenizer.cut_padding


def test_it_runs_on_the_cpu_also_where_torch_has_a_gpu(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(model)
    monkeypatch.setattr("photoindex.models.encoders._has_gpu", lambda: True)
    assert open_image_encoder(installed(model)).runs_on == "cpu (float32, ONNX Runtime)"
    for wanted in ({"device": "cuda"}, {"device": "cpu", "runtime": "torch"}):
        with pytest.raises(DeviceFailed, match="has only ONNX files, which run on the CPU"):
            open_image_encoder(installed(model), **wanted)  # type: ignore[arg-type]


def rename(what: str, new: str) -> Callable[[Any], None]:
    def apply(graph: Any) -> None:
        for one in (*graph.input, *graph.output):
            one.name = new if one.name == what else one.name
        for node in graph.node:
            node.input[:] = [new if one == what else one for one in node.input]
            node.output[:] = [new if one == what else one for one in node.output]

    return apply


def entangle(graph: Any) -> None:
    """Let the vectors of texts depend on the pictures."""
    from onnx import helper

    for node in graph.node:
        node.output[:] = ["alone" if one == "l2norm_text_embeddings" else one for one in node.output]
    graph.node.append(helper.make_node("ReduceMean", ["pixel_values"], ["of_pictures"], keepdims=0))
    graph.node.append(helper.make_node("Add", ["alone", "of_pictures"], ["l2norm_text_embeddings"]))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (rename("pixel_values", "images"), r"takes input_ids tensor\(int64\), images tensor\(float\); expected: input_ids"),
        (lambda graph: graph.output.pop(3) and graph.output.pop(1), "no output l2norm_image_embeddings or image_embeddings"),
        (entangle, "depends on pixel_values too; its towers cannot be separated"),
    ],
)  # fmt: skip
def test_a_graph_with_other_inputs_or_outputs_is_refused_by_name(
    model: Path, how: Callable[[Any], object], message: str
) -> None:
    change_graph(model, how)
    with pytest.raises(ModelUnavailable, match=message):
        export(model)
    assert not (model / "onnx").exists()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("onnx/model.onnx_data", None, r"model\.onnx needs the file model\.onnx_data beside it, which is missing"),
        ("preprocessor_config.json", None, r"preprocessor_config\.json is missing"),
        ("preprocessor_config.json", {"std": ...}, r"preprocessor_config\.json has no 'std'"),
        ("preprocessor_config.json", {"resize_mode": "longest"}, "resized by 'longest'"),
        ("preprocessor_config.json", {"size": 80}, "cannot be split into its towers"),
        ("tokenizer_config.json", {"pad_token": "<none>"}, "no token '<none>' for padding"),
        ("tokenizer.json", None, r"tokenizer\.json is missing"),
    ],
)
def test_a_missing_file_or_setting_is_named(
    model: Path, name: str, change: dict[str, object] | None, message: str
) -> None:
    path = model / WHOLE / name
    if change is None:
        path.unlink()
    else:
        content = json.loads(path.read_text()) | change
        path.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))
    with pytest.raises(ModelUnavailable, match=message):
        export(model)
    assert not (model / "onnx").exists()


def test_weights_outside_its_folder_are_not_read(model: Path) -> None:
    data = model / WHOLE / "onnx" / "model.onnx_data"
    data.rename(model / WHOLE / "outside")

    def point_outside(graph: Any) -> None:
        for one in graph.initializer:
            for entry in one.external_data:
                if entry.key == "location":
                    entry.value = "../outside"

    change_graph(model, point_outside)
    with pytest.raises(ModelUnavailable, match=r"needs the file \.\./outside beside it"):
        export(model)


def test_a_tower_that_differs_from_the_whole_model_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photoindex.models.export import split

    whole = split._whole_vectors

    def turned(*given: Any) -> Any:
        made = whole(*given)
        return type(made)(made.texts, np.roll(made.images, 1, axis=1))

    monkeypatch.setattr(split, "_whole_vectors", turned)
    with pytest.raises(ModelUnavailable, match=r"exported image tower of .* differs from the original"):
        export(model)
    assert not (model / "onnx").exists()
