"""`ocr`: text in previews and originals, in the database and in full-text search."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from photoindex.errors import ModelUnavailable
from photoindex.library.maintenance.redo import redo
from photoindex.library.maintenance.status import status
from photoindex.library.maintenance.tasks import commands_for_waiting
from photoindex.library.night.plan import plan
from photoindex.library.night.run import RunRequest, chosen_steps, run
from photoindex.library.photos.show import Shown, show
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.words.ocr import OcrRequest, OcrSummary, ocr
from photoindex.library.words.text_shown import as_json, first_lines
from photoindex.models.ocr import rapidocr_models
from photoindex.pipeline import larger_picture
from tests.harness import LibraryRunner
from tests.tiny_ocr import install_tiny_ocr, write_lines
from tests.unit.library.night.test_services_at_night import QuietComputer

TEXTS = "SELECT text FROM asset_text WHERE kind = 'ocr' ORDER BY asset_id"
SIZE = (4096, 3072)
"""A preview is a quarter of it."""


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scanned library of three photos: with a ticket, with letters too small for the preview beside large ones, without text."""
    folder = tmp_path_factory.mktemp("scanned")
    photos = folder / "photos"
    write_lines(photos / "ticket.jpg", {(100, 100, 24): "BAD", (400, 103, 24): "FACE", (100, 400, 40): "DEAF"})
    write_lines(photos / "sky.jpg", {})
    # The page comes last, because pictures are read in the order of their numbers.
    LibraryRunner(folder / "library").scan(photos)
    write_lines(photos / "page.jpg", {(400, 400, 120): "ABBA", (400, 900, 9): "FEED"}, size_px=SIZE)
    LibraryRunner(folder / "library").scan(photos)
    return folder


