"""What every photo needs loaded, by name alone, so that the process that asks loads none of it."""

from __future__ import annotations


def preload_modules() -> list[str]:
    """Name the modules that every photo needs, to be loaded once in the server that workers are forked from."""
    return [
        "blake3",
        "cv2",
        "imagehash",
        "numpy",
        "PIL.Image",
        "PIL.ImageCms",
        "PIL.ImageFile",
        "scipy.fftpack",
        "simplejpeg",
        "photoindex.media.decode.decode",
        "photoindex.media.decode.previews",
    ]
