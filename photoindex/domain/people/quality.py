"""Which faces are good enough to found a group; the others only join one.

A blurry, small or turned face is like others of its kind more than like its own person, so a group founded by such faces
mixes people. What counts as one is relative: to the size that the embedder reads, and to the other faces of the library.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

SMALLEST_SHARE = 0.25
"""The shorter side of a founder is at least this share of the side of the embedder's input."""
BLURRY_SHARE = 0.15
"""The sharpness of a founder is at least this share of the median of the library's large faces."""
YAW_MOST = 50.0
"""A founder is turned by at most this many degrees."""
INPUT_PX = 112
"""The side of the embedder's input: the ArcFace template, which all packs are aligned to."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """What is known about faces; float32 [n] each, NaN where unknown.

    shorter_px: shorter side in the picture that the model read. sharpness: variance of the Laplacian of the aligned face.
    yaw: degrees. detected: score of the detector, 0 to 1.
    """

    shorter_px: Values
    sharpness: Values
    yaw: Values
    detected: Values


def founders(faces: FaceQuality) -> NDArray[np.bool_]:
    """Return which faces may found a group, bool [n]; what is unknown about a face does not count against it."""
    small = faces.shorter_px < SMALLEST_SHARE * INPUT_PX
    blurry = faces.sharpness < BLURRY_SHARE * usual_sharpness(faces)
    turned = np.abs(faces.yaw) > YAW_MOST
    return ~(small | blurry | turned)


def usual_sharpness(faces: FaceQuality) -> float:
    """Return the median sharpness of the faces that are at least as large as the embedder's input; 0 without any."""
    large = (faces.shorter_px >= INPUT_PX) & ~np.isnan(faces.sharpness)
    return float(np.median(faces.sharpness[large])) if large.any() else 0.0


def overall(faces: FaceQuality) -> Values:
    """Return one number per face, float32 [n], 0 to 1: the larger, sharper, more frontal and more certain, the higher."""
    usual = usual_sharpness(faces) or 1.0
    size = np.clip(np.nan_to_num(faces.shorter_px, nan=0.0) / INPUT_PX, 0, 1)
    sharp = np.clip(np.nan_to_num(faces.sharpness, nan=0.0) / usual, 0, 1)
    frontal = np.cos(np.radians(np.clip(np.nan_to_num(faces.yaw, nan=90.0), -90, 90)))
    sure = np.clip(np.nan_to_num(faces.detected, nan=0.0), 0, 1)
    return np.asarray((size + sharp + frontal + sure) / 4, np.float32)
