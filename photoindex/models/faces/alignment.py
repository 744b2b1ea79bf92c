"""Cutting faces out of a picture so that eyes, nose and mouth lie where an embedder expects them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TEMPLATE_PX = 112
_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float64,
)
"""Where ArcFace's embedders expect both eyes, the tip of the nose and both corners of the mouth, in 112 x 112 pixels.

Source: insightface, python-package/insightface/utils/face_align.py (arcface_dst).
"""
_WIDER_PX = 128
_WIDER_LEFT = 8.0
"""At multiples of 128 px, the same template with 8 px more on both sides."""


def template(size_px: int) -> NDArray[np.float64]:
    """Return where the five landmarks go in an aligned face of `size_px` pixels, [5, 2]."""
    if size_px % _TEMPLATE_PX and not size_px % _WIDER_PX:
        wider: NDArray[np.float64] = (_TEMPLATE + np.array([_WIDER_LEFT, 0.0])) * (size_px / _WIDER_PX)
        return wider
    return _TEMPLATE * (size_px / _TEMPLATE_PX)


def similarities(landmarks: NDArray[np.float32], size_px: int) -> NDArray[np.float64]:
    """Return the similarity transforms, [n, 2, 3], that take landmarks, [n, 5, 2], best to the template.

    The least squares solution among rotations, scalings and shifts (Umeyama, 1991). Landmarks that all lie on one point are
    only shifted.
    """
    target = template(size_px)
    # As complex numbers, rotation and scaling are one factor.
    goal = target[:, 0] + 1j * target[:, 1]
    points = landmarks[..., 0].astype(np.float64) + 1j * landmarks[..., 1]
    middle = points.mean(axis=1, keepdims=True)
    goal_middle = goal.mean()
    spread = (np.abs(points - middle) ** 2).sum(axis=1)
    product = (np.conj(points - middle) * (goal - goal_middle)).sum(axis=1)
    factor = np.where(spread > 0, product / np.where(spread > 0, spread, 1), 1)
    shift = goal_middle - factor * middle[:, 0]
    rows = [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    result: NDArray[np.float64] = np.moveaxis(np.array(rows), -1, 0)
    return result


def aligned(picture: NDArray[np.uint8], landmarks: NDArray[np.float32], size_px: int) -> NDArray[np.uint8]:
    """Return the aligned faces of a picture, uint8 RGB [n, size_px, size_px, 3]; outside of the picture is black."""
    import cv2

    faces = np.zeros((len(landmarks), size_px, size_px, 3), dtype=np.uint8)
    for number, matrix in enumerate(similarities(landmarks, size_px)):
        faces[number] = cv2.warpAffine(picture, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderValue=0)
    return faces
