"""Our reading of insightface packs gives what the package insightface gives; in an environment of its own, see CONTRIBUTING.md."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

insightface = pytest.importorskip("insightface", reason="the extra `insightface` is not installed")

from insightface.utils.face_align import norm_crop  # noqa: E402

from photoindex.models.base import FacesInPicture  # noqa: E402
from photoindex.models.faces.alignment import aligned  # noqa: E402
from photoindex.models.faces.detector import OnnxFaceDetector  # noqa: E402
from photoindex.models.faces.embedder import OnnxFaceEmbedder  # noqa: E402
from photoindex.models.faces.insightface_layout import recognised, written  # noqa: E402
from photoindex.models.faces.pack import open_face_pack  # noqa: E402
from photoindex.models.network import Network  # noqa: E402
from tests.face_networks import write_embedder, write_insightface_pack, write_scrfd  # noqa: E402
from tests.unit.models.clip_models import installed  # noqa: E402

# The package calls a function of scikit-image that will be replaced.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

# The package has one scale for both sides of a picture, and rounds one of them. Here both are scaled without rounding.
SIZES = [(640, 480), (480, 640), (1024, 768), (1280, 320), (160, 120), (640, 640), (1920, 1440)]


def pictures(testdata: Path | None) -> list[NDArray[np.uint8]]:
    """Real photos of people where there are any, and generated ones."""
    made = []
    for seed, (width, height) in enumerate(SIZES):
        coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        made.append(np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)))
    if testdata is not None:
        for path in sorted((testdata / "faces").glob("*/*"))[::12]:
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
            made.append(np.asarray(ImageOps.fit(upright, (1024, 768))))
    return made


@pytest.fixture(scope="module")
def photos() -> list[NDArray[np.uint8]]:
    folder = Path(os.environ.get("PHOTOINDEX_TESTDATA", Path(__file__).parents[5] / "shared" / "testdata"))
    return pictures(folder if folder.is_dir() else None)


def analysis(folder: Path, sizes: list[tuple[int, int]] | None = None) -> Any:
    from insightface.app import FaceAnalysis

    modules = ["detection", "recognition"]
    app = FaceAnalysis(name=str(folder), allowed_modules=modules, providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=sizes)
    return app


def ours(folder: Path) -> tuple[OnnxFaceDetector, OnnxFaceEmbedder]:
    description = recognised(folder)
    networks = [
        Network(folder / part.file, device="cpu", threads=None) for part in (description.detector, description.embedder)
    ]
    return (
        OnnxFaceDetector(networks[0], description.detector),
        OnnxFaceEmbedder(networks[1], description.embedder),
    )


def same_candidate(found: FacesInPicture, number: int, theirs: list[Any]) -> Any | None:
    """Return the package's face from the same output of the network: with the same score, at the same place."""
    box = found.boxes[number]
    corners = np.concatenate([box[:2], box[:2] + box[2:]])
    for face in theirs:
        if abs(face.det_score - found.scores[number]) < 1e-3 and np.abs(face.bbox - corners).max() < 5:
            return face
    return None


