"""Compares pairs of contents by their thumbnails, on several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.agreement import framed, with_border
from photoindex.domain.same_picture.alignment import Map, inverse, part_over_part
from photoindex.domain.same_picture.compare import (
    BEYOND_TRIMMED,
    PictureComparison,
    accepts,
    compare,
    compare_from,
    same_colours,
)
from photoindex.domain.same_picture.features import Features, extract_features
from photoindex.domain.same_picture.hashes import window_rectangles
from photoindex.domain.same_picture.trimming import Rectangle
from photoindex.file_access import read_file
from photoindex.pipeline.duplicates.candidates import Start
from photoindex.pipeline.ingest.derived_files import preview_path, thumbnail_path

WHOLE_SHARE = 0.97
"""A copy that shows at least this share of a picture shows all of it, within the accuracy of thumbnails."""
_CACHED_FEATURES = 200
"""Features cached in memory, about half a megabyte each."""
_CACHED_PREVIEWS = 16
"""Up to a megabyte each: a pair needs both several times, and pairs with the same second picture follow each other."""
_WHOLE = Rectangle()
_SIGNATURE_PX = 16
_LEAST_STRUCTURE = 0.02


@dataclass(frozen=True, slots=True)
class Task:
    """One pair of contents to compare, by asset ids; see `candidates.PairCandidates`."""

    first: int
    second: int
    turn: int = 0
    thorough: bool = True
    start: Start | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One pair with the result of its comparison.

    same_colours: no filter, caption or other visible change. shift_px: of parts against each other, see `local_shift`;
    noise: see `noise_likeness`; both None where they were not needed yet, or cannot be read now. read: both thumbnails could be
    read, so that there is a result. doubt: why these may be two shots, None if they are
    surely one.
    """

    task: Task
    comparison: PictureComparison
    same_colours: bool
    shift_px: float | None = None
    noise: float | None = None
    read: bool = True
    doubt: str | None = None


