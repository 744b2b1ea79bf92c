"""The quality of a JPEG is read from its quantisation tables."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from photoindex.media.identify.jpeg_quality import jpeg_quality
from photoindex.media.identify.ranged_reader import RangedReader
from tests.edits import jpeg, scene


def quality_of(data: bytes, head: int = 64) -> int | None:
    with RangedReader(data[:head], lambda: io.BytesIO(data)) as reader:
        return jpeg_quality(reader)


@pytest.mark.parametrize("quality", [25, 40, 50, 60, 75, 85, 95, 100])
def test_the_quality_is_the_one_that_the_encoder_was_given(quality: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a long text" * 4000
    found = quality_of(jpeg(scene(1, (64, 48)), quality, exif))
    assert found is not None
    assert abs(found - quality) <= 1


def test_tables_that_are_cut_off_at_one_byte_still_tell_the_poorer_file() -> None:
    poorer, better = (quality_of(jpeg(scene(1, (64, 48)), quality)) for quality in (5, 15))
    assert poorer is not None
    assert better is not None
    assert poorer < better < 25


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xdb\0\x10abc", b"no picture at all", b"\xff\xd8" + b"\xff" * 99]
)
def test_a_file_without_tables_has_no_quality(data: bytes) -> None:
    assert quality_of(data) is None
