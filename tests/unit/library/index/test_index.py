"""The index of a space: up to date, merged, rebuilt, and never blocking."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text, update

from photoindex.errors import DatabaseFailed, LibraryLocked, NothingFound
from photoindex.library.index import maintain
from photoindex.library.index.maintain import LOCK_NAME, is_due, merge_if_due, open_index, optimize, rebuild
from photoindex.library.index.status import IndexState, IndexStatus, index_status
from photoindex.library.lock import exclusive
from photoindex.progress import Event, Notice, PhaseFinished, PhaseStarted
from photoindex.store.schema.tables import vector
from photoindex.vectors import generation, generation_writer
from tests.rows import library_in
from tests.spaces import SpaceRows
from tests.vectors import DIM, unit, unit_vectors


@pytest.fixture
def space(library_folder: Path, tmp_path: Path) -> Iterator[SpaceRows]:
    with library_in(library_folder) as library:
        yield SpaceRows(library, tmp_path / "originals")


def notices(events: list[Event]) -> list[str]:
    return [one.message for one in events if isinstance(one, Notice)]


def status_of(space: SpaceRows, *, verify: bool = False) -> IndexStatus:
    (found,) = index_status(space.library, [space.row.name], verify=verify)
    return found


def made(space: SpaceRows) -> None:
    list(rebuild(space.library))


def test_new_vectors_are_found_the_moment_they_are_committed(space: SpaceRows) -> None:
    values = unit_vectors(30)
    ids = space.add(values[:10])
    assert open_index(space.library, space.row).search(unit(values[3]), 1).ids.tolist() == [ids[3]]
    made(space)
    ids = space.add(values[10:])
    index = open_index(space.library, space.row)
    assert (index.rows, index.unmerged) == (10, 20)
    assert index.search(unit(values[3]), 1).ids[0] == ids[0] - 10 + 3
    assert index.search(unit(values[25]), 1).ids.tolist() == [ids[15]]


def test_a_space_without_vectors_can_be_opened_merged_and_rebuilt(space: SpaceRows) -> None:
    assert len(open_index(space.library, space.row)) == 0
    assert not merge_if_due(space.library, space.row)
    made(space)
    assert len(open_index(space.library, space.row).search(unit(np.ones(DIM)), 3)) == 0
    assert status_of(space).state is IndexState.CURRENT


@pytest.mark.parametrize(
    ("merged", "unmerged", "due"),
    [
        (0, 0, False), (0, 999, False), (0, 1_000, True), (20_000, 1_999, False), (20_000, 2_000, True),
        (10_000_000, 9_999, False), (10_000_000, 10_000, True),
    ],
)  # fmt: skip
def test_a_merge_is_due_in_proportion_to_what_is_merged(merged: int, unmerged: int, due: bool) -> None:
    assert is_due(merged, unmerged) == due


def test_merging_waits_until_it_is_due_and_then_keeps_every_vector(
    space: SpaceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintain, "DUE_LEAST", 10)
    values = unit_vectors(200)
    for start in range(0, 200, 8):
        space.add(values[start : start + 8])
        merge_if_due(space.library, space.row)
    index = open_index(space.library, space.row)
    assert len(index) == 200
    assert 0 <= index.unmerged < 20
    assert index.generation is not None
    assert len(index.generation.manifest.pieces) > 5
    index.generation.verify_vectors()
    expected = (values.astype(np.float64) @ values[17].astype(np.float64)).argsort()[::-1][:20]
    assert index.search(unit(values[17]), 20).ids.tolist() == space.ids()[expected].tolist()


def test_vectors_of_another_space_are_never_found(space: SpaceRows, tmp_path: Path) -> None:
    other = SpaceRows(space.library, tmp_path / "originals", "other")
    values = unit_vectors(40)
    for start in range(0, 40, 10):
        (space if start % 20 else other).add(values[start : start + 10])
    made(space)
    space.add(unit_vectors(3, seed=1))
    other.add(unit_vectors(4, seed=2))
    for one, expected in ((space, 23), (other, 24)):
        index = open_index(one.library, one.row)
        assert set(index.search(unit(values[0]), 100).ids) == set(one.ids())
        assert len(index) == expected


def test_stale_vectors_are_not_found_and_are_dropped_when_there_are_many(
    space: SpaceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintain, "DUE_LEAST", 10)
    values = unit_vectors(100)
    ids = space.add(values)
    made(space)
    space.remove(ids[:10].tolist())
    assert not merge_if_due(space.library, space.row)
    assert status_of(space).gone == 10
    assert set(open_index(space.library, space.row).search(unit(values[0]), 100).ids) == set(ids[10:])
    space.remove(ids[10:12].tolist())
    assert merge_if_due(space.library, space.row)
    assert (status_of(space).gone, status_of(space).merged) == (0, 88)


def test_a_replaced_vector_is_found_once_with_its_new_id(space: SpaceRows) -> None:
    from photoindex.store.vectors import vectors
    from photoindex.types import Vector

    values = unit_vectors(12)
    ids = space.add(values[:10])
    made(space)
    with space.library.database.write() as connection:
        connection.execute(update(vector).where(vector.c.id == ids[0]).values(frame=0))
        asset_id = connection.execute(text("SELECT asset_id FROM vector WHERE id = :id"), {"id": int(ids[0])}).scalar()
        vectors.put(connection, space.row.id, [(int(str(asset_id)), Vector(values[11]))])
    found = open_index(space.library, space.row).search(unit(values[11]), 20)
    assert len(found) == 10
    assert found.ids[0] == space.ids()[-1] > ids[-1]


def test_a_vector_of_another_frame_of_the_same_content_stays(space: SpaceRows) -> None:
    from photoindex.store.vectors import vectors
    from photoindex.types import Vector

    values = unit_vectors(4)
    space.add(values[:1])
    with space.library.database.write() as connection:
        asset_id = int(connection.execute(text("SELECT asset_id FROM vector")).scalar_one())
        for frame, value in ((1, values[1]), (0, values[2]), (1, values[3])):
            vectors.put(connection, space.row.id, [(asset_id, Vector(value, frame, float(frame)))])
        rows = connection.execute(text("SELECT frame, data FROM vector ORDER BY frame")).all()
    assert [tuple(row) for row in rows] == [(0, values[2].tobytes()), (1, values[3].tobytes())]


def damage_codes(folder: Path, generation: Path) -> None:
    (generation / "ids.i64").write_bytes(b"\x00" * 8)


def damage_pointer(folder: Path, generation: Path) -> None:
    (folder / "CURRENT").write_bytes((folder / "CURRENT").read_bytes()[:7])


def damage_vectors(folder: Path, generation: Path) -> None:
    os.truncate(generation / "vectors.f16", 100)


def lose_generation(folder: Path, generation: Path) -> None:
    shutil.rmtree(generation)


DAMAGES = [damage_codes, damage_pointer, damage_vectors, lose_generation]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_reported_and_rebuilt_when_opened(
    space: SpaceRows, damage: Callable[[Path, Path], None]
) -> None:
    values = unit_vectors(50)
    ids = space.add(values)
    made(space)
    damage(space.folder, space.folder / space.generation)
    assert status_of(space).state is IndexState.DAMAGED
    events: list[Event] = []
    index = open_index(space.library, space.row, events.append)
    (notice,) = notices(events)
    assert notice.startswith("the index of space 'clip' is damaged (")
    assert notice.endswith("rebuilding it from the database")
    assert index.rows == 50
    assert index.search(unit(values[9]), 1).ids.tolist() == [ids[9]]
    assert status_of(space, verify=True).state is IndexState.CURRENT
    events.clear()
    open_index(space.library, space.row, events.append)
    assert events == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_that_cannot_be_rebuilt_now_is_searched_in_the_database(
    space: SpaceRows, damage: Callable[[Path, Path], None]
) -> None:
    values = unit_vectors(50)
    ids = space.add(values)
    made(space)
    damage(space.folder, space.folder / space.generation)
    for repair in (True, False):
        events: list[Event] = []
        with exclusive(space.library.folder, "index rebuild", name=LOCK_NAME):
            index = open_index(space.library, space.row, events.append, repair=repair)
        assert "reading all its vectors from the database" in notices(events)[-1]
        assert (index.rows, index.unmerged) == (0, 50)
        assert index.search(unit(values[9]), 1).ids.tolist() == [ids[9]]


def test_a_damaged_index_on_a_full_disk_is_searched_in_the_database(
    space: SpaceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    space.add(unit_vectors(50))
    made(space)
    damage_pointer(space.folder, space.folder)
    monkeypatch.setattr(os, "fsync", full)
    events: list[Event] = []
    assert len(open_index(space.library, space.row, events.append)) == 50
    assert "the disk is full" in notices(events)[-1]


def test_vectors_lost_from_the_file_are_found_and_the_next_merge_rebuilds_the_index(space: SpaceRows) -> None:
    values = unit_vectors(50)
    ids = space.add(values)
    made(space)
    with (space.folder / space.generation / "vectors.f16").open("r+b") as file:
        index = open_index(space.library, space.row, (events := []).append)
        file.write(bytes(10 * DIM * 2))
    assert index.vectors(ids[:2]).tolist() == values[:2].tolist()
    assert index.scores(unit(values[1]), ids[1:2])[0] == pytest.approx(1, abs=1e-3)
    assert len(notices(events)) == 1
    assert "photoindex index rebuild" in notices(events)[0]
    assert status_of(space).state is IndexState.DAMAGED
    assert merge_if_due(space.library, space.row)
    assert status_of(space, verify=True).state is IndexState.CURRENT


def test_an_index_of_another_database_is_detected(space: SpaceRows) -> None:
    values = unit_vectors(50)
    ids = space.add(values)
    made(space)
    space.remove(ids.tolist())
    with space.library.database.write() as connection:
        # As in a snapshot from before these vectors, whose ids were then reused.
        connection.execute(text("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'vector'"))
    assert status_of(space).problem == "it is newer than the database"
    other = unit_vectors(60, seed=9)
    space.add(other)
    assert status_of(space).problem == "its vectors differ from the database"
    index = open_index(space.library, space.row)
    assert index.search(unit(other[3]), 1).ids.tolist() == [space.ids()[3]]
    assert index.rows == 60


def test_an_index_of_another_dimension_is_rebuilt(space: SpaceRows, tmp_path: Path) -> None:
    wider = SpaceRows(space.library, tmp_path / "originals", "wider", dim=2 * DIM)
    space.add(unit_vectors(20))
    ids = wider.add(unit_vectors(20, dim=2 * DIM))
    list(rebuild(space.library))
    shutil.rmtree(wider.folder)
    shutil.copytree(space.folder, wider.folder)
    events: list[Event] = []
    index = open_index(space.library, wider.row, events.append)
    assert f"it was made for vectors of dimension {DIM}, not {2 * DIM}" in notices(events)[0]
    assert index.generation is not None
    assert index.generation.ids.tolist() == ids.tolist()


def test_vectors_of_the_wrong_dimension_in_the_database_are_reported(space: SpaceRows) -> None:
    ids = space.add(unit_vectors(5))
    with space.library.database.write() as connection:
        connection.execute(update(vector).where(vector.c.id == int(ids[2])).values(data=b"short"))
    with pytest.raises(DatabaseFailed, match="dimension other than 32; drop it and embed again"):
        open_index(space.library, space.row)
    with pytest.raises(DatabaseFailed):
        list(rebuild(space.library))


def test_the_first_search_merges_many_vectors_left_by_a_killed_run(
    space: SpaceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintain, "OVERDUE", 30)
    space.add(unit_vectors(31))
    index = open_index(space.library, space.row)
    assert (index.rows, index.unmerged) == (31, 0)
    space.add(unit_vectors(31, seed=1))
    with exclusive(space.library.folder, "embed", name=LOCK_NAME):
        assert open_index(space.library, space.row).unmerged == 31
    assert open_index(space.library, space.row, repair=False).unmerged == 31


def test_of_a_missing_index_the_first_search_copies_the_vectors_and_a_merge_adds_the_codes(
    space: SpaceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintain, "OVERDUE", 30)
    for module in (generation, generation_writer):
        monkeypatch.setattr(module, "CODED_FROM_ROWS", 40)
    values = unit_vectors(200)
    ids = space.add(values)
    events: list[Event] = []
    index = open_index(space.library, space.row, events.append)
    assert notices(events) == [
        f"space '{space.row.name}' has no index yet: its 200 vectors are copied from the database, once"
    ]
    assert (index.rows, index.unmerged) == (200, 0)
    assert (status_of(space).state, status_of(space).coded) == (IndexState.MERGE_DUE, False)
    query, events = unit(values[17] + values[23]), []
    exact = index.search(query, 150)
    scores = values.astype(np.float16).astype(np.float32) @ query
    assert exact.ids.tolist() == [ids[place] for place in np.lexsort((ids, -scores))[:150]]
    again = open_index(space.library, space.row, events.append)
    assert (again.search(query, 150).ids.tolist(), notices(events)) == (exact.ids.tolist(), [])
    assert merge_if_due(space.library, space.row)
    assert (status_of(space).state, status_of(space).coded) == (IndexState.CURRENT, True)
    assert open_index(space.library, space.row).search(query, 20).ids.tolist() == exact.ids[:20].tolist()
    assert not merge_if_due(space.library, space.row)


def test_an_overdue_merge_that_fails_is_reported_and_the_search_continues(
    space: SpaceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(maintain, "OVERDUE", 30)
    monkeypatch.setattr(os, "fsync", full)
    values = unit_vectors(31)
    ids = space.add(values)
    events: list[Event] = []
    index = open_index(space.library, space.row, events.append)
    assert (index.rows, index.unmerged) == (0, 31)
    assert index.search(unit(values[9]), 1).ids.tolist() == [ids[9]]
    assert "the disk is full" in notices(events)[-1]


def test_two_merges_exclude_each_other_without_waiting(space: SpaceRows) -> None:
    space.add(unit_vectors(1_000))
    with exclusive(space.library.folder, "index optimize", name=LOCK_NAME):
        assert not merge_if_due(space.library, space.row)
        with pytest.raises(LibraryLocked, match="index optimize"):
            list(rebuild(space.library))
        assert len(open_index(space.library, space.row)) == 1_000
    assert merge_if_due(space.library, space.row)


def test_a_search_keeps_its_generation_while_newer_ones_replace_it(space: SpaceRows) -> None:
    values = unit_vectors(80)
    ids = space.add(values[:60])
    made(space)
    index = open_index(space.library, space.row)
    space.add(values[60:])
    made(space)
    made(space)
    assert not index.generation or not index.generation.folder.exists()
    found = index.search(unit(values[5]), 60)
    assert set(found.ids) == set(ids)


def test_optimizing_merges_drops_and_removes_leftovers_and_then_has_nothing_to_do(
    space: SpaceRows, tmp_path: Path
) -> None:
    ids = space.add(unit_vectors(40))
    made(space)
    space.remove(ids[:4].tolist())
    space.add(unit_vectors(7, seed=3))
    shutil.copytree(space.folder / space.generation, space.folder / ".new-77")
    (space.library.indices_folder / "99").mkdir()
    (space.library.indices_folder / "notes").mkdir()
    (first,) = optimize(space.library)
    assert (first.vectors, first.joined, first.dropped, first.changed) == (43, 7, 4, True)
    assert first.freed_bytes > 0
    assert sorted(path.name for path in space.folder.iterdir()) == ["CURRENT", space.generation]
    assert sorted(path.name for path in space.library.indices_folder.iterdir()) == [str(space.row.id), "notes"]
    generation = space.generation
    (second,) = optimize(space.library)
    assert not second.changed
    assert space.generation == generation


def test_the_status_counts_merged_unmerged_and_stale_vectors(space: SpaceRows) -> None:
    assert status_of(space).state is IndexState.NONE
    ids = space.add(unit_vectors(1_200))
    made(space)
    space.remove(ids[:5].tolist())
    space.add(unit_vectors(1_000, seed=3))
    found = status_of(space)
    assert (found.vectors, found.merged, found.unmerged, found.gone) == (2_195, 1_200, 1_000, 5)
    assert (found.state, found.generation, found.coded) == (IndexState.MERGE_DUE, "gen-000001", False)
    assert found.size_bytes > 1_200 * DIM * 2
    assert not found.verified


def test_verifying_finds_one_changed_bit_and_the_next_search_rebuilds_the_index(space: SpaceRows) -> None:
    values = unit_vectors(100)
    space.add(values)
    made(space)
    path = space.folder / space.generation / "vectors.f16"
    content = bytearray(path.read_bytes())
    content[4_000] ^= 4
    path.write_bytes(content)
    found = status_of(space, verify=True)
    assert (found.state, found.verified) == (IndexState.DAMAGED, True)
    assert "vectors.f16 has a wrong checksum" in str(found.problem)
    open_index(space.library, space.row)
    assert status_of(space, verify=True).state is IndexState.CURRENT


def test_unknown_spaces_are_named(space: SpaceRows) -> None:
    for ask in (rebuild, optimize, index_status):
        with pytest.raises(NothingFound, match="'nowhere'"):
            list(ask(space.library, ["nowhere"]))


def test_progress_reports_how_many_vectors_are_read(space: SpaceRows) -> None:
    space.add(unit_vectors(120))
    events: list[Event] = []
    list(rebuild(space.library, emit=events.append))
    assert [one.total for one in events if isinstance(one, PhaseStarted)] == [120]
    assert [one.done for one in events if isinstance(one, PhaseFinished)] == [120]
