"""Laying one picture over another: the affine map from the pixels of the first to those of the second."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.features import COARSE_PX, MIDDLE_PX, Look, Plane

Map = NDArray[np.float64]
"""[2, 3]: second = map @ (x, y, 1) of the first, in pixels of `Look.grey`, whose centres are at whole numbers."""

COARSE_AGREEMENT = 0.45
"""Below this correlation of the two in even light, no finer step is worth its time."""
_STRETCH = 1.35
"""How differently width and height may be scaled: pictures stretched to another format are still the same."""
_SCALE = 6.0
_MATCHES = 8
_RATIO = 0.85
_REACH_PX = 3.0


def from_whole(first: Look, second: Look) -> Map | None:
    """Return the map that is found from laying frame over frame; None where they do not agree roughly.

    Finds what was cut off up to about a tenth of a side, straightening by some degrees, any scaling.
    """
    return refined(first, second, _frame_over_frame(first, second), coarse=True)


def _frame_over_frame(first: Look, second: Look) -> Map:
    (height, width), (other_height, other_width) = first.shape, second.shape
    across, down = other_width / width, other_height / height
    return np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5]])


def refined(first: Look, second: Look, start: Map, *, coarse: bool = False) -> Map | None:
    """Return a map brought to less than a pixel (ECC, Evangelidis and Psarakis 2008); None where the pictures disagree.

    coarse: begin with small pictures, which find the way over a longer distance.
    """
    found: Map | None = start
    if coarse:
        found = _step(first.coarse, second.coarse, (first, second), start, rounds=25)
    if found is not None:
        found = _step(first.middle, second.middle, (first, second), found, rounds=12)
    if found is not None and max(*first.shape, *second.shape) > MIDDLE_PX:
        found = _step(first.even, second.even, (first, second), found, rounds=5)
    return found if found is not None and is_plausible(found) else None


def _step(plane: Plane, other: Plane, looks: tuple[Look, Look], start: Map, rounds: int) -> Map | None:
    import cv2

    into, out = _scaling(looks[0].shape, plane.shape), _scaling(looks[1].shape, other.shape)
    warp = (out @ _square(start) @ np.linalg.inv(into))[:2].astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, rounds, 1e-4)
    try:
        agreement, warp = cast("Any", cv2.findTransformECC)(
            plane, other, warp, cv2.MOTION_AFFINE, criteria, None, 3
        )  # the stubs know no call without a mask
    except cv2.error:
        return None  # it did not converge: they do not agree
    if max(plane.shape) <= COARSE_PX and agreement < COARSE_AGREEMENT:
        return None
    return (np.linalg.inv(out) @ _square(warp.astype(np.float64)) @ into)[:2]


def _scaling(shape: tuple[int, ...], small: tuple[int, ...]) -> NDArray[np.float64]:
    """The map from the pixels of a picture to those of its smaller copy."""
    down, across = small[0] / shape[0], small[1] / shape[1]
    return np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5], [0, 0, 1]])


def _square(map_: Map) -> NDArray[np.float64]:
    return np.vstack([map_, [0, 0, 1]])


def inverse(map_: Map) -> Map:
    """Return the map from the second picture to the first."""
    return cast("Map", np.linalg.inv(_square(map_))[:2])


def scale_of(map_: Map) -> float:
    """Return how many pixels of the second picture one of the first is, along a side."""
    return float(np.sqrt(abs(np.linalg.det(map_[:, :2]))))


def is_plausible(map_: Map) -> bool:
    """Tell whether a map is what an edit does: no extreme scale, no strong skew, no mirroring."""
    if not np.isfinite(map_).all() or np.linalg.det(map_[:, :2]) <= 0:
        return False
    longer, shorter = np.linalg.svd(map_[:, :2], compute_uv=False)
    return bool(shorter > 0 and longer / shorter <= _STRETCH and 1 / _SCALE <= scale_of(map_) <= _SCALE)


def from_keypoints(first: Look, second: Look, *, mirrored: bool) -> Map | None:
    """Return the map that most matching keypoints agree on (RANSAC), at any scale and angle; None where too few do.

    mirrored: the map leads to the second picture mirrored left to right.
    """
    import cv2

    points, descriptors = first.keypoints
    other_points, others = second.mirrored_keypoints() if mirrored else second.keypoints
    here, there = _matches(descriptors, others)
    if len(here) < _MATCHES:
        return None
    cv2.setRNGSeed(0)
    best: Map | None = None
    for estimate in (cv2.estimateAffinePartial2D, cv2.estimateAffine2D):
        found, inliers = estimate(
            points[here], other_points[there], method=cv2.RANSAC, ransacReprojThreshold=_REACH_PX, maxIters=1000
        )
        map_ = None if found is None else cast("Map", found)
        if map_ is None or not is_plausible(map_):
            continue
        agreeing = int(inliers.sum())
        if agreeing >= _MATCHES:
            best = map_
        if agreeing > 0.6 * len(here):
            break
    return best


def _matches(first: Plane, second: Plane) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of descriptors that are each other's nearest, and clearly nearer than the next (Lowe's ratio)."""
    if len(first) < 2 or len(second) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    import cv2

    # numpy's product wakes a thread a core each time, which costs ten times as much as so small a product.
    likeness = cast("Plane", cv2.gemm(first, second, 1, None, 0, flags=cv2.GEMM_2_T))  # type: ignore[call-overload]
    nearest = likeness.argmax(axis=1)
    rows = np.arange(len(first))
    best = likeness[rows, nearest]
    mutual = likeness.argmax(axis=0)[nearest] == rows
    likeness[rows, nearest] = -1
    next_best = likeness.max(axis=1)
    clear = np.sqrt(np.maximum(2 - 2 * best, 0)) < _RATIO * np.sqrt(np.maximum(2 - 2 * next_best, 0))
    kept = np.flatnonzero(mutual & clear)
    return kept, nearest[kept]
