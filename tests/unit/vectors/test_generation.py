"""Generations of an index on disk: atomic writes and detection of damage."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.vectors import generation_writer
from photoindex.vectors.base import Block, IndexDamaged
from photoindex.vectors.generation import Generation, open_generation
from photoindex.vectors.generation_writer import append, remove_leftovers, write
from tests.vectors import DIM, in_blocks, unit, unit_vectors

COUNT = 300


@pytest.fixture
def ids() -> NDArray[np.int64]:
    return np.arange(COUNT, dtype=np.int64) + 11


@pytest.fixture
def values() -> NDArray[np.float16]:
    return unit_vectors(COUNT)


@pytest.fixture(params=["flat", "coded"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the index is large enough for codes."""
    if request.param == "coded":
        monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 1)
    return str(request.param)


def opened(folder: Path) -> Generation:
    found = open_generation(folder, DIM)
    assert found is not None
    return found


def test_what_was_written_is_read_back(
    tmp_path: Path, kind: str, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    made = write(tmp_path, in_blocks(ids, values, 70), DIM)
    found = opened(tmp_path)
    assert found.folder == made == tmp_path / "gen-000001"
    assert (found.ids == ids).all()
    assert (found.flat.block(0, COUNT) == values).all()
    assert (found.codes is not None) == (kind == "coded")
    assert found.manifest.largest_id == ids[-1]
    found.verify_vectors()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "gen-000001"]


def test_an_empty_folder_has_no_generation(tmp_path: Path) -> None:
    assert open_generation(tmp_path / "1", DIM) is None
    assert open_generation(tmp_path, DIM) is None


def test_an_index_without_vectors_has_an_empty_generation(tmp_path: Path) -> None:
    write(tmp_path, [], DIM)
    assert len(opened(tmp_path)) == 0
    append(tmp_path, opened(tmp_path), [(np.array([4]), unit_vectors(1))])
    assert opened(tmp_path).ids.tolist() == [4]


def test_the_sample_is_reproducible(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_writer, "SAMPLE_ROWS", 40)
    samples = []
    for name in ("a", "b"):
        write(tmp_path / name, in_blocks(ids, values), DIM)
        samples.append(opened(tmp_path / name).sample)
    assert samples[0].shape == (40, DIM)
    assert (samples[0] == samples[1]).all()
    assert {row.tobytes() for row in samples[0]} <= {row.tobytes() for row in values}


