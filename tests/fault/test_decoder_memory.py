"""Limits on pixels and on memory belong together: whatever is small enough can be decoded by a worker."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pillow_jxl
import pytest
from PIL import Image

from photoindex.config.schema import ScanConfig
from photoindex.decoder_memory import pixel_bytes, worker_memory_mb
from photoindex.pipeline.ingest.worker import FileJob, Outcome, ingest_file
from photoindex.pipeline.workers import isolation
from photoindex.types import DerivedParams, Limits
from tests.large_pictures import heic_of_tiles
from tests.series import SOAKING

SIZE = (8000, 6000)
SPARE_MB = 160
"""For libraries, stacks, the file and the preview; far less than the memory of 48 megapixels."""


def ingested(data: bytes, folder: Path, limits: Limits) -> Outcome:
    path = folder / "picture"
    path.write_bytes(data)
    job = FileJob(1, bytes(path), b"picture", folder / "derived", DerivedParams(), limits, derive=True)
    with isolation.workers(1, limits) as pool:
        return pool.submit(ingest_file, job).result(timeout=300)


def picture(mode: str = "RGB") -> Image.Image:
    rows, columns = np.ogrid[: SIZE[1], : SIZE[0]]
    ramp = (rows * 255 // SIZE[1] + columns * 255 // SIZE[0]) // 2
    return Image.fromarray(ramp.astype(np.uint8)).convert(mode)


def translucent() -> Image.Image:
    image = picture("RGB")
    image.putalpha(128)
    return image


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def encoded(extension: str, array: np.ndarray) -> bytes:
    return cv2.imencode(extension, array)[1].tobytes()


def heic(image: Image.Image) -> bytes:
    out = io.BytesIO()
    pillow_heif.encode(image.mode, image.size, image.tobytes(), out, quality=30, enc_params={"preset": "ultrafast"})
    return out.getvalue()


def jxl(image: Image.Image) -> bytes:
    encoder = pillow_jxl.Encoder(mode=image.mode, lossless=False, effort=1, quality=60, num_threads=0)
    return bytes(encoder(image.tobytes(), image.width, image.height, False))


def ppm(image: Image.Image) -> bytes:
    return b"P6 %d %d 255\n" % image.size + image.tobytes()


PICTURES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "jpeg": ("jpeg", lambda: saved(picture(), "JPEG")),
    "jpeg progressive 4:4:4": ("jpeg", lambda: saved(picture(), "JPEG", progressive=True, subsampling=0)),
    "jpeg progressive CMYK": ("jpeg", lambda: saved(picture("CMYK"), "JPEG", progressive=True, subsampling=0)),
    "png": ("png", lambda: saved(picture(), "PNG", compress_level=1)),
    "png RGBA": ("png", lambda: saved(translucent(), "PNG", compress_level=1)),
    "png 16 bits": ("png", lambda: encoded(".png", np.asarray(picture()).astype(np.uint16) * 257)),
    "gif transparent": ("gif", lambda: saved(picture("L"), "GIF", transparency=3)),
    "bmp": ("bmp", lambda: saved(picture(), "BMP")),
    "ppm": ("pnm", lambda: ppm(picture())),
    "tiff RGBA": ("tiff", lambda: saved(translucent(), "TIFF", compression="tiff_lzw")),
    "tiff Lab": ("tiff", lambda: saved(picture("RGB").convert("LAB"), "TIFF", compression="tiff_lzw")),
    "tiff 16-bit grey": ("tiff", lambda: saved(picture("I;16"), "TIFF", compression="tiff_lzw")),
    "webp": ("webp", lambda: saved(picture(), "WEBP", method=0)),
    "webp RGBA": ("webp", lambda: saved(translucent(), "WEBP", method=0, lossless=True)),
    "jp2": ("jp2", lambda: saved(picture(), "JPEG2000", irreversible=True)),
    "jp2 RGBA": ("jp2", lambda: saved(translucent(), "JPEG2000", irreversible=True)),
    "avif": ("avif", lambda: saved(picture(), "AVIF", speed=10)),
    "avif RGBA": ("avif", lambda: saved(translucent(), "AVIF", speed=10)),
    "heic": ("heic", lambda: heic(picture())),
    "heic RGBA": ("heic", lambda: heic(translucent())),
    "jxl": ("jxl", lambda: jxl(picture())),
    "jxl RGBA": ("jxl", lambda: jxl(translucent())),
}
ONE_OF_EACH_FORMAT = {format_name: name for name, (format_name, _make) in reversed(PICTURES.items())}


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES if SOAKING else ONE_OF_EACH_FORMAT.values())
def test_a_picture_is_decoded_with_the_memory_that_its_format_is_said_to_need(name: str, tmp_path: Path) -> None:
    format_name, make = PICTURES[name]
    data = make()
    memory_mb = int(SIZE[0] * SIZE[1] * pixel_bytes(format_name) / 2**20) + SPARE_MB + 2 * (len(data) >> 20)
    outcome = ingested(data, tmp_path, Limits(max_megapixels=SIZE[0] * SIZE[1] / 1e6, memory_mb=memory_mb))
    assert (outcome.failure, outcome.derived) == (None, True)


def test_a_heic_of_200_megapixels_is_ingested_with_the_default_settings(tmp_path: Path) -> None:
    outcome = ingested(heic_of_tiles(16, 12, 1024), tmp_path, ScanConfig().limits)
    assert (outcome.failure, outcome.derived) == (None, True)
    assert outcome.described is not None
    assert (outcome.described.width, outcome.described.height) == (16384, 12288)


def test_a_heic_of_more_tiles_than_libheif_allows_by_default_is_ingested(tmp_path: Path) -> None:
    outcome = ingested(heic_of_tiles(40, 40, 64), tmp_path, Limits())
    assert (outcome.failure, outcome.derived) == (None, True)
    assert outcome.described is not None
    assert outcome.described.notes == ()


def test_memory_follows_from_pixels_unless_it_is_given() -> None:
    assert ScanConfig().limits == Limits()
    assert ScanConfig(max_megapixels=500).limits.memory_mb == worker_memory_mb(500e6) > Limits().memory_mb
    assert ScanConfig(max_megapixels=500, worker_memory_mb=1000).limits.memory_mb == 1000


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("heic", lambda: heic_of_tiles(16, 12, 1024)),
        ("png", lambda: saved(picture(), "PNG", compress_level=1)),
        ("floating point", lambda: encoded(".tif", np.zeros((3000, 4000, 3), np.float32))),
    ],
)
def test_a_picture_refused_for_want_of_memory_is_read_with_the_memory_that_the_message_names(
    name: str, make: Callable[[], bytes], tmp_path: Path
) -> None:
    data = make()
    refused = ingested(data, tmp_path, Limits(memory_mb=300)).failure
    assert refused is not None
    assert refused.error_class == "out_of_memory"
    assert "over the limit of 300 MiB for a worker" in refused.message
    advice = re.search(r"--worker-memory-mb (\d+)$", refused.message)
    assert advice is not None
    outcome = ingested(data, tmp_path, Limits(memory_mb=int(advice[1])))
    assert (outcome.failure, outcome.derived) == (None, True)