class Comparer:
    """Compares contents of one library; thread-safe.

    derived_folder: the folder of the thumbnails and previews. digests, contents: by asset id, of what to compare, the digest
    and where its content is, if it has a border; the mappings may grow.
    """

    def __init__(self, derived_folder: Path, digests: Mapping[int, bytes], contents: Mapping[int, Rectangle]) -> None:
        self._folder = derived_folder
        self._digests = digests
        self._contents = contents
        self._cache: OrderedDict[int, Features | None] = OrderedDict()
        self._previews = lru_cache(_CACHED_PREVIEWS)(self._read_preview)
        self._lock = threading.Lock()
        self.without_thumbnail: set[int] = set()

    def compared(self, tasks: Sequence[Task], pool: ThreadPoolExecutor | None = None) -> Iterator[Sequence[Compared]]:
        """Yield results in the order of the tasks, grouped by the second content. pool: compares several groups at once."""
        import cv2

        # The comparisons themselves run at once; threads for the lines of such small pictures only wait for each other.
        cv2.setNumThreads(1)
        bundles = [list(bundle) for _, bundle in groupby(tasks, key=lambda task: task.second)]
        yield from (map if pool is None or len(bundles) < 2 else pool.map)(self._bundle, bundles)

    def compare(self, task: Task) -> Compared:
        """Compare one pair."""
        first, second = self.features(task.first), self.features(task.second)
        if first is None or second is None:
            return Compared(task, PictureComparison(same=False), same_colours=False, read=False)
        start = task.start
        if start is None:
            found = compare(first, second, orientation=task.turn, thorough=task.thorough)
        else:
            found = compare_from(first, second, self._map_of(task, start, first, second))
        if found.same and found.agreement is not None:
            shares = self._content(task.first).share, self._content(task.second).share
            colours = found.orientation == 0 and self._same_colours(task)
            return Compared(task, replace(found, agreement=framed(found.agreement, *shares)), colours)
        return Compared(task, self._by_contents(task) or found, same_colours=False)

    def _map_of(self, task: Task, start: Start, first: Features, second: Features) -> Map:
        """Return the map that lays the picture that was found over the window that led to it."""
        ids, shapes = (task.first, task.second), (first.shape, second.shape)
        small, large = (1, 0) if start.second else (0, 1)
        part = self._content(ids[small]) if start.trimmed else Rectangle()
        content = self._content(ids[large])
        height, width = shapes[large]
        left, top, right, bottom = content.pixels(width, height)
        window = window_rectangles(right - left, bottom - top)[start.window]
        map_ = part_over_part(shapes[small], part, shapes[large], content.part(window))
        return inverse(map_) if start.second else map_

    def _content(self, asset_id: int) -> Rectangle:
        return self._contents.get(asset_id, _WHOLE)

    def _by_contents(self, task: Task) -> PictureComparison | None:
        """Compare what two pictures show without their borders, in more detail than a thumbnail has; None if that differs."""
        rectangles = self._content(task.first), self._content(task.second)
        if all(one.is_whole for one in rectangles):
            return None
        inside = [self._inside(*one) for one in zip((task.first, task.second), rectangles, strict=True)]
        first, second = inside
        if first is None or second is None:
            return None
        first_share, second_share = (one.share for one in rectangles)
        thorough = task.thorough or task.start is not None
        found = compare(first, second, thorough=thorough)
        if found.agreement is not None and accepts(found.agreement, beyond=BEYOND_TRIMMED):
            agreement = with_border(found.agreement, first_share, second_share)
            return replace(found, same=True, agreement=agreement, map_=None)
        # Small contents are scaled up, and then it can matter which of the two is laid over the other.
        found = compare(second, first, thorough=thorough)
        if found.agreement is None or found.orientation or not accepts(found.agreement, beyond=BEYOND_TRIMMED):
            return None
        agreement = with_border(found.agreement, second_share, first_share)
        agreement = replace(agreement, second_is_smaller=not agreement.second_is_smaller)
        return replace(found, same=True, agreement=agreement, map_=None)

    def _inside(self, asset_id: int, content: Rectangle) -> Features | None:
        grey = self.preview(asset_id)
        if grey is None:
            return None
        left, top, right, bottom = content.pixels(grey.shape[1], grey.shape[0])
        return Features(np.ascontiguousarray(grey[top:bottom, left:right]))

    def preview(self, asset_id: int) -> NDArray[np.uint8] | None:
        """Return the preview of a content in grey, uint8 [h, w], not to be written to; None if it cannot be read."""
        return self._previews(asset_id)

    def _read_preview(self, asset_id: int) -> NDArray[np.uint8] | None:
        import simplejpeg

        digest = self._digests.get(asset_id)
        if digest is None:
            return None
        try:
            jpeg = read_file(preview_path(self._folder, digest))
            return cast("NDArray[np.uint8]", simplejpeg.decode_jpeg(jpeg, "GRAY")[..., 0])
        except (OSError, ValueError):
            return None

    def signatures(self, asset_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return coarse signatures of pictures: float32 [n, 256] of unit length, zeros for those without structure."""
        import cv2

        found = np.zeros((len(asset_ids), _SIGNATURE_PX**2), np.float32)
        for row, asset_id in enumerate(asset_ids.tolist()):
            features = self.features(asset_id, keep=False)
            if features is None or float((features.even**2).mean()) < _LEAST_STRUCTURE:
                continue
            small = cv2.resize(features.even, (_SIGNATURE_PX, _SIGNATURE_PX), interpolation=cv2.INTER_AREA).ravel()
            length = float(np.linalg.norm(small))
            if length > 0:
                found[row] = small / length
        return found

    def _bundle(self, tasks: Sequence[Task]) -> Sequence[Compared]:
        return [self.compare(task) for task in tasks]

    def _same_colours(self, task: Task) -> bool:
        first, second = self._thumbnail(task.first), self._thumbnail(task.second)
        return first is not None and second is not None and same_colours(first, second)

    def features(self, asset_id: int, *, keep: bool = True) -> Features | None:
        """Return the features of a content; None if its thumbnail cannot be read. keep: remember them for a while."""
        with self._lock:
            if asset_id in self._cache:
                self._cache.move_to_end(asset_id)
                return self._cache[asset_id]
        jpeg = self._thumbnail(asset_id)
        try:
            features = None if jpeg is None else extract_features(jpeg)
        except ValueError:
            features = None
        if features is None:
            self.without_thumbnail.add(asset_id)
        if keep:
            with self._lock:
                self._cache[asset_id] = features
                while len(self._cache) > _CACHED_FEATURES:
                    self._cache.popitem(last=False)
        return features

    def _thumbnail(self, asset_id: int) -> bytes | None:
        digest = self._digests.get(asset_id)
        if digest is None:
            return None
        try:
            return read_file(thumbnail_path(self._folder, digest))
        except OSError:
            return None
