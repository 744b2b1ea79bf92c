"""Preprocessing pictures for a model, with exactly the scaling and cropping of open_clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.models.base import Preprocessing

if TYPE_CHECKING:
    from PIL import Image

_SCALED_PIXELS_MAX = 4_000_000
"""Larger scaled pictures are computed in parts: 1 x 1024 pixels become 224 x 229,376, of which only the centre is used."""
_PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}


def prepare(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Convert a picture to a model's input, uint8 RGB [size_px, size_px, 3]; the model normalises it itself.

    The result is byte for byte that of open_clip's `image_transform` (torchvision's Resize and CenterCrop on a PIL picture)
    before normalisation. image: upright; like there, other modes than RGB are converted after scaling.
    """
    from PIL import Image as Images

    filters = {"bicubic": Images.Resampling.BICUBIC, "bilinear": Images.Resampling.BILINEAR}
    size = preprocessing.size_px
    width, height = image.size
    if preprocessing.resize == "squash":
        scaled = size, size
    elif width <= height:
        scaled = size, int(size * height / width)
    else:
        scaled = int(size * width / height), size
    shown = _middle(image, scaled, size, filters[preprocessing.interpolation])
    return np.array(shown if shown.mode == "RGB" else shown.convert("RGB"), dtype=np.uint8)


def _middle(image: Image.Image, scaled: tuple[int, int], size: int, resampling: Image.Resampling) -> Image.Image:
    """Return the centre square of a picture scaled to `scaled` pixels (width, height)."""
    left, top = (round((side - size) / 2.0) for side in scaled)
    if scaled[0] * scaled[1] <= _SCALED_PIXELS_MAX:
        return image.resize(scaled, resampling).crop((left, top, left + size, top + size))
    # Scaling only the visible part would be faster, but Pillow would round differently. Pillow scales horizontally first,
    # then vertically, rounding after each step, so the columns of the second step are independent.
    straight = image.convert(_PREMULTIPLIED.get(image.mode, image.mode))
    columns = straight.resize((scaled[0], image.height), resampling).crop((left, 0, left + size, image.height))
    shown = columns.crop((0, 0, size, size))
    at_once = max(1, _SCALED_PIXELS_MAX // scaled[1])
    for first in range(0, size, at_once):
        last = min(first + at_once, size)
        part = columns.crop((first, 0, last, image.height)).resize((last - first, scaled[1]), resampling)
        shown.paste(part.crop((0, top, last - first, top + size)), (first, 0))
    return shown if shown.mode == image.mode else shown.convert(image.mode)