@pytest.mark.parametrize("batched", [False, True])
def test_boxes_landmarks_crops_and_vectors_are_those_of_the_package(
    tmp_path: Path, photos: list[NDArray[np.uint8]], batched: bool
) -> None:
    folder = write_insightface_pack(tmp_path / "pack")
    if batched:
        write_scrfd(folder / "det_10g.onnx", batched=True, rare=10.0)
    app = analysis(folder)
    detector, embedder = ours(folder)
    found = detector.detect(photos)
    most = {"box px": 0.0, "landmark px": 0.0, "crop levels": 0.0, "1 - cosine": 0.0}
    faces = lacking = 0
    for picture, one in zip(photos, found, strict=True):
        mirrored = np.ascontiguousarray(picture[..., ::-1])
        theirs = app.get(mirrored)
        faces += len(theirs)
        lacking += max(0, len(theirs) - len(one))
        for number, box in enumerate(one.boxes):
            face = same_candidate(one, number, theirs)
            if face is None:
                lacking += 1
                continue
            crop = aligned(picture, one.landmarks[number : number + 1], 112)
            expected = norm_crop(mirrored, face.kps)[..., ::-1]
            corners = np.concatenate([box[:2], box[:2] + box[2:]])
            for name, value in (
                ("box px", np.abs(corners - face.bbox).max()),
                ("landmark px", np.abs(one.landmarks[number] - face.kps).max()),
                ("crop levels", np.abs(crop[0].astype(int) - expected.astype(int)).mean()),
                ("1 - cosine", 1 - embedder.embed(crop)[0] @ face.normed_embedding),
            ):
                most[name] = max(most[name], float(value))
    print(f"\n{len(photos)} pictures, {faces} faces, {lacking} only in one; largest differences: {most}")
    assert faces > 100
    # Which of two boxes stays may differ: the package counts a box one pixel longer where it compares overlaps.
    assert lacking <= 0.05 * faces
    assert most["box px"] < 0.05
    assert most["landmark px"] < 0.05
    assert most["crop levels"] < 0.5
    assert most["1 - cosine"] < 1e-3


def test_an_aligned_face_of_the_same_landmarks_is_the_packages(photos: list[NDArray[np.uint8]]) -> None:
    generator = np.random.default_rng(0)
    for picture in photos:
        middle = generator.uniform(0, picture.shape[1::-1])
        points = (middle + generator.normal(size=(5, 2)) * 30).astype(np.float32)
        for size in (112, 128, 224):
            crop = aligned(picture, points[None], size)[0]
            expected = norm_crop(picture, points, image_size=size)
            assert np.abs(crop.astype(int) - expected.astype(int)).mean() < 0.05


@pytest.mark.parametrize("normalises_itself", [False, True])
def test_vectors_of_the_same_face_are_those_of_the_package(tmp_path: Path, normalises_itself: bool) -> None:
    write_scrfd(tmp_path / "det.onnx")
    write_embedder(tmp_path / "rec.onnx", normalises_itself=normalises_itself)
    theirs = analysis(tmp_path).models["recognition"]
    faces = np.random.default_rng(1).integers(0, 256, (9, 112, 112, 3), dtype=np.uint8)
    expected = theirs.get_feat([np.ascontiguousarray(face[..., ::-1]) for face in faces])
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(ours(tmp_path)[1].embed(faces), expected, atol=1e-5)


def test_a_pack_can_be_run_by_the_package(tmp_path: Path, photos: list[NDArray[np.uint8]]) -> None:
    folder = write_insightface_pack(tmp_path / "pack")
    text = written(recognised(folder))
    packs = []
    for runtime in ("onnx", "insightface"):
        (folder / "face_pack.toml").write_text(f'runtime = "{runtime}"\n' + text.replace('runtime = "onnx"\n', ""))
        packs.append(open_face_pack(installed(folder), device="cpu"))
    assert packs[1].runs_on == "cpu (float32, insightface)"
    ours, theirs = (pack.describe(photos[:1])[0] for pack in packs)
    assert abs(len(ours) - len(theirs)) < 0.1 * len(ours)
    assert (ours.vectors @ theirs.vectors.T).max(axis=1).mean() > 0.97


@pytest.mark.shared
def test_a_real_embedder_gives_the_packages_vectors(tmp_path: Path, testdata: Path) -> None:
    write_scrfd(tmp_path / "det.onnx")
    shutil.copy(testdata / "models" / "mobilefacenet_112x112.onnx", tmp_path / "rec.onnx")
    theirs = analysis(tmp_path).models["recognition"]
    faces = [np.asarray(Image.fromarray(one).resize((112, 112))) for one in pictures(testdata)[7:]]
    expected = np.concatenate([theirs.get_feat(np.ascontiguousarray(face[..., ::-1])) for face in faces])
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(ours(tmp_path)[1].embed(np.stack(faces)), expected, atol=1e-5)
