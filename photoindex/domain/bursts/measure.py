"""Measures a frame: how sharp it is where that matters, how it is exposed, and how open known eyes are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.bursts.eyes import eyes_of
from photoindex.domain.bursts.values import Face, FaceMeasures, Measures

Plane = NDArray[np.float32]
Picture = NDArray[np.uint8]

LEAST_FACE_PX = 32
"""Shorter side of a face, in pixels of the preview, from which its sharpness tells anything."""
FACES = 8
"""Faces that are measured, the largest ones."""
_TILE_PX = 32
_LEAST_TILE_PX = 8
_TILES_OF_FACE = 8
_COARSE_SIGMA_PX = 2.0
_NOISE_PERCENTILE = 5
_TEXTURED_SHARE = 0.25
"""Tiles with most coarse detail, in which sharpness is looked for; flat ones say nothing."""
_LEAST_TEXTURE = 8.0
"""Squared difference of pixels two apart, in grey levels; below it a picture is plain."""
_SMALL = 4.0
"""Added to coarse detail, so that a part with nearly none is not called sharp."""
_BEST_SHARE = 0.3
"""Of these, the sharpest: where the focus is."""
_CENTRE_SIGMA = 0.45
"""Detail counts less away from the centre; sigma as a part of the picture's sides."""
_WHITE, _BLACK = 252, 3
_CLIPPED_STEP = 2
"""Every second pixel, across and down, is enough to count lights and shadows."""
_SIGNATURE_PX = 16
_SIGNATURE_STEP = 4


class _Detail(NamedTuple):
    """Squared slopes, float32 [h, w]: across and down, of the picture and of the blurred one."""

    across: Plane
    down: Plane
    coarse_across: Plane
    coarse_down: Plane

    def part(self, inside: tuple[slice, slice]) -> _Detail:
        return _Detail(*(plane[inside] for plane in self))

    def tiles(self, tile_px: int) -> _Detail:
        return _Detail(*(_tiles(plane, tile_px) for plane in self))


def measure(picture: Picture, faces: Sequence[Face] = ()) -> Measures:
    """Measure a preview: uint8 BGR [h, w, 3]."""
    import cv2

    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    detail = _detail(grey.astype(np.float32))
    tiles = detail.tiles(_TILE_PX)
    # Noise adds to all tiles alike; what the flattest have is taken for it.
    noise = float(np.percentile(tiles.across, _NOISE_PERCENTILE)), float(np.percentile(tiles.down, _NOISE_PERCENTILE))
    blue, green, red = cv2.split(picture[::_CLIPPED_STEP, ::_CLIPPED_STEP])
    most, least = cv2.max(blue, green), cv2.min(blue, green)
    brightest = cv2.max(most, red)
    # Of a colour, one channel may be full and the others still have detail.
    middle = cv2.max(least, cv2.min(most, red))
    return Measures(
        sharpness=_sharpness(tiles, noise, _centre_weights(tiles.across.shape)),
        faces=tuple(_faces(grey, detail, noise, faces)),
        bright=float((middle >= _WHITE).mean()),
        dark=float((brightest <= _BLACK).mean()),
        signature=_signature(grey),
    )


def _detail(plane: Plane) -> _Detail:
    import cv2

    blurred = np.asarray(cv2.GaussianBlur(plane, (0, 0), _COARSE_SIGMA_PX), np.float32)
    return _Detail(*_squared_slopes(plane), *_squared_slopes(blurred))


def _squared_slopes(plane: Plane) -> tuple[Plane, Plane]:
    """Return the squared differences of pixels two apart, across and down, without the outermost pixels."""
    across = plane[1:-1, 2:] - plane[1:-1, :-2]
    down = plane[2:, 1:-1] - plane[:-2, 1:-1]
    return np.square(across, out=across), np.square(down, out=down)


def _tiles(plane: Plane, tile_px: int) -> Plane:
    """Return the means of square tiles; what is left at the right and lower edge is left out."""
    import cv2

    height, width = (max(1, side // tile_px) for side in plane.shape)
    # OpenCV averages whole pixels several times faster than parts of them.
    whole = plane[: height * tile_px, : width * tile_px]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _sharpness(tiles: _Detail, noise: tuple[float, float], weights: Plane | float = 1.0) -> float:
    """Return how many times the fine detail is the coarse detail, in the best focused of the textured tiles.

    0 for a picture without texture. Contrast and brightness cancel out. Of both directions the blurred one counts: shake blurs only one.
    """
    texture = (tiles.coarse_across + tiles.coarse_down) * weights
    if float(texture.max()) < _LEAST_TEXTURE:
        return 0.0
    chosen = texture >= np.percentile(texture, 100 * (1 - _TEXTURED_SHARE))
    ratios = [
        np.maximum(fine[chosen] - least, 0) / (coarse[chosen] + _SMALL)
        for fine, coarse, least in zip(tiles[:2], tiles[2:], noise, strict=True)
    ]
    found = np.sort(np.minimum(*ratios))
    return float(found[-max(1, round(_BEST_SHARE * len(found))) :].mean())


def _centre_weights(shape: tuple[int, ...]) -> Plane:
    down, across = (
        np.exp(-0.5 * np.square(((np.arange(count) + 0.5) / count - 0.5) / _CENTRE_SIGMA)) for count in shape
    )
    return np.outer(down, across).astype(np.float32)


def _faces(grey: Picture, detail: _Detail, noise: tuple[float, float], faces: Sequence[Face]) -> Iterator[FaceMeasures]:
    height, width = grey.shape
    for face in sorted(faces, key=lambda one: -one.width * one.height)[:FACES]:
        left, top = max(0, round(face.x * width)), max(0, round(face.y * height))
        right, bottom = round((face.x + face.width) * width), round((face.y + face.height) * height)
        part = detail.part((slice(top, bottom), slice(left, right)))
        side = min(part.across.shape)
        if side < LEAST_FACE_PX:
            continue
        tiles = part.tiles(max(_LEAST_TILE_PX, round(side / _TILES_OF_FACE)))
        yield FaceMeasures(face, _sharpness(tiles, noise), None if face.eyes is None else eyes_of(grey, face.eyes))


def _signature(grey: Picture) -> Plane:
    import cv2

    few = np.ascontiguousarray(grey[::_SIGNATURE_STEP, ::_SIGNATURE_STEP])
    small = cv2.resize(few, (_SIGNATURE_PX, _SIGNATURE_PX), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return small / max(float(np.linalg.norm(small)), 1.0)
