"""CMYK in JPEG: ink is stored inverted, with Adobe's marker or without, whichever decoder reads the picture."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.unit.media.media_pictures import Array, corners, decoded, saved

INKS = ((255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255))
COLOURS = np.array(((0, 255, 255), (255, 0, 255), (255, 255, 0), (0, 0, 0)))
ALIKE = 0
"""Pillow's number of a JPEG whose components have all the same sampling, which the fast codec reads."""
UNLIKE = 2
"""And of one whose first component has four times as many samples, which only Pillow reads."""


def inks() -> Array:
    """Return cyan, magenta, yellow and black, uint8 [64, 96, 4]; 255 is full ink."""
    array = np.empty((64, 96, 4), np.uint8)
    array[:32, :48], array[:32, 48:], array[32:, :48], array[32:, 48:] = INKS
    return array


def stored(components: Array, sampling: int, transform: int | None, **more: object) -> bytes:
    """Return a JPEG of four components as they are, with an Adobe marker (`transform` 0 CMYK, 2 YCCK) or, for None, without."""
    inverted = Image.frombytes("CMYK", (components.shape[1], components.shape[0]), (255 - components).tobytes())
    data = saved(inverted, "JPEG", quality=95, subsampling=sampling, **more)  # Pillow inverts it again
    start = data.index(b"\xff\xee\0\x0eAdobe")
    marker = b"" if transform is None else data[start : start + 15] + bytes([transform])
    return data[:start] + marker + data[start + 16 :]


def ycck() -> Array:
    """Return the components of Adobe's YCCK: inks as if they were RGB, converted to YCbCr, and inverted black."""
    array = inks()
    colours = np.asarray(Image.fromarray(np.ascontiguousarray(array[..., :3])).convert("YCbCr"))
    return np.dstack([colours, 255 - array[..., 3]])


def cmyk_profile() -> bytes:
    """Return an ICC profile (ICC.1:2001-04, lut8) of a printer whose inks are cyan, magenta, yellow and black of sRGB."""
    solids = np.array(list(itertools.product((0, 255), repeat=4)))
    colours = (255 - solids[:, :3]) * (255 - solids[:, 3:]) // 255
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    signed = ImageCms.applyTransform(Image.fromarray(colours.astype(np.uint8).reshape(1, -1, 3)), to_lab)
    lab = np.asarray(signed) ^ np.array((0, 128, 128), np.uint8)  # Pillow gives a* and b* as signed bytes
    straight = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(np.eye(3, dtype=int) * 65536).ravel())
    table += straight * 4 + lab.tobytes() + straight * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    description = b"desc" + bytes(4) + struct.pack(">I", 5) + b"Inks\0" + bytes(78)
    body, entries = b"", b""
    for name, data in ((b"desc", description), (b"wtpt", white), (b"A2B0", table)):
        entries += name + struct.pack(">II", 128 + 4 + 36 + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI12s", 168 + len(body), 0x02100000, b"prtrCMYKLab ").ljust(36, b"\0") + b"acsp"
    return (head.ljust(68, b"\0") + white[8:]).ljust(128, b"\0") + struct.pack(">I", 3) + entries + body


@pytest.mark.parametrize("profile", [None, cmyk_profile()], ids=["no profile", "profile"])
@pytest.mark.parametrize("sampling", [ALIKE, UNLIKE])
@pytest.mark.parametrize(
    ("kind", "transform"),
    [("inverted", None), ("inverted", 0), ("ycck", 2)],
    ids=["no marker", "Adobe CMYK", "Adobe YCCK"],
)
def test_ink_is_inverted_with_and_without_an_adobe_marker(
    kind: str, transform: int | None, sampling: int, profile: bytes | None
) -> None:
    components = {"inverted": 255 - inks(), "ycck": ycck()}[kind]
    pixels = decoded(stored(components, sampling, transform, icc_profile=profile))
    assert pixels.notes == ()
    assert np.abs(np.array(corners(pixels.array)) - COLOURS).max() <= 10
