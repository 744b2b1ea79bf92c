"""`photoindex bursts` as a command, and its page in a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import browser
from tests.browser import Browser
from tests.burst_pictures import BLURRED, SHAKEN, SHARP, write_burst
from tests.command_line import CommandResult, run, run_on_terminal
from tests.harness import LibraryRunner


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def runner(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """Two bursts of three frames; the newest one comes first, and its second frame is the best."""
    write_burst(photos, [BLURRED, SHARP, SHAKEN], seed=1, minute=2)
    write_burst(photos, [SHARP, BLURRED, BLURRED], seed=2, minute=1)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(photos)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    return runner


def bursts(capture: pytest.CaptureFixture[bytes], *words: str | Path) -> CommandResult:
    return run(capture, "bursts", *words)


def found(capture: pytest.CaptureFixture[bytes], query: str) -> list[str]:
    return sorted(Path(one).name for one in run(capture, "search", query).out.decode().splitlines())


def test_bursts_are_listed_with_a_proposal_in_every_form(
    runner: LibraryRunner, photos: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = bursts(capsysbinary)
    assert ran.out.decode().splitlines() == [
        f"{number}\t{choice}\t{photos / name}"
        for number, choice, name in (
            (1, "other", "IMG_0200.jpg"), (1, "best", "IMG_0201.jpg"), (1, "other", "IMG_0202.jpg"),
            (2, "best", "IMG_0100.jpg"), (2, "other", "IMG_0101.jpg"), (2, "other", "IMG_0102.jpg"),
        )
    ]  # fmt: skip
    assert b"2 bursts with 6 frames; 6 frames compared, by fixed weights" in ran.err
    assert bursts(capsysbinary, "-0").out == ran.out.replace(b"\n", b"\0")
    (one,) = bursts(capsysbinary, "--json", "-n", "1").json
    assert (one["schema"], one["burst"], one["series"], one["decided"], one["seconds"]) == (1, 1, "burst", False, 0.4)
    assert one["best"] == [frame["photo"] for frame in one["frames"] if frame["choice"] == "best"]
    assert [frame["reason"] for frame in one["frames"]][1] == "sharper than 2 of 2"
    lines = bursts(capsysbinary, "--csv").out.decode().splitlines()
    assert lines[0] == "burst,choice,path,reason,key,series,photo,taken_at,scene,score,state"
    assert len(lines) == 7
    shown = run_on_terminal("bursts", columns=160).out.decode()
    assert "best sharpness" in shown
    assert "Why" in shown


def test_a_query_chooses_bursts_also_one_that_begins_with_a_dash_or_is_a_command(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert len(bursts(capsysbinary, "name:IMG_0101").out.splitlines()) == 3
    assert len(bursts(capsysbinary, "-name:IMG_02*").out.splitlines()) == 3
    nothing = bursts(capsysbinary, "list", "review")
    assert (nothing.code, nothing.out) == (0, b"")
    assert b"no burst was found" in nothing.err
    assert bursts(capsysbinary, "--nonsense").code == 2
    assert b"there is no option --limitt" in bursts(capsysbinary, "--limitt", "3").err
    assert bursts(capsysbinary, "--help").code == 0


def test_answers_are_applied_and_taken_back(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (one,) = bursts(capsysbinary, "--json", "-n", "1").json
    first, second, third = (frame["photo"] for frame in one["frames"])
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"schema": 1, "best": [third], "other": [first, second]}))
    ran = bursts(capsysbinary, "apply", "--dry-run", answers)
    assert ran.out == b"would apply: 1 photo chosen as best of their bursts, 2 not; nothing was changed\n"
    ran = bursts(capsysbinary, "apply", answers)
    assert ran.out.endswith(b"2 not; take it back with: photoindex undo 1\n")
    assert found(capsysbinary, "tag:burst/best") == ["IMG_0202.jpg"]
    assert found(capsysbinary, "tag:burst/other") == ["IMG_0200.jpg", "IMG_0201.jpg"]
    (one,) = bursts(capsysbinary, "--json", "-n", "1").json
    assert (one["best"], one["decided"], one["frames"][2]["reason"]) == ([third], True, "you chose it")
    assert bursts(capsysbinary, "apply", answers).out == b"nothing to change\n"
    assert run(capsysbinary, "undo").code == 0
    assert found(capsysbinary, "tag:burst/") == []
    answers.write_text('{"schema": 1, "best": [99]}')
    refused = bursts(capsysbinary, "apply", answers)
    assert (refused.code, refused.err.decode().splitlines()[-1]) == (2, "  line 1: there is no photo 99")


@pytest.mark.skipif(browser.program() is None, reason="no Chromium is installed: apt-get install chromium")
def test_the_page_is_driven_by_keyboard_and_its_answers_are_applied(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = tmp_path / "bursts.html"
    ran = bursts(capsysbinary, "review", "-o", page)
    assert b"a page of 2 bursts with 6 frames" in ran.err
    with Browser(tmp_path / "browser") as chromium:
        chromium.downloads_to(tmp_path / "downloads")
        chromium.open(page)
        assert counted(chromium) == "Burst 1 of 2: 1 of 3 proposed. 0 done"
        assert shown(chromium) == "IMG_0201.jpg"
        chromium.press("ArrowRight")
        assert shown(chromium) == "IMG_0202.jpg"
        chromium.press("f")
        assert shown(chromium) == "IMG_0201.jpg"
        chromium.press("f")
        assert shown(chromium) == "IMG_0202.jpg"
        chromium.press("Space", "2")
        assert counted(chromium) == "Burst 1 of 2: 1 of 3 chosen. 1 done"
        chromium.press("u")
        assert counted(chromium) == "Burst 1 of 2: 2 of 3 chosen. 1 done"
        chromium.press("2", "z")
        assert chromium.run("document.getElementById('zoom').textContent") == "100 % of the preview"
        chromium.press("z")
        assert chromium.run("[stage.scrollWidth, large.width]") == [2000, 2000]
        assert chromium.run("Math.abs(2 * stage.scrollLeft + stage.clientWidth - stage.scrollWidth) <= 2")
        chromium.press("z")
        assert chromium.run("document.getElementById('zoom').textContent") == ""
        chromium.press("Enter")
        assert counted(chromium) == "Burst 2 of 2: 1 of 3 proposed. 1 done"
        chromium.press("ArrowLeft", "b")
        assert shown(chromium) == "IMG_0102.jpg"
        chromium.open(page)
        assert chromium.run("document.querySelectorAll('ol')[1].dataset.done") == "yes"
        chromium.resize(390, 844, phone=True)
        assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
        chromium.press("s")
        file = tmp_path / "downloads" / "burst-answers.jsonl"
        chromium.until(file.exists, "the answers are saved")
        assert chromium.problems == []
        assert [url for url in chromium.requests if not url.startswith(("data:", "file:", "blob:"))] == []
    assert bursts(capsysbinary, "apply", file).code == 0
    assert found(capsysbinary, "tag:burst/best") == ["IMG_0102.jpg", "IMG_0202.jpg"]
    assert len(found(capsysbinary, "tag:burst/other")) == 4
    assert bursts(capsysbinary, "review", "-o", page).code == 11
    assert b"a page of 2 bursts" in bursts(capsysbinary, "review", "--all", "-o", page).err


def counted(chromium: Browser) -> str:
    return str(chromium.run("document.getElementById('count').textContent"))


def shown(chromium: Browser) -> str:
    return str(chromium.run("document.getElementById('name').textContent"))
