"""Preview, thumbnail and perceptual hash: what the rest of the program works with instead of the original."""

from __future__ import annotations

import numpy as np

from photoindex.media.decode.decode import Pixels
from photoindex.media.decode.scale import Pixel8, fitted, shrink
from photoindex.types import Derived, DerivedParams

_HASH_SIDE = 8


def derive(pixels: Pixels, params: DerivedParams) -> Derived:
    """Make both JPEGs (baseline, 4:2:0, no metadata; sRGB is implied) and the hash of the small one.

    Sizes are the longest side and never enlarge; the thumbnail is made from the preview. The hash is that of the
    thumbnail as anybody decodes it from its JPEG, so that it can be checked against the file.
    """
    import simplejpeg

    height, width = pixels.array.shape[:2]
    preview = shrink(pixels.array, fitted(width, height, params.preview_px))
    thumbnail = shrink(preview, fitted(width, height, min(params.thumbnail_px, max(preview.shape))))
    preview_jpeg = simplejpeg.encode_jpeg(preview, params.preview_quality, "RGB", "420")
    thumbnail_jpeg = simplejpeg.encode_jpeg(thumbnail, params.thumbnail_quality, "RGB", "420")
    perceptual_hash = phash(simplejpeg.decode_jpeg(thumbnail_jpeg, "RGB"))
    return Derived(preview_jpeg, thumbnail_jpeg, perceptual_hash, pixels.notes)


def phash(array: Pixel8) -> int:
    """Return the 64-bit perceptual hash (DCT) of an RGB picture, uint8 [height, width, 3].

    It is `imagehash.phash` with a hash size of 8, its bits row by row with the first as the most significant, so that
    equals `int(str(imagehash.phash(image)), 16)`. Two pictures are alike when few bits differ.
    """
    import imagehash
    from PIL import Image

    bits = imagehash.phash(Image.fromarray(array), hash_size=_HASH_SIDE).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
