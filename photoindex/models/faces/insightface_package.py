"""Running an insightface pack with the package insightface instead of our own code."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.base import FacesInPicture
from photoindex.models.faces.description import FACE_PACK, DetectorDescription, EmbedderDescription
from photoindex.models.network import device_errors, providers_of

_PACKAGE = "insightface"


class PackageDetector:
    """A detector that the package runs; see `models.base.FaceDetector`. Raises ModelUnavailable, DeviceFailed."""

    def __init__(self, path: Path, description: DetectorDescription, device: str) -> None:
        self.device = device
        self._model = _model(path, "detection", device)
        side = description.longest_px
        sizes = (
            [(side, side)] if description.closer is None else [(round(side * description.closer),) * 2, (side, side)]
        )
        # A number of -1 would make the package use the CPU.
        number = -1 if device == "cpu" else 0
        self._model.prepare(number, input_size=sizes, det_thresh=description.score, nms_thresh=description.overlap)

    def detect(self, pictures: Sequence[NDArray[np.uint8]]) -> list[FacesInPicture]:
        """Return the faces of each picture; see `models.base.FaceDetector`."""
        found = []
        for picture in pictures:
            with device_errors(self.device):
                rows, points = self._model.detect(np.ascontiguousarray(picture[..., ::-1]))
            rows = np.asarray(rows, dtype=np.float32).reshape(-1, 5)
            boxes = np.concatenate([rows[:, :2], rows[:, 2:4] - rows[:, :2]], axis=1)
            landmarks = np.asarray(points, dtype=np.float32).reshape(-1, 5, 2)
            found.append(FacesInPicture(boxes, rows[:, 4].copy(), landmarks))
        return found


class PackageEmbedder:
    """An embedder that the package runs; see `models.base.FaceEmbedder`. Raises ModelUnavailable, DeviceFailed."""

    def __init__(self, path: Path, description: EmbedderDescription, device: str) -> None:
        self.dim = description.dim
        self.input_px = description.input_px
        self.device = device
        self._path = path
        self._model = _model(path, "recognition", device)

    def embed(self, aligned: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of aligned faces; see `models.base.FaceEmbedder`."""
        vectors = np.empty((len(aligned), self.dim), dtype=np.float32)
        for number, face in enumerate(aligned):
            with device_errors(self.device):
                vector = np.asarray(
                    self._model.get_feat(np.ascontiguousarray(face[..., ::-1])), dtype=np.float32
                ).ravel()
            if len(vector) != self.dim:
                raise ModelUnavailable(
                    f"{self._path} gives vectors of dimension {len(vector)}, but embedder.dim in {FACE_PACK} says {self.dim}"
                )
            vectors[number] = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return vectors


def _model(path: Path, task: str, device: str) -> Any:
    if find_spec(_PACKAGE) is None:
        raise ModelUnavailable(
            f"this face pack needs the package {_PACKAGE}, which is not installed; run: "
            f"pip install 'photoindex[{_PACKAGE}]', or leave out the line `runtime` of its face_pack.toml"
        )
    from insightface.model_zoo import get_model

    found = get_model(str(path), providers=providers_of(device))
    if found is None or found.taskname != task:
        raise ModelUnavailable(f"{path} is nothing that the package {_PACKAGE} uses for {task}")
    return found
