"""The faces stage: finds the faces in a preview, and turns each into a vector in a model's space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photoindex.errors import ModelUnavailable
from photoindex.models.base import DescribedFaces, FacePack
from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject, opened_preview
from photoindex.types import DetectedRegion, Failure, MoreThere

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STAGE = Stage(
    name="faces",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="faces",
    open="photoindex.stages.faces:open_installed",
    results=(DetectedRegion, MoreThere),
)
KIND = "face"
"""The kind of its regions."""

_NORM_TOLERANCE = 0.01
"""Rounding to float16 changes the norm by less than a tenth of this."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Which face pack to open. digest: of its files, which must match the installed ones. dim: of the stored vectors.

    detail_px: as of `open_face_pack`.
    """

    models_folder: Path
    model: str
    digest: str
    device: str
    dim: int
    detail_px: int | None = None


def variant(*, model: str, digest: str, dim: int, picture: Mapping[str, object]) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key.

    digest: of the pack's files. picture: which picture of a photo is looked through: its preview, or a larger one.
    """
    return {"code": STAGE.code_version, "model": model, "weights": digest, "dim": dim, "picture": dict(picture)}


def open_installed(opening: Opening) -> FaceStage:
    """Open an installed face pack. Raises ModelUnavailable, DeviceFailed, OutOfDeviceMemory, like `open_face_pack`."""
    from photoindex.models.faces.pack import open_face_pack
    from photoindex.models.weights import ModelStore

    installed = ModelStore(opening.models_folder).get_same(opening.model, opening.digest)
    pack = open_face_pack(installed, device=opening.device, detail_px=opening.detail_px)
    return FaceStage(pack, opening)


class FaceStage(OpenStage):
    """A face pack that looks through pictures of any size."""

    def __init__(self, pack: FacePack, opening: Opening) -> None:
        """Raise ModelUnavailable if the pack's vectors do not fit to those that are stored."""
        if pack.dim != opening.dim:
            raise ModelUnavailable(
                f"the face pack '{opening.model}' returns vectors of {pack.dim} dimensions, but its faces are stored with "
                f"{opening.dim}; see: photoindex models verify {opening.model}"
            )
        self._pack = pack
        self.runs_on = pack.runs_on

    def prepare(self, data: bytes) -> NDArray[np.uint8]:
        """Return uint8 RGB [height, width, 3]. Raises UnreadablePreview."""
        import numpy as np

        with opened_preview(data) as picture:
            return np.asarray(picture.convert("RGB"))

    def run(self, batch: Sequence[NDArray[np.uint8]]) -> Sequence[Outcome]:
        """Return the faces of each picture, none if there are none, or a failure if a vector does not have unit length."""
        described = self._pack.describe(batch)
        return [_outcome(faces, picture.shape) for faces, picture in zip(described, batch, strict=True)]

    def prove(self) -> None:
        """Look through a black picture."""
        import numpy as np

        self.run([np.zeros((64, 64, 3), np.uint8)])


def _outcome(faces: DescribedFaces, shape: tuple[int, ...]) -> Outcome:
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        vectors = faces.vectors.astype(np.float16)
        # Also false if a number is NaN, or too large for float16.
        valid = np.abs(np.linalg.norm(vectors.astype(np.float32), axis=1) - 1) < _NORM_TOLERANCE
    if not valid.all():
        return Failure("not_a_vector", "the model returned no unit-length vector for a face in this picture")
    size = np.array([shape[1], shape[0]], np.float32)
    first = faces.found.boxes[:, :2] / size
    last = (faces.found.boxes[:, :2] + faces.found.boxes[:, 2:]) / size
    corners = np.clip(np.concatenate([first, last], axis=1), 0, 1)
    regions = tuple(
        DetectedRegion(
            kind=KIND, x=float(left), y=float(top), width=float(right - left), height=float(bottom - top),
            score=float(faces.found.scores[number]), vector=vectors[number],
            landmarks=(faces.found.landmarks[number] / size).astype(np.float32),
            sharpness=float(faces.sharpness[number]), yaw=float(faces.yaw[number]), roll=float(faces.roll[number]),
        )
        for number, (left, top, right, bottom) in enumerate(corners)
    )  # fmt: skip
    return (*regions, MoreThere(KIND)) if faces.found.limited else regions
