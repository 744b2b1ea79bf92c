"""Rendered scenes: the world that the tiny model knows.

A scene is one or more equal shapes of one colour on a background: `Scene("red", "circle", 3, "grass", "left")`. There
are also the landscapes of the demo. Everything is drawn from a random generator, so a seed always gives the same picture.
"""

from __future__ import annotations

import io
import itertools
import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 30, 36),
    "orange": (245, 130, 20),
    "yellow": (248, 220, 40),
    "green": (30, 160, 60),
    "blue": (30, 70, 210),
    "purple": (130, 45, 165),
    "white": (248, 248, 246),
    "black": (16, 16, 20),
}
SHAPES = ("circle", "square", "triangle", "star", "cross", "heart")
COUNTS = (1, 2, 3, 4)
BACKGROUNDS = ("white", "black", "grass", "sand", "wood", "sky")
POSITIONS = ("left", "right", "top", "bottom", "middle")
LANDSCAPES = ("sunset", "mountains", "city_at_night", "forest", "beach")

# A shape on a background of its own colour would be invisible.
_UNSEEN = {("white", "white"), ("black", "black"), ("green", "grass")}
_TONES = {"white": (240, 240, 236), "black": (22, 22, 26), "grass": (84, 138, 58), "sand": (222, 198, 150),
          "wood": (128, 84, 50), "sky": (130, 185, 235)}  # fmt: skip
# The area for the centres of the shapes, in fractions of the middle square: left, top, right, bottom.
_REGIONS = {"left": (0, 0, 0.36, 1), "right": (0.64, 0, 1, 1), "top": (0, 0, 1, 0.36), "bottom": (0, 0.64, 1, 1),
            "middle": (0.32, 0.32, 0.68, 0.68)}  # fmt: skip


@dataclass(frozen=True, order=True)
class Scene:
    """Equal shapes of one colour, grouped at one position on a background."""

    colour: str
    shape: str
    count: int
    background: str
    position: str


def all_scenes() -> list[Scene]:
    """Return every scene whose shapes are visible, in a fixed order."""
    every = itertools.product(COLOURS, SHAPES, COUNTS, BACKGROUNDS, POSITIONS)
    return [Scene(*parts) for parts in every if (parts[0], parts[3]) not in _UNSEEN]


def is_unseen(scene: Scene) -> bool:
    """Return whether a combination is held out of training: about one in ten, by a checksum of its words."""
    return zlib.crc32(repr(scene).encode()) % 10 == 0


