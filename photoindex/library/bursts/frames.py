"""Measures the frames of bursts by their previews, on several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from photoindex.domain.bursts.measure import measure
from photoindex.domain.bursts.values import Face, Measures
from photoindex.file_access import read_file
from photoindex.library.cores import jobs_for
from photoindex.library.handle import Library
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.store.photos import bursts
from photoindex.store.photos.bursts import BurstPhoto, KnownFace

_YAW_MOST = 30.0
"""Degrees; of a face that is turned further, one eye is not seen well enough."""


class Measurer:
    """Measures frames of one library. lost: contents whose preview cannot be read. done: frames measured."""

    def __init__(self, library: Library) -> None:
        """Measure nothing yet."""
        self._library = library
        self._lock = threading.Lock()
        self.lost: set[int] = set()
        self.done = 0

    def measured(self, photos: Sequence[BurstPhoto]) -> dict[int, Measures | None]:
        """Return photo -> its measures; None where the preview cannot be read."""
        with self._library.database.read() as connection:
            faces = bursts.faces_of(connection, {one.asset_id for one in photos})
        with ThreadPoolExecutor(jobs_for(1.0), "measure") as pool:
            found = pool.map(lambda one: self._measure(one, faces), photos)
            return dict(zip([one.id for one in photos], found, strict=True))

    def _measure(self, photo: BurstPhoto, faces: Mapping[int, Sequence[KnownFace]]) -> Measures | None:
        import cv2

        try:
            data = read_file(preview_path(self._library.derived_folder, photo.digest))
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        except (OSError, cv2.error):
            picture = None
        with self._lock:
            self.done += 1
            if picture is None:
                self.lost.add(photo.asset_id)
        if picture is None:
            return None
        return measure(np.asarray(picture, np.uint8), list(map(_face, _of(faces, photo.asset_id))))


def _of(faces: Mapping[int, Sequence[KnownFace]], asset_id: int) -> Iterable[KnownFace]:
    return faces.get(asset_id, ())


def _face(known: KnownFace) -> Face:
    eyes = None
    if known.points is not None and (known.yaw is None or abs(known.yaw) <= _YAW_MOST):
        eyes = (known.points[0], known.points[1]), (known.points[2], known.points[3])
    return Face(known.x, known.y, known.width, known.height, known.individual_id, eyes)
