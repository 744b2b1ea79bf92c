"""YuNet and MobileFaceNet on real photos of people."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from photoindex.models.base import DescribedFaces, FacePack
from photoindex.models.faces.pack import open_face_pack
from tests.unit.models.clip_models import installed

pytestmark = pytest.mark.shared

PREVIEW_PX = 1024
DESCRIPTION = """
version = 1
[detector]
file = "yunet.onnx"
layout = "yunet"
colours = "BGR"
score = 0.6
overlap = 0.3
[embedder]
file = "mobilefacenet.onnx"
dim = 128
mean = [127.5, 127.5, 127.5]
standard_deviation = [127.5, 127.5, 127.5]
"""


def write_pack(folder: Path, testdata: Path, detector: str = "yunet_n_dynamic.onnx") -> Path:
    shutil.copy(testdata / "models" / detector, folder / "yunet.onnx")
    shutil.copy(testdata / "models" / "mobilefacenet_112x112.onnx", folder / "mobilefacenet.onnx")
    (folder / "face_pack.toml").write_text(DESCRIPTION)
    return folder


@pytest.fixture(scope="module")
def pack(testdata: Path, tmp_path_factory: pytest.TempPathFactory) -> FacePack:
    return open_face_pack(installed(write_pack(tmp_path_factory.mktemp("pack"), testdata)), device="cpu", threads=2)


def preview(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((PREVIEW_PX, PREVIEW_PX))
    return np.asarray(upright)


def described(pack: FacePack, path: Path) -> DescribedFaces:
    return pack.describe([preview(path)])[0]


def largest(faces: DescribedFaces) -> int:
    return int(np.argmax(faces.found.boxes[:, 2] * faces.found.boxes[:, 3]))


def test_faces_of_one_person_are_closer_than_those_of_two(pack: FacePack, testdata: Path) -> None:
    folders = sorted(one for one in (testdata / "faces").iterdir() if not one.name.startswith("_"))
    vectors, persons = [], []
    for folder in folders:
        paths = sorted(folder.iterdir())
        for path, faces in zip(paths, pack.describe([preview(path) for path in paths]), strict=True):
            assert len(faces), path
            vectors.append(faces.vectors[largest(faces)])
            persons.append(folder.name)
    assert (len(vectors), len(folders)) == (66, 17)
    first, second = np.triu_indices(len(vectors), 1)
    cosines = (np.array(vectors) @ np.array(vectors).T)[first, second]
    same = np.array(persons)[first] == np.array(persons)[second]
    # Measured: within 0.678 (deviation 0.121, least 0.316), between 0.009 (0.097, most 0.321).
    assert 0.66 < cosines[same].mean() < 0.70
    assert abs(cosines[~same].mean()) < 0.03
    assert cosines[same].min() > 0.29
    assert cosines[~same].max() < 0.35
    assert ((cosines > 0.31)[same].mean() + (cosines <= 0.31)[~same].mean()) / 2 > 0.995


@pytest.mark.parametrize(
    ("name", "middles"),
    [
        ("_groups/bbt1.jpg", [(0.19, 0.24), (0.38, 0.26), (0.57, 0.24), (0.77, 0.19)]),
        ("_groups/bbt2.jpg", [(0.04, 0.26), (0.20, 0.38), (0.62, 0.37)]),
        ("_groups/kit_with_rose.jpg", [(0.24, 0.23), (0.61, 0.19)]),
        ("_groups/obama_and_biden.jpg", [(0.43, 0.37), (0.62, 0.34), (0.85, 0.80)]),
        ("_orientation/portrait.jpg", [(0.37, 0.31), (0.68, 0.25)]),
        ("_orientation/portrait-orientation-6.jpg", [(0.37, 0.31), (0.68, 0.25)]),
    ],
)
def test_boxes_are_where_the_faces_are(
    pack: FacePack, testdata: Path, name: str, middles: list[tuple[float, float]]
) -> None:
    path = testdata / "faces" / name
    picture = preview(path)
    found = described(pack, path).found
    size = np.array(picture.shape[1::-1])
    places = (found.boxes[:, :2] + found.boxes[:, 2:] / 2) / size
    places = places[np.argsort(places[:, 0])]
    np.testing.assert_allclose(places, middles, atol=0.04)
    assert ((found.landmarks >= found.boxes[:, None, :2]).all(axis=2).mean()) >= 0.9


@pytest.mark.parametrize("name", ["_no-face", "_photoprism-no-detection"])
def test_there_is_no_face_in_animals_drawings_and_landscapes(pack: FacePack, testdata: Path, name: str) -> None:
    for path in sorted((testdata / "faces" / name).iterdir()):
        assert len(described(pack, path)) == 0, path.name


def test_a_head_in_profile_is_turned_and_the_sharp_face_is_sharper(pack: FacePack, testdata: Path) -> None:
    faces = described(pack, testdata / "faces" / "_orientation" / "portrait.jpg")
    order = np.argsort(faces.found.boxes[:, 0])
    assert abs(faces.yaw[order[0]]) < 20
    assert faces.yaw[order[1]] < -45
    sharp = described(pack, testdata / "faces" / "deepface-p04" / "deepface-img41.jpg").sharpness.max()
    background = described(pack, testdata / "faces" / "_groups" / "bbt2.jpg").sharpness.min()
    assert sharp > 5 * background


def test_a_network_of_fixed_size_finds_the_same_faces(pack: FacePack, testdata: Path, tmp_path: Path) -> None:
    fixed = open_face_pack(installed(write_pack(tmp_path, testdata, "yunet_n_640_640.onnx")), device="cpu", threads=2)
    pictures = [preview(path) for path in sorted((testdata / "faces" / "_groups").iterdir())]
    for one, other in zip(pack.describe(pictures), fixed.describe(pictures), strict=True):
        assert len(one) == len(other)
        np.testing.assert_allclose(one.found.boxes, other.found.boxes, atol=4)
        assert (np.abs((one.vectors * other.vectors).sum(axis=1)) > 0.97).all()
