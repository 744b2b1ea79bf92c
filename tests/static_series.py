"""Series of separate shots of one still subject, as a camera on a tripod takes them, for tests of duplicate detection."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from tests.edits import scene

KINDS = ("noise", "parallax", "small motion", "exposure steps")


def series(seed: int, kind: str, shots: int, size: tuple[int, int] = (800, 600)) -> Iterator[Image.Image]:
    """Yield separate shots of one scene; each has noise of its own. kind: what else changes from shot to shot."""
    random = np.random.default_rng(seed)
    ground = scene(seed, size)
    front = scene(seed + 10_000, size)
    width, height = size
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse((width * 0.1, height * 0.5, width * 0.35, height * 0.95), fill=255)
    for number in range(shots):
        shift = 2 * number if kind == "parallax" else 0
        shown = ground.copy()
        shown.paste(front, (shift, 0), _moved(mask, shift))
        if kind == "small motion":
            x, y = width * 0.6 + 3 * number, height * 0.3
            ImageDraw.Draw(shown).ellipse((x, y, x + width / 40, y + width / 40), fill="white")
        light = 1.0 + 0.03 * number if kind == "exposure steps" else 1.0
        pixels = (
            np.asarray(shown) * light
            + random.normal(0, 4, (height, width, 1))
            + random.normal(0, 2, (height, width, 3))
        )
        yield Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _moved(mask: Image.Image, shift: int) -> Image.Image:
    moved = Image.new("L", mask.size)
    moved.paste(mask, (shift, 0))
    return moved
