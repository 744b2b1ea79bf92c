"""The decoders against real files, intact and broken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photoindex.media.content import read_content
from photoindex.media.decode.decode import Pixels, decode
from photoindex.media.identify.kind import MEDIA_EXTENSIONS, sniff
from photoindex.media.problems import Empty, MediaProblem, OutOfMemory
from photoindex.types import Kind, Limits

pytestmark = [pytest.mark.shared, pytest.mark.slow]

# Header samples without pixel data, movies without frames: nothing can decode them.
WITHOUT_PIXELS = {
    "raw/Canon-R6-pruned.CR3",
    "raw/header-only/CanonRaw.cr2",
    "raw/header-only/CanonRaw.cr3",
    "raw/header-only/CanonRaw.crw",
    "raw/header-only/DNG.dng",
    "raw/header-only/FujiFilm.raf",
    "raw/header-only/KyoceraRaw.raw",
    "raw/header-only/Minolta.mrw",
    "raw/header-only/Nikon.nef",
    "raw/header-only/Panasonic.rw2",
    "raw/header-only/PhaseOne.iiq",
    "raw/header-only/Sigma.x3f",
    "video/QuickTime.mov",
    "video/quicktime-jpeg.mov",
}
NOT_MEDIA_BY_CHOICE = {"other/hopper.ico", "raw/header-only/CaptureOne.eip"}


def decoded(path: Path, longest_side_px: int = 256) -> Pixels:
    content = read_content(os.fsencode(path))
    media = sniff(content.head, content.open)
    assert media is not None, path
    return decode(content, media, longest_side_px, Limits())


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path


def extension(path: Path) -> bytes:
    return os.fsencode(path.suffix[1:].lower())


def test_every_intact_file_of_every_format_decodes(testdata: Path) -> None:
    taken = 0
    for name, path in files(testdata / "formats"):
        if (
            extension(path) not in MEDIA_EXTENSIONS
            or name in WITHOUT_PIXELS | NOT_MEDIA_BY_CHOICE
            or not path.stat().st_size
        ):
            continue
        array = decoded(path).array
        assert array.dtype == np.uint8, name
        assert array.ndim == 3, name
        assert 1 <= max(array.shape[:2]) <= 256, name
        taken += 1
    assert taken > 120


def test_files_without_pixels_are_recognised_and_undecodable(testdata: Path) -> None:
    for name in sorted(WITHOUT_PIXELS):
        content = read_content(os.fsencode(testdata / "formats" / name))
        media = sniff(content.head, content.open)
        assert media is not None, name
        assert media.kind is (Kind.VIDEO if name.startswith("video/") else Kind.RAW), name
        with pytest.raises(MediaProblem) as caught:
            decode(content, media, 1024, Limits())
        assert caught.value.error_class == "undecodable", name


def test_sidecars_and_text_files_are_not_media(testdata: Path) -> None:
    for name, path in files(testdata / "formats"):
        if extension(path) in (b"xmp", b"json", b"txt", b"aae"):
            assert sniff(path.read_bytes()) is None, name


def test_all_photos_of_people_and_places_decode_without_a_note(testdata: Path) -> None:
    taken = 0
    for folder in ("photos", "faces", "duplicates", "exif"):
        for name, path in files(testdata / folder):
            if extension(path) in MEDIA_EXTENSIONS:
                assert decoded(path).notes == (), name
                taken += 1
    assert taken > 450


@pytest.mark.parametrize("folder", ["jpeg/orientation", "avif/orientation", "webp/orientation"])
def test_all_orientations_of_one_picture_look_the_same(testdata: Path, folder: str) -> None:
    pictures = [decoded(path, 64).array.astype(int) for _, path in files(testdata / "formats" / folder)]
    assert len(pictures) >= 7
    for picture in pictures[1:]:
        assert picture.shape == pictures[0].shape
        # Each picture shows its own number, and one of them has another colour profile.
        assert np.median(np.abs(picture - pictures[0])) <= 20
    flipped = pictures[0][:, ::-1]
    assert np.median(np.abs(flipped - pictures[0])) > np.median(np.abs(pictures[1] - pictures[0]))


def test_the_same_values_are_stronger_colours_in_display_p3(testdata: Path) -> None:
    wide, plain = (decoded(testdata / "formats/jpeg" / f"Iceland-{name}.jpg").array for name in ("P3", "sRGB"))
    assert np.ptp(wide, axis=2).mean() > np.ptp(plain, axis=2).mean() + 3
    assert abs(float(wide.mean()) - float(plain.mean())) < 4


def test_a_still_and_its_movie_show_the_same_scene(testdata: Path) -> None:
    folder = testdata / "formats/live-photo/iPhoneXR"
    still, movie = (decoded(folder / name, 64).array.astype(float) for name in ("IMG_3589.HEIC", "IMG_3589.mov"))
    assert still.shape == movie.shape
    assert np.corrcoef(still.ravel(), movie.ravel())[0, 1] > 0.7


def test_broken_files_give_pixels_or_a_media_problem(testdata: Path) -> None:
    outcomes: dict[str, str] = {}
    for name, path in files(testdata / "broken"):
        content = read_content(os.fsencode(path))
        media = sniff(content.head, content.open)
        if media is None:
            outcomes[name] = "not_media"
            continue
        try:
            decode(content, media, 256, Limits())
        except MediaProblem as problem:
            outcomes[name] = problem.error_class
            continue
        outcomes[name] = "decoded"
    assert not {Empty.error_class, OutOfMemory.error_class} & set(outcomes.values())
    for name in (
        "truncated.jpg",
        "truncated.gif",
        "pillow/truncated_image.png",
        "heif/corrupted.heic",
    ):
        assert outcomes[name] == "undecodable", name
    assert outcomes["bombs/17000x17000.avif"] == "too_large"
    for name in (
        "mislabelled/this-is-a-jpeg.png",
        "mislabelled/wrong.heic",
        "looks-like-svg.webp",
        "pillow/junk_jpeg_header.jpg",
    ):
        assert outcomes[name] == "decoded", name
    assert outcomes["pillow/decompression_bomb.gif"] == "too_large"
    assert outcomes["not-an-image.txt"] == "not_media"