def test_appending_shares_the_vectors_without_affecting_readers_of_the_old_generation(
    tmp_path: Path, kind: str, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    write(tmp_path, in_blocks(ids[:200], values[:200]), DIM)
    old = opened(tmp_path)
    inode = old.flat.path.stat().st_ino
    append(tmp_path, old, in_blocks(ids[200:299], values[200:299], 50))
    append(tmp_path, opened(tmp_path), in_blocks(ids[299:], values[299:], 50))
    new = opened(tmp_path)
    assert new.flat.path.stat().st_ino == inode
    assert (new.ids == ids).all()
    assert (new.flat.block(0, COUNT) == values).all()
    assert [piece.rows for piece in new.manifest.pieces] == [200, 99, 1]
    new.verify_vectors()
    old.verify_vectors()
    assert len(old) == 200
    assert (old.flat.block(0, 200) == values[:200]).all()
    if kind == "coded":
        assert new.codes is not None
        assert len(new.codes) == COUNT
        query = unit(values[250])
        assert 250 in new.codes.candidates(query, 5)


def test_codes_are_retrained_when_the_vectors_have_doubled(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 1)
    write(tmp_path, in_blocks(ids[:100], values[:100]), DIM)
    append(tmp_path, opened(tmp_path), in_blocks(ids[100:150], values[100:150]))
    assert opened(tmp_path).manifest.coded_from == 100
    append(tmp_path, opened(tmp_path), in_blocks(ids[150:], values[150:]))
    assert opened(tmp_path).manifest.coded_from == COUNT


def test_an_index_that_grows_beyond_the_limit_gets_codes(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 250)
    write(tmp_path, in_blocks(ids[:200], values[:200]), DIM)
    assert opened(tmp_path).codes is None
    append(tmp_path, opened(tmp_path), in_blocks(ids[200:], values[200:]))
    codes = opened(tmp_path).codes
    assert codes is not None
    assert len(codes) == COUNT


def test_without_hard_links_the_vectors_are_copied(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    write(tmp_path, in_blocks(ids[:200], values[:200]), DIM)
    monkeypatch.setattr(os, "link", refuse)
    append(tmp_path, opened(tmp_path), in_blocks(ids[200:], values[200:]))
    assert (opened(tmp_path).flat.block(0, COUNT) == values).all()


def test_leftovers_of_a_killed_merge_after_the_vectors_are_truncated(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    write(tmp_path, in_blocks(ids[:200], values[:200]), DIM)
    with opened(tmp_path).flat.path.open("ab") as file:
        file.write(b"\xff" * 1_001)
    opened(tmp_path).verify_vectors()
    append(tmp_path, opened(tmp_path), in_blocks(ids[200:], values[200:]))
    found = opened(tmp_path)
    found.verify_vectors()
    assert (found.flat.block(0, COUNT) == values).all()
    assert found.flat.path.stat().st_size == values.nbytes


def test_leftovers_of_killed_writes_are_removed_and_the_current_generation_is_kept(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    made = write(tmp_path, in_blocks(ids, values), DIM)
    for name in ("gen-000007", ".new-4242"):
        shutil.copytree(made, tmp_path / name)
    (tmp_path / ".new-CURRENT").write_bytes(b"gen-0")
    (tmp_path / "notes.txt").write_bytes(b"of somebody else")
    assert remove_leftovers(tmp_path, made.name) > values.nbytes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", made.name, "notes.txt"]
    opened(tmp_path).verify_vectors()
    assert remove_leftovers(tmp_path / "nowhere", None) == 0


def test_a_generation_that_never_became_current_does_not_block_the_next_name(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    made = write(tmp_path, in_blocks(ids, values), DIM)
    shutil.copytree(made, tmp_path / "gen-000002")
    assert write(tmp_path, in_blocks(ids, values), DIM).name == "gen-000003"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "gen-000003"]


def test_a_write_that_fails_changes_nothing(
    tmp_path: Path, kind: str, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    def failing() -> Iterator[Block]:
        yield ids[200:250], values[200:250]
        raise OSError(28, "No space left on device")

    write(tmp_path, in_blocks(ids[:200], values[:200]), DIM)
    for again in range(2):
        with pytest.raises(OSError, match="No space"):
            write(tmp_path, failing(), DIM) if again else append(tmp_path, opened(tmp_path), failing())
        assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "gen-000001"]
        assert (opened(tmp_path).ids == ids[:200]).all()
        opened(tmp_path).verify_vectors()


def test_ids_that_are_not_ascending_and_vectors_of_another_dimension_are_refused(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    for blocks in ([(ids[::-1], values)], [(ids, values), (ids, values)]):
        with pytest.raises(ValueError, match="ascend"):
            write(tmp_path, blocks, DIM)
    with pytest.raises(ValueError, match="shape"):
        write(tmp_path, [(ids, values[:, :-1])], DIM)


def test_a_reader_overtaken_by_a_merge_opens_the_newer_generation(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    from photoindex.vectors import generation

    write(tmp_path, in_blocks(ids[:200], values[:200]), DIM)
    real = generation.read_manifest
    overtaken = []

    def slow(folder: Path, current: object) -> object:
        if not overtaken:
            overtaken.append(True)
            write(tmp_path, in_blocks(ids, values), DIM)
        return real(folder, current)  # type: ignore[arg-type]

    monkeypatch.setattr(generation, "read_manifest", slow)
    assert len(opened(tmp_path)) == COUNT


FILES = ("codes.faiss", "ids.i64", "sample.f16", "manifest.json")


@pytest.mark.parametrize("name", [*FILES, "vectors.f16", "CURRENT"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "removed", "is a folder"])
def test_an_incomplete_file_is_detected(
    tmp_path: Path,
    ids: NDArray[np.int64],
    values: NDArray[np.float16],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    damage: str,
) -> None:
    monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 1)
    made = write(tmp_path, in_blocks(ids, values), DIM)
    path = tmp_path / name if name == "CURRENT" else made / name
    content = path.read_bytes()
    path.unlink()
    if damage == "is a folder":
        path.mkdir()
    elif damage != "removed":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    if (name, damage) == ("CURRENT", "removed"):
        assert open_generation(tmp_path, DIM) is None
        return
    with pytest.raises(IndexDamaged, match=name.partition(".")[0]):
        open_generation(tmp_path, DIM)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_bit_in_a_small_file_is_detected(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(generation_writer, "CODED_FROM_ROWS", 1)
    path = write(tmp_path, in_blocks(ids, values), DIM) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IndexDamaged, match="wrong checksum"):
        open_generation(tmp_path, DIM)


def test_one_changed_bit_in_the_vectors_is_found_by_verifying(
    tmp_path: Path, kind: str, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    path = write(tmp_path, in_blocks(ids, values), DIM) / "vectors.f16"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"vectors\.f16 has a wrong checksum"):
        opened(tmp_path).verify_vectors()


def test_files_of_another_dimension_are_refused(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    write(tmp_path, in_blocks(ids, values), DIM)
    with pytest.raises(IndexDamaged, match=f"vectors of dimension {DIM}, not 512"):
        open_generation(tmp_path, 512)


@pytest.mark.parametrize(
    "content", [b"", b"gen-000001", b"../gen-000001 " + b"0" * 64, b"gen-000001 " + b"0" * 64, b"\xff\xfe gen", b"{}"]
)
def test_a_current_file_that_is_incomplete_or_points_elsewhere_is_refused(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16], content: bytes
) -> None:
    write(tmp_path, in_blocks(ids, values), DIM)
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(IndexDamaged):
        open_generation(tmp_path, DIM)


def test_a_manifest_of_another_format_is_refused(
    tmp_path: Path, ids: NDArray[np.int64], values: NDArray[np.float16]
) -> None:
    from photoindex.vectors.manifest import GenerationManifest

    made = write(tmp_path, in_blocks(ids, values), DIM)
    value = json.loads((made / "manifest.json").read_bytes())
    for change in ({"format": 2}, {"rows": 1}, {"dim": None, "more": 1}):
        with pytest.raises(IndexDamaged):
            GenerationManifest.from_bytes(json.dumps(value | change).encode())
    with pytest.raises(IndexDamaged):
        GenerationManifest.from_bytes(b"[1]")
