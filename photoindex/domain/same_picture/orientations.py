"""The eight rotations and reflections of a picture, applied to pixels and to its perceptual hash."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", np.float32, np.uint8)

ORIENTATIONS: tuple[str, ...] = (
    "", "mirrored", "rotated by 180°", "flipped upside down", "rotated by 90°", "rotated by 270°",
    "mirrored and rotated by 90°", "mirrored and rotated by 270°",
)  # fmt: skip
"""Names of the transforms; 0 is the identity. Rotations are counter-clockwise and applied after mirroring left to right."""
INVERSE: tuple[int, ...] = (0, 1, 2, 3, 5, 4, 6, 7)
"""The inverse of each transform."""
SWAPS_SIDES: tuple[bool, ...] = (False, False, False, False, True, True, True, True)
_STEPS: tuple[tuple[bool, int], ...] = (
    (False, 0), (True, 0), (False, 2), (True, 2), (False, 1), (False, 3), (True, 1), (True, 3),
)  # fmt: skip
"""Whether to mirror left to right first, then how many quarter turns counter-clockwise."""

# Bits of the hash row by row, most significant first: 8 x 8 DCT coefficients, rows vertical, columns horizontal frequency.
_ODD_COLUMNS = np.uint64(0x5555555555555555)
_ODD_ROWS = np.uint64(0x00FF00FF00FF00FF)


def apply_orientation(plane: NDArray[Pixel], orientation: int) -> NDArray[Pixel]:
    """Apply one of the eight transforms to a picture [h, w]."""
    mirrored, quarters = _STEPS[orientation]
    return np.ascontiguousarray(np.rot90(plane[:, ::-1] if mirrored else plane, quarters))


def reoriented_hashes(hashes: NDArray[np.uint64], orientation: int) -> NDArray[np.uint64]:
    """Return approximately the perceptual hashes (DCT) that the transformed pictures have.

    Mirroring changes the sign of every odd coefficient in that direction; a quarter turn also swaps both directions. A bit
    is set if its coefficient is above the median, which is near 0, so a changed sign is a changed bit.
    """
    mirrored, quarters = _STEPS[orientation]
    found = hashes ^ _ODD_COLUMNS if mirrored else hashes.copy()
    for _ in range(quarters):
        # Counter-clockwise rotation: transpose, then flip upside down.
        found = _transposed(found) ^ _ODD_ROWS
    return found


def _transposed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).reshape(-1, 8, 8)
    packed = np.packbits(bits.transpose(0, 2, 1).reshape(-1, 64), axis=1)
    return packed.reshape(-1).view(">u8").astype(np.uint64)
