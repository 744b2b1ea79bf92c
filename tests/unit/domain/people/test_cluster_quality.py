"""How alike the faces of groups are, within and between groups."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.domain.people.cluster_quality import cohesion, likely_merges, loose, means_of
from photoindex.domain.people.grouping_values import WAITING
from tests.made_up_faces import people


def test_cohesion_is_the_mean_cosine_of_all_pairs() -> None:
    vectors, person = people([5, 3, 1], seed=1)
    cosines = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    pairs = np.triu_indices(5, 1)
    found = cohesion(means_of(person, vectors))
    assert found[0] == pytest.approx(cosines[:5, :5][pairs].mean(), abs=1e-3)
    assert found[2] == 1


def test_two_halves_of_a_person_are_a_likely_merge() -> None:
    vectors, person = people([10, 10, 10], seed=2)
    labels = np.where(np.arange(30) < 5, 9, person)
    labels[-1] = WAITING
    merges = likely_merges(means_of(labels, vectors), 0.4, limit=10)
    assert [(one.label, one.other) for one in merges] == [(0, 9)]
    assert merges[0].cosine == pytest.approx(0.745, abs=0.05)
    assert likely_merges(means_of(labels, vectors), 0.4, limit=0) == []


def test_a_group_of_two_people_is_loose() -> None:
    vectors, person = people([10, 10, 10], seed=3)
    assert loose(means_of(np.minimum(person, 1), vectors), 0.6).tolist() == [1]
