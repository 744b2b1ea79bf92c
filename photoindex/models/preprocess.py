"""Pictures as a model sees them: scaled and cropped exactly as open_clip does it for inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.models.base import Preprocessing

if TYPE_CHECKING:
    from PIL import Image


def prepare(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return a picture as a model's input, uint8 RGB [size_px, size_px, 3]; the model itself normalises it.

    The result equals, byte for byte, that of open_clip's `image_transform` (torchvision's Resize and CenterCrop on a
    PIL picture) before its normalisation. image: upright; a mode other than RGB is converted after scaling, as there.
    """
    from PIL import Image as Images

    filters = {"bicubic": Images.Resampling.BICUBIC, "bilinear": Images.Resampling.BILINEAR}
    size = preprocessing.size_px
    width, height = image.size
    box = (0.0, 0.0, float(width), float(height))
    if preprocessing.resize == "shortest":
        box = _middle(width, height, size)
    # Scaling the middle alone gives the pixels that cropping the scaled picture gives: Pillow's filters look beyond the box.
    scaled = image.resize((size, size), filters[preprocessing.interpolation], box=box)
    return np.array(scaled if scaled.mode == "RGB" else scaled.convert("RGB"), dtype=np.uint8)


def _middle(width: int, height: int, size: int) -> tuple[float, float, float, float]:
    """Return the part of the source (left, top, right, bottom) that the crop of the scaled picture shows."""
    if width <= height:
        scaled_width, scaled_height = size, int(size * height / width)
    else:
        scaled_width, scaled_height = int(size * width / height), size
    left, top = round((scaled_width - size) / 2.0), round((scaled_height - size) / 2.0)
    across, down = width / scaled_width, height / scaled_height
    return (
        left * across,
        top * down,
        min(float(width), (left + size) * across),
        min(float(height), (top + size) * down),
    )
