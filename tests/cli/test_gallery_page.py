"""The page that `search --gallery` writes, in a browser: dates, badges, zoom, slideshow, selection, privacy, phone width."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.pipeline.ingest.derived_files import preview_path, thumbnail_path
from tests import browser
from tests.browser import Browser
from tests.command_line import run
from tests.demo_pictures import PHONE, Picture, save, sunset
from tests.edits import scene
from tests.harness import LibraryRunner
from tests.picture_items import jpeg
from tests.rows import VolumeRows, library_in

TIMES = ["2021-08-01T10:00:00"] * 3 + ["2021-07-30T09:00:00"] * 3 + ["2019-06-15T10:30:00"] * 3
needs_browser = pytest.mark.skipif(
    browser.program() is None, reason="no Chromium is installed: apt-get install chromium"
)


@pytest.fixture
def library(library_folder: Path, tmp_path: Path) -> Path:
    """Nine photos of three days, newest first: the first of a Live Photo, the second a RAW, the third a video, the fourth with motion."""
    with library_in(library_folder) as opened:
        rows = VolumeRows(opened, tmp_path / "originals")
        rows.add_root()
        kinds: dict[int, dict[str, object]] = {
            1: {"kind": "raw", "format": "cr3"},
            2: {"kind": "video", "format": "mov", "duration_seconds": 75.0},
            3: {"motion": True},
        }
        for number, taken_at in enumerate(TIMES):
            known = {"taken_at": taken_at, "width": 400, "height": 300} | kinds.get(number, {})
            rows.add_whole_photo(f"{taken_at[:4]}/{number}.jpg", **known)
        for number in range(len(TIMES)):
            digest = (number + 1).to_bytes(32, "big")
            size = (64, 48) if number == 8 else (1024, 768)
            jpeg(preview_path(opened.derived_folder, digest), (20 * number, 90, 200), size)
            jpeg(thumbnail_path(opened.derived_folder, digest), (20 * number, 90, 200), (64, 48))
        rows.add_asset(1, role="movie", kind="video", format="mov", digest=b"m" * 32)
    return library_folder


@pytest.fixture
def page(library: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Path:
    target = tmp_path / "page.html"
    assert run(capsysbinary, "search", "--library", library, "--sort", "date", "--gallery", target).code == 0
    return target


@pytest.fixture
def chromium(tmp_path: Path, page: Path) -> Iterator[Browser]:
    """The page, oldest photos first, in a browser that loads nothing and whose page reports no problem."""
    with Browser(tmp_path / "browser") as opened:
        opened.open(page)
        yield opened
        assert opened.problems == []
        assert [one for one in opened.requests if not one.startswith(("file:", "data:"))] == []


def headings(page: Path) -> list[str]:
    return re.findall(r'class="date"><time [^>]*>([^<]+)</time>', page.read_text("utf-8"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--sort", "date"], ["Saturday, 15 June 2019", "Friday, 30 July 2021", "Sunday, 1 August 2021"]),
        (["--sort=-date"], ["Sunday, 1 August 2021", "Friday, 30 July 2021", "Saturday, 15 June 2019"]),
        ([], ["Sunday, 1 August 2021", "Friday, 30 July 2021", "Saturday, 15 June 2019"]),
        (["--sort", "name"], []),
    ],
)
def test_dates_are_headings_only_where_they_are_the_order(
    words: list[str], expected: list[str], library: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    target = tmp_path / "page.html"
    assert run(capsysbinary, "search", "--library", library, "--gallery", target, *words).code == 0
    assert headings(target) == expected
    assert ('<nav class="years"' in target.read_text("utf-8")) == bool(expected)


def test_badges_are_those_of_the_query_language(page: Path) -> None:
    cards = re.findall(r'data-photo="(\d+)"(.*?)</li>', page.read_text("utf-8"), re.DOTALL)
    badges = {int(number): re.findall(r'<span class="mark">([^<]+)</span>', card) for number, card in cards}
    assert badges == {
        1: ["Live"],
        2: ["RAW"],
        3: ["Video 1:15"],
        4: ["Motion"],
        **{number: [] for number in range(5, 10)},
    }


@needs_browser
def test_years_lead_to_their_photos(chromium: Browser) -> None:
    chromium.resize(900, 500)
    current = "document.querySelector('.years [aria-current]')?.textContent"
    chromium.wait_for(f"{current} === '2019'")
    chromium.click(".years li:nth-child(2) a")
    chromium.wait_for(f"{current} === '2021'")
    top = "document.querySelector('#section-2').getBoundingClientRect().top"
    assert chromium.run(f"{top} >= document.querySelector('.top').offsetHeight - 1 && {top} < 200")


@needs_browser
def test_photos_are_selected_and_copied_as_a_query_that_finds_them(
    chromium: Browser, library: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    chromium.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    chromium.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    bar = "document.querySelector('.chosen').checkVisibility()"
    assert not chromium.run(bar)
    chromium.press("ArrowRight", "x", "ArrowRight", "ArrowRight", "x")
    assert chromium.run("document.querySelector('#chosen').textContent") == "2 selected"
    chromium.click("#copy-query")
    chromium.wait_for("window.copied")
    query = chromium.run("copied")
    assert re.fullmatch(r"id:\d+,\d+", query)
    chromium.wait_for("document.querySelector('#chosen').textContent === 'Query for 2 copied'")
    chromium.click("#copy-paths")
    chromium.wait_for("copied.startsWith('/')")
    found = run(capsysbinary, "search", "--library", library, "--sort", "date", query)
    assert chromium.run("copied") == found.out.decode().strip()
    shift_click = "new MouseEvent('click', {bubbles: true, shiftKey: true})"
    chromium.run(f"document.querySelectorAll('.view')[5].dispatchEvent({shift_click})")
    assert chromium.run("document.querySelector('#chosen').textContent") == "5 selected"
    chromium.press("a")
    assert chromium.run("document.querySelector('#chosen').textContent") == "9 selected"
    chromium.press("Escape")
    assert not chromium.run(bar)


@needs_browser
def test_a_browser_without_a_clipboard_for_pages_copies_the_old_way(chromium: Browser) -> None:
    chromium.run("navigator.clipboard.writeText = async () => { throw new Error('no'); }")
    chromium.run(
        "document.execCommand = (name) => { window.copied = [name, document.activeElement.value]; return true; }"
    )
    chromium.press("ArrowRight", "x")
    chromium.click("#copy-query")
    chromium.wait_for("window.copied")
    assert chromium.run("copied[0] + copied[1].slice(0, 3)") == "copyid:"


@needs_browser
def test_pictures_are_enlarged_by_hand_alone(chromium: Browser) -> None:
    """The picture of photo 9, the third by date, is 64 pixels wide, and is shown so everywhere."""
    fit = "getComputedStyle(document.querySelector({})).objectFit"
    assert chromium.run(fit.format("'.view img'")) == "scale-down"
    chromium.press("End", "Home", "Enter", "ArrowRight", "ArrowRight")
    assert chromium.run("document.querySelector('#large h2').textContent") == "8.jpg"
    assert chromium.run(fit.format("'.stage img'")) == "scale-down"
    width = "document.querySelector('.stage img').getBoundingClientRect().width"
    before = chromium.run(width)
    assert chromium.run("document.querySelector('#zoom-out').disabled")
    chromium.press("+")
    assert chromium.run(width) == pytest.approx(before * 1.5)
    chromium.click("#zoom-in")
    assert chromium.run(width) == pytest.approx(before * 2.25)
    chromium.press("0")
    assert chromium.run(width) == pytest.approx(before)
    wheel = "new WheelEvent('wheel', {deltaY: -300, clientX: 5, clientY: 400, bubbles: true, cancelable: true})"
    chromium.run(f"document.querySelector('.stage').dispatchEvent({wheel})")
    assert chromium.run(width) > before * 2.5
    left = chromium.run("document.querySelector('.stage img').getBoundingClientRect().left")
    assert left > -before / 2, "what is under the mouse stays there"
    for kind, x in (("mousePressed", 300), ("mouseMoved", 260), ("mouseReleased", 260)):
        chromium.call("Input.dispatchMouseEvent", type=kind, x=x, y=400, button="left", buttons=1, clickCount=1)
    assert chromium.run("document.querySelector('.stage img').getBoundingClientRect().left") == pytest.approx(
        left - 40, abs=1
    )
    chromium.press("ArrowLeft")
    assert chromium.run(width) == pytest.approx(before), "another photo is shown whole"


@needs_browser
def test_a_slideshow_goes_on_by_itself_until_it_is_paused(chromium: Browser) -> None:
    chromium.run("window.setInterval = (call) => { window.turn = call; return 1; }")
    shown = "document.querySelector('#large h2').textContent"
    chromium.press("s")
    assert (
        chromium.run("document.querySelector('#large').open && document.querySelector('#play').ariaPressed") == "true"
    )
    first = chromium.run(shown)
    chromium.run("turn()")
    assert chromium.run(shown) != first
    for _ in range(len(TIMES) - 1):
        chromium.run("turn()")
    assert chromium.run(shown) == first, "after the last comes the first"
    chromium.press("Space")
    assert chromium.run("document.querySelector('#play').ariaPressed") == "false"
    assert chromium.run("document.querySelector('#large').open")
    chromium.press("s", "Escape")
    chromium.wait_for("document.querySelector('#play').ariaPressed === 'false'")


@needs_browser
def test_the_page_fits_a_phone_and_every_button_a_finger(chromium: Browser) -> None:
    chromium.resize(390, 844, phone=True)
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert chromium.run(fits)
    edges = (
        "[document.querySelector('.card').getBoundingClientRect().width, document.querySelector('.years').offsetWidth]"
    )
    width, years = chromium.run(edges)
    assert width > 140
    assert years < 50
    chromium.press("ArrowRight", "x")
    small = (
        "[...document.querySelectorAll('button, .pick, .years a')].filter(one => one.checkVisibility())"
        ".filter(one => { const box = one.getBoundingClientRect(); return box.width && Math.min(box.width, box.height) < 15 }).length"
    )
    assert chromium.run(small) == 0
    bar = "(() => { const box = document.querySelector('.chosen').getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth })()"
    assert chromium.run(bar)
    chromium.press("Enter")
    assert chromium.run(fits)


@needs_browser
def test_everything_is_reached_by_tab_and_has_a_name(chromium: Browser) -> None:
    names: list[str] = []
    described = "(() => { const at = document.activeElement; return at.ariaLabel || at.textContent.trim() || at.querySelector('img')?.alt || at.tagName })()"
    chromium.press("Home", "x")
    chromium.run("document.activeElement.blur(), scrollTo(0, 0)")
    for _ in range(16):
        chromium.press("Tab")
        names.append(chromium.run(described))
    wanted = {
        "Filter by name, date, place, path, camera",
        "Slideshow",
        "Keyboard",
        "Light or dark",
        "Select 6.jpg",
        "2019",
        "2021",
    }
    assert wanted | {"Copy paths", "Copy query", "All", "None"} <= set(names)
    assert "Select 7.jpg" not in names, "only one card is in the tab order"


def test_a_private_page_tells_neither_places_nor_files(
    library_folder: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Pictures with a position, names, a title and keywords become a page without them, in its pictures, too."""
    originals = tmp_path / "Secretfolder"
    originals.mkdir()
    known = Picture(
        "", sunset, PHONE, "2019:06:14 20:47:00", "+01:00", position=(38.7223, -9.1393), title="Secrettitle",
        keywords=("Secretword",), altitude_m=77.25,
    )  # fmt: skip
    save(scene(3), known, originals / "Secretname.jpg")
    LibraryRunner(library_folder).scan(originals)
    arguments = ("search", "--library", library_folder, "--gallery")
    query = ("near:38.7223,-9.1393,9km", "path:Secretfolder")
    assert run(capsysbinary, *arguments, tmp_path / "open.html", *query).code == 0
    ran = run(capsysbinary, *arguments, tmp_path / "closed.html", "--private", *query)
    assert b"Secretname.jpg" in ran.out, "the list is as always"
    words = ["secret", "lisbo", "portugal", "38.72", "9.139", "file:", str(tmp_path).lower()]
    plain, closed = ((tmp_path / name).read_text("utf-8") for name in ("open.html", "closed.html"))
    assert all(word in plain.lower() for word in ["secretname", "secrettitle", "secretword", "lisbo", "38.72", "file:"])
    text = re.sub(r"base64,[\w+/=]+", "", closed).lower()
    assert [word for word in words if word in text] == []
    assert "2019-06-14 20:47" in closed
    assert 'data-photo="1"' in closed
    assert re.search(r'<time datetime="[\d-]{10}T[\d:]{5}">', closed), "nor the offset of the clock"
    (picture,) = re.findall(r"data:image/jpeg;base64,([\w+/=]+)", closed)
    content = base64.b64decode(picture)
    segments = content[: content.index(b"\xff\xda")]
    for block in (b"Exif", b"http://ns.adobe.com", b"Photoshop", b"Secret", b"\xff\xe1", b"\xff\xed", b"\xff\xfe"):
        assert block not in segments
    sheet = run(capsysbinary, "search", "--library", library_folder, "--private", "--contact-sheet", tmp_path / "a.png")
    assert sheet.code == 0
    assert (
        json.loads(run(capsysbinary, "search", "--library", library_folder, "--json").out)["name"] == "Secretname.jpg"
    )
