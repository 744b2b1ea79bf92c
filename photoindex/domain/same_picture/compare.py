"""Do two small pictures show the same picture, whole or in part, whatever was done to colours, size and orientation?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.agreement import Agreement, agreement_of
from photoindex.domain.same_picture.alignment import Map, from_keypoints, from_whole, refined
from photoindex.domain.same_picture.features import Look

WINDOWS = 40
"""Places with structure that there must be: a black frame is like every other."""
MEAN = 0.7
DIFFERING = 0.07
BEYOND = 0.002
SHARE = 0.2
_COLOURS_PX = 48
_COLOURS_LEVELS = 9.0
"""Mean difference of a channel, 0 to 255, that no saving as JPEG makes at this size."""
_PLACE_LEVELS = 40.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two pictures came to.

    same: they show the same. agreement: how far they agree where they lie over each other, None where no way was found
    to lay them so. turn: how the second one has to be turned; see `turns.TURNS`. angle_degrees: how far it is turned beyond that.
    """

    same: bool
    agreement: Agreement | None = None
    turn: int = 0

    @property
    def score(self) -> float:
        """0 to 1: the mean correlation of all places with structure."""
        return 0.0 if self.agreement is None else max(0.0, self.agreement.mean)

    @property
    def share(self) -> float:
        """0 to 1: how much of the larger picture the smaller one shows."""
        return 1.0 if self.agreement is None else self.agreement.share


def compare(first: Look, second: Look, *, turn: int = 0, thorough: bool = True) -> Comparison:
    """Compare two pictures; the order matters little.

    turn: how the second one probably has to be turned (`turns.TURNS`). thorough: look for keypoints where laying the
    frames over each other does not help, which finds small parts and every angle and costs ten times as much.
    """
    turned = second.turned(turn)
    found = _judged(first, turned, from_whole(first, turned), turn)
    if found.same or not thorough:
        return found
    for mirrored in (False, True):
        other = second.turned(1) if mirrored else second
        start = from_keypoints(first, second, mirrored=mirrored)
        if start is None:
            continue
        better = _judged(first, other, refined(first, other, start), int(mirrored))
        if better.same:
            return better
        if better.score > found.score:
            found = better
    return found


def _judged(first: Look, second: Look, map_: Map | None, turn: int) -> Comparison:
    if map_ is None:
        return Comparison(same=False, turn=turn)
    agreement = agreement_of(first, second, map_)
    return Comparison(accepts(agreement), agreement, turn)


def accepts(found: Agreement) -> bool:
    """Tell whether the agreement is that of one picture with itself, not of two shots of one scene."""
    return (
        found.windows >= WINDOWS
        and found.mean >= MEAN
        and found.differing <= DIFFERING
        and found.beyond <= BEYOND
        and found.share >= SHARE
    )


def same_colours(first: bytes, second: bytes) -> bool:
    """Tell whether two JPEGs that show the same whole picture show it in the same light and colours, and nothing was put in."""
    import cv2
    import simplejpeg

    def small(jpeg: bytes) -> NDArray[np.float32]:
        pixels = simplejpeg.decode_jpeg(jpeg, "RGB", min_height=_COLOURS_PX, min_width=_COLOURS_PX)
        shrunk = cv2.resize(pixels, (_COLOURS_PX, _COLOURS_PX), interpolation=cv2.INTER_AREA)
        return cast("NDArray[np.float32]", cv2.GaussianBlur(shrunk.astype(np.float32), (0, 0), 1.0))

    difference = np.abs(small(first) - small(second))
    return bool(difference.mean(axis=(0, 1)).max() < _COLOURS_LEVELS and difference.max() < _PLACE_LEVELS)
