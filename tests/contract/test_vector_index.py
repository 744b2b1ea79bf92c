"""The contract of every vector index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.vectors import generation, generation_writer, space_index
from photoindex.vectors.base import VectorIndex
from photoindex.vectors.exact import ExactIndex
from photoindex.vectors.generation import open_generation
from photoindex.vectors.generation_writer import append, write
from photoindex.vectors.space_index import SpaceIndex
from tests.vectors import DIM, in_blocks, unit, unit_vectors

COUNT = 600
MakeIndex = Callable[[NDArray[np.int64], NDArray[np.float16]], VectorIndex]


@pytest.fixture(params=["exact", "newest only", "merged", "merged and newest", "appended", "coded"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeIndex:
    """Return a factory of vector indexes: in memory, on disk, on disk with codes, or partly merged."""
    kind = request.param
    if kind == "coded":
        monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 1)
        monkeypatch.setattr(space_index, "NARROW_ROWS", 20)
        monkeypatch.setattr(space_index, "CANDIDATES_MIN", 50)
        monkeypatch.setattr(space_index, "CANDIDATES_PER_HIT", 6)

    def made(ids: NDArray[np.int64], values: NDArray[np.float16]) -> VectorIndex:
        dim = values.shape[1]
        if kind == "exact":
            return ExactIndex(ids, values)
        merged = {"newest only": 0, "merged and newest": len(ids) // 2}.get(kind, len(ids))
        if kind == "appended":
            write(tmp_path, in_blocks(ids[: merged // 3], values[: merged // 3], 70), dim)
            base = open_generation(tmp_path, dim)
            assert base is not None
            append(
                tmp_path,
                base,
                in_blocks(ids[merged // 3 :], values[merged // 3 :], 70),
            )
        elif merged:
            write(tmp_path, in_blocks(ids[:merged], values[:merged], 70), dim)
        index = SpaceIndex(open_generation(tmp_path, dim), ExactIndex(ids[merged:], values[merged:]))
        assert (index.rows, index.unmerged) == (merged, len(ids) - merged)
        if index.generation is not None:
            assert (index.generation.codes is not None) == (kind == "coded")
        return index

    return made


@pytest.fixture
def ids() -> NDArray[np.int64]:
    """Return ids with gaps, as in a database after deletions."""
    return np.arange(COUNT, dtype=np.int64) * 3 + 7


@pytest.fixture
def values() -> NDArray[np.float16]:
    return unit_vectors(COUNT)


def truth(values: NDArray[np.float16], query: NDArray[np.float32]) -> NDArray[np.float64]:
    return values.astype(np.float64) @ query.astype(np.float64)


def test_search_returns_the_nearest_vectors_best_first_with_exact_cosines(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    index = make(ids, values)
    assert (len(index), index.dim) == (COUNT, DIM)
    for seed in range(5):
        query = unit(np.random.default_rng(seed).standard_normal(DIM))
        expected = truth(values, query)
        order = np.argsort(-expected)[:25]
        found = index.search(query, 25)
        assert found.ids.tolist() == ids[order].tolist()
        assert (found.ids.dtype, found.scores.dtype) == (np.int64, np.float32)
        assert found.scores.tolist() == expected[order].astype(np.float32).tolist()


def test_a_vector_is_nearest_to_itself(make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16]) -> None:
    index = make(ids, values)
    for position in (0, 1, COUNT // 2, COUNT - 1):
        found = index.search(unit(values[position]), 1)
        assert found.ids.tolist() == [ids[position]]
        assert found.scores[0] == pytest.approx(1, abs=1e-3)


def test_equal_vectors_have_equal_scores_and_are_sorted_by_id(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    twins = np.array([3, 40, 41, 299, 300, 301, 599])
    values[twins] = values[3]
    found = make(ids, values).search(unit(values[3]), 7)
    assert found.ids.tolist() == ids[twins].tolist()
    assert len(set(found.scores.tolist())) == 1


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_only_allowed_vectors_are_found_and_unknown_ids_are_ignored(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16], share: float
) -> None:
    random = np.random.default_rng(4)
    chosen = np.sort(random.choice(COUNT, max(1, int(share * COUNT)), replace=False))
    allowed = np.union1d(ids[chosen], [1, 8, 1_000_000])
    query = unit(random.standard_normal(DIM))
    expected = truth(values[chosen], query)
    found = make(ids, values).search(query, 10, allowed=allowed)
    assert found.ids.tolist() == ids[chosen][np.argsort(-expected)[:10]].tolist()


def test_with_nothing_allowed_nothing_is_found(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    index = make(ids, values)
    for allowed in (np.zeros(0, np.int64), np.array([1, 2], np.int64)):
        found = index.search(unit(values[0]), 5, allowed=allowed)
        assert (found.ids.tolist(), found.scores.tolist()) == ([], [])
        assert len(index.scan(unit(values[0]), -1, allowed=allowed)) == 0


@pytest.mark.parametrize("limit", [0, 1, COUNT, COUNT + 1, 10 * COUNT])
def test_the_limit_is_respected_and_a_larger_one_returns_all(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16], limit: int
) -> None:
    found = make(ids, values).search(unit(values[5]), limit)
    assert len(found) == min(limit, COUNT)
    assert len(set(found.ids.tolist())) == len(found)
    assert (np.diff(found.scores) <= 0).all()


def test_a_scan_returns_everything_above_a_score(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    index = make(ids, values)
    query = unit(values[17])
    expected = truth(values, query).astype(np.float32)
    for minimum in (-1.0, 0.3, float(np.sort(expected)[-50]), 1.1):
        found = index.scan(query, minimum)
        above = np.flatnonzero(expected >= np.float32(minimum))
        assert found.ids.tolist() == ids[above[np.lexsort((above, -expected[above]))]].tolist()
    allowed = ids[::2]
    assert set(index.scan(query, 0.3, allowed=allowed).ids) == set(index.scan(query, 0.3).ids) & set(allowed)


def test_scores_and_vectors_are_in_the_order_of_the_ids_and_nan_for_unknown_ids(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    index = make(ids, values)
    query = unit(values[2])
    wanted = np.array([ids[500], 1, ids[0], ids[0], ids[250], 10**9])
    expected = truth(values, query).astype(np.float32)
    scores = index.scores(query, wanted)
    assert scores[[0, 2, 3, 4]].tolist() == expected[[500, 0, 0, 250]].tolist()
    assert np.isnan(scores[[1, 5]]).all()
    vectors = index.vectors(wanted)
    assert (vectors[[0, 2, 3, 4]] == values[[500, 0, 0, 250]]).all()
    assert np.isnan(vectors[[1, 5]]).all()
    assert index.scores(query, np.zeros(0, np.int64)).shape == (0,)
    assert index.vectors(np.zeros(0, np.int64)).shape == (0, DIM)


def test_a_vector_with_nan_is_never_found_and_does_not_affect_others(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    values[9] = np.nan
    values[10] = np.inf
    index = make(ids, values)
    if isinstance(index, SpaceIndex):
        from tests.vectors import InMemoryTruth

        monkeypatch.setattr(index, "_truth", InMemoryTruth(ids, values))
    found = index.search(unit(values[0]), COUNT)
    assert set(ids) - set(found.ids) == {ids[9], ids[10]}
    assert len(index.scan(unit(values[0]), -1)) == COUNT - 2


def test_an_empty_index_finds_nothing(make: MakeIndex) -> None:
    index = make(np.zeros(0, np.int64), np.zeros((0, DIM), np.float16))
    query = unit(np.ones(DIM))
    assert len(index) == 0
    assert len(index.search(query, 5)) == 0
    assert len(index.scan(query, -1)) == 0
    assert np.isnan(index.scores(query, np.array([1]))).all()


def test_a_query_of_another_dimension_or_with_nan_is_refused(
    make: MakeIndex, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    index = make(ids, values)
    for query in (np.ones(DIM + 1, np.float32), np.ones((1, DIM), np.float32)):
        with pytest.raises(ValueError, match="shape"):
            index.search(query, 5)
    with pytest.raises(ValueError, match="finite"):
        index.search(np.full(DIM, np.nan, np.float32), 5)


def test_writing_and_reading_use_the_same_threshold_for_codes() -> None:
    assert generation.CODED_FROM_ROWS == generation_writer.CODED_FROM_ROWS
