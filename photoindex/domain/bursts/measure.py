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
_MARGIN_PX = 8
"""Above and below a row of tiles, for blurring it."""
_LEAST_PX = 16
"""Shorter side; a smaller picture is enlarged."""
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


class _Tiles(NamedTuple):
    """Means of squared slopes in tiles, float32 [rows, columns]: across and down, of the picture and of the blurred one."""

    across: Plane
    down: Plane
    coarse_across: Plane
    coarse_down: Plane


def measure(picture: Picture, faces: Sequence[Face] = ()) -> Measures:
    """Measure a preview: uint8 BGR [h, w, 3]."""
    import cv2

    height, width = picture.shape[:2]
    if min(height, width) < _LEAST_PX:
        picture = np.asarray(cv2.resize(picture, (max(width, _LEAST_PX), max(height, _LEAST_PX))), np.uint8)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    tiles = _tiles(grey, _TILE_PX)
    # Noise adds to all tiles alike; what the flattest have is taken for it.
    noise = float(np.percentile(tiles.across, _NOISE_PERCENTILE)), float(np.percentile(tiles.down, _NOISE_PERCENTILE))
    blue, green, red = cv2.split(picture[::_CLIPPED_STEP, ::_CLIPPED_STEP])
    most, least = cv2.max(blue, green), cv2.min(blue, green)
    brightest = cv2.max(most, red)
    # Of a colour, one channel may be full and the others still have detail.
    middle = cv2.max(least, cv2.min(most, red))
    return Measures(
        sharpness=_sharpness(tiles, noise, _centre_weights(tiles.across.shape)),
        faces=tuple(_faces(grey, noise, faces)),
        bright=float((middle >= _WHITE).mean()),
        dark=float((brightest <= _BLACK).mean()),
        signature=_signature(grey),
    )


def _tiles(grey: Picture, tile_px: int) -> _Tiles:
    """Return the tiles of a picture; what is left at the right and lower edge is left out.

    A row of tiles at a time stays in the processor's cache, which is several times faster than whole planes.
    """
    import cv2

    rows, columns = (max(1, side // tile_px) for side in grey.shape)
    found = np.empty((len(_Tiles._fields), rows, columns), np.float32)
    for row in range(rows):
        above = min(row * tile_px, _MARGIN_PX)
        strip = grey[row * tile_px - above : (row + 1) * tile_px + _MARGIN_PX, : columns * tile_px].astype(np.float32)
        blurred = np.asarray(cv2.GaussianBlur(strip, (0, 0), _COARSE_SIGMA_PX), np.float32)
        inside = slice(max(0, above - 1), max(0, above - 1) + tile_px)
        for place, plane in enumerate((*_squared_slopes(strip), *_squared_slopes(blurred))):
            found[place, row] = cv2.resize(plane[inside], (columns, 1), interpolation=cv2.INTER_AREA)
    return _Tiles(*found)


def _squared_slopes(plane: Plane) -> tuple[Plane, Plane]:
    """Return the squared differences of pixels two apart, across and down, without the outermost pixels."""
    across = plane[1:-1, 2:] - plane[1:-1, :-2]
    down = plane[2:, 1:-1] - plane[:-2, 1:-1]
    return np.square(across, out=across), np.square(down, out=down)


def _sharpness(tiles: _Tiles, noise: tuple[float, float], weights: Plane | float = 1.0) -> float:
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


def _faces(grey: Picture, noise: tuple[float, float], faces: Sequence[Face]) -> Iterator[FaceMeasures]:
    height, width = grey.shape
    for face in sorted(faces, key=lambda one: -one.width * one.height)[:FACES]:
        left, top = max(0, round(face.x * width)), max(0, round(face.y * height))
        right, bottom = round((face.x + face.width) * width), round((face.y + face.height) * height)
        part = grey[top : max(0, bottom), left : max(0, right)]
        side = min(part.shape)
        if side < LEAST_FACE_PX:
            continue
        tiles = _tiles(part, max(_LEAST_TILE_PX, round(side / _TILES_OF_FACE)))
        yield FaceMeasures(face, _sharpness(tiles, noise), None if face.eyes is None else eyes_of(grey, face.eyes))


def _signature(grey: Picture) -> Plane:
    import cv2

    few = np.ascontiguousarray(grey[::_SIGNATURE_STEP, ::_SIGNATURE_STEP])
    small = cv2.resize(few, (_SIGNATURE_PX, _SIGNATURE_PX), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return small / max(float(np.linalg.norm(small)), 1.0)
