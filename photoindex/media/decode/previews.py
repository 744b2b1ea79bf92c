"""Making the preview, thumbnail and perceptual hash of a decoded picture."""

from __future__ import annotations

import numpy as np

from photoindex.media.decode.decode import Pixels
from photoindex.media.decode.scale import Pixel8, fitted, shrink
from photoindex.types import Derived, DerivedParams

_HASH_SIDE = 8


def derive(pixels: Pixels, params: DerivedParams) -> Derived:
    """Make both JPEGs (baseline, 4:2:0, no metadata; sRGB is implied) and the hash of the thumbnail.

    Sizes are the longest side; nothing is enlarged. The thumbnail is made from the preview. The hash is computed from the
    decoded thumbnail JPEG, so that it can be verified against the file.
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

    Same as `imagehash.phash` with a hash size of 8, bits row by row, most significant first, so that it
    equals `int(str(imagehash.phash(image)), 16)`. Similar pictures differ in few bits.
    """
    import imagehash
    from PIL import Image

    bits = imagehash.phash(Image.fromarray(array), hash_size=_HASH_SIDE).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
