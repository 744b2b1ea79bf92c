"""`photoindex metrics`, and what searches, commits and merges record for it."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from photoindex.store.night import throughput
from photoindex.store.night.throughput import Piece
from tests.command_line import run
from tests.harness import LibraryRunner
from tests.originals import write_photos

SEARCHES = "SELECT count(*) FROM measurement WHERE kind = 'search'"


@pytest.fixture
def runner(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """Three scanned photos and one that is cut; the library is that of the environment."""
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    write_photos(tmp_path / "photos", 3)
    (tmp_path / "photos" / "cut.jpg").write_bytes((tmp_path / "photos" / "0" / "IMG_0000.jpg").read_bytes()[:900])
    runner = LibraryRunner(library_folder)
    runner.scan(tmp_path / "photos")
    return runner


def values(ran_json: list[Any], name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a metric by their labels' values."""
    (found,) = ran_json
    (metric,) = [one for one in found["metrics"] if one["name"] == f"photoindex_{name}"]
    return {tuple(sample["labels"].values()): sample["value"] for sample in metric["samples"]}


@contextmanager
def locked(library: Path) -> Iterator[None]:
    """Hold the write lock of the database, as another command does."""
    with closing(sqlite3.connect(library / "photoindex.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_the_figures_are_those_of_the_library(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM throughput")
        throughput.record(connection, Piece("ingest", 100, 50.0, retried=4))
        throughput.record(connection, Piece("embed", 100, 10.0, infer_seconds=7.5, device="cuda:0 (float16, torch)"))
        connection.exec_driver_sql(
            "INSERT INTO ledger (provider, feature, stage, month, units, micros, state, owner, at) VALUES "
            "('vision', 'LABEL', 'tags', '2026-11', 3, 1500000, 'spent', 'a', 0), "
            "('vision', 'LABEL', 'tags', '2026-11', 1, 500000, 'reserved', 'a', 0)"
        )
    found = run(capsysbinary, "metrics", "--json").json
    assert values(found, "contents") == {(): 4}
    assert values(found, "files")[("present",)] == 4
    assert values(found, "ingest_files_per_second") == {(): 2.0}
    assert values(found, "stage_tasks_per_second") == {("embed",): 10.0, ("ingest",): 2.0}
    assert values(found, "queue_tasks")[("ingest", "quarantined")] == 1
    assert list(values(found, "failed_tasks").values()) == [1]
    assert values(found, "retry_ratio")[("ingest",)] == 0.04
    assert values(found, "gpu_seconds") == {(): 7.5}
    assert values(found, "money") == {("vision", "2026-11"): 2.0}
    latency = values(found, "task_seconds")
    assert 0 < latency["ingest", "0.5"] <= latency["ingest", "0.95"]
    assert 0 < values(found, "write_seconds")[("0.95",)] < 30, "the scan's own commits"
    assert values(found, "originals_proved") == {(): 0}


def test_the_text_is_valid_for_both_formats_and_says_the_same(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(capsysbinary, "search", "img")
    ran = run(capsysbinary, "metrics")
    assert ran.code == 0
    found = {family.name: family for family in openmetrics(ran.out.decode())}
    assert {family.type for family in found.values()} == {"gauge"}
    assert [sample.value for sample in found["photoindex_contents"].samples] == [4.0]
    assert {sample.labels["quantile"] for sample in found["photoindex_search_seconds"].samples} == {"0.5", "0.95"}
    assert run(capsysbinary, "metrics", "--textfile", tmp_path / "photoindex.prom").out == b""
    written = {family.name for family in plain_text((tmp_path / "photoindex.prom").read_text())}
    assert written == set(found)
    assert list(tmp_path.glob(".*")) == []


def test_a_textfile_is_never_written_among_the_originals(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(capsysbinary, "metrics", "--textfile", tmp_path / "photos" / "a.prom").code == 2
    assert run(capsysbinary, "metrics", "--textfile", tmp_path / "a.prom", "--json").code == 2


def test_without_the_package_text_names_the_extra_and_json_works(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("prometheus_client")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    ran = run(capsysbinary, "metrics")
    assert ran.code == 2
    assert b"run: pip install 'photoindex[metrics]'" in ran.err
    assert run(capsysbinary, "metrics", "--json").code == 0


def test_a_search_records_how_long_it_took_and_other_answers_do_not(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for words in (["img"], ["img", "--json"], ["nothing"]):
        assert run(capsysbinary, "search", *words).code == 0
    for words in (["img", "--count"], ["img", "--explain"]):
        assert run(capsysbinary, "search", *words).code == 0
    assert runner.value(SEARCHES) == 3
    assert runner.value("SELECT count(*) FROM measurement WHERE kind = 'search' AND seconds BETWEEN 0 AND 60") == 3


def test_a_search_waits_for_nobody_who_writes(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(capsysbinary, "search", "img")
    with locked(runner.folder):
        ran = run(capsysbinary, "search", "img")
    assert (ran.code, ran.out.count(b"\n"), ran.err) == (0, 3, run(capsysbinary, "search", "img").err)
    assert runner.value(SEARCHES) == 2


def test_a_search_in_a_library_that_cannot_be_written_records_nothing(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("photoindex.store.engine.errors.why_unwritable", lambda _folder: "the disk is full")
        ran = run(capsysbinary, "search", "img")
    assert (ran.code, ran.out.count(b"\n")) == (0, 3)
    assert runner.value(SEARCHES) == 0


def test_a_merge_of_the_index_is_measured(runner: LibraryRunner, tmp_path: Path) -> None:
    from photoindex.library.index.maintain import merge_if_due
    from tests.spaces import SpaceRows
    from tests.vectors import unit_vectors

    with runner.open() as library:
        space = SpaceRows(library, tmp_path / "originals")
        space.add(unit_vectors(10))
        assert not merge_if_due(library, space.row)
        assert runner.value("SELECT count(*) FROM measurement WHERE kind = 'index'") == 0
        space.add(unit_vectors(1000, seed=2))
        assert merge_if_due(library, space.row)
    assert runner.value("SELECT count(*) FROM measurement WHERE kind = 'index'") == 1
