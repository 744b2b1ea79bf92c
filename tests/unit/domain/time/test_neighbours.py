"""Inferring offsets and dates from photos of the same camera before and after."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from photoindex.domain.time.neighbours import Timed, dates_between, neighbour_facts, running_number


def at(photo_id: int, time: str, offset_minutes: int | None = None, *, utc: float | None = None) -> Timed:
    """Return a photo with a date; `time` is in UTC if `utc` is given without an offset."""
    if offset_minutes is not None:
        utc = datetime.fromisoformat(f"{time}+00:00").timestamp() - offset_minutes * 60
    return Timed(photo_id, time, offset_minutes, utc, "second", 0.95, None, 1)


def numbered(photo_id: int, number: int, time: str = "", *, confidence: float = 0.95, folder_id: int = 1) -> Timed:
    return Timed(photo_id, time, None, None, "second", confidence if time else 0.0, number, folder_id, "img_")


def offsets(*timed: Timed) -> dict[int, str]:
    return {photo_id: facts["utc_offset"] for photo_id, facts in neighbour_facts(timed).items()}


def test_a_single_photo_gives_its_offset_only_within_half_a_day() -> None:
    known = at(1, "2019-06-01T10:00:00", 120)
    assert offsets(known, at(2, "2019-06-01T21:59:00")) == {2: "+02:00"}
    assert offsets(known, at(2, "2019-05-31T22:01:00")) == {2: "+02:00"}
    assert offsets(known, at(2, "2019-06-01T22:01:00")) == {}


def test_two_agreeing_photos_give_their_offset_to_the_days_between() -> None:
    before, after = at(1, "2019-06-01T10:00:00", -570), at(2, "2019-06-05T10:00:00", -570)
    assert offsets(before, after, at(3, "2019-06-03T10:00:00")) == {3: "-09:30"}
    assert offsets(before, replace(after, taken_at="2019-06-20T10:00:00"), at(3, "2019-06-03T10:00:00")) == {}


def test_no_offset_is_inferred_if_both_sides_disagree() -> None:
    before, after = at(1, "2019-06-01T10:00:00", 120), at(2, "2019-06-01T14:00:00", -240)
    assert offsets(before, after, at(3, "2019-06-01T12:00:00")) == {}
    assert offsets(before, replace(after, utc_offset_minutes=120), at(3, "2019-06-01T12:00:00")) == {3: "+02:00"}


def test_a_nearby_photo_is_enough_if_the_other_is_far_away() -> None:
    flown = at(2, "2019-06-03T14:00:00", -240)
    assert offsets(at(1, "2019-06-01T10:00:00", 120), flown, at(3, "2019-06-01T10:05:00")) == {3: "+02:00"}


def test_photos_of_the_same_moment_that_disagree_give_no_offset() -> None:
    same = [at(1, "2019-06-01T10:00:00", 120), at(2, "2019-06-01T10:00:00", 60)]
    assert offsets(*same, at(3, "2019-06-01T10:00:00")) == {}
    assert offsets(*same, at(3, "2019-06-01T10:30:00")) == {}


def test_a_time_known_in_utc_is_compared_by_its_instant() -> None:
    known = at(1, "2019-06-01T22:00:00", 720)
    utc = datetime.fromisoformat("2019-06-01T10:05:00+00:00").timestamp()
    assert offsets(known, at(2, "2019-06-01T10:05:00", utc=utc)) == {2: "+12:00"}


def test_inferred_offsets_are_not_used_as_evidence() -> None:
    chain = [at(number, f"2019-06-0{number}T10:00:00") for number in range(2, 5)]
    near = at(5, "2019-06-01T20:00:00")
    assert offsets(at(1, "2019-06-01T10:00:00", 120), near, *chain) == {5: "+02:00"}


def test_an_unreliable_or_partial_time_neither_gives_nor_gets_an_offset() -> None:
    known = at(1, "2019-06-01T10:00:00", 120)
    assert offsets(replace(known, confidence=0.2), at(2, "2019-06-01T10:00:00")) == {}
    assert offsets(known, replace(at(2, "2019-06-01T10:00:00"), precision="day")) == {}
    assert offsets(known, replace(at(2, "2019-06-01T10:00:00"), taken_at="nonsense")) == {}


def test_a_photo_between_two_running_numbers_is_dated_by_interpolation() -> None:
    known = [numbered(1, 100, "2019-06-01T10:00:00"), numbered(2, 104, "2019-06-01T10:40:30")]
    asking = [numbered(3, 101), numbered(4, 103, "2024-01-01T00:00:00", confidence=0.2)]
    assert dates_between([*known, *asking]) == {
        3: {"taken_at": "2019-06-01T10:10"},
        4: {"taken_at": "2019-06-01T10:30"},
    }


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (numbered(1, 79, "2019-06-01T10:00:00"), numbered(2, 101, "2019-06-01T11:00:00")),
        (numbered(1, 99, "2019-06-01T10:00:00"), numbered(2, 121, "2019-06-01T11:00:00")),
        (numbered(1, 99, "2019-06-01T10:00:00"), numbered(2, 101, "2019-06-02T10:00:01")),
        (numbered(1, 99, "2019-06-02T10:00:00"), numbered(2, 101, "2019-06-01T10:00:00")),
        (numbered(1, 99, "2019-06-01T10:00:00"), numbered(2, 101, "2019-06-01T10:00:00", folder_id=2)),
        (numbered(1, 99, "2019-06-01T10:00:00"), numbered(2, 101, "2019-06-01T10:00:00", confidence=0.45)),
        (numbered(1, 99, "2019-06-01T10:00:00"), numbered(2, 98, "2019-06-01T10:00:00")),
        (numbered(1, 99, "2019-06-01T10:00:00"), replace(numbered(2, 101, "2019-06-01T10:00:00"), taken_at_utc=0.0)),
        (numbered(1, 99, "2019-06-01T10:00:00"), replace(numbered(2, 101, "2019-06-01T10:00:00"), series="dsc_")),
    ],
)
def test_numbers_or_times_too_far_apart_or_out_of_order_date_no_photo(low: Timed, high: Timed) -> None:
    assert dates_between([low, high, numbered(3, 100)]) == {}


def test_a_photo_with_its_own_date_is_not_dated_again() -> None:
    known = [numbered(1, 99, "2019-06-01T10:00:00"), numbered(2, 101, "2019-06-01T11:00:00")]
    assert dates_between([*known, numbered(3, 100, "2019-01-01T00:00:00", confidence=0.25)]) == {}
    # The RAW of the same photo has the time already.
    assert dates_between([*known, numbered(3, 101)]) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"IMG_1234.JPG", ("img_", 1234)),
        (b"img_1234.cr2", ("img_", 1234)),
        (b"_MG_0007.CR2", ("_mg_", 7)),
        (b"DSC01234.ARW", ("dsc", 1234)),
        (b"P1010001.JPG", ("p101", 1)),
        (b"IMG_20190601.jpg", None),
        (b"1234.jpg", None),
        (b"lake.jpg", None),
        (b"IMG_1234", ("img_", 1234)),
        (b"\xff_0001.jpg", ("\ufffd_", 1)),
        (b"", None),
    ],
)
def test_the_running_number_of_a_camera_is_found_in_its_names(name: bytes, expected: tuple[str, int] | None) -> None:
    assert running_number(name) == expected
