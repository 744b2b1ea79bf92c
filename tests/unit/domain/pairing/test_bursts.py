"""Finding bursts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from photoindex.domain.pairing import Member, bursts
from photoindex.types import Kind


def shots(*named: tuple[str, str | None], **shared: Any) -> list[Member]:
    """Return pictures of one camera by name and local time; asset ids count from 1."""
    members = []
    for number, (name, clock) in enumerate(named, 1):
        kind = Kind.RAW if name.lower().endswith("cr2") else Kind.VIDEO if name.endswith("mov") else Kind.IMAGE
        taken_at = clock and f"2019-06-01T12:00:{clock}"
        values = {"camera": "Canon EOS 6D", "taken_at": taken_at, **shared}
        members.append(Member(number, number, 1, name.encode(), kind, "jpeg", **values))
    return members


def together(members: list[Member]) -> list[set[int]]:
    """Return the bursts as sets of asset ids."""
    keys = bursts(members)
    return [{asset for asset, key in keys.items() if key == wanted} for wanted in sorted(set(keys.values()))]


def test_shots_with_one_burst_identifier_are_one_burst_across_folders() -> None:
    first, second, other = shots(("a.jpg", None), ("b.jpg", None), ("c.jpg", None), burst_identifier="ab-1")
    other = replace(other, burst_identifier="AB-2")
    assert together([first, replace(second, folder_id=2, burst_identifier="AB-1"), other]) == [{1, 2}, {3}]


@pytest.mark.parametrize(
    "names",
    [
        ("00001IMG_00001_BURST20171111030039.jpg", "00015IMG_00015_BURST20171111030039_COVER.jpg"),
        ("DSC_0001_BURST20190601123456789.JPG", "DSC_0002_BURST20190601123456789_COVER.JPG"),
        ("IMG_20190601_123456_BURST001_COVER.jpg", "IMG_20190601_123456_BURST002.jpg"),
        ("20231207_101605_001.jpg", "20231207_101605_031.jpg"),
        ("20231207_101605_001(0).jpg", "20231207_101605_002(0).jpg"),
        ("IMG_20230101_120000_00.jpg", "IMG_20230101_120000_01.jpg"),
        ("IMG20230101120000_01.jpg", "IMG20230101120000_02.jpg"),
        ("IMG_20230101_120000_B01.jpg", "IMG_20230101_120000_B02.jpg"),
    ],
)
def test_names_with_a_burst_marker_form_a_burst_within_a_folder(names: tuple[str, str]) -> None:
    first, second = shots((names[0], None), (names[1], None))
    assert together([first, second]) == [{1, 2}]
    elsewhere = bursts([first, replace(second, folder_id=2)])
    assert len(set(elsewhere.values())) == len(elsewhere)


def test_a_thumbnail_of_a_movie_is_no_shot_of_a_burst() -> None:
    named = [("IMG_0001.jpg", "01"), ("IMG_0002.jpg", "01")]
    assert bursts(shots(*named, ("IMG_0003.THM", "02"))) == {}
    assert len(bursts(shots(*named, ("IMG_0003.jpg", "02")))) == 3


@pytest.mark.parametrize("name", ["20231207_101605_001.jpg", "IMG_20190601_123456_BURST001.jpg"])
def test_a_single_numbered_name_is_not_a_burst(name: str) -> None:
    assert bursts(shots((name, None), ("other.jpg", None))) == {}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        # By fractions of a second, without numbers.
        ([("x.jpg", "01.10"), ("m.jpg", "01.90"), ("c.jpg", "02.90")], [{1, 2, 3}]),
        # By running numbers, with whole seconds.
        ([("IMG_0001.jpg", "01"), ("IMG_0002.jpg", "01"), ("IMG_0003.jpg", "02")], [{1, 2, 3}]),
        ([("IMG_9998.jpg", "01"), ("IMG_9999.jpg", "02"), ("IMG_0001.jpg", "03")], [{1, 2, 3}]),
        # Frames between them were deleted.
        ([("IMG_0001.jpg", "01.1"), ("IMG_0003.jpg", "01.5"), ("IMG_0006.jpg", "01.9")], [{1, 2, 3}]),
        # Two shots are not a burst.
        ([("IMG_0001.jpg", "01.1"), ("IMG_0002.jpg", "01.5")], []),
        # A pause ends a run.
        ([("IMG_0001.jpg", "01.0"), ("IMG_0002.jpg", "02.0"), ("IMG_0003.jpg", "03.2"), ("IMG_0004.jpg", "03.9")], []),
        # Whole seconds without numbers prove nothing, nor do numbers far apart: two cameras of one model.
        ([("x.jpg", "01"), ("m.jpg", "01"), ("c.jpg", "02")], []),
        ([("IMG_0001.jpg", "01.1"), ("IMG_5001.jpg", "01.5"), ("IMG_0002.jpg", "01.9")], []),
        # Copies and edits, recognised by name or identical time, are one shot.
        ([("IMG_0001.jpg", "01.5"), ("IMG_0001 (1).jpg", "01.5"), ("IMG_E0001.jpg", "01.5"), ("IMG_0001-2.jpg", "01.5")], []),
        ([("x.jpg", "01.5"), ("m.jpg", "01.5"), ("c.jpg", "01.5")], []),
        # A RAW and its picture count as one shot, and both are in the burst.
        ([("IMG_0001.cr2", "01.1"), ("IMG_0001.jpg", "01.1"), ("IMG_0002.jpg", "01.5"), ("IMG_0002.cr2", "01.5")], []),
        (
            [("IMG_0001.cr2", "01"), ("IMG_0001.jpg", "01.1"), ("IMG_0002.jpg", "01.5"), ("IMG_0003.jpg", "01.9")],
            [{1, 2, 3, 4}],
        ),
        # The same name at another time is another shot.
        ([("IMG_0001.jpg", "01"), ("IMG_0002.jpg", "01"), ("IMG_0002.png", "31"), ("IMG_0003.jpg", "02")], [{1, 2, 4}]),
        ([("IMG_0001.mov", "01"), ("IMG_0002.mov", "01"), ("IMG_0003.mov", "02")], []),
        ([("IMG_0001.jpg", None), ("IMG_0002.jpg", None), ("IMG_0003.jpg", None)], []),
    ],
)  # fmt: skip
def test_bursts_are_recognised_by_times_and_numbers(
    named: list[tuple[str, str | None]], expected: list[set[int]]
) -> None:
    assert together(shots(*named)) == expected


@pytest.mark.parametrize(
    "difference", [{"camera": "Canon EOS 7D"}, {"serial": "43"}, {"camera": None}, {"folder_id": 2}]
)
def test_a_burst_is_limited_to_one_camera_and_one_folder(difference: dict[str, Any]) -> None:
    first, second, third = shots(("IMG_0001.jpg", "01"), ("IMG_0002.jpg", "01"), ("IMG_0003.jpg", "02"), serial="42")
    assert bursts([first, second, third])
    assert bursts([first, second, replace(third, **difference)]) == {}


def test_the_burst_identifier_of_a_picture_applies_to_its_raw_too() -> None:
    picture, raw = shots(("IMG_0001.jpg", "01"), ("IMG_0001.cr2", "01"))
    assert together([replace(picture, burst_identifier="AB-1"), raw]) == [{1, 2}]


def test_the_identifier_of_a_content_wins_over_the_name_of_its_copy() -> None:
    stated, copy = shots(("a.jpg", None), ("00001IMG_00001_BURST20171111030039.jpg", None))
    keys = bursts([replace(stated, burst_identifier="AB-1"), replace(copy, asset_id=1, folder_id=2)])
    assert keys == {1: "id:AB-1"}
