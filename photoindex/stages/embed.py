"""The embed stage: what a model sees of one content, from the content's preview."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from photoindex.models.base import Preprocessing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

NAME = "embed"
CODE_VERSION = 1
"""Raised when the stage's results change for the same preview and model."""

_SHRINK_KEEPS = 1.5
"""How much larger than the model's input a JPEG's own shrunk decode must be at the least.

Decoding at a half or a quarter takes a fraction of the time; closer to the input's size its cruder filter would show.
"""


class UnreadablePreview(Exception):
    """A preview that is damaged; the message says how."""


def variant(*, model: str, digest: str, preprocessing: Preprocessing, dim: int) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key.

    digest: the weights digest, which says more than the revision: the same files pulled here and bundled there are one
    space. Where the model runs and how precisely (torch or ONNX, float32 or half) is left out: the
    vectors' cosine stays above 0.999, and a laptop and a workstation share one space.
    """
    return {
        "code": CODE_VERSION,
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


def pixels_of(preview_jpeg: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return what the model sees of a preview: uint8 RGB [size_px, size_px, 3]. Raises UnreadablePreview."""
    from PIL import Image, UnidentifiedImageError

    from photoindex.models.preprocess import prepare

    try:
        with Image.open(io.BytesIO(preview_jpeg), formats=("JPEG",)) as picture:
            _shrink_while_decoding(picture, preprocessing)
            return prepare(picture, preprocessing)
    except UnidentifiedImageError as error:
        raise UnreadablePreview("it is no JPEG picture") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadablePreview(str(error)) from error


def _shrink_while_decoding(picture: Image.Image, preprocessing: Preprocessing) -> None:
    least = round(_SHRINK_KEEPS * preprocessing.size_px)
    picture.draft("RGB", (least, least))
