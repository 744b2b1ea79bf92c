"""Grouping faces into people on made-up vectors."""

from __future__ import annotations

import numpy as np

from photoindex.domain.people.calibration import calibrated, from_photos
from photoindex.domain.people.grouping import group, join
from photoindex.domain.people.grouping_values import WAITING, Known
from tests.bcubed import bcubed
from tests.made_up_faces import SEARCH, faces_of, people


def test_faces_of_one_person_are_one_group_and_strangers_wait() -> None:
    vectors, person = people([12, 8, 5, 2, 1, 1], seed=1)
    thresholds = calibrated(vectors, np.arange(len(person)), np.zeros(len(person), np.bool_), person).thresholds(
        len(person)
    )
    groups = group(faces_of(vectors), Known(), thresholds, SEARCH)
    assert [len(set(groups.labels[person == one])) for one in range(4)] == [1, 1, 1, 1]
    assert len(set(groups.labels[person < 4])) == 4
    assert (groups.labels[person >= 4] == WAITING).all()
    assert (groups.scores[person >= 4] == 0).all()
    assert (groups.scores[person < 4] > 0.5).all()


def test_people_of_small_libraries_who_are_a_little_alike_stay_apart() -> None:
    # In 64 dimensions, two of eight strangers are often as alike as brothers.
    precisions = []
    for seed in range(30):
        vectors, person = people([6] * 8, seed=seed, dim=64)
        thresholds = from_photos(vectors, np.arange(len(vectors))).thresholds(len(vectors))
        precision, recall = bcubed(person, group(faces_of(vectors), Known(), thresholds, SEARCH).labels)
        precisions.append(precision.mean())
        assert recall.min() == 1.0
    assert np.mean(precisions) >= 0.995


def test_new_faces_join_the_people_they_are_like_and_strangers_wait() -> None:
    vectors, person = people([12, 8, 5, 1, 1], seed=2)
    thresholds = calibrated(vectors, np.arange(len(person)), np.zeros(len(person), np.bool_), person).thresholds(
        len(person)
    )
    new = np.zeros(len(person), np.bool_)
    new[[0, 13, -1]] = True
    known = faces_of(vectors).some(~new & (person < 3))
    joined = join(faces_of(vectors).some(new), known, person[~new & (person < 3)] + 100, Known(), thresholds, SEARCH)
    assert joined.persons.tolist() == [100, 101, WAITING]
    assert (joined.scores > 0.5).tolist() == [True, True, False]
