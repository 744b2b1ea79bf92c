"""How well a face can be seen: sharpness, and which way it is turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from photoindex.models.faces.alignment import similarities

_NOSE_LENGTH = 0.52
"""How far the tip of the nose stands out, as a fraction of the distance between eyes and mouth: of a face, about 0.6 of the
distance between the eyes, which is 0.87 of the former in the template."""
_SIZE_PX = 112


def sharpness(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the variance of the Laplacian (grey, 0 to 255) of aligned faces, uint8 RGB [n, size, size, 3]."""
    import cv2

    found = [cv2.Laplacian(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var() for face in faces]
    return np.array(found, dtype=np.float32)


def yaw_and_roll(landmarks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Estimate yaw and roll in degrees from landmarks, [n, 5, 2]; see `models.base.DescribedFaces`.

    roll: of all landmarks against those of an upright face, because in profile both eyes are nearly one point. yaw: from how
    far the nose is from the middle of eyes and mouth, compared with the distance between eyes and mouth, which a turned head
    keeps.
    """
    matrices = similarities(landmarks, _SIZE_PX)
    roll = -np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    upright = np.einsum("nij,nkj->nki", matrices[:, :, :2], landmarks.astype(np.float64))
    eyes, nose, mouth = upright[:, :2].mean(axis=1), upright[:, 2], upright[:, 3:].mean(axis=1)
    length = np.maximum(mouth[:, 1] - eyes[:, 1], 1.0)
    aside = (nose - (eyes + mouth) / 2)[:, 0] / length
    yaw = np.degrees(np.arcsin(np.clip(aside / _NOSE_LENGTH, -1, 1)))
    return yaw.astype(np.float32), roll.astype(np.float32)
