"""Neighbours of many vectors at once, against a plain comparison of all."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.vectors import neighbours as module
from photoindex.vectors.neighbours import nearest, neighbours, recall
from tests.made_up_faces import unit

COUNT, K = 9_000, 16
"""More vectors than are compared in one go."""


def vectors_of(count: int, *, dim: int = 32, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((count // 10, dim))[random.integers(0, count // 10, count)]
    spectrum = np.arange(1, dim + 1) ** -0.5
    return unit((centres + 0.7 * random.standard_normal((count, dim))) * spectrum).astype(np.float16)


def plain(vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    cosines = vectors.astype(np.float32) @ vectors.astype(np.float32).T
    np.fill_diagonal(cosines, -2)
    closest = np.argpartition(-cosines, k, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(cosines, closest, axis=1), axis=1)
    found = np.take_along_axis(closest, order, axis=1)
    return found, np.take_along_axis(cosines, found, axis=1)


@pytest.mark.parametrize("count", [50, COUNT])
def test_neighbours_are_the_nearest_others(count: int) -> None:
    vectors = vectors_of(count)
    found, cosines = neighbours(vectors, K)
    truth, scores = plain(vectors, K)
    np.testing.assert_allclose(cosines, scores, atol=1e-5)
    assert recall(found, truth) > 0.999  # equal cosines in another order
    assert not (found == np.arange(count)[:, None]).any()


def test_approximate_neighbours_reach_the_promised_recall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "APPROXIMATE_FROM", 1_000)
    vectors = vectors_of(COUNT, dim=64)
    truth, scores = plain(vectors, K)
    found, cosines = neighbours(vectors, K)
    assert module.RECALL <= recall(found, truth) < 1
    same = found == truth
    np.testing.assert_allclose(cosines[same], scores[same], atol=1e-5)


def test_all_pairs_are_compared_where_the_approximation_misses_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "APPROXIMATE_FROM", 1_000)
    random = np.random.default_rng(1)
    vectors = unit(random.standard_normal((COUNT, 64))).astype(np.float16)
    assert recall(neighbours(vectors, K)[0], plain(vectors, K)[0]) > 0.999


def test_hundreds_of_equal_vectors_have_each_other_as_neighbours() -> None:
    vectors = vectors_of(COUNT)
    vectors[100:400] = vectors[100]
    found, cosines = neighbours(vectors, K)
    assert ((found[100:400] >= 100) & (found[100:400] < 400)).all()
    assert (cosines[100:400] > 0.99).all()
    assert (found >= 0).all()


def test_few_vectors_have_fewer_neighbours() -> None:
    vectors = vectors_of(50)[:3]
    found, cosines = neighbours(vectors, 4)
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] == -1).all()
    assert np.isneginf(cosines[:, 2:]).all()
    assert neighbours(vectors[:0], 4)[0].shape == (0, 4)
    assert nearest(vectors, vectors[:0], 2)[0].tolist() == [[-1, -1]] * 3
    assert nearest(vectors[:1], vectors, 1)[0].tolist() == [[0]]


def test_progress_is_told_in_proportion_to_the_pairs_compared() -> None:
    count = 12_288
    vectors = np.random.default_rng(5).normal(size=(count, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    done: list[int] = []
    neighbours(vectors, 4, done.append)
    assert done == [count // 2, count * 5 // 6, count]
