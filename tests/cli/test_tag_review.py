"""`photoindex tag accept|reject|review|apply` as commands, and the page in a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from photoindex.store.tasks import queue
from photoindex.store.words.labels import LabelWriter
from photoindex.types import Label
from tests import browser
from tests.browser import Browser
from tests.command_line import CommandResult, run
from tests.harness import LibraryRunner
from tests.originals import write_photo


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """Four photos with previews, each with the labels animals/dog and garden."""
    for number in range(4):
        write_photo(tmp_path / "photos" / f"IMG_{number}.jpg", number)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    with runner.open() as library, library.database.write() as connection:
        variant_id = queue.ensure_variant(connection, "tags", {"model": "made-up"})
        labels = (Label("animals/dog", 0.9, 0.1), Label("garden", 0.8, 0.1))
        LabelWriter("tags", variant_id, 0.7).put(connection, dict.fromkeys(range(1, 5), labels))
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    return runner


def tag(capture: pytest.CaptureFixture[bytes], *words: str | Path) -> CommandResult:
    return run(capture, "tag", *words)


def found(capture: pytest.CaptureFixture[bytes], query: str) -> int:
    return len(run(capture, "search", query).out.splitlines())


def test_tags_are_accepted_and_rejected_for_a_query(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = tag(capsysbinary, "reject", "animals/dog", "id:1..2")
    assert (ran.code, ran.out) == (0, b"animals/dog rejected in 2 photos; take it back with: photoindex undo 1\n")
    assert found(capsysbinary, "tag:dog") == 2
    (accepted,) = tag(capsysbinary, "accept", "animals/dog", "--json", "id:3").json
    assert accepted["photos"] == 1
    assert tag(capsysbinary, "accept", "cat", "id:3").code == 11
    assert run(capsysbinary, "undo", "1").code == 0
    assert found(capsysbinary, "tag:dog") == 4


def test_a_confidence_that_was_not_measured_is_marked_wherever_one_label_is_shown(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with runner.open() as library, library.database.write() as connection:
        variant_id = queue.ensure_variant(connection, "tags", {"model": "made-up"})
        labels = (Label("animals/dog", 0.9, 0.1, calibrated=True), Label("garden", 0.8, 0.1))
        LabelWriter("tags", variant_id, 0.7).put(connection, {1: labels})
    tag(capsysbinary, "add", "sea", "1")
    (shown,) = run(capsysbinary, "show", "1", "--json").json
    assert {one["tag"]: one["calibrated"] for one in shown["tags"]} == {
        "animals/dog": True, "garden": False, "sea": None,
    }  # fmt: skip
    lines = run(capsysbinary, "show", "1").out.decode().splitlines()
    assert {name: "uncalibrated" in line for line in lines for name in ("dog", "garden", "sea") if name in line} == {
        "dog": False, "garden": True, "sea": False,
    }  # fmt: skip
    of_photo = "SELECT tag, is_calibrated FROM v_tag WHERE photo_id = 1 ORDER BY tag"
    rows = json.loads(run(capsysbinary, "sql", of_photo, "--json").out)
    assert [tuple(row.values()) for row in rows] == [("animals/dog", 1), ("garden", 0), ("sea", None)]
    page = tmp_path / "tags.html"
    tag(capsysbinary, "review", "-o", page)
    dogs, gardens = page.read_text().split('data-tag="garden"')
    assert (dogs.count("90 %, uncalibrated"), dogs.count("percentages uncalibrated")) == (3, 0)
    assert (gardens.count("80 %, uncalibrated"), gardens.count("percentages uncalibrated")) == (0, 1)
    assert gardens.count("80 percent uncalibrated: open") == 4


def test_a_file_of_answers_is_applied_or_refused_as_a_whole(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    answers = tmp_path / "answers.jsonl"
    line = {"schema": 1, "do": "reject", "tag": "garden", "photos": [1, 2]}
    answers.write_text(json.dumps(line) + "\n" + json.dumps(line | {"photos": [9]}))
    ran = tag(capsysbinary, "apply", answers)
    assert (ran.code, ran.err.decode().splitlines()[-1]) == (2, "  line 2: there is no photo 9")
    answers.write_text(json.dumps(line))
    assert (
        b"would apply: 0 tags accepted and 2 rejected in 2 photos"
        in tag(capsysbinary, "apply", "--dry-run", answers).out
    )
    assert tag(capsysbinary, "apply", answers).code == 0
    assert found(capsysbinary, "tag:garden") == 2
    assert tag(capsysbinary, "apply", answers).out == b"nothing to change\n"
    assert tag(capsysbinary, "apply", tmp_path / "none.jsonl").code == 2


@pytest.mark.skipif(browser.program() is None, reason="no Chromium is installed: apt-get install chromium")
def test_the_page_is_driven_by_keyboard_and_its_answers_are_applied(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = tmp_path / "tags.html"
    ran = tag(capsysbinary, "review", "-o", page)
    assert ran.code == 0
    assert b"a page of 2 tags with 8 pictures" in ran.err
    with Browser(tmp_path / "browser") as chromium:
        chromium.downloads_to(tmp_path / "downloads")
        chromium.open(page)
        assert counted(chromium) == "0 fit, 0 do not, 8 open"
        chromium.press("y", "n", "n", "u")
        assert counted(chromium) == "1 fit, 1 do not, 6 open"
        chromium.press("j", "N")
        assert counted(chromium) == "1 fit, 5 do not, 2 open"
        chromium.open(page)
        assert counted(chromium) == "1 fit, 5 do not, 2 open"
        chromium.resize(390, 844, phone=True)
        assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
        chromium.press("s")
        file = tmp_path / "downloads" / "tag-answers.jsonl"
        chromium.until(file.exists, "the answers are saved")
        assert chromium.problems == []
        assert [url for url in chromium.requests if not url.startswith(("data:", "file:", "blob:"))] == []
    ran = tag(capsysbinary, "apply", file)
    assert b"1 tags accepted and 5 rejected in 4 photos" in ran.out, ran.err
    assert found(capsysbinary, "tag:garden") + found(capsysbinary, "tag:dog") == 3


def counted(chromium: Browser) -> str:
    return str(chromium.run("document.getElementById('count').textContent"))
