"""Which faces may found a group."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.domain.people.groups.quality import FaceQuality, founders, overall

GOOD = {"shorter_px": 120.0, "sharpness": 400.0, "yaw": 3.0, "detected": 0.95}


def faces(*different: dict[str, float]) -> FaceQuality:
    """Many good faces, and after them one with each of these differences."""
    rows = [GOOD] * 20 + [GOOD | one for one in different]
    return FaceQuality(**{name: np.array([row[name] for row in rows], np.float32) for name in GOOD})


@pytest.mark.parametrize(
    ("difference", "may"),
    [
        ({}, True),
        ({"shorter_px": 28.0}, True),
        ({"shorter_px": 27.0}, False),
        ({"sharpness": 13.0}, True),
        ({"sharpness": 11.0}, False),
        ({"yaw": -44.0}, True),
        ({"yaw": 46.0}, False),
        ({"yaw": -46.0}, False),
        ({"shorter_px": np.nan, "sharpness": np.nan, "yaw": np.nan}, True),
    ],
)
def test_a_small_blurry_or_turned_face_founds_no_group(difference: dict[str, float], may: bool) -> None:
    assert founders(faces(difference))[-1] == may


def test_blurry_is_relative_to_the_large_faces_of_the_library() -> None:
    scans = FaceQuality(*(np.full(9, value, np.float32) for value in (120.0, 12.0, 0.0, 0.9)))
    assert founders(scans).all()
    # Enlarged small faces are soft and do not lower the measure.
    small = faces(*[{"shorter_px": 30.0, "sharpness": 1.0}] * 80)
    assert not founders(small)[20:].any()


def test_without_a_large_face_none_is_blurry() -> None:
    small = FaceQuality(*(np.full(4, value, np.float32) for value in (40.0, 1.0, 0.0, 0.9)))
    assert founders(small).all()


def test_quality_falls_with_each_fault_and_is_never_unknown() -> None:
    found = overall(
        faces(
            {"shorter_px": 40.0},
            {"sharpness": 100.0},
            {"yaw": 30.0},
            {"detected": 0.5},
            {"yaw": np.nan},
            {"detected": np.nan},
        )
    )
    assert (found[20:] < found[0]).all()
    assert ((found >= 0) & (found <= 1)).all()
