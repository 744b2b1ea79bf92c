"""Previews of whole RAW files against other programs' pictures and the camera's own: orientation, crop and colour."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from photoindex.media.content import read_content
from photoindex.media.decode.decode import decode
from photoindex.media.decode.scale import upright
from photoindex.media.identify.kind import sniff
from photoindex.types import Limits
from tests.edits import scene
from tests.raw_renderers import RENDERERS, Picture, compare, installed

WHOLE_FILES = (
    "canon_eos_6d.dng",
    "canon-powershot-g2/CRW_0304.CRW",
    "RAW_KODAK_DC50_é.KDC",
    "kodak-dc50/DC0008L.KDC",
    "kodak-dc50/DC0010S.KDC",
    "kodak-dc120/P003911.KDC",
    "kodak-dc120/P003913.KDC",
)
# LibRaw's and dcraw's colours of compressed files of this camera are too strong.
STRONG_COLOURS = "kodak-dc120"
CROPPED = "canon-powershot-g2/CRW_0304.CRW"


def preview(path: Path) -> Picture:
    content = read_content(os.fsencode(path))
    media = sniff(content.head, content.open)
    assert media is not None
    return decode(content, media, 1024, Limits()).array


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("renderer", RENDERERS)
def test_whole_raw_files_look_as_in_other_programs(testdata: Path, renderer: str) -> None:
    if renderer not in installed():
        pytest.skip(f"{RENDERERS[renderer][0]} is not installed")
    compared = 0
    for name in WHOLE_FILES:
        path = testdata / "formats/raw" / name
        other = RENDERERS[renderer][1](path)
        if other is None:
            continue
        found = compare(preview(path), other)
        assert (found.orientation, found.channels) == (1, "RGB"), name
        assert found.aspect == pytest.approx(1, abs=0.011), name
        assert found.crop < 2, name
        assert found.correlation > 0.95, name
        assert 0.8 < found.light < 2.5, name
        assert found.colour < (20 if name.startswith(STRONG_COLOURS) else 9), name
        assert max(map(abs, found.cast)) < (9 if name.startswith(STRONG_COLOURS) else 3), name
        compared += 1
    assert compared >= 2


@pytest.mark.shared
@pytest.mark.slow
def test_the_crop_is_that_of_the_cameras_own_jpeg(testdata: Path) -> None:
    if "camera" not in installed():
        pytest.skip("exiftool is not installed")
    path = testdata / "formats/raw" / CROPPED
    other = RENDERERS["camera"][1](path)
    assert other is not None
    found = compare(preview(path), other)
    assert found.aspect == pytest.approx(1, abs=0.002)
    assert found.crop < 0.3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_comparison_finds_a_turned_picture(orientation: int) -> None:
    picture = np.asarray(scene(7, (480, 320)))
    found = compare(picture, upright(picture, orientation))
    assert found.orientation == orientation
    assert found.correlation > 0.99


def test_the_comparison_finds_a_crop_swapped_channels_and_light() -> None:
    picture = np.asarray(scene(7, (480, 320)))
    assert compare(picture, picture).crop < 0.05
    assert compare(picture, picture[:, 10:]).crop == pytest.approx(10 / 470 * 100, abs=0.3)
    assert compare(picture, picture[:, 10:]).aspect == pytest.approx(480 / 470, abs=0.003)
    assert compare(picture[..., ::-1], picture).channels == "BGR"
    dark = (picture * 0.5).astype(np.uint8)
    assert compare(picture, dark).light == pytest.approx(0.5**-2.2, rel=0.1)
