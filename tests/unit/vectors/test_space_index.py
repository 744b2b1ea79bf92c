"""The index of one space: approximate search, deleted vectors and damaged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.vectors import faiss_codes, flat_file, generation_writer, space_index
from photoindex.vectors.base import IndexDamaged
from photoindex.vectors.exact import ExactIndex
from photoindex.vectors.faiss_codes import Codes
from photoindex.vectors.flat_file import FlatFile
from photoindex.vectors.generation import open_generation
from photoindex.vectors.generation_writer import write
from photoindex.vectors.space_index import SpaceIndex
from tests.vectors import DIM, InMemoryTruth, in_blocks, unit, unit_vectors

COUNT = 1_200
MERGED = 1_000


@pytest.fixture
def ids() -> NDArray[np.int64]:
    return np.arange(COUNT, dtype=np.int64) * 2 + 2


@pytest.fixture
def values() -> NDArray[np.float16]:
    return unit_vectors(COUNT)


@pytest.fixture
def truth(ids: NDArray[np.int64], values: NDArray[np.float16]) -> InMemoryTruth:
    return InMemoryTruth(ids, values)


@pytest.fixture(params=["flat", "coded"])
def index(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    ids: NDArray[np.int64],
    values: NDArray[np.float16],
    truth: InMemoryTruth,
    monkeypatch: pytest.MonkeyPatch,
) -> SpaceIndex:
    if request.param == "coded":
        monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 1)
        monkeypatch.setattr(space_index, "NARROW_ROWS", 20)
        monkeypatch.setattr(space_index, "CANDIDATES_MIN", 100)
        monkeypatch.setattr(space_index, "CANDIDATES_PER_HIT", 8)
    write(tmp_path, in_blocks(ids[:MERGED], values[:MERGED]), DIM)
    return SpaceIndex(open_generation(tmp_path, DIM), ExactIndex(ids[MERGED:], values[MERGED:]), truth)


def spoil(index: SpaceIndex, position: int, content: bytes) -> None:
    """Overwrite the vector at a position of the file."""
    assert index.generation is not None
    with index.generation.flat.path.open("r+b") as file:
        file.seek(position * DIM * 2)
        file.write(content)


def test_codes_find_nearly_all_of_the_nearest_among_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 1)
    values = unit_vectors(20_000, dim=128, groups=60)
    ids = np.arange(20_000, dtype=np.int64) + 1
    write(tmp_path, in_blocks(ids, values), 128)
    monkeypatch.setattr(space_index, "NARROW_ROWS", 100)
    index = SpaceIndex(open_generation(tmp_path, 128), ExactIndex(ids[:0], values[:0]))
    monkeypatch.setattr(index, "_search_all", None)  # an exhaustive search must not be used here
    exact = ExactIndex(ids, values)
    allowed = ids[::3]
    found = expected = 0
    for seed in range(20):
        query = unit(np.random.default_rng(seed).standard_normal(128))
        for only in (None, allowed):
            near = exact.search(query, 20, allowed=only).ids
            expected += len(near)
            found += len(np.intersect1d(index.search(query, 20, allowed=only).ids, near))
    assert found > 0.99 * expected == 0.99 * 800


@pytest.mark.parametrize("cores", [1, 3, 64])
def test_codes_give_the_same_results_with_one_and_several_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    values = unit_vectors(1_003)
    codes = Codes.trained(values.astype(np.float32))
    codes.add(values)
    (tmp_path / "codes").write_bytes(codes.to_bytes().tobytes())
    monkeypatch.setattr(faiss_codes, "_PART_CODES", 100)
    monkeypatch.setattr(faiss_codes.os, "sched_getaffinity", lambda _: range(cores))
    mapped = Codes.read(tmp_path / "codes")
    monkeypatch.undo()
    (tmp_path / "codes").unlink()
    usable = np.arange(1_003) % 3 == 0
    for seed in range(10):
        query = unit(np.random.default_rng(seed).standard_normal(DIM))
        for only in (None, usable, usable & (np.arange(1_003) > 900), np.zeros(1_003, np.bool_)):
            found = mapped.candidates(query, 50, only)
            expected = codes.candidates(query, 50, only)
            assert len(found) == len(expected)
            assert len(np.intersect1d(found, expected)) >= len(expected) - 1  # equal estimates may be in any order


def test_deleted_vectors_are_replaced_by_the_next_nearest(
    index: SpaceIndex, ids: NDArray[np.int64], values: NDArray[np.float16], truth: InMemoryTruth
) -> None:
    query = unit(values[0])
    order = index.search(query, COUNT).ids
    gone = order[[0, 2, 3, 5, 8, 13, 21, 400]]
    truth.remove(gone)
    expected = [number for number in order.tolist() if number not in set(gone.tolist())]
    assert index.search(query, 30).ids.tolist() == expected[:30]
    assert len(index) < COUNT
    assert index.search(query, COUNT).ids.tolist() == expected
    assert len(index) == COUNT - len(gone)
    assert index.scan(query, -1).ids.tolist() == expected
    assert sum(len(block) for block, _ in index.blocks()) == len(expected)


def test_several_passes_over_all_vectors_see_the_same_ones(
    index: SpaceIndex, ids: NDArray[np.int64], truth: InMemoryTruth
) -> None:
    truth.remove(ids[[3, 700, MERGED + 5]])
    first = np.concatenate([block for block, _ in index.blocks()])
    assert first.tolist() == np.delete(ids, [3, 700, MERGED + 5]).tolist()
    truth.remove(ids[[4, MERGED + 6]])
    assert np.concatenate([block for block, _ in index.blocks()]).tolist() == first.tolist()
    assert len(index) == len(first)


def test_the_remaining_vectors_are_found_when_most_are_deleted(
    index: SpaceIndex, ids: NDArray[np.int64], values: NDArray[np.float16], truth: InMemoryTruth
) -> None:
    query = unit(values[7])
    order = index.search(query, COUNT).ids
    truth.remove(order[:1_150])
    assert index.search(query, 10).ids.tolist() == order[1_150:1_160].tolist()
    truth.remove(order[1_150:])
    assert len(index.search(query, 10)) == 0


@pytest.mark.parametrize("content", [b"\x00" * DIM * 2, b"\xff" * DIM * 2, b"\x00\x7c" * DIM])
def test_corrupted_vectors_are_taken_from_the_truth_and_reported(
    index: SpaceIndex, values: NDArray[np.float16], truth: InMemoryTruth, content: bytes
) -> None:
    query = unit(values[100])
    expected = index.search(query, 10)
    assert expected.ids[0] == 202
    spoil(index, 100, content)
    found = index.search(query, 10)
    scanned = index.scan(query, float(expected.scores[-1]))
    assert index.scores(query, np.array([202]))[0] == expected.scores[0]
    assert (index.vectors(np.array([202]))[0] == values[100]).all()
    if truth.problems:
        assert "vectors.f16 is damaged at position 100" in truth.problems[0]
    assert found.ids.tolist() == expected.ids.tolist()
    if content[0] == 0 and content[1] == 0:
        assert scanned.ids.tolist() == expected.ids.tolist()
    assert truth.problems


def test_without_a_truth_damage_is_an_error(index: SpaceIndex, values: NDArray[np.float16]) -> None:
    alone = SpaceIndex(index.generation, index.newest)
    spoil(index, 100, b"\x00" * DIM * 2)
    with pytest.raises(IndexDamaged, match="position 100"):
        alone.scores(unit(values[0]), np.array([202]))


def test_truncating_an_open_file_raises_index_damaged_instead_of_a_crash(
    index: SpaceIndex, values: NDArray[np.float16]
) -> None:
    assert index.generation is not None
    with index.generation.flat.path.open("r+b") as file:
        file.truncate(10_000)
    with pytest.raises(IndexDamaged, match="ends at byte"):
        index.scan(unit(values[0]), 0)
    with pytest.raises(IndexDamaged, match="ends at byte"):
        index.vectors(np.array([2, 2_000]))


def test_a_vector_that_was_never_of_unit_length_is_not_damage(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    values[5] = 0
    values[6] *= np.float16(0.5)
    truth = InMemoryTruth(ids, values)
    write(tmp_path, in_blocks(ids, values), DIM)
    index = SpaceIndex(open_generation(tmp_path, DIM), ExactIndex(ids[:0], values[:0]), truth)
    assert len(index.search(unit(values[6]), COUNT)) == COUNT
    assert len(index.scan(unit(values[6]), -1)) == COUNT
    assert truth.problems == []


@pytest.mark.parametrize("limit", [1, 20, 3_000])
def test_many_unmerged_vectors_are_searched_exactly(limit: int) -> None:
    values = unit_vectors(2_500)
    values[7] = np.nan
    ids = np.arange(2_500, dtype=np.int64) * 2 + 1
    exact = ExactIndex(ids, values)
    index = SpaceIndex(None, ExactIndex(ids, values))
    for seed in range(5):
        query = unit(np.random.default_rng(seed).standard_normal(DIM))
        for allowed in (None, ids[::2]):
            found, expected = (one.search(query, limit, allowed=allowed) for one in (index, exact))
            assert found.ids.tolist() == expected.ids.tolist()
            assert found.scores.tolist() == expected.scores.tolist()


def test_the_sample_is_of_the_merged_vectors_or_of_the_newest_if_none_are_merged(
    index: SpaceIndex, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    assert index.sample().shape == (MERGED, DIM)
    assert index.sample().dtype == np.float32
    newest = SpaceIndex(None, ExactIndex(ids, values)).sample()
    assert newest.shape == (COUNT, DIM)
    assert SpaceIndex(None, ExactIndex(ids[:0], values[:0])).sample().shape == (0, DIM)


def test_a_generation_of_another_dimension_is_refused(index: SpaceIndex) -> None:
    with pytest.raises(IndexDamaged, match="dimension"):
        SpaceIndex(index.generation, ExactIndex(np.zeros(0, np.int64), np.zeros((0, DIM + 1), np.float16)))


@pytest.mark.parametrize(
    ("ids", "values"), [([2, 1], np.zeros((2, 4))), ([1, 1], np.zeros((2, 4))), ([1], np.zeros((2, 4))), ([1], [0.0])]
)
def test_ids_that_do_not_match_their_vectors_are_refused(ids: list[int], values: object) -> None:
    with pytest.raises(ValueError, match="ids"):
        ExactIndex(np.array(ids, np.int64), np.array(values, np.float16))


def test_rows_are_read_correctly_whether_dense_or_scattered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = unit_vectors(5_000, dim=8)
    (tmp_path / "v").write_bytes(values.tobytes() + b"what comes behind")
    monkeypatch.setattr(flat_file, "_MAPPED_ROWS", 500)
    flat = FlatFile(tmp_path / "v", 5_000, 8)
    random = np.random.default_rng(0)
    for wanted in (0, 1, 40, 300, 600, 3_000, 5_000):
        positions = np.sort(random.choice(5_000, wanted, replace=False))
        assert (flat.at(positions) == values[positions]).all()
    assert (np.concatenate([rows for _, rows in flat.blocks(17)]) == values[17:]).all()
