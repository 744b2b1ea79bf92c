"""Names of the modules that forked decoder processes share, kept here so that listing them imports none of them."""

from __future__ import annotations


def preload_modules() -> list[str]:
    """Return the modules that every photo needs, to be loaded once in the fork server."""
    return [
        "blake3",
        "cv2",
        "numpy",
        "PIL.Image",
        "PIL.ImageCms",
        "PIL.ImageFile",
        "simplejpeg",
        "photoindex.media.decode.decode",
        "photoindex.media.decode.previews",
    ]
