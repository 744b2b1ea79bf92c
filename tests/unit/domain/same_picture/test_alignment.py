"""Comparing pictures: edits of one picture are the same, two shots of one scene are not."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photoindex.domain.pairing.values import Member
from photoindex.domain.same_picture.compare import compare, same_colours
from photoindex.domain.same_picture.features import Features, extract_features
from photoindex.domain.same_picture.orientations import INVERSE, ORIENTATIONS, apply_orientation, reoriented_hashes
from photoindex.domain.same_picture.shots import different_shots, is_one_shot, speaks_against
from photoindex.media.decode.decode import Pixels
from photoindex.media.decode.previews import derive, phash
from photoindex.types import DerivedParams, Kind
from tests.edits import EDITS, FAR_EDITS, cut, scaled, scene, two_views


def thumbnail(picture: Image.Image) -> bytes:
    """Return the thumbnail that a scan makes of a picture."""
    return derive(Pixels(np.asarray(picture)), DerivedParams()).thumbnail_jpeg


def features(picture: Image.Image) -> Features:
    return extract_features(thumbnail(picture))


def loaded(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


@pytest.mark.parametrize("name", [*EDITS, *FAR_EDITS])
def test_an_edited_picture_is_the_same_picture(name: str) -> None:
    edit = (EDITS | FAR_EDITS)[name]
    for seed in (1, 2):
        picture = scene(seed)
        assert compare(features(picture), features(edit(picture))).same
        assert compare(features(edit(picture)), features(picture)).same


def test_different_pictures_are_not_the_same() -> None:
    pictures = [features(scene(seed)) for seed in range(6)]
    assert not any(compare(first, second).same for first, second in itertools.combinations(pictures, 2))


@pytest.mark.parametrize(
    "moved",
    [
        {"right": 0.03},
        {"down": -0.04},
        {"right": -0.02, "down": 0.02, "degrees": 1.0},
        {"right": 0.05, "down": 0.05},
        {"thing": scene(77)},
    ],
)
def test_two_shots_of_one_scene_are_not_the_same(moved: dict[str, float]) -> None:
    for seed in (3, 4):
        first, second = two_views(scene(seed), **moved)  # type: ignore[arg-type]
        assert not compare(features(first), features(second)).same


def test_overlapping_parts_of_one_panorama_are_not_the_same() -> None:
    picture = scene(5, (1600, 700))
    assert not compare(features(cut(picture, 0, 0, 0.6, 1)), features(cut(picture, 0.3, 0, 0.9, 1))).same


def test_a_crop_reports_its_share_and_which_picture_is_the_crop() -> None:
    picture = scene(6)
    found = compare(features(picture), features(cut(picture, 0.1, 0.2, 0.8, 0.9)))
    assert found.same
    assert found.share == pytest.approx(0.49, abs=0.03)
    assert found.agreement is not None
    assert found.agreement.second_is_smaller
    other_way = compare(features(cut(picture, 0.1, 0.2, 0.8, 0.9)), features(picture))
    assert other_way.agreement is not None
    assert not other_way.agreement.second_is_smaller


def test_pictures_without_structure_are_never_the_same() -> None:
    black = features(Image.new("RGB", (400, 300)))
    grey = features(Image.new("RGB", (400, 300), (90, 90, 90)))
    assert not compare(black, black).same
    assert not compare(black, grey).same
    assert not compare(grey, features(scene(1))).same


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 2), (12, 9)])
def test_tiny_and_narrow_pictures_can_be_compared(size: tuple[int, int]) -> None:
    picture = scene(8).resize(size)
    assert compare(features(picture), features(scene(8))).same in (True, False)
    assert compare(features(picture), features(picture)).same in (True, False)


def test_changed_colours_are_distinguished_from_a_smaller_copy() -> None:
    picture = scene(9)
    assert same_colours(thumbnail(picture), thumbnail(scaled(picture, 0.3)))
    for name in ("grey", "faded", "darker", "stronger colours"):
        assert not same_colours(thumbnail(picture), thumbnail(EDITS[name](picture)))


@pytest.mark.parametrize("turn", range(len(ORIENTATIONS)))
def test_the_hash_of_a_rotated_picture_is_close_to_the_transformed_hash(turn: int) -> None:
    near = 0
    for seed in range(10):
        pixels = np.asarray(scene(seed, (300, 220)))
        turned = np.stack([apply_orientation(pixels[..., part].astype(np.float32), turn) for part in range(3)], axis=-1)
        expected = int(reoriented_hashes(np.array([phash(pixels)], np.uint64), turn)[0])
        near += (phash(turned.astype(np.uint8)) ^ expected).bit_count() <= 8
        plane = pixels[..., 0].astype(np.float32)
        assert np.array_equal(apply_orientation(apply_orientation(plane, turn), INVERSE[turn]), plane)
    assert near >= 8


def member(taken_at: str | None, *, camera: str | None = "Canon EOS", name: bytes = b"a.jpg", **more: object) -> Member:
    values = {"asset_id": 1, "file_id": 1, "folder_id": 1, "kind": Kind.IMAGE, "format": "jpeg"} | more
    return Member(name=name, taken_at=taken_at, camera=camera, **values)  # type: ignore[arg-type]


def test_two_times_of_one_camera_are_two_shots() -> None:
    first = member("2019-06-01T12:00:00")
    assert different_shots(first, member("2019-06-01T12:00:02")) is not None
    assert different_shots(member("2019-06-01T12:00:00.25"), member("2019-06-01T12:00:00.50")) is not None
    assert different_shots(first, member("2019-06-01T12:00:00.50")) is None
    assert different_shots(first, member("2019-06-01T12:00:00")) is None


def test_a_clock_corrected_by_hours_or_another_camera_proves_nothing() -> None:
    first = member("2019-06-01T12:00:00")
    assert different_shots(first, member("2019-06-01T14:00:00")) is None
    assert different_shots(first, member("2019-06-01T17:30:00")) is None
    assert different_shots(first, member("2019-06-01T12:00:40", camera=None)) is None
    assert different_shots(first, member(None)) is None


def test_another_camera_or_time_speaks_against_one_picture() -> None:
    first = member("2019-06-01T12:00:00")
    assert speaks_against(first, member("2019-06-01T12:00:00")) is None
    assert speaks_against(first, member("2019-06-01T14:00:00")) is None, "a corrected clock"
    assert speaks_against(first, member(None)) is None
    assert speaks_against(first, member(None, camera=None)) is None
    assert "cameras differ" in (speaks_against(first, member(None, camera="NIKON D90")) or "")
    assert "apart" in (speaks_against(first, member("2019-06-03T12:07:11", camera=None)) or "")


def test_the_same_time_is_one_shot_unless_something_speaks_against_it() -> None:
    first = member("2019-06-01T12:00:00.25")
    assert is_one_shot(first, member("2019-06-01T12:00:00.25"))
    assert is_one_shot(first, member("2019-06-01T12:00:00.25", camera=None))
    assert not is_one_shot(first, member("2019-06-01T12:00:00.25", camera="NIKON D90"))
    assert not is_one_shot(first, member("2019-06-01T14:00:00.25"))
    assert not is_one_shot(first, member(None))
    assert not is_one_shot(first, member("2019-06-01T12:00:00.50"))


def test_of_one_whole_second_only_the_name_of_a_shot_tells() -> None:
    first, second, copy, other = (
        member("2019-06-01T12:00:00", name=name)
        for name in (b"IMG_0001.jpg", b"IMG_0002.jpg", b"IMG_0001 (1).jpg", b"picture.jpg")
    )
    assert is_one_shot(first, copy)
    assert not is_one_shot(first, second)
    assert not is_one_shot(first, other)
    assert not is_one_shot(other, member("2019-06-01T12:00:00", name=b"picture.jpg"))


def test_burst_frames_of_the_same_second_are_distinguished_by_their_numbers() -> None:
    first, second = (member("2019-06-01T12:00:00", name=name) for name in (b"IMG_0001.jpg", b"IMG_0002.jpg"))
    copy = member("2019-06-01T12:00:00", name=b"IMG_0001 (1).jpg")
    assert different_shots(first, second, one_burst=True) is not None
    assert different_shots(first, copy, one_burst=True) is None
    assert different_shots(first, second) is None


def test_a_video_is_not_a_copy_of_a_picture_or_of_a_video_of_another_duration() -> None:
    film = member(None, kind=Kind.VIDEO, duration_seconds=10.0)
    assert different_shots(film, member(None)) is not None
    assert different_shots(film, member(None, kind=Kind.VIDEO, duration_seconds=14.0)) is not None
    assert different_shots(film, member(None, kind=Kind.VIDEO, duration_seconds=10.05)) is None


@pytest.mark.shared
@pytest.mark.parametrize(
    "folder", ["duplicates/not-duplicates", "duplicates/mosaic-pairs-not-duplicates", "photos/pano-burst"]
)
def test_real_similar_pictures_are_not_the_same(testdata: Path, folder: str) -> None:
    pictures = [features(loaded(path)) for path in sorted((testdata / folder).iterdir())]
    assert len(pictures) > 2
    assert not any(compare(first, second).same for first, second in itertools.combinations(pictures, 2))


@pytest.mark.shared
@pytest.mark.parametrize(
    "folder", ["obama-sizes", "ukbench00120", "iphone-copies", "ukbench09380-extensions", "czkawka"]
)
def test_real_copies_are_the_same(testdata: Path, folder: str) -> None:
    paths = sorted((testdata / "duplicates" / folder).iterdir(), key=lambda path: -path.stat().st_size)
    first = features(loaded(paths[0]))
    different = [path.name for path in paths[1:] if not compare(first, features(loaded(path))).same]
    assert different == []
