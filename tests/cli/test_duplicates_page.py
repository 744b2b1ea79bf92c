"""The page of `photoindex duplicates`: what it says of each group, and how a copy is compared with the photo that is kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests import browser
from tests.browser import Browser
from tests.command_line import run
from tests.edits import cut, jpeg, scaled, scene
from tests.harness import LibraryRunner


@pytest.fixture
def page(tmp_path: Path, library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Path:
    """A page of two groups: a photo with an equal and a smaller copy of the same name, and one with a crop of it."""
    originals = tmp_path / "originals"
    (originals / "dump").mkdir(parents=True)
    (originals / "a.jpg").write_bytes(jpeg(scene(1)))
    (originals / "b.jpg").write_bytes(jpeg(scene(2)))
    shutil.copyfile(originals / "a.jpg", originals / "dump" / "a.jpg")
    (originals / "small.jpg").write_bytes(jpeg(scaled(scene(1), 0.5)))
    (originals / "part.jpg").write_bytes(jpeg(cut(scene(2), 0.04, 0, 1, 0.97)))
    LibraryRunner(library_folder).scan(originals)
    target = tmp_path / "copies.html"
    assert run(capsysbinary, "--library", library_folder, "duplicates", "--gallery", target).code == 0
    return target


def test_headings_count_what_to_do_and_notes_name_the_folder(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    assert re.findall(r"<h2 [^>]*>([^<]+)</h2>", text) == [
        "Group 1, same picture: keep 1, remove 2", "Group 2, same picture: keep 1, review 1",
    ]  # fmt: skip
    folder = tmp_path / "originals"
    assert f"keep {folder}/a.jpg; remove the same bytes in {folder}/dump/a.jpg" in text


@pytest.mark.skipif(browser.program() is None, reason="no Chromium is installed: apt-get install chromium")
def test_a_copy_is_shown_beside_the_kept_photo_in_turn_with_it_and_as_the_difference(
    page: Path, tmp_path: Path
) -> None:
    with Browser(tmp_path / "browser") as chromium:
        chromium.prefer("dark")
        chromium.open(page)

        def boxes() -> list[list[float]]:
            """Left edge and width of the pictures that are seen: the kept one first."""
            return chromium.run(
                "[...document.querySelectorAll('#large .stage img')].filter(one => one.checkVisibility({visibilityProperty:"
                "true})).map(one => { const box = one.getBoundingClientRect(); return [box.x, box.width] })"
            )

        def names() -> list[str]:
            return chromium.run(
                "[...document.querySelectorAll('#large .name')].filter(one => one.checkVisibility()).map(one => one.textContent)"
            )

        chromium.press("Enter")
        assert len(boxes()) == 1, "the kept photo is shown alone"
        assert chromium.run("document.querySelector('.modes').hidden")
        chromium.press("ArrowRight")
        (first, width), (second, _) = boxes()
        assert second >= first + width
        assert names() == [f"Keep {tmp_path}/originals/a.jpg", f"Copy {tmp_path}/originals/small.jpg"]
        chromium.press("+", "+")
        assert (
            len(set(chromium.run("[...document.querySelectorAll('.stage img')].map(one => one.style.transform)"))) == 1
        )
        assert boxes()[0][1] == pytest.approx(width * 2.25)
        chromium.press("0")
        assert boxes() == [[first, width], [second, width]]
        chromium.press("f")
        assert names() == [f"Copy {tmp_path}/originals/small.jpg"]
        chromium.press("Space")
        assert names() == [f"Keep {tmp_path}/originals/a.jpg"]
        assert len(boxes()) == 1, "with reduced motion the two change by key alone"
        chromium.press("d")
        (first, _), (second, _) = boxes()
        assert first == second
        fit = "[...document.querySelectorAll('.stage img')].map(one => getComputedStyle(one).objectFit)"
        assert chromium.run(fit) == ["contain", "contain"], "a smaller copy fills the same frame"
        style = "getComputedStyle(document.querySelector('#large .stage img:not(.kept)')).mixBlendMode"
        assert chromium.run(style) == "difference"
        chromium.press("1")
        assert len(boxes()) == 1
        chromium.click('[data-mode="beside"]')
        assert len(boxes()) == 2
        chromium.prefer("light", reduced_motion=False)
        chromium.press("f")
        chromium.wait_for("document.querySelector('.stage.flipped') !== null")
        chromium.resize(390, 844, phone=True)
        assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
        assert chromium.problems == []
