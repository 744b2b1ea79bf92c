"""Generated pictures with detail everywhere, and typical edits of them, for tests of duplicate detection."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Edit = Callable[[Image.Image], Image.Image]


def scene(seed: int, size: tuple[int, int] = (1000, 750)) -> Image.Image:
    """Return a picture of soft light, a few dozen shapes and fine grain; each seed gives a different one."""
    random = np.random.default_rng(seed)
    light = random.integers(30, 225, (4, 5, 3), dtype=np.uint8)
    picture = Image.fromarray(light).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    width, height = size
    for _ in range(60):
        x, y = random.integers(0, width), random.integers(0, height)
        across, down = random.integers(width // 40, width // 6), random.integers(height // 40, height // 6)
        colour = tuple(int(part) for part in random.integers(0, 255, 3))
        box = [x - across // 2, y - down // 2, x + across // 2, y + down // 2]
        kind = random.integers(0, 3)
        if kind == 0:
            draw.ellipse(box, fill=colour)
        elif kind == 1:
            draw.rectangle(box, fill=colour)
        else:
            draw.line([box[0], box[1], box[2], box[3]], fill=colour, width=int(random.integers(2, 9)))
    grain = random.normal(0, 5, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, quality: int = 88, exif: Image.Exif | None = None) -> bytes:
    """Return a picture as JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, **({} if exif is None else {"exif": exif}))
    return out.getvalue()


def saved_again(picture: Image.Image, quality: int) -> Image.Image:
    """Return a picture after saving it as JPEG."""
    return Image.open(io.BytesIO(jpeg(picture, quality))).convert("RGB")


def cut(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Return a crop of a picture; the edges are fractions of its width and height."""
    width, height = picture.size
    return picture.crop((round(width * left), round(height * top), round(width * right), round(height * bottom)))


def scaled(picture: Image.Image, share: float) -> Image.Image:
    """Return a picture scaled to a fraction of its size."""
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    return picture.resize(size, Image.Resampling.LANCZOS)


def faded(picture: Image.Image) -> Image.Image:
    """Return a picture with a different tone curve per channel, as from a phone's filter."""
    level = np.arange(256) / 255
    curves = np.concatenate([np.clip(1.1 * level**0.8, 0, 1), 0.95 * level + 0.03, 0.15 + 0.75 * level**1.2])
    return picture.point((curves * 255).astype(np.uint8).tolist())


def darkened_corners(picture: Image.Image) -> Image.Image:
    """Return a picture with a vignette."""
    width, height = picture.size
    y, x = np.mgrid[0:height, 0:width]
    distance = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) / 0.5
    return Image.fromarray(np.clip(np.asarray(picture) * (1 - 0.6 * distance)[..., None], 0, 255).astype(np.uint8))


def straightened(picture: Image.Image) -> Image.Image:
    """Return a picture rotated by three degrees and cropped so that no corner is empty."""
    return cut(picture.rotate(3, resample=Image.Resampling.BICUBIC), 0.06, 0.06, 0.94, 0.94)


EDITS: Mapping[str, Edit] = {
    "half the size": lambda picture: scaled(picture, 0.5),
    "a fifth of the size": lambda picture: scaled(picture, 0.2),
    "saved at quality 40": lambda picture: saved_again(picture, 40),
    "saved at quality 15": lambda picture: saved_again(picture, 15),
    "cut by 5 %": lambda picture: cut(picture, 0.03, 0.01, 0.98, 0.96),
    "cut by 5 % on the left": lambda picture: cut(picture, 0.05, 0, 1, 1),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.3),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.6),
    "more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.4),
    "stronger colours": lambda picture: ImageEnhance.Color(picture).enhance(2),
    "faded": faded,
    "darkened corners": darkened_corners,
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(picture.width / 400)),
    "sharpened": lambda picture: picture.filter(ImageFilter.UnsharpMask(3, 150, 2)),
    "mirrored": ImageOps.mirror,
    "turned by 90 degrees": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "turned by 180 degrees": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
    "sent by messenger": lambda picture: saved_again(scaled(cut(faded(picture), 0.02, 0.02, 0.98, 0.97), 0.4), 60),
}
"""Resizing, recompression, cutting by 5 %, filters, turning: what hashes alone mostly lead to."""

FAR_EDITS: Mapping[str, Edit] = {
    "cut by 10 % all round": lambda picture: cut(picture, 0.1, 0.1, 0.9, 0.9),
    "cut to a quarter": lambda picture: cut(picture, 0.2, 0.3, 0.7, 0.8),
    "cut to a square": lambda picture: ImageOps.fit(picture, (min(picture.size),) * 2),
    "straightened": straightened,
    "framed": lambda picture: ImageOps.expand(picture, border=picture.width // 20, fill="white"),
}
"""Edits that hashes do not reliably lead to, and vectors do."""


def two_views(
    picture: Image.Image,
    *,
    right: float = 0.0,
    down: float = 0.0,
    degrees: float = 0.0,
    thing: Image.Image | None = None,
) -> tuple[Image.Image, Image.Image]:
    """Return two shots of one scene: the camera moved (by fractions of a side) or turned, or an object was added."""
    first = cut(picture, 0.1, 0.1, 0.9, 0.9)
    moved = picture.rotate(degrees, resample=Image.Resampling.BICUBIC)
    second = cut(moved, 0.1 + right, 0.1 + down, 0.9 + right, 0.9 + down).resize(first.size)
    if thing is not None:
        side = second.width // 3, second.height // 3
        second.paste(thing.resize(side), (second.width // 3, second.height // 2))
    return first, second
