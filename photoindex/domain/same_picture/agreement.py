"""Measuring how well two aligned pictures agree locally, and how much of each lies outside the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.alignment import Map, inverse, scale_of
from photoindex.domain.same_picture.features import Features, Plane
from photoindex.domain.same_picture.overlay import line_of_words

_WINDOW_PX = 13
_STEP_PX = 3
_TEXTURED = 0.15
"""Minimum normalised variance of a window to be compared (structure has about 1)."""
_NOISE = 0.03
_DIFFERS = 0.5
_DARK, _BRIGHT = 3, 252
"""Grey levels at which an exposure is clipped, so that the original detail is lost."""
_CLIPPED = 0.25
_EDGE_PX = 1.0
"""Accuracy of the alignment."""
_LEAST_GRADIENT = 0.35
_WHOLE = 0.97
_BOTH_WHOLE = 0.004
_SAME_SHARE = 0.15
_WORDS_FROM, _BESIDE_WORDS = 0.05, 0.02
"""Words that were laid over a picture are looked for from this fraction of differing windows; so many may differ beside them."""
_FILL_PX = 3.0
_FILL_PIXELS = 300
_FILL_EDGES = 0.004
"""A plain border: this far outside the other frame, at least this many pixels, and at most this fraction of edges."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Result of comparing two aligned pictures.

    windows: number of windows with structure. mean: their mean correlation. low: their 5 % quantile. differing: the
    fraction of windows that show something else, words laid over one of them excepted. beyond: the fraction of the smaller picture's structure outside the larger
    one. share: the fraction of the larger picture that the smaller one covers. second_is_smaller: whether the smaller one
    is the second. only_border: the larger one adds only a plain border.
    """

    windows: int
    mean: float
    low: float
    differing: float
    beyond: float
    share: float
    second_is_smaller: bool
    only_border: bool = False


def agreement_of(first: Features, second: Features, map_: Map) -> Agreement:
    """Compare two pictures under the map from the first to the second, at the resolution of the coarser one."""
    if scale_of(map_) >= 1:
        windows, mean, low, differing = _compare(first, second, map_)
    else:
        windows, mean, low, differing = _compare(second, first, inverse(map_))
    beyond_second, beyond_first = _beyond(first, second, map_), _beyond(second, first, inverse(map_))
    area = first.grey.size * scale_of(map_) ** 2
    smaller = (beyond_first, True) if beyond_first <= beyond_second else (beyond_second, False)
    # If each contains the other, the areas decide.
    if max(beyond_first, beyond_second) < _BOTH_WHOLE:
        smaller = (smaller[0], second.grey.size < area)
    share = min(1.0, second.grey.size / area if smaller[1] else area / second.grey.size)
    only_border = share < _WHOLE and max(beyond_first, beyond_second) < _BOTH_WHOLE
    return Agreement(windows, mean, low, differing, smaller[0], share, smaller[1], only_border)


def with_border(found: Agreement, first_share: float, second_share: float) -> Agreement:
    """Return the agreement of two pictures, given that of what is inside their borders and the share of it in each."""
    second_is_smaller = second_share > first_share
    if found.share < _WHOLE and found.second_is_smaller != second_is_smaller:
        return found
    share = found.share * min(first_share, second_share) / max(first_share, second_share)
    return framed(replace(found, share=share, second_is_smaller=second_is_smaller), first_share, second_share)


def framed(found: Agreement, first_share: float, second_share: float) -> Agreement:
    """Return an agreement that tells whether the larger picture only adds a border, given the share inside it in each."""
    inside = min(first_share, second_share) / max(first_share, second_share)
    only = inside < _WHOLE and abs(found.share - inside) < _SAME_SHARE * inside
    only = only and found.second_is_smaller == (second_share > first_share)
    return replace(found, only_border=True) if only else found


def _compare(coarse: Features, fine: Features, map_: Map) -> tuple[int, float, float, float]:
    import cv2

    height, width = coarse.shape
    warped = _warped(fine.grey, map_, (width, height))
    inside = _warped(np.ones(fine.shape, np.float32), map_, (width, height), fill=0.0) > 0.99
    if np.count_nonzero(inside) < 4 * _WINDOW_PX**2:
        return 0, 0.0, 0.0, 1.0
    a = _blurred(coarse.even)
    b = _blurred(_even_inside(warped, inside))

    def box(plane: Plane) -> Plane:
        return cast("Plane", cv2.blur(plane, (_WINDOW_PX, _WINDOW_PX), borderType=cv2.BORDER_REFLECT_101))

    mean_a, mean_b = box(a), box(b)
    variance_a, variance_b = box(a * a) - mean_a**2, box(b * b) - mean_b**2
    correlation = (box(a * b) - mean_a * mean_b) / np.sqrt(
        np.maximum((variance_a + _NOISE) * (variance_b + _NOISE), 1e-9)
    )
    whole = box(inside.astype(np.float32)) > 0.999
    grid = np.s_[_STEP_PX // 2 :: _STEP_PX, _STEP_PX // 2 :: _STEP_PX]
    structure = np.maximum(variance_a, variance_b)[grid]
    clipped = np.maximum(box(_clipped(coarse.grey)), box(_clipped(warped)))[grid]
    chosen = whole[grid] & (structure > _TEXTURED) & (clipped < _CLIPPED)
    found = _averages(correlation[grid], structure, chosen)
    if found[3] > _WORDS_FROM:
        words = line_of_words(chosen & (correlation[grid] < _DIFFERS), _STEP_PX, (coarse.grey, warped))
        if words is not None:
            chosen[words] = False
            without = _averages(correlation[grid], structure, chosen)
            return without if without[3] <= _BESIDE_WORDS else found
    return found


def _averages(
    correlation: NDArray[np.floating], structure: NDArray[np.floating], chosen: NDArray[np.bool_]
) -> tuple[int, float, float, float]:
    values, weights = correlation[chosen], np.sqrt(np.minimum(structure[chosen], 1.0))
    if not len(values):
        return 0, 0.0, 0.0, 1.0
    mean = float(np.average(values, weights=weights))
    differing = float(np.average(values < _DIFFERS, weights=weights))
    return len(values), mean, float(np.quantile(values, 0.05)), differing


def _clipped(grey: Plane) -> Plane:
    return ((grey <= _DARK) | (grey >= _BRIGHT)).astype(np.float32)


def _even_inside(plane: Plane, inside: NDArray[np.bool_]) -> Plane:
    from photoindex.domain.same_picture.features import even_light

    return even_light(np.where(inside, plane, plane[inside].mean()).astype(np.float32))


def _blurred(plane: Plane) -> Plane:
    import cv2

    return cast("Plane", cv2.GaussianBlur(plane, (0, 0), 0.8))


def _warped(plane: Plane, map_: Map, size: tuple[int, int], fill: float | None = None) -> Plane:
    """Warp `plane` to the pixels of the first picture; if it is finer, it is scaled down first to avoid aliasing."""
    import cv2

    scale = scale_of(map_)
    if scale > 1.05:
        small = max(4, round(plane.shape[1] / scale)), max(4, round(plane.shape[0] / scale))
        across, down = small[0] / plane.shape[1], small[1] / plane.shape[0]
        plane = cast("Plane", cv2.resize(plane, small, interpolation=cv2.INTER_AREA))
        shrink = np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5], [0, 0, 1]])
        map_ = (shrink @ np.vstack([map_, [0, 0, 1]]))[:2]
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cast("Plane", cv2.warpAffine(plane, map_, size, flags=flags, borderMode=border, borderValue=fill or 0.0))


def _beyond(inner: Features, outer: Features, map_: Map) -> float:
    """Return the fraction of edges in `inner` outside the frame of `outer`; plain borders have none."""
    import cv2

    height, width = inner.shape
    corners = map_ @ np.array([[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1], [1, 1, 1, 1]], np.float64)
    last = np.array(outer.shape[::-1])[:, None] - 1
    if np.maximum(-corners, corners - last).max() <= _EDGE_PX:
        return 0.0  # all of it is inside
    across = cv2.Sobel(inner.even, cv2.CV_32F, 1, 0, ksize=3, scale=0.25)
    down = cv2.Sobel(inner.even, cv2.CV_32F, 0, 1, ksize=3, scale=0.25)
    edges = across * across + down * down > _LEAST_GRADIENT**2
    total = int(np.count_nonzero(edges))
    if not total:
        return 0.0
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    there_x = map_[0, 0] * x + map_[0, 1] * y + map_[0, 2]
    there_y = map_[1, 0] * x + map_[1, 1] * y + map_[1, 2]
    other_height, other_width = outer.shape
    outside = np.maximum(
        np.maximum(-there_x, there_x - (other_width - 1)), np.maximum(-there_y, there_y - (other_height - 1))
    )
    outside /= max(1.0, scale_of(map_))
    far = outside > _FILL_PX
    far_edges = np.count_nonzero(edges & far)
    if np.count_nonzero(far) >= _FILL_PIXELS and far_edges <= _FILL_EDGES * np.count_nonzero(far):
        # A plain border was added around the picture: the edge between the two does not count.
        return float(far_edges) / total
    return float(np.count_nonzero(edges & (outside > _EDGE_PX))) / total
