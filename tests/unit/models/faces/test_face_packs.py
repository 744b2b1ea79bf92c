"""Opening and running face packs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.models.base import FacePack
from photoindex.models.encoders import open_image_encoder, open_text_encoder
from photoindex.models.faces.insightface_layout import recognised, written
from photoindex.models.faces.pack import open_face_pack
from tests.model_folders import TINY_CLIP
from tests.tiny_faces import DIM, draw_face, write_faces, write_tiny_faces
from tests.unit.models.clip_models import installed


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small face pack; do not modify."""
    return write_tiny_faces(tmp_path_factory.mktemp("tiny-faces"))


@pytest.fixture(scope="module")
def pack(tiny: Path) -> FacePack:
    return open_face_pack(installed(tiny), device="cpu", threads=1)


def read(path: Path, scale: float = 1.0) -> np.ndarray:
    with Image.open(path) as image:
        size = round(image.width * scale), round(image.height * scale)
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def test_faces_are_found_where_they_are_and_are_the_person_they_show(pack: FacePack, tmp_path: Path) -> None:
    boxes = {(40, 40, 140, 140): 1, (200, 60, 260, 120): 2, (300, 40, 332, 72): 3, (380, 40, 580, 240): 1}
    path = write_faces(tmp_path / "photo.jpg", boxes, variation=0.1)
    (faces,) = pack.describe([read(path)])
    order = np.argsort(faces.found.boxes[:, 0])
    np.testing.assert_allclose(faces.found.boxes[order, 0], [box[0] for box in boxes], atol=3)
    np.testing.assert_allclose(faces.found.boxes[order, 2], [box[2] - box[0] for box in boxes], atol=4)
    cosines = (faces.vectors @ faces.vectors.T)[order][:, order]
    assert cosines[0, 3] > 0.95
    assert np.abs(cosines[[0, 0, 1], [1, 2, 2]]).max() < 0.35
    np.testing.assert_allclose(np.linalg.norm(faces.vectors, axis=1), 1, atol=1e-5)
    assert faces.vectors.shape == (4, DIM)
    assert np.abs(faces.roll).max() < 5 > np.abs(faces.yaw).max()
    assert (faces.sharpness > 1).all()


def test_pictures_of_any_shape_can_be_in_one_batch(pack: FacePack) -> None:
    with_face = Image.new("RGB", (200, 150), "gray")
    draw_face(with_face, 5, (50, 40, 110, 100))
    shapes = [(1, 1), (1, 1024), (1024, 1), (3, 900), (64, 64), (31, 33)]
    pictures = [np.full((*shape, 3), 127, np.uint8) for shape in shapes]
    described = pack.describe([pictures[0], np.asarray(with_face), *pictures[1:], np.asarray(with_face)])
    assert [len(faces) for faces in described] == [0, 1, 0, 0, 0, 0, 0, 1]
    np.testing.assert_allclose(described[1].vectors, described[-1].vectors, atol=1e-5)


def test_no_picture_gives_no_result(pack: FacePack) -> None:
    assert pack.describe([]) == []


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_faces(tmp_path / "pack")
    model = installed(folder)
    for name in ("detector.onnx", "embedder.onnx", "face_pack.toml"):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before[:-1] + b"#")
        with pytest.raises(ModelUnavailable, match=rf"{name} has changed since the model 'small' was installed"):
            open_face_pack(model, device="cpu")
        (folder / name).write_bytes(before)


def test_asking_for_cuda_where_there_is_none_names_the_package(tiny: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(DeviceFailed, match="install the package onnxruntime-gpu"):
        open_face_pack(installed(tiny), device="cuda:0")
    assert open_face_pack(installed(tiny), device="auto").runs_on == "cpu (float32, ONNX Runtime)"


def test_a_face_pack_does_not_embed_photos_and_a_clip_model_finds_no_faces(tiny: Path) -> None:
    for open_encoder in (open_text_encoder, open_image_encoder):
        with pytest.raises(ModelUnavailable, match="the model 'small' finds faces, and cannot embed photos or texts"):
            open_encoder(installed(tiny))
    with pytest.raises(ModelUnavailable, match="the model 'small' embeds photos and texts, and cannot find faces"):
        open_face_pack(installed(TINY_CLIP))


def test_a_pack_for_the_package_insightface_names_the_extra_where_it_is_missing(tmp_path: Path) -> None:
    from importlib.util import find_spec

    from tests.face_networks import write_insightface_pack

    if find_spec("insightface") is not None:
        pytest.skip("the package insightface is installed")
    folder = write_insightface_pack(tmp_path / "pack")
    text = written(recognised(folder)).replace('runtime = "onnx"', 'runtime = "insightface"')
    (folder / "face_pack.toml").write_text(text)
    with pytest.raises(ModelUnavailable, match=r"run: pip install 'photoindex\[insightface\]'"):
        open_face_pack(installed(folder), device="cpu")
