"""How alike the faces of groups are."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.domain.people.cluster_quality import cohesion, means_of
from tests.made_up_faces import people


def test_cohesion_is_the_mean_cosine_of_all_pairs() -> None:
    vectors, person = people([5, 3, 1], seed=1)
    cosines = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    pairs = np.triu_indices(5, 1)
    found = cohesion(means_of(person, vectors))
    assert found[0] == pytest.approx(cosines[:5, :5][pairs].mean(), abs=1e-3)
    assert found[2] == 1
