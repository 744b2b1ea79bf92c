"""Converting wide gamut and HDR of video, HEIF and AVIF, given as CICP code points (ITU-T H.273), to sRGB."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from photoindex.media.decode.scale import Pixel8

PQ, HLG = 16, 18
"""Transfer characteristics of HDR: SMPTE ST 2084 and ARIB STD-B67 (ITU-R BT.2100)."""

# Linear light to linear BT.709, all with a D65 white point (ITU-R BT.2087 and SMPTE EG 432-1).
_TO_709: dict[int, NDArray[np.float32]] = {
    9: np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
    ),  # BT.2020
    12: np.array(
        [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]], np.float32
    ),  # Display P3
}
_REFERENCE_WHITE_NITS = 203.0  # ITU-R BT.2408: the level of SDR white in HDR
_HLG_PEAK_NITS = 1000.0
_HLG_SYSTEM_GAMMA = 1.2
_KNEE = 0.75
"""Levels below this fraction of white are unchanged; all brighter levels are compressed into the range above it."""
_STEPS = 4096


def needs_conversion(primaries: int, transfer: int) -> bool:
    """Tell whether pictures with these code points would look wrong if treated as sRGB."""
    return primaries in _TO_709 or transfer in (PQ, HLG)


def cicp_to_srgb(image: Pixel8, primaries: int, transfer: int) -> Pixel8:
    """Convert RGB, uint8 [height, width, 3], with the given colour primaries and transfer characteristics to sRGB.

    HDR is tone-mapped: reference white (203 nits) becomes nearly white and highlights are compressed.
    Unknown code points are treated as sRGB.
    """
    import cv2

    if not needs_conversion(primaries, transfer):
        return image
    light = _light_of_level(transfer)[image]
    if primaries in _TO_709:
        light = np.asarray(cv2.transform(light, _TO_709[primaries]))
    if transfer in (PQ, HLG):
        over = light > _KNEE
        light[over] = 1 - (1 - _KNEE) * np.exp((_KNEE - light[over]) / (1 - _KNEE))
    steps = np.clip(light * (_STEPS - 1) + 0.5, 0, _STEPS - 1).astype(np.uint16)
    levels: Pixel8 = _level_of_light()[steps]
    return levels


@lru_cache(maxsize=4)
def _light_of_level(transfer: int) -> NDArray[np.float32]:
    """Return the linear light of each of the 256 levels; 1.0 is SDR white."""
    level = np.arange(256) / 255.0
    if transfer == PQ:
        root = level ** (1 / 78.84375)
        nits = 10000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        return (nits / _REFERENCE_WHITE_NITS).astype(np.float32)
    if transfer == HLG:
        scene = np.where(level <= 0.5, level**2 / 3, (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        return (scene**_HLG_SYSTEM_GAMMA * _HLG_PEAK_NITS / _REFERENCE_WHITE_NITS).astype(np.float32)
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


@lru_cache(maxsize=1)
def _level_of_light() -> Pixel8:
    """Return the sRGB level (IEC 61966-2-1) of each step of linear light."""
    light = np.arange(_STEPS) / (_STEPS - 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(encoded * 255).astype(np.uint8)
