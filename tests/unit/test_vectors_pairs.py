"""Pairs of near vectors, without comparing each with each."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.vectors import pairs
from photoindex.vectors.exact import ExactIndex
from photoindex.vectors.pairs import neighbour_pairs
from photoindex.vectors.space_index import SpaceIndex
from tests.vectors import DIM, ListedTruth, unit_vectors


def with_twins(count: int, twins: int, noise: float = 0.05) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Return vectors of which the last `twins` are each a little beside one of the first."""
    random = np.random.default_rng(8)
    values = unit_vectors(count, groups=200).astype(np.float32)
    values[-twins:] = values[:twins] + noise * random.standard_normal((twins, DIM))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return np.arange(count, dtype=np.int64) * 2 + 5, values.astype(np.float16)


def all_pairs(ids: NDArray[np.int64], values: NDArray[np.float16], minimum: float) -> set[tuple[int, int]]:
    wide = values.astype(np.float64)
    left, right = np.nonzero(np.triu(wide @ wide.T >= minimum, 1))
    return set(zip(ids[left].tolist(), ids[right].tolist(), strict=True))


def found_in(index: SpaceIndex, minimum: float, neighbours: int = 64) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for block in neighbour_pairs(index, minimum, neighbours):
        assert (block.first < block.second).all()
        assert (block.cosines >= np.float32(minimum)).all()
        found += zip(block.first.tolist(), block.second.tolist(), strict=True)
    assert len(set(found)) == len(found)
    return found


def test_few_vectors_are_compared_each_with_each() -> None:
    ids, values = with_twins(3_000, 300)
    assert set(found_in(SpaceIndex(None, ExactIndex(ids, values)), 0.93)) == all_pairs(ids, values, 0.93)


def test_of_many_vectors_nearly_all_near_pairs_are_found_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "EACH_WITH_EACH", 1_500)
    monkeypatch.setattr(pairs, "_CELL_ROWS", 150)
    ids, values = with_twins(6_000, 600)
    expected = all_pairs(ids, values, 0.93)
    found = set(found_in(SpaceIndex(None, ExactIndex(ids, values)), 0.93))
    assert found <= expected
    assert len(found) > 0.97 * len(expected) > 500


def test_a_vector_in_a_crowd_gives_its_nearest_only() -> None:
    ids, values = with_twins(2_000, 1)
    values[500:1_500] = values[500]
    found = found_in(SpaceIndex(None, ExactIndex(ids, values)), 0.95, neighbours=8)
    assert 1_000 <= len(found) <= 8 * 2_000


def test_vectors_that_no_cell_tells_apart_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "EACH_WITH_EACH", 500)
    ids, values = with_twins(3_000, 1)
    values[:] = values[0]
    found = found_in(SpaceIndex(None, ExactIndex(ids, values)), 0.95, neighbours=2)
    assert 2_000 < len(found) <= 2 * 3_000 * 2


def test_what_is_gone_or_no_number_has_no_pairs() -> None:
    ids, values = with_twins(1_000, 100)
    values[0] = np.nan
    truth = ListedTruth(ids, values)
    truth.remove(ids[1:3])
    found = found_in(SpaceIndex(None, ExactIndex(ids, values), truth), 0.93)
    assert found
    assert not {number for pair in found for number in pair} & set(ids[:3].tolist())


def test_progress_ends_with_all_vectors() -> None:
    ids, values = with_twins(2_500, 10)
    told: list[int] = []
    list(neighbour_pairs(SpaceIndex(None, ExactIndex(ids, values)), 0.9, 4, told.append))
    assert told[-1] == 2_500
    assert told == sorted(told)


def test_no_vectors_have_no_pairs() -> None:
    empty = ExactIndex(np.zeros(0, np.int64), np.zeros((0, DIM), np.float16))
    assert list(neighbour_pairs(SpaceIndex(None, empty), 0.5, 4)) == []
