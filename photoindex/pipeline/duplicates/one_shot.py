"""Telling copies of one shot from separate shots of one scene, among pairs that show the same picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.pairing.values import Member
from photoindex.domain.same_picture.alignment import chained, scaling
from photoindex.domain.same_picture.local_shift import MAXIMUM_PX, SAME_NOISE, local_shift, noise_likeness
from photoindex.domain.same_picture.orientations import apply_orientation
from photoindex.domain.same_picture.shots import is_one_shot, speaks_against
from photoindex.pipeline.duplicates.comparison import WHOLE_SHARE, Compared, Comparer

_SAME_SIZE = 0.95
Preview = NDArray[np.uint8]
_NOT_MEASURABLE_PX = 1e6
"""Parts that cannot be laid over each other count as shifted."""


def examined(one: Compared, members: tuple[Member, Member] | None, comparer: Comparer) -> tuple[Compared, bool]:
    """Return a pair that shows the same picture, with what had to be measured and the doubt about it, and whether it may be one shot.

    members: both files, in the order of the pair; None if they are not known. Camera and time decide where the files have
    them. Where these speak against one shot, parts that are shifted against each other make it two. Where a file has no
    time, or only whole seconds, the same noise or a smaller size shows that one is a copy: shots from a tripod are alike in all else.
    """
    against = None if members is None else speaks_against(*members)
    if against is not None:
        one = _with_shift(one, comparer)
        return replace(one, doubt=f"perhaps another shot: {against}"), not _is_shifted(one)
    found = one.comparison
    if found.orientation or found.share < WHOLE_SHARE:
        return one, True  # an edit, which is reviewed anyway
    if one.task.start is not None:
        one = _with_shift(one, comparer)
        if _is_shifted(one):
            return replace(one, doubt="perhaps another shot of a series: parts of it are shifted"), True
    if members is not None and (is_one_shot(*members) or _is_smaller_copy(*members)):
        return one, True
    one = _with_noise(one, comparer)
    if one.noise is None or one.noise < SAME_NOISE:
        one = replace(one, doubt="perhaps another shot of a series: no time of capture tells")
    return one, True


def _is_shifted(one: Compared) -> bool:
    return one.shift_px is None or one.shift_px > MAXIMUM_PX


def _with_shift(one: Compared, comparer: Comparer) -> Compared:
    """Return a pair with its shift, without one where a preview cannot be read now."""
    previews = comparer.preview(one.task.first), comparer.preview(one.task.second)
    if one.shift_px is not None or previews[0] is None or previews[1] is None:
        return one
    shift = _shift(one, comparer, previews[0], previews[1])
    return replace(one, shift_px=_NOT_MEASURABLE_PX if shift is None else round(shift, 3))


def _with_noise(one: Compared, comparer: Comparer) -> Compared:
    """Return a pair with the likeness of its noise, without one where a preview cannot be read now."""
    if one.noise is not None:
        return one
    first, second = comparer.preview(one.task.first), comparer.preview(one.task.second)
    return one if first is None or second is None else replace(one, noise=round(noise_likeness(first, second), 3))


def _is_smaller_copy(first: Member, second: Member) -> bool:
    """Tell whether one file is smaller: a program made it, while a camera's shots of a series have one size.

    It has no time of capture, or the same as the larger one.
    """
    sizes = [(one.width or 0) * (one.height or 0) for one in (first, second)]
    smaller = first if sizes[0] < sizes[1] else second
    is_timed = smaller.taken_at is not None
    return 0 < min(sizes) < _SAME_SIZE * max(sizes) and (not is_timed or speaks_against(first, second) is None)


def _shift(one: Compared, comparer: Comparer, first: Preview, second: Preview) -> float | None:
    """Return the shift of parts in pixels of the coarser preview; None if it cannot be measured."""
    map_ = one.comparison.map_
    if map_ is None:
        return None
    features = comparer.features(one.task.first), comparer.features(one.task.second)
    if features[0] is None or features[1] is None:
        return None
    second = apply_orientation(second, one.comparison.orientation)
    shape, other_shape = features[0].shape, features[1].reoriented(one.comparison.orientation).shape
    return local_shift(first, second, chained(scaling(first.shape, shape), map_, scaling(other_shape, second.shape)))
