"""The bare loop that bench_scan.py compares with: what the ingest of a photo cannot leave out. It imports nothing else.

FOLDER OUT PART PARTS: it does this to every PARTS-th JPEG in FOLDER, from the PART-th on.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from blake3 import blake3

from photoindex.domain.same_picture.hashes import SIDE_PX, hashes_of
from photoindex.media.decode.previews import phash
from photoindex.media.decode.scale import fitted, shrink
from photoindex.types import DerivedParams

PARAMS = DerivedParams()


def take(path: Path, out: Path) -> None:
    data = path.read_bytes()
    name = blake3(data).hexdigest()
    pixels = simplejpeg.decode_jpeg(data, "RGB", min_width=PARAMS.preview_px)
    preview = shrink(pixels, fitted(pixels.shape[1], pixels.shape[0], PARAMS.preview_px))
    thumbnail = shrink(preview, fitted(preview.shape[1], preview.shape[0], PARAMS.thumbnail_px))
    preview_jpeg = simplejpeg.encode_jpeg(preview, PARAMS.preview_quality, "RGB", "420")
    thumbnail_jpeg = simplejpeg.encode_jpeg(thumbnail, PARAMS.thumbnail_quality, "RGB", "420")
    phash(simplejpeg.decode_jpeg(thumbnail_jpeg, "RGB"))
    grey = simplejpeg.decode_jpeg(preview_jpeg, "GRAY", min_height=SIDE_PX, min_width=SIDE_PX)
    hashes_of(np.ascontiguousarray(grey[..., 0]))
    (out / f"{name}.thumb.jpg").write_bytes(thumbnail_jpeg)
    (out / f"{name}.preview.jpg").write_bytes(preview_jpeg)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    folder, made, part, parts = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    for path in sorted(folder.rglob("*.JPG"))[part::parts]:
        take(path, made)
