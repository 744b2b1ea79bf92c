"""How well a face can be seen: sharpness, and which way it is turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NOSE_LENGTH = 0.6
"""How far the tip of the nose stands out, as a fraction of the distance between the eyes."""


def sharpness(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the variance of the Laplacian (grey, 0 to 255) of aligned faces, uint8 RGB [n, size, size, 3]."""
    import cv2

    found = [cv2.Laplacian(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var() for face in faces]
    return np.array(found, dtype=np.float32)


def yaw_and_roll(landmarks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Estimate yaw and roll in degrees from landmarks, [n, 5, 2]; see `models.base.DescribedFaces`.

    roll: of the line through the eyes. yaw: from how far the nose is from the middle of eyes and mouth along that line.
    """
    left, right, nose = landmarks[:, 0], landmarks[:, 1], landmarks[:, 2]
    across = right - left
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    width = np.linalg.norm(across, axis=1)
    middle = landmarks[:, [0, 1, 3, 4]].mean(axis=1)
    along = ((nose - middle) * across).sum(axis=1)
    # Seen from the side, the distance between the eyes shrinks with the cosine while the nose moves with the sine.
    yaw = np.degrees(np.arctan2(along, _NOSE_LENGTH * width * width))
    return yaw.astype(np.float32), roll.astype(np.float32)
