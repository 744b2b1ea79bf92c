"""Deciding whether two small pictures are the same picture, wholly or in part, despite edits of colour, size and orientation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.agreement import Agreement, agreement_of
from photoindex.domain.same_picture.alignment import Map, from_keypoints, from_start, from_whole, refined
from photoindex.domain.same_picture.features import Features

VERSION = 1
"""Raise it when the same two pictures get another result, or other pairs are compared; what was found before is found anew."""
WINDOWS = 40
"""Minimum number of windows with structure: all black frames look alike."""
MEAN = 0.7
DIFFERING = 0.07
BEYOND = 0.002
BEYOND_TRIMMED = 0.01
"""The same where a border was trimmed, whose edge may be a pixel further in or out."""
SHARE = 0.2
_COLOURS_PX = 48
_COLOURS_LEVELS = 9.0
"""Mean difference of a channel, 0 to 255, larger than any caused by JPEG compression at this size."""
_LOCAL_LEVELS = 40.0
_CHANGE, _CHANGED_SHARE = 2.0, 0.001
"""Saved again at quality 20 a picture has up to 1.1 there; a faint watermark has 4.7 and more."""
_CHANGE_LEVELS, _CHANGE_OF_DETAIL = 4.0, 0.15


@dataclass(frozen=True, slots=True)
class PictureComparison:
    """Result of comparing two pictures.

    same: they show the same picture. agreement: how well they agree, None if they could not be aligned. orientation: the
    transform of the second one that aligns them, an index of `orientations.ORIENTATIONS`. map_: from the first to the second.
    """

    same: bool
    agreement: Agreement | None = None
    orientation: int = 0
    map_: Map | None = None

    @property
    def score(self) -> float:
        """0 to 1: the mean correlation of all windows with structure."""
        return 0.0 if self.agreement is None else max(0.0, self.agreement.mean)

    @property
    def share(self) -> float:
        """0 to 1: the fraction of the larger picture that the smaller one covers."""
        return 1.0 if self.agreement is None else self.agreement.share


def compare(first: Features, second: Features, *, orientation: int = 0, thorough: bool = True) -> PictureComparison:
    """Compare two pictures; their order hardly matters.

    orientation: how the second one probably has to be reoriented (`turns.ORIENTATIONS`). thorough: features for keypoints where laying the
    frames over each other does not help, which finds small parts and every angle and costs ten times as much.
    """
    reoriented = second.reoriented(orientation)
    found = _judged(first, reoriented, from_whole(first, reoriented), orientation)
    if found.same or not thorough:
        return found
    for mirrored in (False, True):
        other = second.reoriented(1) if mirrored else second
        start = from_keypoints(first, second, mirrored=mirrored)
        if start is None:
            continue
        better = _judged(first, other, refined(first, other, start), int(mirrored))
        if better.same:
            return better
        if better.score > found.score:
            found = better
    return found


def compare_from(first: Features, second: Features, start: Map) -> PictureComparison:
    """Compare two pictures of which one probably lies within the other, by a map that is roughly right.

    First the smallest versions are compared, which is cheap and refuses nearly all pairs of different pictures.
    """
    map_, agrees = from_start(first, second, start)
    if not agrees:
        return PictureComparison(same=False)
    found = _judged(first, second, map_, 0)
    return found if found.same else compare(first, second)


def _judged(first: Features, second: Features, map_: Map | None, orientation: int) -> PictureComparison:
    if map_ is None:
        return PictureComparison(same=False, orientation=orientation)
    agreement = agreement_of(first, second, map_)
    return PictureComparison(accepts(agreement), agreement, orientation, map_)


def accepts(found: Agreement, *, beyond: float = BEYOND) -> bool:
    """Tell whether an agreement means the same picture and not two shots of one scene.

    beyond: how much of the smaller picture may lie outside the larger one.
    """
    return (
        found.windows >= WINDOWS
        and found.mean >= MEAN
        and found.differing <= DIFFERING
        and found.beyond <= beyond
        and found.share >= SHARE
    )


def same_colours(first: bytes, second: bytes) -> bool:
    """Tell whether two JPEGs of the same whole picture also have the same colours and no local changes, such as a watermark."""
    import cv2
    import simplejpeg

    pixels = [simplejpeg.decode_jpeg(one, "RGB") for one in (first, second)]

    def small(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        shrunk = cv2.resize(rgb, (_COLOURS_PX, _COLOURS_PX), interpolation=cv2.INTER_AREA)
        return cast("NDArray[np.float32]", cv2.GaussianBlur(shrunk.astype(np.float32), (0, 0), 1.0))

    difference = np.abs(small(pixels[0]) - small(pixels[1]))
    if difference.mean(axis=(0, 1)).max() >= _COLOURS_LEVELS or difference.max() >= _LOCAL_LEVELS:
        return False
    return not _has_local_change(pixels[0], pixels[1])


def _has_local_change(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """Tell whether a thousandth of a picture differs by far more than compression and scaling explain there."""
    import cv2

    width, height = (min(first.shape[axis], second.shape[axis]) for axis in (1, 0))
    one, other = (
        cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_AREA).astype(
            np.float32
        )
        for rgb in (first, second)
    )
    change = cv2.GaussianBlur(one - other, (0, 0), 1.0)
    detail = cv2.GaussianBlur(np.abs(cv2.Laplacian(one, cv2.CV_32F)), (0, 0), 3.0)
    relative = np.abs(change - np.median(change)) / (_CHANGE_LEVELS + _CHANGE_OF_DETAIL * detail)
    return bool(np.quantile(relative, 1 - _CHANGED_SHARE) > _CHANGE)
