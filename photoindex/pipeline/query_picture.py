"""Turns an untrusted picture file into model input; it is decoded in a separate process."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.media.decode.preload import preload_modules
from photoindex.models.base import Preprocessing
from photoindex.pipeline.workers.isolation import failure_of, start_forkserver, workers
from photoindex.types import DerivedParams, Failure, Limits


@dataclass(frozen=True, slots=True)
class PictureJob:
    """Input of a worker: the file, how previews are made, and the model's preprocessing; None: the whole preview."""

    path: bytes
    params: DerivedParams
    preprocessing: Preprocessing | None
    limits: Limits


def read_picture(job: PictureJob) -> NDArray[np.uint8] | Failure:
    """Return a picture as a scanned photo is prepared for a model, or the failure.

    uint8 RGB: [size_px, size_px, 3] with a preprocessing, as in `embed`; otherwise the upright preview, as in `faces`.
    """
    start_forkserver(preload_modules())
    with workers(1, job.limits) as pool:
        future = pool.submit(_read, job)
        try:
            return future.result()
        except Exception as error:
            failure = failure_of(error, job.limits)
            if failure is None:
                raise
            return failure


def _read(job: PictureJob) -> NDArray[np.uint8] | Failure:
    from photoindex.media.content import read_content
    from photoindex.media.problems import MediaProblem
    from photoindex.stages.embed import pixels_of
    from photoindex.stages.ingest import ingest, recognise
    from photoindex.types import MediaType

    try:
        content = read_content(job.path)
        media = recognise(content, os.path.basename(job.path))
        if not isinstance(media, MediaType):
            return media.failure or Failure("not_media", media.not_media or "it is not a picture")
        made = ingest(content, media, job.params, job.limits, derive=True)
    except OSError as error:
        return Failure("unreadable", f"cannot be read: {error.strerror or error}")
    except MediaProblem as problem:
        return Failure(problem.error_class, str(problem))
    if made.derived is None:
        return made.failure or Failure("undecodable", "it contains no picture")
    if job.preprocessing is None:
        return _pixels(made.derived.preview_jpeg)
    return pixels_of(made.derived.preview_jpeg, job.preprocessing)


def _pixels(jpeg: bytes) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        return np.asarray(picture.convert("RGB"))
