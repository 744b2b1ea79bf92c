"""Opening the encoders of an installed model, and errors for changed files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.models.encoders import open_image_encoder, open_text_encoder
from photoindex.models.export.check import random_pictures
from tests.model_folders import TINY_CLIP, TINY_CLIP_DIM, TINY_CLIP_SIZE_PX, copy_of
from tests.unit.models.clip_models import installed

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")


@pytest.fixture
def exported() -> Path:
    """Return a small exported model; do not modify."""
    return TINY_CLIP


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of it."""
    return copy_of(TINY_CLIP, tmp_path / "model")


def test_torch_and_onnx_give_the_same_unit_vectors(exported: Path) -> None:
    pictures = random_pictures(TINY_CLIP_SIZE_PX)
    of_onnx = open_image_encoder(installed(exported), device="cpu", runtime="onnx", threads=1).encode_images(pictures)
    of_torch = open_image_encoder(installed(exported), device="cpu", runtime="torch").encode_images(pictures)
    assert of_onnx.shape == of_torch.shape == (8, TINY_CLIP_DIM)
    assert of_onnx.dtype == of_torch.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(of_torch, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(of_onnx, of_torch, atol=1e-5)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_changes_the_vectors_little(exported: Path, precision: str) -> None:
    pictures = random_pictures(TINY_CLIP_SIZE_PX)
    exact = open_image_encoder(installed(exported), device="cpu", runtime="torch").encode_images(pictures)
    encoder = open_image_encoder(installed(exported), device="cpu", runtime="torch", precision=precision)  # type: ignore[arg-type]
    short = encoder.encode_images(pictures)
    assert np.sum(short * exact, axis=1).min() > 0.999
    assert not np.array_equal(short, exact)


def test_a_text_has_the_same_vector_alone_and_in_a_batch_with_longer_ones(exported: Path) -> None:
    encoder = open_text_encoder(installed(exported), threads=1)
    texts = ["sun", "the dog " * 50, "", "end"]
    together = encoder.encode_texts(texts)
    assert together.shape == (4, encoder.dim) == (4, TINY_CLIP_DIM)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(["sun"])[0], together[0], atol=1e-5)


def test_an_empty_batch_gives_no_vectors(exported: Path) -> None:
    assert open_text_encoder(installed(exported)).encode_texts([]).shape == (0, TINY_CLIP_DIM)
    for runtime in ("onnx", "torch"):
        encoder = open_image_encoder(installed(exported), device="cpu", runtime=runtime)  # type: ignore[arg-type]
        assert encoder.encode_images(np.empty((0, TINY_CLIP_SIZE_PX, TINY_CLIP_SIZE_PX, 3), np.uint8)).shape == (
            0,
            TINY_CLIP_DIM,
        )


@pytest.mark.parametrize("name", ["onnx/text.onnx", "onnx/tokenizer.json", "onnx/model.json"])
def test_a_changed_file_of_the_text_tower_is_refused(folder: Path, name: str) -> None:
    model = installed(folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelUnavailable, match=rf"{Path(name).name} has changed since the model 'small' was installed"):
        open_text_encoder(model)


def test_changed_weights_are_refused_by_torch(folder: Path) -> None:
    model = installed(folder)
    weights = folder / "open_clip_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelUnavailable, match="has changed since"):
        open_image_encoder(model, device="cpu", runtime="torch")


def test_a_missing_tower_is_named(folder: Path) -> None:
    model = installed(folder)
    (folder / "onnx" / "visual.onnx").unlink()
    with pytest.raises(ModelUnavailable, match=r"visual\.onnx has disappeared"):
        open_image_encoder(model, device="cpu", runtime="onnx")


def test_a_file_that_is_not_a_tower_is_refused(folder: Path) -> None:
    (folder / "onnx" / "visual.onnx").write_bytes(b"not a tower")
    (folder / "onnx" / "text.onnx").write_bytes(b"")
    model = installed(folder)
    with pytest.raises(ModelUnavailable, match=r"visual\.onnx cannot be run: "):
        open_image_encoder(model, device="cpu", runtime="onnx")
    with pytest.raises(ModelUnavailable, match=r"text\.onnx cannot be run: "):
        open_text_encoder(model)


def test_a_dim_that_differs_from_the_lock_is_refused(folder: Path) -> None:
    model = installed(folder, dim=512)
    for opening in (
        lambda: open_text_encoder(model),
        lambda: open_image_encoder(model, device="cpu", runtime="onnx"),
        lambda: open_image_encoder(model, device="cpu", runtime="torch"),
    ):
        with pytest.raises(ModelUnavailable, match="installed with vectors of dimension 512, not 64 as in its "):
            opening()


def test_a_tower_that_gives_another_dim_than_described_is_refused(folder: Path) -> None:
    path = folder / "onnx" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dim": 65}))
    model = installed(folder)
    with pytest.raises(ModelUnavailable, match="gives vectors of dimension 64, but its description says 65"):
        open_text_encoder(model)
    with pytest.raises(ModelUnavailable, match="not 64 as in its weights"):
        open_image_encoder(model, device="cpu", runtime="torch")


@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_a_missing_gpu_is_named(exported: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceFailed, match=f"there is no {device}"):
        open_image_encoder(installed(exported), device=device)
    with pytest.raises(DeviceFailed, match="ONNX Runtime runs models only on the CPU"):
        open_image_encoder(installed(exported), device=device, runtime="onnx")


def test_without_a_gpu_pictures_are_embedded_by_onnx_runtime(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photoindex.models.clip_onnx import OnnxImageEncoder

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert isinstance(open_image_encoder(installed(exported)), OnnxImageEncoder)


def test_gpu_errors_are_classified_as_out_of_memory_or_lost_device() -> None:
    from photoindex.models.base import DeviceLost, OutOfDeviceMemory
    from photoindex.models.torch_device import device_errors

    gpu = torch.device("cuda:0")
    with pytest.raises(OutOfDeviceMemory, match="does not fit into the memory of cuda:0"), device_errors(gpu):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with pytest.raises(DeviceLost, match="cuda:0 failed: CUDA error: an illegal memory access"), device_errors(gpu):
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with …")
    with pytest.raises(OutOfDeviceMemory), device_errors(gpu):
        raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
    for device in (gpu, torch.device("cpu")):
        with pytest.raises(RuntimeError, match="sizes do not match"), device_errors(device):
            raise RuntimeError("sizes do not match")
