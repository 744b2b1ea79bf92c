"""Aligning two pictures: the affine map from the pixels of the first to those of the second."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.features import COARSE_PX, MIDDLE_PX, Features, Plane
from photoindex.domain.same_picture.trimming import Rectangle

Map = NDArray[np.float64]
"""[2, 3]: second = map @ (x, y, 1) of the first, in pixels of `Features.grey`, with pixel centres at integers."""

COARSE_AGREEMENT = 0.45
"""Minimum correlation of the normalised pictures to continue with a finer step."""
_GATE_ROUNDS = 15
_STRETCH = 1.35
"""Maximum ratio of the two scales: pictures stretched to another aspect ratio still count as the same."""
_SCALE = 6.0
_MIN_MATCHES = 8
_RATIO = 0.85
_INLIER_PX = 3.0


def from_whole(first: Features, second: Features) -> Map | None:
    """Return the map found by starting with the frames on top of each other; None if the pictures do not roughly agree.

    Handles crops of up to about a tenth of a side, rotations by a few degrees and any scaling.
    """
    return refined(first, second, scaling(first.shape, second.shape), coarse=True)


def from_start(first: Features, second: Features, start: Map) -> tuple[Map | None, bool]:
    """Return the map found by starting with a given one, and whether the smallest versions agree at all."""
    found = _step(first.coarse, second.coarse, (first, second), start, rounds=_GATE_ROUNDS)
    return (None, False) if found is None else (refined(first, second, found), True)


def part_over_part(shape: tuple[int, int], part: Rectangle, other_shape: tuple[int, int], other_part: Rectangle) -> Map:
    """Return the map that lays a part of the first picture over a part of the second; shapes: height and width."""
    (height, width), (other_height, other_width) = shape, other_shape
    across = (other_part.right - other_part.left) * other_width / ((part.right - part.left) * width)
    down = (other_part.bottom - other_part.top) * other_height / ((part.bottom - part.top) * height)
    left, top = other_part.left * other_width - 0.5, other_part.top * other_height - 0.5
    return np.array(
        [[across, 0, left + across * (0.5 - part.left * width)], [0, down, top + down * (0.5 - part.top * height)]]
    )


def refined(first: Features, second: Features, start: Map, *, coarse: bool = False) -> Map | None:
    """Refine a map to sub-pixel accuracy (ECC, Evangelidis and Psarakis 2008); None if the pictures do not agree.

    coarse: start with very small pictures, which converge from further away.
    """
    found: Map | None = start
    if coarse:
        found = _step(first.coarse, second.coarse, (first, second), start, rounds=25)
    if found is not None:
        found = _step(first.middle, second.middle, (first, second), found, rounds=12)
    if found is not None and max(*first.shape, *second.shape) > MIDDLE_PX:
        found = _step(first.even, second.even, (first, second), found, rounds=5)
    return found if found is not None and is_plausible(found) else None


def _step(plane: Plane, other: Plane, features: tuple[Features, Features], start: Map, rounds: int) -> Map | None:
    into, out = scaling(features[0].shape, plane.shape), scaling(features[1].shape, other.shape)
    least = COARSE_AGREEMENT if max(plane.shape) <= COARSE_PX else 0
    warp = step(plane, other, chained(inverse(into), start, out), rounds, least=least)
    return None if warp is None else chained(into, warp, inverse(out))


def step(plane: Plane, other: Plane, start: Map, rounds: int, *, least: float = 0.0) -> Map | None:
    """Improve a map between two planes; None if it does not converge, or to less than `least` agreement."""
    import cv2

    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, rounds, 1e-4)
    try:
        agreement, warp = cast("Any", cv2.findTransformECC)(
            plane, other, start.astype(np.float32), cv2.MOTION_AFFINE, criteria, None, 3
        )  # the stubs have no overload without a mask
    except cv2.error:
        return None  # no convergence: the pictures do not agree
    return None if agreement < least else cast("Map", warp.astype(np.float64))


def scaling(shape: tuple[int, ...], other: tuple[int, ...]) -> Map:
    """Return the map that lays the frame of a picture over that of another one; shapes: height and width."""
    down, across = other[0] / shape[0], other[1] / shape[1]
    return np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5]])


def chained(*maps: Map) -> Map:
    """Return the map that does what these do one after the other."""
    found = _square(maps[-1])
    for one in reversed(maps[:-1]):
        found = found @ _square(one)
    return found[:2]


def _square(map_: Map) -> NDArray[np.float64]:
    return np.vstack([map_, [0, 0, 1]])


def inverse(map_: Map) -> Map:
    """Return the map from the second picture to the first."""
    return cast("Map", np.linalg.inv(_square(map_))[:2])


def scale_of(map_: Map) -> float:
    """Return the linear scale of a map: pixels of the second picture per pixel of the first."""
    return float(np.sqrt(abs(np.linalg.det(map_[:, :2]))))


def is_plausible(map_: Map) -> bool:
    """Tell whether a map is plausible for an edit: no extreme scale, no strong skew, no mirroring."""
    if not np.isfinite(map_).all() or np.linalg.det(map_[:, :2]) <= 0:
        return False
    longer, shorter = np.linalg.svd(map_[:, :2], compute_uv=False)
    return bool(shorter > 0 and longer / shorter <= _STRETCH and 1 / _SCALE <= scale_of(map_) <= _SCALE)


def from_keypoints(first: Features, second: Features, *, mirrored: bool) -> Map | None:
    """Return the map that most matching keypoints support (RANSAC), at any scale and angle; None if too few match.

    mirrored: the map is to the second picture mirrored left to right.
    """
    import cv2

    points, descriptors = first.keypoints
    other_points, others = second.mirrored_keypoints() if mirrored else second.keypoints
    here, there = _matches(descriptors, others)
    if len(here) < _MIN_MATCHES:
        return None
    cv2.setRNGSeed(0)
    best: Map | None = None
    for estimate in (cv2.estimateAffinePartial2D, cv2.estimateAffine2D):
        found, inliers = estimate(
            points[here], other_points[there], method=cv2.RANSAC, ransacReprojThreshold=_INLIER_PX, maxIters=1000
        )
        map_ = None if found is None else cast("Map", found)
        if map_ is None or not is_plausible(map_):
            continue
        agreeing = int(inliers.sum())
        if agreeing >= _MIN_MATCHES:
            best = map_
        if agreeing > 0.6 * len(here):
            break
    return best


def _matches(first: Plane, second: Plane) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of mutually nearest descriptors that pass Lowe's ratio test."""
    if len(first) < 2 or len(second) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    import cv2

    # numpy's matrix product starts a thread per core, which takes ten times as long as such a small product.
    similarity = cast("Plane", cv2.gemm(first, second, 1, None, 0, flags=cv2.GEMM_2_T))  # type: ignore[call-overload]
    nearest = similarity.argmax(axis=1)
    rows = np.arange(len(first))
    best = similarity[rows, nearest]
    mutual = similarity.argmax(axis=0)[nearest] == rows
    similarity[rows, nearest] = -1
    next_best = similarity.max(axis=1)
    clear = np.sqrt(np.maximum(2 - 2 * best, 0)) < _RATIO * np.sqrt(np.maximum(2 - 2 * next_best, 0))
    kept = np.flatnonzero(mutual & clear)
    return kept, nearest[kept]
