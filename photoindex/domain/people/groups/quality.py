"""Which faces are good enough to found a group; the others only join one.

A blurry, small or turned face is like others of its kind more than like its own person, so a group founded by such faces
mixes people. What counts as one is relative: to the size that the embedder reads, and to the other faces of the library.
The shares were measured with YuNet and MobileFaceNet (112 px) on 66 sharp faces of 17 people (same person 0.68 ± 0.12,
others 0.01 ± 0.10), each made smaller or blurred; the cosine of a face with itself as it was:

    shorter side  112 px 0.98   60 0.94   40 0.92   32 0.87   28 0.82   24 0.70   20 0.56   16 0.38   12 0.22
    sharpness     share of the usual: 0.12 0.96   0.027 0.77   0.012 0.43   0.008 0.22

Below 24 px and below 0.02 a face is less like itself than like others of the same person. Up to a yaw of 27 degrees, the most
in these pictures, nothing is lost; beyond 45 the far eye, on which the alignment rests, begins to hide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

SMALLEST_SHARE = 0.25
"""The shorter side of a founder is at least this share of the side of the embedder's input."""
BLURRY_SHARE = 0.03
"""The sharpness of a founder is at least this share of the median of the library's large faces."""
YAW_MOST = 45.0
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
    """Return the median sharpness of the faces of at least half the size of the embedder's input; 0 without any."""
    large = (2 * faces.shorter_px >= INPUT_PX) & ~np.isnan(faces.sharpness)
    return float(np.median(faces.sharpness[large])) if large.any() else 0.0


def overall(faces: FaceQuality) -> Values:
    """Return one number per face, float32 [n], 0 to 1: the larger, sharper, more frontal and more certain, the higher."""
    usual = usual_sharpness(faces) or 1.0
    size = np.clip(np.nan_to_num(faces.shorter_px, nan=0.0) / INPUT_PX, 0, 1)
    sharp = np.clip(np.nan_to_num(faces.sharpness, nan=0.0) / usual, 0, 1)
    frontal = np.cos(np.radians(np.clip(np.nan_to_num(faces.yaw, nan=90.0), -90, 90)))
    sure = np.clip(np.nan_to_num(faces.detected, nan=0.0), 0, 1)
    return np.asarray((size + sharp + frontal + sure) / 4, np.float32)
