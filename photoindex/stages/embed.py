"""The embed stage: turns a preview into a vector in a model's space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photoindex.errors import ModelUnavailable
from photoindex.models.base import ImageEncoder, Preprocessing
from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject, opened_preview
from photoindex.types import Failure, Vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

STAGE = Stage(
    name="embed",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="embed",
    open="photoindex.stages.embed:open_installed",
    results=(Vector,),
)

_SHRINK_KEEPS = 1.5
"""How much larger than the model's input a JPEG decoded at reduced scale must be.

Decoding at a half or a quarter of the size takes a fraction of the time, but its filter is crude and would be visible
closer to the input size.
"""
_NORM_TOLERANCE = 0.01
"""Rounding to float16 changes the norm by less than a tenth of this."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Which model to open. digest: of the weights, which must match the installed ones. dim: of its space."""

    models_folder: Path
    model: str
    digest: str
    device: str
    gpu_free_share: float
    space: str
    dim: int


def variant(*, model: str, digest: str, preprocessing: Preprocessing, dim: int) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key.

    digest: of the weights; unlike the revision, it is the same for pulled and bundled files. Runtime and precision
    (torch or ONNX, float32 or half) are left out: the cosine between the vectors stays above 0.999, so that a laptop
    and a workstation can share one space.
    """
    return {
        "code": STAGE.code_version,
        "model": model,
        "weights": digest,
        "dim": dim,
        "input": {
            "size_px": preprocessing.size_px,
            "resize": preprocessing.resize,
            "interpolation": preprocessing.interpolation,
            "mean": list(preprocessing.mean),
            "standard_deviation": list(preprocessing.standard_deviation),
        },
    }


def open_installed(opening: Opening) -> EmbedStage:
    """Open an installed model. Raises ModelUnavailable, DeviceFailed, OutOfDeviceMemory, like `open_image_encoder`."""
    from photoindex.models.encoders import open_image_encoder
    from photoindex.models.weights import ModelStore

    installed = ModelStore(opening.models_folder).get_same(opening.model, opening.digest)
    encoder = open_image_encoder(installed, device=opening.device, gpu_free_share=opening.gpu_free_share)
    return EmbedStage(encoder, opening)


class EmbedStage(OpenStage):
    """An image encoder that fills one space."""

    def __init__(self, encoder: ImageEncoder, opening: Opening) -> None:
        """Raise ModelUnavailable if the encoder's vectors do not fit into the space."""
        if encoder.dim != opening.dim:
            raise ModelUnavailable(
                f"the model '{opening.model}' returns vectors of {encoder.dim} dimensions, but its space "
                f"'{opening.space}' has {opening.dim}; see: photoindex models verify {opening.model}"
            )
        self._encoder = encoder
        self.runs_on = encoder.runs_on

    def allocate(self, count: int) -> NDArray[np.uint8]:
        """Return uint8 [count, size_px, size_px, 3]."""
        import numpy as np

        side = self._encoder.preprocessing.size_px
        return np.zeros((count, side, side, 3), np.uint8)

    def prepare(self, data: bytes) -> NDArray[np.uint8]:
        """Return uint8 RGB [size_px, size_px, 3]. Raises UnreadablePreview."""
        return pixels_of(data, self._encoder.preprocessing)

    def run(self, batch: NDArray[np.uint8]) -> Sequence[Outcome]:
        """Return a vector for each picture, or a failure if its vector does not have unit length."""
        import numpy as np

        vectors = self._encoder.encode_images(batch)
        with np.errstate(over="ignore", invalid="ignore"):
            kept = vectors.astype(np.float16)
            # Also false if a number is NaN, or too large for float16.
            valid = np.abs(np.linalg.norm(kept.astype(np.float32), axis=1) - 1) < _NORM_TOLERANCE
        failure = Failure("not_a_vector", "the model returned no unit-length vector for this picture")
        return [(Vector(values),) if good else failure for values, good in zip(kept, valid, strict=True)]

    def prove(self) -> None:
        """Embed a black picture."""
        self.run(self.allocate(1))


def pixels_of(preview_jpeg: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return the model input for a preview: uint8 RGB [size_px, size_px, 3]. Raises UnreadablePreview."""
    from photoindex.models.preprocess import prepare

    with opened_preview(preview_jpeg) as picture:
        _shrink_while_decoding(picture, preprocessing)
        return prepare(picture, preprocessing)


def _shrink_while_decoding(picture: Image.Image, preprocessing: Preprocessing) -> None:
    least = round(_SHRINK_KEEPS * preprocessing.size_px)
    picture.draft("RGB", (least, least))
