"""Drawn bursts: frames of one scene that are sharp, blurred, shaken or too bright, with the times of a camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from tests.edits import jpeg, scene

CAMERA = "Canon EOS 5D"
SHARP, BLURRED, SHAKEN, BRIGHT = "sharp", "blurred", "shaken", "bright"
KINDS = (SHARP, BLURRED, SHAKEN, BRIGHT)
_SHAKE = np.zeros((5, 5))
_SHAKE[2] = 1 / 5


def frame(seed: int, kind: str = SHARP, *, number: int = 0, size: tuple[int, int] = (1000, 750)) -> Image.Image:
    """Return a frame of the scene of a seed; number: of the frame, which moves the camera by some pixels."""
    picture = scene(seed, size)
    picture = picture.transform(size, Image.Transform.AFFINE, (1, 0, 3 * number, 0, 1, -2 * number), fillcolor="grey")
    if kind == BLURRED:
        return picture.filter(ImageFilter.GaussianBlur(1.5))
    if kind == SHAKEN:
        return picture.filter(ImageFilter.Kernel((5, 5), _SHAKE.ravel().tolist(), 1))
    return picture.point(lambda value: min(255, round(value * 1.8))) if kind == BRIGHT else picture


def as_bgr(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a picture as uint8 BGR [h, w, 3]."""
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[..., ::-1])


def exif(seconds: float, *, exposure: float = 0.01, minute: int = 0, hour: int = 12) -> Image.Exif:
    """Return the metadata of a frame. seconds: after this hour and minute, below 60. exposure: in seconds."""
    found = Image.Exif()
    found[0x010F], found[0x0110] = CAMERA.split(" ", 1)[0], CAMERA
    block = found.get_ifd(0x8769)
    block[0x9003] = f"2019:06:01 {hour:02}:{minute:02}:{int(seconds):02}"
    block[0x9291] = f"{round(seconds % 1 * 100):02}"
    block[0x829A], block[0x829D], block[0x8827] = exposure, 4.0, 100
    return found


def write_burst(
    folder: Path,
    kinds: Sequence[str],
    *,
    seed: int = 1,
    minute: int = 0,
    exposures: Sequence[float] = (),
    gap_seconds: float = 0.2,
    size: tuple[int, int] = (1000, 750),
) -> list[Path]:
    """Write a burst, a frame for each kind; name: IMG_<minute><number>.jpg. exposures: of the frames, in seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, kind in enumerate(kinds):
        path = folder / f"IMG_{minute:02}{number:02}.jpg"
        exposure = exposures[number] if exposures else 0.01
        facts = exif(gap_seconds * number, exposure=exposure, minute=minute)
        path.write_bytes(jpeg(frame(seed, kind, number=number, size=size), 90, facts))
        paths.append(path)
    return paths
