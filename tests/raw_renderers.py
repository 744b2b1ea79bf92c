"""Other programs' pictures of a RAW file, and how a preview differs from them in orientation, crop and colour."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from photoindex.media.decode.scale import upright

Picture = NDArray[np.uint8]
"""[height, width, 3], RGB, upright."""

_SIDE_PX = 384
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """How `ours` differs from another picture of the same RAW.

    orientation: the EXIF orientation that ours still needs to look like the other; 1 is right. channels: the order of our
    channels that is nearest the other's; "RGB" is right. aspect: our width by height as a multiple of the other's. crop:
    the largest distance between a corner of the other picture and ours, in per cent of the longest side; 100 if the
    pictures cannot be registered. correlation: of the grey pictures after registration, at most 1. light: our mean linear
    brightness as a multiple of the other's. colour: mean distance in the plane of a* and b* (CIE L*a*b*). cast: the
    difference of the mean a* and b*.
    """

    orientation: int
    channels: str
    aspect: float
    crop: float
    correlation: float
    light: float
    colour: float
    cast: tuple[float, float]


def compare(ours: Picture, other: Picture) -> Difference:
    """Compare two pictures of one RAW."""
    other = _small(other)
    height, width = other.shape[:2]
    small = _small(ours)
    alike = {one: _correlation(cv2.resize(upright(small, one), (width, height)), other) for one in range(1, 9)}
    orientation = max(alike, key=lambda one: alike[one])
    turned = upright(small, orientation)
    aspect = turned.shape[1] / turned.shape[0] / (width / height)
    registered, crop = _registered(cv2.resize(turned, (width, height), interpolation=cv2.INTER_AREA), other)
    names = {"".join(order): ["RGB".index(name) for name in order] for order in itertools.permutations("RGB")}
    errors = {name: _colour(registered[..., order], other)[0] for name, order in names.items()}
    colour, cast = _colour(registered, other)
    light = _linear(registered).mean() / max(1e-6, float(_linear(other).mean()))
    channels = min(errors, key=lambda name: errors[name])
    return Difference(orientation, channels, aspect, crop, _correlation(registered, other), float(light), colour, cast)


def _small(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    ratio = _SIDE_PX / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _grey(picture: Picture) -> NDArray[np.float32]:
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.5).astype(np.float32)
    return (grey - grey.mean()) / max(1.0, float(grey.std()))


def _correlation(one: Picture, other: Picture) -> float:
    return float((_grey(one) * _grey(other)).mean())


def _registered(ours: Picture, other: Picture) -> tuple[Picture, float]:
    """Return `ours` moved onto `other`, and the largest displacement of a corner in per cent of the longest side."""
    height, width = other.shape[:2]
    start = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)
    try:
        _, warp = cv2.findTransformECC(_grey(other), _grey(ours), start, cv2.MOTION_AFFINE, criteria, None, 5)
    except cv2.error:
        return ours, 100.0
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float32)
    moved = np.abs(corners @ warp.T - corners[:, :2]).max() / max(width, height) * 100
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved_picture = cv2.warpAffine(ours, warp, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return moved_picture, float(moved)


def _linear(picture: Picture) -> NDArray[np.float64]:
    return (picture / 255.0) ** 2.2


def _colour(ours: Picture, other: Picture) -> tuple[float, tuple[float, float]]:
    first, second = (cv2.cvtColor((one / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[..., 1:] for one in (ours, other))
    difference = first.astype(np.float64) - second
    shift = difference.mean(axis=(0, 1))
    return float(np.hypot(difference[..., 0], difference[..., 1]).mean()), (float(shift[0]), float(shift[1]))


def _read(data: bytes) -> Picture | None:
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    return None if image is None else np.ascontiguousarray(image[..., ::-1])


def _output(*command: str) -> bytes:
    return subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False).stdout


def _dcraw(path: Path) -> Picture | None:
    return _read(_output("dcraw", "-w", "-c", os.fspath(path)))


def _rawtherapee(path: Path) -> Picture | None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.png"
        _output("rawtherapee-cli", "-q", "-o", str(out), "-Y", "-d", "-n", "-b8", "-c", os.fspath(path))
        return _read(out.read_bytes()) if out.exists() else None


def _darktable(path: Path) -> Picture | None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.png"
        core = ["--core", "--library", ":memory:", "--configdir", f"{folder}/config", "--cachedir", f"{folder}/cache"]
        size = ["--width", "1024", "--height", "1024", "--apply-custom-presets", "false"]
        _output("darktable-cli", os.fspath(path), str(out), *size, *core, "--disable-opencl")
        return _read(out.read_bytes()) if out.exists() else None


def _camera(path: Path) -> Picture | None:
    """Return the largest picture that the camera put into the file, turned as the RAW's orientation says."""
    data = [_output("exiftool", "-b", f"-{tag}", os.fspath(path)) for tag in _EMBEDDED]
    if shutil.which("dcraw"):
        data.append(_output("dcraw", "-e", "-c", os.fspath(path)))
    found = [picture for picture in map(_read, data) if picture is not None]
    if not found:
        return None
    largest = max(found, key=lambda picture: picture.size)
    value = _output("exiftool", "-n", "-s3", "-Orientation", os.fspath(path)).strip()
    return upright(largest, int(value or 1))


_EMBEDDED = ("JpgFromRaw", "PreviewImage", "OtherImage")

RENDERERS: dict[str, tuple[str, Callable[[Path], Picture | None]]] = {
    "camera": ("exiftool", _camera),
    "dcraw": ("dcraw", _dcraw),
    "rawtherapee": ("rawtherapee-cli", _rawtherapee),
    "darktable": ("darktable-cli", _darktable),
}
"""Name -> its program and a function that returns a picture, None where the program cannot read the file."""


def installed() -> list[str]:
    """Return the names of the renderers whose program is installed."""
    return [name for name, (program, _) in RENDERERS.items() if shutil.which(program)]
