"""The eight ways to turn and mirror a picture, on pixels and on its perceptual hash."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TURNS: tuple[str, ...] = (
    "", "mirrored", "turned by 180°", "mirrored upside down", "turned by 90°", "turned by 270°",
    "mirrored and turned by 90°", "mirrored and turned by 270°",
)  # fmt: skip
"""What each turn is called; 0 changes nothing. Turns go counter-clockwise, after the mirroring (left to right)."""
INVERSE: tuple[int, ...] = (0, 1, 2, 3, 5, 4, 6, 7)
"""The turn that undoes each."""
SWAPS_SIDES: tuple[bool, ...] = (False, False, False, False, True, True, True, True)
_STEPS: tuple[tuple[bool, int], ...] = (
    (False, 0), (True, 0), (False, 2), (True, 2), (False, 1), (False, 3), (True, 1), (True, 3),
)  # fmt: skip
"""Whether to mirror left to right first, then how many quarter turns counter-clockwise."""

# Bits of the hash row by row, the first the most significant: 8 x 8 cosines, row u vertical, column v horizontal.
_ODD_COLUMNS = np.uint64(0x5555555555555555)
_ODD_ROWS = np.uint64(0x00FF00FF00FF00FF)


def apply_turn(plane: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """Return a picture [h, w] turned."""
    mirrored, quarters = _STEPS[turn]
    return np.ascontiguousarray(np.rot90(plane[:, ::-1] if mirrored else plane, quarters))


def turned_hashes(hashes: NDArray[np.uint64], turn: int) -> NDArray[np.uint64]:
    """Return about the perceptual hashes (DCT, `media.derive.phash`) that the turned pictures have.

    Mirroring changes the sign of every odd cosine in that direction, a quarter turn swaps both directions besides. A bit
    says whether a cosine is above their median, which is near 0, so that a changed sign is a changed bit.
    """
    mirrored, quarters = _STEPS[turn]
    found = hashes ^ _ODD_COLUMNS if mirrored else hashes.copy()
    for _ in range(quarters):
        # Counter-clockwise: swap rows and columns, then turn upside down.
        found = _transposed(found) ^ _ODD_ROWS
    return found


def _transposed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).reshape(-1, 8, 8)
    packed = np.packbits(bits.transpose(0, 2, 1).reshape(-1, 64), axis=1)
    return packed.reshape(-1).view(">u8").astype(np.uint64)