@pytest.fixture
def runner(scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """A copy of the library, and the tiny networks; the photos stay where they are."""
    shutil.copytree(scanned / "library", tmp_path / "library")
    install_tiny_ocr(tmp_path / "packages", monkeypatch)
    return LibraryRunner(tmp_path / "library")


def read(runner: LibraryRunner, stop: Callable[[], bool] = lambda: False, **request: Any) -> OcrSummary:
    with LibraryRunner(runner.folder, settings={"ocr.batch_size": 2, "ocr.device": "cpu"}).open() as library:
        return ocr(library, OcrRequest(**request), runner.events.append, stop)


def found(runner: LibraryRunner, *query: str) -> list[int]:
    with runner.open() as library:
        return list(matching_photo_ids(library, query))


def test_text_is_read_in_reading_order_and_found_by_words_and_by_the_field(runner: LibraryRunner) -> None:
    summary = read(runner)
    assert (summary.previews, summary.with_text, summary.originals, summary.pending) == (3, 2, 1, 0)
    assert sorted(text for (text,) in runner.rows(TEXTS)) == ["ABBA\nFEED", "BAD\nFACE\nDEAF"]
    assert len(found(runner, 'ocr:"bad face"')) == len(found(runner, "deaf")) == len(found(runner, "ocr:fee*")) == 1
    assert not found(runner, "ocr:ticket")
    assert not found(runner, 'ocr:"face bad"')
    lines = json.loads(runner.rows("SELECT lines FROM asset_text WHERE text LIKE 'BAD%'")[0][0])
    assert [line["text"] for line in lines] == ["BAD", "FACE", "DEAF"]
    (left, top), _, (right, bottom), _ = lines[0]["corners"]
    assert (left * 1024, top * 768, right * 1024, bottom * 768) == pytest.approx((85, 85, 283, 139), abs=8)


def test_show_lists_the_first_lines_and_in_json_all_with_their_places(runner: LibraryRunner) -> None:
    read(runner)
    with runner.open() as library:
        (shown,) = show(library, [str(found(runner, "ocr:feed")[0]).encode()])
    assert isinstance(shown, Shown)
    assert first_lines(shown.ocr) == [("rapidocr", "ABBA"), ("rapidocr", "FEED")]
    (value,) = as_json(shown.ocr)
    assert (value["picture"], value["text"], value["cut"]) == ("original", "ABBA\nFEED", False)
    long = replace(shown.ocr[0], text="\n".join("x" * 14_285 for _ in range(7)))
    assert [line for _, line in first_lines([long])][5:] == [
        "… and 2 more lines", "cut: only the first 100,000 characters are kept"
    ]  # fmt: skip


def test_originals_are_read_only_where_the_preview_shows_text_and_only_once(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(runner, previews_only=True)
    assert (first.previews, first.originals, first.originals_left) == (3, 0, 1)
    assert ("ABBA",) in runner.rows(TEXTS)
    assert read(runner, dry_run=True).originals_left == 1
    assert (read(runner).originals, read(runner).originals) == (1, 0)
    monkeypatch.setattr(larger_picture, "read_larger", None)
    again = read(runner)
    assert (again.previews, again.batches, again.pending, again.originals_left) == (0, 0, 0, 0)
    assert len(runner.rows(TEXTS)) == 2


def test_a_photo_whose_volume_is_away_keeps_what_the_preview_gave_and_is_done_later(runner: LibraryRunner) -> None:
    identity = runner.rows("SELECT identity, label FROM volume")[0]
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET identity = 'nfs:server:/nas', label = 'NAS'")
    summary = read(runner)
    assert (dict(summary.offline), summary.originals, summary.pending) == ({"NAS": 1}, 0, 0)
    assert len(found(runner, "ocr:abba")) == 1
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET identity = ?, label = ?", tuple(identity))
    assert (read(runner).originals, len(found(runner, "ocr:feed"))) == (1, 1)


def test_a_limit_and_a_stop_leave_the_rest_for_the_next_run(runner: LibraryRunner) -> None:
    assert read(runner, dry_run=True).pending == 3
    assert (read(runner, limit=2).pending, read(runner, stop=lambda: True).stopped) == (1, True)
    with runner.open() as library:
        assert commands_for_waiting(library, ["ocr"]) == "photoindex ocr"
        assert ("photoindex ocr", "1 picture was not read for text") in [
            (step.command, step.why) for step in status(library).next_steps
        ]
    rest = read(runner)
    assert (rest.previews, rest.pending, len(runner.rows(TEXTS))) == (1, 0, 2)


def test_redo_reads_again_and_keeps_one_text_a_photo(runner: LibraryRunner) -> None:
    read(runner)
    before = runner.rows(TEXTS)
    with runner.open() as library:
        assert redo(library, "ocr", ["name:page.jpg"]) == 2
    again = read(runner)
    assert (again.previews, again.originals, runner.rows(TEXTS)) == (1, 1, before)


def test_what_other_models_of_the_package_read_takes_the_place_of_the_earlier_text(runner: LibraryRunner) -> None:
    read(runner)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE variant SET key = replace(key, 'weights\":\"', 'weights\":\"0')")
        connection.exec_driver_sql("UPDATE asset_text SET text = 'earlier'")
    assert read(runner).previews == 3
    assert ("earlier",) not in runner.rows(TEXTS)
    assert len(runner.rows(TEXTS)) == 2
    assert runner.rows("SELECT count(*) FROM task WHERE stage = 'ocr'") == [(4,)]


def test_without_the_package_nothing_is_planned_and_the_message_names_the_extra(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rapidocr_models, "find_spec", lambda _name: None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'photoindex\[ocr\]'"):
        read(runner)
    with runner.open() as library:
        assert not status(library).for_ocr
    assert not runner.rows("SELECT id FROM task WHERE stage = 'ocr'")


def test_a_run_counts_the_originals_that_are_still_to_be_read(runner: LibraryRunner) -> None:
    """Previews alone are done here: a plan names the original, and a window that closes before it leaves one."""
    read(runner, previews_only=True)
    with LibraryRunner(runner.folder, settings={"ocr.device": "cpu"}).open() as library:
        planned = plan(library, chosen_steps(("ocr",), scan=False), window_seconds=None, limit=None)
        assert [(one.name, one.left) for one in planned.steps] == [("ocr", 1)]
        ended = run(
            library, RunRequest(stages=("ocr",), window_seconds=0.0, watcher=QuietComputer), runner.events.append
        )
        assert (ended.outcome, ended.left) == ("window", 1)
