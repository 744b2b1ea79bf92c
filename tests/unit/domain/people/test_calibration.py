"""Thresholds are measured on labels, on photos with several faces, or on random pairs."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.domain.people.calibration import calibrated, from_labels, from_photos
from tests.made_up_faces import people

SPREAD = 128**-0.5
"""Of the cosines of random directions in 128 dimensions."""


def in_pairs(person: np.ndarray, seed: int) -> np.ndarray:
    """Photos with two people each, as far as the random order allows."""
    order = np.random.default_rng(seed).permutation(len(person))
    photo = np.arange(len(person))
    for one, other in zip(order[::2].tolist(), order[1::2].tolist(), strict=False):
        if person[one] != person[other]:
            photo[other] = photo[one]
    return photo


def test_two_faces_of_one_photo_measure_how_alike_strangers_are() -> None:
    vectors, person = people([40] * 100, seed=1)
    found = from_photos(vectors, in_pairs(person, 1))
    assert found.source == "photos"
    assert found.pairs > 1_500
    assert found.mean == pytest.approx(0, abs=0.01)
    assert found.deviation == pytest.approx(SPREAD, abs=0.015)


def test_a_collage_is_no_evidence() -> None:
    vectors, person = people([40] * 100, seed=1)
    photo = np.repeat(np.arange(len(person) // 2), 2)
    repeats = np.ones(len(person), np.bool_)
    assert calibrated(vectors, photo, repeats, np.full(len(person), -1)).source == "random"


def test_random_pairs_do_where_few_photos_show_several_people() -> None:
    vectors, person = people([100] * 20 + [5] * 50, seed=2)
    found = from_photos(vectors, np.arange(len(person)))
    assert found.source == "random"
    assert found.deviation == pytest.approx(SPREAD, abs=0.015)


def test_labels_come_first_and_large_persons_do_not_decide_alone() -> None:
    vectors, person = people([300, 300, *([4] * 40)], seed=3)
    confirmed = np.where(np.random.default_rng(0).random(len(person)) < 0.9, person, -1)
    found = calibrated(vectors, in_pairs(person, 3), np.zeros(len(person), np.bool_), confirmed)
    assert found.source == "labels"
    assert found.deviation == pytest.approx(SPREAD, abs=0.02)
    assert found.same_median == pytest.approx(0.745, abs=0.02)
    assert found.same_low is not None
    assert found.highest < found.same_low


def test_look_alikes_raise_the_thresholds() -> None:
    vectors, person = people([20] * 30, seed=4)
    alike = vectors.astype(np.float32)
    alike[person % 2 == 1] += 0.5 * alike[person % 2 == 0]
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    usual, wider = (from_labels(rows, person).thresholds(10_000) for rows in (vectors, alike))
    assert wider.possible > usual.possible


def test_larger_libraries_need_higher_cosines() -> None:
    calibration = from_labels(*people([20] * 30, seed=5))
    few, many = calibration.thresholds(100), calibration.thresholds(1_000_000)
    assert few.possible < few.join < many.possible < many.join < many.sure < 1
    assert few.possible < few.sure < many.sure


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_library_with_hardly_any_faces_has_thresholds(count: int) -> None:
    vectors = people([1, 1], seed=6)[0][:count]
    thresholds = calibrated(vectors, np.arange(count), np.zeros(count, np.bool_), np.full(count, -1)).thresholds(count)
    assert 0 < thresholds.possible < 0.9


@pytest.mark.parametrize("sizes", [[7, 7, 7], [40, 3, 3], [30], [5, 1, 1], [12, 12]])
def test_few_people_do_not_raise_the_thresholds(sizes: list[int]) -> None:
    vectors, _person = people(np.array(sizes), seed=4)
    found = calibrated(vectors, np.arange(len(vectors)), np.zeros(len(vectors), bool), np.full(len(vectors), -1))
    assert found.source == "random"
    assert found.thresholds(len(vectors)).join < 0.5
