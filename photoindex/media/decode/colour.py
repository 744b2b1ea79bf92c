"""Converting pixels of any colour space to sRGB with ICC profiles."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np

from photoindex.media.decode.raster import Space
from photoindex.media.decode.scale import Pixel8

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageCms import ImageCmsTransform

DAMAGED_PROFILE = "the colour profile is damaged or does not match the picture and was ignored"
_SAME_COLOUR_STEPS = 2
_GREY_LEVELS = 256
# Colorants as XYZ under D50 and the gamma, from section 4.3 of Adobe RGB (1998), version 2005-05.
_WHITE = (0.9642, 1.0, 0.8249)
_PRIMARIES = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
_GAMMA = 563 / 256
_HEADER_BYTES = 128


@dataclass(frozen=True, slots=True)
class _SrgbTransform:
    """Transform from an embedded profile to sRGB."""

    transform: ImageCmsTransform
    is_identity: bool


def to_srgb(image: Pixel8, space: Space, icc: bytes | None) -> tuple[Pixel8, tuple[str, ...]]:
    """Convert `image` to sRGB, uint8 [height, width, 3]; also returns notes.

    icc: the embedded profile; without one, grey and RGB are treated as sRGB and CMYK is converted by the simple formula.
    A profile that is damaged or for another colour space is ignored with a note.
    """
    if icc is None:
        return _without_profile(image, space), ()
    conversion = _srgb_transform(icc, space)
    if conversion is None and space is Space.GREY:
        # Many programs keep the colour profile when they convert a picture to grey.
        image, space = _without_profile(image, space), Space.RGB
        conversion = _srgb_transform(icc, space)
    if conversion is None:
        return _without_profile(image, space), (DAMAGED_PROFILE,)
    if conversion.is_identity:
        return _without_profile(image, space), ()
    return _apply(conversion.transform, image, space), ()


def lab_to_srgb(image: Image.Image) -> Image.Image:
    """Convert a Pillow picture of mode LAB (CIE L*a*b*, D50, as TIFF stores it) to sRGB."""
    from PIL import ImageCms

    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    return cast("Image.Image", ImageCms.applyTransform(image, transform))


def _without_profile(image: Pixel8, space: Space) -> Pixel8:
    import cv2

    if space is Space.GREY:
        return cast("Pixel8", cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))
    if space is Space.CMYK:
        return np.asarray(_as_pillow(image, space).convert("RGB"))
    return image


def _as_pillow(image: Pixel8, space: Space) -> Image.Image:
    from PIL import Image

    height, width = image.shape[:2]
    return Image.frombuffer(space.value, (width, height), np.ascontiguousarray(image), "raw", space.value, 0, 1)


def _apply(transform: ImageCmsTransform, image: Pixel8, space: Space) -> Pixel8:
    from PIL import Image

    source = _as_pillow(image, space)
    target = Image.new("RGB", source.size)
    transform.apply(source, target)
    return np.asarray(target)


@lru_cache(maxsize=8)
def _srgb_transform(icc: bytes, space: Space) -> _SrgbTransform | None:
    """Return the transform from a profile to sRGB, None if the profile is damaged or for another colour space.

    Cached: photos of one camera share a profile, and building the transform costs a fifth of applying it.
    """
    transform = _build(icc, space)
    return None if transform is None else _SrgbTransform(transform, _is_identity(transform, space))


def _build(icc: bytes, space: Space) -> ImageCmsTransform | None:
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            space.value,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_identity(transform: ImageCmsTransform, space: Space) -> bool:
    """Tell whether a transform changes no colours, as for the many variants of the sRGB profile.

    Tested on a cube of colours, because profile names are translated, abbreviated or wrong.
    """
    if space is Space.CMYK:
        return False
    if space is Space.GREY:
        samples: Pixel8 = np.arange(_GREY_LEVELS, dtype=np.uint8).reshape(1, -1)
        expected: Pixel8 = np.repeat(samples[..., None], 3, axis=2)
    else:
        steps = np.linspace(0, 255, 9).astype(np.uint8)
        samples = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        expected = samples
    difference = _apply(transform, samples, space).astype(np.int16) - expected.astype(np.int16)
    return bool(np.abs(difference).max() <= _SAME_COLOUR_STEPS)


@lru_cache(maxsize=1)
def adobe_rgb_profile() -> bytes:
    """Return an ICC profile (ICC.1:2001-04, three components and matrix) of Adobe RGB (1998)."""
    description = b"desc\0\0\0\0" + struct.pack(">I", 10) + b"Adobe RGB\0" + bytes(78)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(_GAMMA * 256))
    tags = [
        (b"desc", description),
        (b"wtpt", _xyz(_WHITE)),
        *zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, _PRIMARIES), strict=True),
        *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    table, body = struct.pack(">I", len(tags)), b""
    first = _HEADER_BYTES + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", first + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4xI12s", first + len(body), 0x02100000, b"mntrRGB XYZ ").ljust(36, b"\0") + b"acsp"
    illuminant = struct.pack(">3i", *(round(value * 65536) for value in _WHITE))
    return (header.ljust(68, b"\0") + illuminant).ljust(_HEADER_BYTES, b"\0") + table + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))
