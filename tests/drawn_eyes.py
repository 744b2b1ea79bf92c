"""Drawn heads with open or closed eyes, for tests of what is told from eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from photoindex.domain.bursts.values import Face

SIZE = (1000, 750)


def head(
    *, open_eyes: bool = True, at: tuple[int, int] = (500, 350), apart: int = 90, seed: int = 0
) -> NDArray[np.uint8]:
    """Return a picture with one head: uint8 BGR [750, 1000, 3]. at: between the eyes; apart: their distance in pixels."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", SIZE, (96, 118, 140))
    draw = ImageDraw.Draw(picture)
    x, y = at
    draw.ellipse([x - 1.1 * apart, y - 1.2 * apart, x + 1.1 * apart, y + 1.7 * apart], fill=(214, 172, 146))
    for side in (-0.5, 0.5):
        centre = x + side * apart
        draw.line(
            [centre - 0.27 * apart, y - 0.34 * apart, centre + 0.27 * apart, y - 0.36 * apart],
            fill=(70, 48, 36),
            width=apart // 12,
        )
        if open_eyes:
            draw.ellipse(
                [centre - 0.25 * apart, y - 0.11 * apart, centre + 0.25 * apart, y + 0.11 * apart], fill=(240, 236, 232)
            )
            draw.ellipse(
                [centre - 0.1 * apart, y - 0.1 * apart, centre + 0.1 * apart, y + 0.1 * apart], fill=(52, 36, 28)
            )
        lid = [centre - 0.25 * apart, y - 0.04 * apart, centre + 0.25 * apart, y + 0.1 * apart]
        if not open_eyes:
            draw.arc(lid, 10, 170, fill=(92, 62, 50), width=max(1, apart // 30))
    draw.line([x, y, x - 0.12 * apart, y + 0.55 * apart], fill=(180, 136, 112), width=apart // 20)
    draw.ellipse([x - 0.35 * apart, y + 0.8 * apart, x + 0.35 * apart, y + 1.0 * apart], fill=(168, 84, 80))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.8)), np.float64)
    noisy = np.clip(soft + random.normal(0, 3, soft.shape), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(noisy[..., ::-1])


def face(*, at: tuple[int, int] = (500, 350), apart: int = 90, person: int | None = None) -> Face:
    """Return the face of `head`."""
    (x, y), (width, height) = at, SIZE
    eyes = ((x - 0.5 * apart) / width, y / height), ((x + 0.5 * apart) / width, y / height)
    left, top = (x - 1.1 * apart) / width, (y - 1.2 * apart) / height
    return Face(left, top, 2.2 * apart / width, 2.9 * apart / height, person, eyes)
