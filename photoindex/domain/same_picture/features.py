"""Extracting what pictures are compared by: a small normalised grey version and keypoints."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SIDE_PX = 256
"""Longest side of the pictures that are compared."""
COARSE_PX = 64
MIDDLE_PX = 128
_FEATURES_PX = 192
_FEATURES = 400
_LIGHT_SHARE = 0.06
"""Sigma for removing slow changes of brightness (vignettes, gradient filters), as a fraction of the longest side."""
_NOISE = 6.0
"""Noise level of cameras and of JPEG at normal quality, in grey levels; weaker structure is not amplified."""

# Permutation of SIFT's 4 x 4 x 8 values for a mirrored picture: rows and directions are reversed.
_MIRRORED = np.array([((3 - row) * 4 + column) * 8 + (8 - direction) % 8 for row in range(4) for column in range(4) for direction in range(8)])  # fmt: skip


class Features:
    """What one picture is compared by; expensive parts are computed on first use and cached.

    grey: float32 [h, w], 0 to 255, longest side at most SIDE_PX; pictures smaller than MIDDLE_PX are enlarged to that.
    """

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        """Accept uint8 grey [h, w] or RGB [h, w, 3]."""
        import cv2

        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
        self.grey: Plane = _enlarged(resized(grey.astype(np.float32), SIDE_PX))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return cast("tuple[int, int]", self.grey.shape)

    @cached_property
    def even(self) -> Plane:
        """The picture normalised locally: float32 [h, w], local mean 0, local contrast about 1, noise near 0."""
        return even_light(self.grey)

    @cached_property
    def middle(self) -> Plane:
        """`even` at MIDDLE_PX."""
        return resized(self.even, MIDDLE_PX)

    @cached_property
    def coarse(self) -> Plane:
        """`even` at COARSE_PX."""
        return resized(self.even, COARSE_PX)

    @cached_property
    def keypoints(self) -> tuple[Plane, Plane]:
        """Points float32 [n, 2] (x, y in pixels of `grey`) and their descriptors float32 [n, 128] of unit length (RootSIFT)."""
        import cv2

        small = resized(self.grey, _FEATURES_PX)
        low, high = np.percentile(small, (1, 99))
        stretched = np.clip((small - low) * (255 / max(high - low, 16)), 0, 255).astype(np.uint8)
        # OpenCV's stubs do not include SIFT.
        sift: Any = cv2.SIFT_create(nfeatures=_FEATURES, contrastThreshold=0.02)  # type: ignore[attr-defined]
        found, raw = sift.detectAndCompute(stretched, None)
        if raw is None or not len(found):
            return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
        factor = np.array([self.shape[1] / small.shape[1], self.shape[0] / small.shape[0]], np.float32)
        points = (np.array([one.pt for one in found], np.float32) + 0.5) * factor - 0.5
        descriptors = np.sqrt(raw / (raw.sum(axis=1, keepdims=True) + 1e-6))
        return points.astype(np.float32), descriptors.astype(np.float32)

    def reoriented(self, orientation: int) -> Features:
        """Return the features after one of the eight transforms of `orientations.apply_orientation`."""
        from photoindex.domain.same_picture.orientations import apply_orientation

        if orientation == 0:
            return self
        other = Features.__new__(Features)
        other.grey = apply_orientation(self.grey, orientation)
        if "even" in self.__dict__:
            other.__dict__["even"] = apply_orientation(self.even, orientation)
        return other

    def mirrored_keypoints(self) -> tuple[Plane, Plane]:
        """Return the keypoints of the picture mirrored left to right."""
        points, descriptors = self.keypoints
        flipped = points.copy()
        flipped[:, 0] = self.shape[1] - 1 - flipped[:, 0]
        return flipped, descriptors[:, _MIRRORED]


def extract_features(jpeg: bytes) -> Features:
    """Return the features of a thumbnail or preview JPEG. Raises ValueError for invalid bytes."""
    import simplejpeg

    return Features(simplejpeg.decode_jpeg(jpeg, "GRAY", min_height=SIDE_PX, min_width=SIDE_PX)[..., 0])


def resized(plane: Plane, longest_side_px: int) -> Plane:
    """Scale a plane down so that its longest side is at most `longest_side_px`; never enlarges."""
    import cv2

    height, width = plane.shape
    longest = max(height, width)
    if longest <= longest_side_px:
        return plane
    size = max(1, round(width * longest_side_px / longest)), max(1, round(height * longest_side_px / longest))
    return cast("Plane", cv2.resize(plane, size, interpolation=cv2.INTER_AREA))


def _enlarged(plane: Plane) -> Plane:
    """Enlarge a small picture so that the windows of a comparison fit into it."""
    import cv2

    longest = max(plane.shape)
    if longest >= MIDDLE_PX:
        return plane
    size = tuple(max(4, round(side * MIDDLE_PX / longest)) for side in reversed(plane.shape))
    return cast("Plane", cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC))


def even_light(grey: Plane) -> Plane:
    """Subtract the local mean of `grey` and normalise its local contrast; flat areas stay near 0."""
    import cv2

    sigma = max(2.0, _LIGHT_SHARE * max(grey.shape))
    # A box filter applied twice is close to a Gaussian and many times as fast at this width.
    side = 2 * round(sigma * 1.2) + 1

    def smooth(plane: Plane) -> Plane:
        once = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101)
        return cast("Plane", cv2.blur(once, (side, side), borderType=cv2.BORDER_REFLECT_101))

    detail = grey - smooth(grey)
    return cast("Plane", detail / np.sqrt(smooth(detail * detail) + _NOISE * _NOISE))
