"""Decodes an original at a larger size than its preview, for a stage that needs it; runs in a worker process."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from photoindex.types import Failure, Limits

_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Original:
    """One original to decode. digest: of the content that was scanned (BLAKE3). longest_px: of the decoded picture."""

    path: bytes
    digest: bytes
    longest_px: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class LargerPicture:
    """An upright sRGB JPEG, and how many seconds reading and decoding took."""

    jpeg: bytes
    seconds: float


def read_larger(original: Original) -> LargerPicture | Failure:
    """Read an original once and return its picture, or why there is none."""
    import simplejpeg

    from photoindex.media.content import read_content
    from photoindex.media.decode.decode import decode
    from photoindex.media.problems import MediaProblem
    from photoindex.stages.ingest import recognise
    from photoindex.types import MediaType

    started = time.perf_counter()
    try:
        content = read_content(original.path)
        if content.digest != original.digest:
            return Failure("changed", "the file has changed since it was scanned; run: photoindex scan", retry=True)
        media = recognise(content, os.path.basename(original.path))
        if not isinstance(media, MediaType):
            return media.failure or Failure("not_media", media.not_media or "it is not a picture")
        pixels = decode(content, media, original.longest_px, original.limits)
    except OSError as error:
        return Failure("unreadable", f"cannot be read: {error.strerror or error}", retry=True)
    except MediaProblem as problem:
        return Failure(problem.error_class, str(problem))
    jpeg = simplejpeg.encode_jpeg(pixels.array, _QUALITY, "RGB", "444")
    return LargerPicture(jpeg, time.perf_counter() - started)
