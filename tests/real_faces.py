"""Vectors of the real faces in the folder of test data, by real weights; and made-up strangers among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from photoindex.models.faces.description import DetectorDescription, EmbedderDescription
from photoindex.models.faces.detector import OnnxFaceDetector
from photoindex.models.faces.embedder import OnnxFaceEmbedder
from photoindex.models.faces.pack import OnnxFacePack
from photoindex.models.network import Network
from tests.made_up_faces import unit

LONGEST_PX = 1024
"""As of a preview."""
_YUNET = "yunet_n_dynamic.onnx"
_MOBILEFACENET = "mobilefacenet_112x112.onnx"


@dataclass(frozen=True)
class LabelledFaces:
    """vectors: float32 [n, dim], unit length. person: int64 [n], position in names."""

    vectors: NDArray[np.float32]
    person: NDArray[np.int64]
    names: list[str]

    def called(self, name: str) -> NDArray[np.bool_]:
        return self.person == self.names.index(name)


@dataclass(frozen=True)
class Spreads:
    """How the cosines of pairs of one person, and of different people, are spread: mean and deviation."""

    within: float
    within_deviation: float
    between: float
    between_deviation: float


def real_faces(testdata: Path) -> LabelledFaces:
    """The largest face of each picture of a person, found by YuNet and described by MobileFaceNet."""
    pack = _pack(testdata / "models")
    folders = sorted(folder for folder in (testdata / "faces").iterdir() if not folder.name.startswith("_"))
    vectors, person = [], []
    for number, folder in enumerate(folders):
        for path in sorted(folder.iterdir()):
            (faces,) = pack.describe([_preview(path)])
            if len(faces):
                largest = (faces.found.boxes[:, 2] * faces.found.boxes[:, 3]).argmax()
                vectors.append(faces.vectors[largest])
                person.append(number)
    return LabelledFaces(np.array(vectors), np.array(person), [folder.name for folder in folders])


def _pack(models: Path) -> OnnxFacePack:
    detector = DetectorDescription(file=_YUNET, layout="yunet", colours="BGR", closer=0.5)
    embedder = EmbedderDescription(
        file=_MOBILEFACENET, mean=(127.5, 127.5, 127.5), standard_deviation=(127.5, 127.5, 127.5), dim=128
    )
    networks = [Network(models / name, device="cpu", threads=1) for name in (_YUNET, _MOBILEFACENET)]
    return OnnxFacePack(OnnxFaceDetector(networks[0], detector), OnnxFaceEmbedder(networks[1], embedder), "cpu")


def _preview(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
        upright.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        return np.asarray(upright)


def spreads(vectors: NDArray[np.float32], person: NDArray[np.int64]) -> Spreads:
    """Measure all pairs of labelled faces."""
    one, other = np.triu_indices(len(vectors), 1)
    cosines = (vectors @ vectors.T)[one, other]
    same = person[one] == person[other]
    return Spreads(*(float(value) for part in (same, ~same) for value in (cosines[part].mean(), cosines[part].std())))


def strangers(count: int, wanted: Spreads, *, near: NDArray[np.float32], seed: int) -> LabelledFaces:
    """Draw `count` faces of people with 1 to 40 faces each, whose cosines are spread as wanted.

    near: float32 [n, dim], faces among which the strangers are to live: they share their mean direction.
    """
    random = np.random.default_rng(seed)
    dim = near.shape[1]
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(min(int(random.integers(1, 41)), count - sum(sizes)))
    person = np.repeat(np.arange(len(sizes)), sizes)
    centres = _centres(len(sizes), wanted, unit(near.mean(axis=0)), random)[person]
    # The cosine of two faces of one person is about the product of their closeness to its centre.
    closeness = np.sqrt(wanted.within)
    deviation = wanted.within_deviation / (np.sqrt(2) * closeness)
    a = np.clip(random.normal(closeness, deviation, count), 0.2, 0.995)[:, None]
    noise = random.standard_normal((count, dim))
    noise = unit(noise - (noise * centres).sum(axis=1, keepdims=True) * centres)
    faces = a * centres + np.sqrt(1 - a**2) * noise
    return LabelledFaces(faces.astype(np.float32), person, [f"stranger {number}" for number in range(len(sizes))])


def _centres(
    count: int, wanted: Spreads, common: NDArray[np.floating], random: np.random.Generator
) -> NDArray[np.floating]:
    """Draw directions of people: the fewer dimensions tell them apart, the wider their cosines are spread."""
    dim = len(common)
    between = wanted.between / wanted.within
    of_noise = (1 - wanted.within**2) / dim
    dims = min(dim, round(wanted.within**2 / max(wanted.between_deviation**2 - of_noise, wanted.within**2 / dim)))
    basis = np.linalg.qr(random.standard_normal((dim, dims)))[0]
    own = unit(random.standard_normal((count, dims)) @ basis.T)
    return unit(np.sqrt(between) * common + np.sqrt(1 - between) * own)