def render(scene: Scene, generator: np.random.Generator, size_px: tuple[int, int] = (160, 160)) -> Image.Image:
    """Draw a scene, RGB, of (width, height). The shapes are in the middle square; the rest is background."""
    width, height = size_px
    side = min(size_px)
    picture = _background(scene.background, generator, size_px)
    finer = 3 if side <= 320 else 2
    ink = Image.new("L", (width * finer, height * finer))
    draw = ImageDraw.Draw(ink)
    left, top = (width - side) / 2, (height - side) / 2
    centres, radius = _places(scene, generator)
    for x, y in centres:
        outline = _outline(scene.shape, generator.uniform(-0.25, 0.25))
        size = radius * generator.uniform(0.9, 1.1) * side
        corners = np.asarray((left + x * side, top + y * side)) + outline * size
        draw.polygon([tuple(corner) for corner in corners * finer], fill=255)
    colour = np.clip(np.array(COLOURS[scene.colour]) + generator.normal(0, 7, 3), 0, 255)
    paint = Image.new("RGB", size_px, tuple(int(part) for part in colour))
    picture.paste(paint, (0, 0), ink.resize(size_px, Image.Resampling.BOX))
    return _as_photographed(picture, generator)


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """Return the picture after saving it as JPEG of this quality."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def _places(scene: Scene, generator: np.random.Generator) -> tuple[list[tuple[float, float]], float]:
    """Return separate centres and the radius of shapes, in fractions of the middle square; more shapes are smaller."""
    radius = generator.uniform(0.1, 0.16)
    while True:
        edge = radius + 0.01
        left, top, right, bottom = (min(max(side, edge), 1 - edge) for side in _REGIONS[scene.position])
        xs, ys = generator.uniform(left, right, (20, scene.count)), generator.uniform(top, bottom, (20, scene.count))
        centres = [list(zip(*pair, strict=True)) for pair in zip(xs.tolist(), ys.tolist(), strict=True)]
        for attempt in centres:
            if all(math.dist(one, other) > 2.25 * radius for one, other in itertools.combinations(attempt, 2)):
                return attempt, radius
        radius = max(radius * 0.96, 0.05)


def _outline(shape: str, turn: float) -> NDArray[np.float64]:
    """Return the corners of a shape of radius about 1 around (0, 0), y downwards, rotated by `turn` radians: [n, 2]."""
    if shape == "heart":
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        points = np.stack([np.sin(t) ** 3, -(y + 2) / 15], axis=1)
    elif shape == "cross":
        arm = 0.32
        corner = [(arm, -1), (arm, -arm), (1, -arm)]
        points = np.array([_quarter_turns(point, turns) for turns in range(4) for point in corner])
    else:
        number, inner, size = {"circle": (48, 1.0, 0.95), "square": (4, 1.0, 1.18), "triangle": (3, 1.0, 1.15),
                               "star": (10, 0.42, 1.12)}[shape]  # fmt: skip
        angle = np.arange(number) * 2 * np.pi / number - np.pi / 2 + (np.pi / 4 if shape == "square" else 0)
        reach = size * np.where(np.arange(number) % 2, inner, 1)
        points = np.stack([np.cos(angle) * reach, np.sin(angle) * reach], axis=1)
    cosine, sine = math.cos(turn), math.sin(turn)
    return points @ np.array([[cosine, sine], [-sine, cosine]])


def _quarter_turns(point: tuple[float, float], turns: int) -> tuple[float, float]:
    x, y = point
    for _turn in range(turns):
        x, y = -y, x
    return x, y


def _background(name: str, generator: np.random.Generator, size_px: tuple[int, int]) -> Image.Image:
    """Return paper, lawn, sand, planks or sky: a tone, a texture, and slightly uneven light."""
    height = size_px[1]
    tone = np.array(_TONES[name], np.float32) * np.float32(generator.uniform(0.94, 1.05))
    light = _smooth(generator, (2, 2), size_px, 0.05)
    if name == "grass":
        light += _smooth(generator, (16, 48), size_px, 0.16)
    elif name == "sand":
        light += _smooth(generator, (40, 40), size_px, 0.06)
    elif name == "wood":
        light += _smooth(generator, (30, 2), size_px, 0.14) + _smooth(generator, (90, 5), size_px, 0.05)
    pixels = tone * (1 + light[:, :, None])
    if name == "sky":
        share = np.linspace(0, generator.uniform(0.3, 0.7), height, dtype=np.float32)[:, None, None]
        pixels = pixels * (1 - share) + np.array((225, 238, 248), np.float32) * share
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def _smooth(
    generator: np.random.Generator, cells: tuple[int, int], size_px: tuple[int, int], amount: float
) -> NDArray[np.float32]:
    """Return noise of (rows, columns) cells, enlarged to [height, width]; its standard deviation is about `amount`."""
    coarse = Image.fromarray(generator.normal(0, amount, cells).astype(np.float32))
    return np.array(coarse.resize(size_px, Image.Resampling.BICUBIC), dtype=np.float32)


def _as_photographed(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Add a camera's flaws: grain, slight blur, and inexact exposure and white balance."""
    if generator.random() < 0.4:
        picture = picture.filter(ImageFilter.GaussianBlur(generator.uniform(0, 0.006) * min(picture.size)))
    gain = (generator.uniform(0.88, 1.1) * generator.uniform(0.97, 1.03, 3)).astype(np.float32)
    grain = generator.standard_normal((*picture.size[::-1], 1), np.float32) * np.float32(generator.uniform(0, 6))
    pixels = np.asarray(picture) * gain + grain
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))
