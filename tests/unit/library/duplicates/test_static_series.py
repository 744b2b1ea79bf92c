"""Separate shots of a still subject: never marked for removal, named as a series."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photoindex.domain.same_picture.local_shift import MAXIMUM_PX, SAME_NOISE, local_shift, noise_likeness
from photoindex.library.duplicates.find import Duplicates, DuplicatesRequest, find_duplicates
from tests.edits import jpeg, saved_again, scene
from tests.harness import LibraryRunner
from tests.static_series import KINDS, series
from tests.unit.library.duplicates.test_duplicates import exif_of


def grey(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("L"))


def found(
    runner: LibraryRunner, folder: Path, pictures: dict[str, tuple[Image.Image, Image.Exif | None]]
) -> Duplicates:
    folder.mkdir()
    for name, (picture, exif) in pictures.items():
        (folder / name).write_bytes(jpeg(picture, 92, exif))
    runner.scan(folder)
    with runner.open() as library:
        return find_duplicates(library, DuplicatesRequest())


def test_no_shot_of_a_still_subject_is_removed_and_the_group_is_named_a_series(
    library_folder: Path, tmp_path: Path
) -> None:
    pictures = {
        f"{kind} {seed} {number}.jpg": (shot, None)
        for seed, kind in enumerate(KINDS)
        for number, shot in enumerate(series(seed, kind, 4))
    }
    groups = found(LibraryRunner(library_folder), tmp_path / "originals", pictures).groups
    files = [one for group in groups for one in group.files]
    assert len(groups) >= 3
    assert {one.action for one in files} == {"keep", "review"}
    for group in groups:
        assert len({os.path.basename(os.fsdecode(one.path)).rpartition(" ")[0] for one in group.files}) == 1
        assert all("series" in one.reason for one in group.files[1:])


def test_shots_of_other_cameras_are_one_picture_only_in_doubt(library_folder: Path, tmp_path: Path) -> None:
    first, second = series(6, "noise", 2)
    pictures = {
        "canon.jpg": (first, exif_of("2011:06:01 12:00:00")),
        "nikon.jpg": (second, exif_of("2019:01:07 09:30:00", camera="NIKON D90")),
    }
    (group,) = found(LibraryRunner(library_folder), tmp_path / "originals", pictures).groups
    (copy,) = [one for one in group.files if one.action != "keep"]
    assert copy.action == "review"
    assert "another shot: their cameras differ" in copy.reason


def test_noise_tells_a_second_shot_from_a_copy() -> None:
    first, second = series(7, "noise", 2)
    assert noise_likeness(grey(first), grey(second)) < SAME_NOISE
    assert noise_likeness(grey(first), grey(saved_again(first, 97))) >= SAME_NOISE
    assert noise_likeness(np.full((200, 300), 90, np.uint8), np.full((200, 300), 90, np.uint8)) == 0


@pytest.mark.parametrize("pushed", [False, True])
def test_parts_of_an_edit_stay_in_place_and_those_of_another_view_do_not(pushed: bool) -> None:
    picture = scene(8, (960, 720))
    other = grey(picture.resize((480, 360)))
    if pushed:
        half = other.shape[1] // 2
        other = np.hstack([np.roll(other[:, :half], 2, axis=0), np.roll(other[:, half:], -2, axis=0)])
    shift = local_shift(grey(picture), np.ascontiguousarray(other), np.array([[0.5, 0, -0.25], [0, 0.5, -0.25]]))
    assert shift is not None
    assert (shift > MAXIMUM_PX) is pushed
