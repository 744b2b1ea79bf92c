"""Opening the face pack of an installed model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.base import DescribedFaces, FaceDetector, FaceEmbedder, FacePack
from photoindex.models.faces.alignment import aligned
from photoindex.models.faces.description import FACE_PACK, DetectorDescription, FacePackDescription, read_face_pack
from photoindex.models.faces.detector import OnnxFaceDetector
from photoindex.models.faces.embedder import OnnxFaceEmbedder
from photoindex.models.faces.quality import sharpness, yaw_and_roll
from photoindex.models.lock import FoundFaces
from photoindex.models.network import Network

if TYPE_CHECKING:
    from photoindex.models.weights import InstalledModel

_ALIGNED_MAX = 256
"""Aligned faces held at once."""
_TRIED_PX = 160


class OnnxFacePack:
    """A detector and an embedder that were opened; see `models.base.FacePack`."""

    def __init__(self, detector: FaceDetector, embedder: FaceEmbedder, runs_on: str) -> None:
        self.detector = detector
        self.embedder = embedder
        self.dim = embedder.dim
        self.runs_on = runs_on

    def describe(self, pictures: Sequence[NDArray[np.uint8]]) -> list[DescribedFaces]:
        """Find and describe the faces of each picture; see `models.base.FacePack`."""
        found = self.detector.detect(pictures)
        which = [(picture, face) for picture, faces in enumerate(found) for face in range(len(faces))]
        vectors = np.empty((len(which), self.dim), dtype=np.float32)
        sharp = np.empty(len(which), dtype=np.float32)
        for first in range(0, len(which), _ALIGNED_MAX):
            part = which[first : first + _ALIGNED_MAX]
            cut = [
                aligned(pictures[picture], found[picture].landmarks[face : face + 1], self.embedder.input_px)
                for picture, face in part
            ]
            faces = np.concatenate(cut)
            vectors[first : first + len(part)] = self.embedder.embed(faces)
            sharp[first : first + len(part)] = sharpness(faces)
        described = []
        first = 0
        for faces_of_picture in found:
            last = first + len(faces_of_picture)
            yaw, roll = yaw_and_roll(faces_of_picture.landmarks)
            described.append(DescribedFaces(faces_of_picture, vectors[first:last], sharp[first:last], yaw, roll))
            first = last
        return described


def open_face_pack(
    installed: InstalledModel, *, device: str = "auto", threads: int | None = None, detail_px: int | None = None
) -> FacePack:
    """Open an installed face pack; files are hashed while they are loaded.

    device: auto (CUDA if ONNX Runtime can use it), cpu, cuda or cuda:N. threads: maximum number of CPU threads per run, by
    default one per core. detail_px: also look for smaller faces, in the picture at this longer side. Raises ModelUnavailable if it is not a face pack, or files are missing, changed since installation,
    or inconsistent; DeviceFailed if the device does not exist, OutOfDeviceMemory if the models do not fit.
    """
    described = installed.face_pack
    with installed.checking(FACE_PACK, described.detector, described.embedder):
        description = read_face_pack(installed.folder)
        if description.runtime == "insightface":
            return _run_by_package(installed.folder, description, device)
        detector = Network(installed.folder / description.detector.file, device=device, threads=threads)
        embedder = Network(installed.folder / description.embedder.file, device=device, threads=threads)
        return OnnxFacePack(
            OnnxFaceDetector(detector, _in_detail(description.detector, detail_px)),
            OnnxFaceEmbedder(embedder, description.embedder),
            f"{embedder.device} (float32, ONNX Runtime)",
        )


def _run_by_package(folder: Path, description: FacePackDescription, device: str) -> FacePack:
    from photoindex.models.faces.insightface_package import PackageDetector, PackageEmbedder

    return OnnxFacePack(
        PackageDetector(folder / description.detector.file, description.detector, device),
        PackageEmbedder(folder / description.embedder.file, description.embedder, device),
        f"{device} (float32, insightface)",
    )


def found_in_pack(folder: Path) -> FoundFaces:
    """Return what a lock file says of the face pack in a folder. Raises ModelUnavailable, naming the file that is wrong."""
    described = read_face_pack(folder)
    for name in (described.detector.file, described.embedder.file):
        if not (folder / name).is_file():
            raise ModelUnavailable(f"{FACE_PACK} names {name}, which is not in {folder}")
    return FoundFaces(
        dim=described.embedder.dim,
        input_px=described.embedder.input_px,
        layout=described.detector.layout,
        detector=described.detector.file,
        embedder=described.embedder.file,
    )


def try_out_pack(candidate: InstalledModel) -> NDArray[np.float32]:
    """Look for faces in a generated picture, and return the vector of a gray face. Raises ModelUnavailable."""
    pack = open_face_pack(candidate, device="cpu")
    steps = np.arange(_TRIED_PX, dtype=np.uint32)
    picture = ((steps[:, None] * steps + steps) % 256).astype(np.uint8)
    pack.describe([np.repeat(picture[..., None], 3, axis=2)])
    side = pack.embedder.input_px
    return pack.embedder.embed(np.full((1, side, side, 3), 128, dtype=np.uint8))


def _in_detail(detector: DetectorDescription, detail_px: int | None) -> DetectorDescription:
    if detail_px is None or detail_px <= detector.longest_px:
        return detector
    # The usual size is the closer look then: large faces are not found in detail.
    return detector.model_copy(update={"longest_px": detail_px, "closer": detector.longest_px / detail_px})
