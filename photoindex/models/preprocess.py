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
    if preprocessing.resize == "squash":
        scaled_width, scaled_height = size, size
    elif width <= height:
        scaled_width, scaled_height = size, int(size * height / width)
    else:
        scaled_width, scaled_height = int(size * width / height), size
    # Scaling only the part that is shown would be quicker, but Pillow rounds otherwise then.
    scaled = image.resize((scaled_width, scaled_height), filters[preprocessing.interpolation])
    left, top = round((scaled_width - size) / 2.0), round((scaled_height - size) / 2.0)
    shown = scaled.crop((left, top, left + size, top + size))
    return np.array(shown if shown.mode == "RGB" else shown.convert("RGB"), dtype=np.uint8)
