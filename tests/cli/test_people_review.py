"""`people review` and `people apply` on the command line, and the page driven by keyboard in headless Chromium."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from photoindex.domain.people.values import How
from photoindex.store.people import apart, individuals
from photoindex.store.people.faces import by_ids, rejected_by
from tests import browser
from tests.browser import Browser
from tests.command_line import CommandResult, run
from tests.face_rows import FaceRows
from tests.rows import library_in
from tests.shown_faces import ShownFaces

Run = Callable[..., CommandResult]


class Album:
    """Anna with 3 confirmed faces and 2 that only the program gave to her, and three groups without a name."""

    def __init__(self, library_folder: Path, originals: Path) -> None:
        self.folder = library_folder
        with library_in(library_folder) as library:
            shown = ShownFaces(library, originals)
            shown.rows.add_root()
            self.anna, self.anna_faces = shown.group("Anna", faces=5)
            shown.confirm(self.anna_faces[:3])
            self.large, self.large_faces = shown.group(faces=5)
            self.middle, self.middle_faces = shown.group(faces=4)
            self.small, self.small_faces = shown.group(faces=2)

    def person(self, number: int) -> individuals.IndividualRow | None:
        with library_in(self.folder) as library, library.database.read() as connection:
            return individuals.by_id(connection, number)

    def faces(self, numbers: list[int]) -> list[tuple[int | None, str | None]]:
        with library_in(self.folder) as library, library.database.read() as connection:
            found = by_ids(connection, numbers)
        return [(found[one].individual_id, found[one].how) for one in numbers]

    def rejected_by(self, number: int) -> set[int]:
        with library_in(self.folder) as library, library.database.read() as connection:
            return rejected_by(connection, number)


@pytest.fixture
def album(library_folder: Path, tmp_path: Path) -> Album:
    return Album(library_folder, tmp_path / "originals")


@pytest.fixture
def people(album: Album, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `photoindex people …` without a terminal."""

    def people(command: str, *words: Any) -> CommandResult:
        return run(capsysbinary, "people", command, "--library", album.folder, *map(str, words))

    return people


@pytest.fixture
def page(people: Run, tmp_path: Path) -> Path:
    """The page of the album."""
    ran = people("review", "-o", tmp_path / "people.html")
    assert ran.code == 0, ran.err
    return tmp_path / "people.html"


@pytest.fixture
def chromium(page: Path, tmp_path: Path) -> Iterator[Browser]:
    """The page, open in a browser."""
    if browser.program() is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with Browser(tmp_path / "browser") as opened:
        opened.downloads_to(tmp_path / "downloads")
        opened.open(page)
        yield opened
        assert opened.problems == []
        assert [url for url in opened.requests if not url.startswith(("data:", "file:", "blob:"))] == []


def text(chromium: Browser, selector: str) -> str:
    return str(chromium.run(f"document.querySelector({json.dumps(selector)}).textContent"))


def saved(chromium: Browser, folder: Path) -> Path:
    """Save the answers by keyboard and return the downloaded file."""
    chromium.press("s")
    chromium.wait_for("document.querySelector('#saving').open")
    file = folder / "downloads" / "answers.jsonl"
    chromium.until(lambda: file.exists() and file.stat().st_size > 0, "the download")
    assert chromium.run("document.querySelector('#saving textarea').value") == file.read_text("utf-8")
    chromium.press("Escape")
    return file


def test_a_page_is_written_with_its_groups_and_faces(people: Run, page: Path, album: Album) -> None:
    ran = people("review", "-o", page)
    assert b"a page of 4 groups with 13 faces" in ran.err
    shown = page.read_text("utf-8")
    order = [int(part.split('"', 1)[0]) for part in shown.split('data-group="')[1:]]
    assert order == [album.large, album.middle, album.small, album.anna]
    assert shown.count("data:image/jpeg;base64,") == 13


def test_faces_are_named_rejected_merged_and_ignored_by_keyboard_and_the_answers_applied(
    people: Run, chromium: Browser, album: Album, tmp_path: Path
) -> None:
    chromium.press("ArrowRight", "x", "n")
    chromium.type("Zoë Fox")
    chromium.press("Enter")
    chromium.press("n")
    chromium.type("ann")
    chromium.press("Enter")
    chromium.press("i")
    assert text(chromium, "#count") == "3 of 4 groups done, 1 left"
    chromium.press("x", "Enter")
    assert text(chromium, "#count") == "4 of 4 groups done, 0 left"
    file = saved(chromium, tmp_path)
    assert people("apply", file, "--dry-run").code == 0
    ran = people("apply", file)
    assert ran.code == 0, ran.err
    named = album.person(album.large)
    assert named is not None
    assert named.name == "Zoë Fox"
    second = album.large_faces[1]
    rest = [face for face in album.large_faces if face != second]
    assert album.faces(rest) == [(album.large, "confirmed")] * 4
    assert album.faces([second]) == [(None, None)]
    assert album.rejected_by(album.large) == {second}
    assert album.person(album.middle) is None
    assert album.faces(album.middle_faces) == [(album.anna, "confirmed")] * 4
    stranger = album.person(album.small)
    assert stranger is not None
    assert stranger.ignored
    least, other = album.anna_faces[4], album.anna_faces[3]
    assert album.faces([least, other]) == [(None, None), (album.anna, "confirmed")]
    again = people("apply", file)
    assert (again.code, again.out) == (0, b"nothing to do: 6 answers, all as they already are\n")


def test_answers_are_undone_one_by_one_and_kept_when_the_page_is_opened_again(
    chromium: Browser, page: Path, tmp_path: Path
) -> None:
    chromium.press("i")
    chromium.press("n")
    chromium.type("Eve")
    chromium.press("Enter", "x")
    assert text(chromium, "#saved") == "Save 3 answers"
    chromium.press("u")
    assert text(chromium, "#saved") == "Save 2 answers"
    chromium.open(page)
    assert text(chromium, "#saved") == "Save 2 answers"
    assert text(chromium, "#count") == "2 of 4 groups done, 2 left"
    chromium.press("u", "u", "u")
    assert text(chromium, "#saved") == "Save"


def test_answers_are_given_where_the_browser_lets_the_page_keep_nothing(
    people: Run, chromium: Browser, page: Path, tmp_path: Path
) -> None:
    refusal = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused') } })"
    chromium.call("Page.addScriptToEvaluateOnNewDocument", source=refusal)
    chromium.open(page)
    chromium.press("i")
    assert people("apply", saved(chromium, tmp_path)).code == 0


def test_known_names_are_completed_whatever_their_accents_and_a_new_one_can_begin_like_a_known_one(
    chromium: Browser, album: Album
) -> None:
    chromium.press("n")
    chromium.type("ÁN")
    options = "[...document.querySelectorAll('#names li span')].map((each) => each.textContent)"
    assert chromium.run(options) == ["Anna", "ÁN"]
    chromium.press("ArrowDown", "Enter")
    assert text(chromium, f"[data-group='{album.large}'] .answer") == "ÁN"
    chromium.press("n")
    chromium.type("an")
    assert chromium.run(options) == ["ÁN", "Anna"]
    chromium.press("Escape", "n")
    chromium.type("a,b")
    chromium.press("Enter")
    assert "no comma" in text(chromium, "#naming .wrong")


def test_the_page_works_with_the_mouse_alone(people: Run, chromium: Browser, album: Album, tmp_path: Path) -> None:
    group = f"[data-group='{album.middle}']"
    chromium.click(f"{group} .face[data-face='{album.middle_faces[0]}']")
    chromium.click(f"{group} [data-act=name]")
    chromium.type("An")
    chromium.click("#names li")
    chromium.click(f"[data-group='{album.anna}'] [data-act=confirm]")
    file = saved(chromium, tmp_path)
    assert people("apply", file).code == 0
    assert album.faces(album.middle_faces) == [(None, None), *[(album.anna, "confirmed")] * 3]


def test_somebody_is_not_named_twice_in_one_photo(people: Run, album: Album, tmp_path: Path) -> None:
    if browser.program() is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with library_in(album.folder) as library:
        shown = ShownFaces(library, tmp_path / "originals")
        shown.photos = 100
        anna, _ = shown.photo(album.anna, album.small)
        shown.confirm([anna])
        one, other = shown.person(), shown.person()
        for _ in range(3):
            shown.photo(one, other)
    page = tmp_path / "people.html"
    people("review", "-o", page, album.small, one, other)
    with Browser(tmp_path / "browser") as chromium:
        chromium.open(page)
        said = []
        for name in ("Anna", "Eve", "Eve"):
            chromium.press("n")
            chromium.type(name)
            chromium.press("Enter")
            said.append(text(chromium, "#said p"))
        assert said == [
            "Anna, but not one face: Anna is already in that photo.",
            "Named Eve.",
            "None of these can be Eve: Eve is already in that photo.",
        ]
        answers = chromium.run("(document.querySelector('#save').click(), document.querySelector('textarea').value)")
    ran = people("apply", written(tmp_path, answers))
    assert ran.code == 0, ran.err
    assert album.faces(album.small_faces) == [(album.anna, "confirmed")] * 2


def test_suggested_persons_are_taken_or_refused_by_one_key(
    library_folder: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    if browser.program() is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with library_in(library_folder) as library:
        rows = FaceRows(library, tmp_path / "originals")
        for stranger in range(30):
            rows.add_person(None, rows.add_photos_of(stranger, 4), how=How.CLUSTER)
        named = {name: rows.add_person(name, rows.add_photos_of(name, 8)) for name in ("Anna", "Ben")}
        alike = {name: rows.add_person(None, rows.add_photos_of(name, 5), how=How.CLUSTER) for name in named}
    page = tmp_path / "people.html"
    assert run(capsysbinary, "people", "review", "Anna", "Ben", "--library", library_folder, "-o", page).code == 0
    with Browser(tmp_path / "browser") as chromium:
        chromium.downloads_to(tmp_path / "downloads")
        chromium.open(page)
        first = chromium.run("document.querySelector('.group').dataset.suggestedName")
        assert text(chromium, ".group h3") == f"Person {alike[first]}"
        chromium.press("m", "d")
        assert text(chromium, "#count") == "2 of 2 groups done, 0 left"
        file = saved(chromium, tmp_path)
    assert run(capsysbinary, "people", "apply", "--library", library_folder, file).code == 0
    second = ({*named} - {first}).pop()
    with library_in(library_folder) as library, library.database.read() as connection:
        assert individuals.by_id(connection, alike[first]) is None
        assert individuals.by_id(connection, alike[second]) is not None
        assert apart.of_individual(connection, alike[second]) == {named[second]}


def written(folder: Path, answers: str) -> Path:
    file = folder / "by-hand.jsonl"
    file.write_text(answers, "utf-8")
    return file


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_a_phone_and_every_control_has_a_name_and_room_for_a_finger(
    dark: bool, chromium: Browser
) -> None:
    chromium.prefer("dark" if dark else "light")
    chromium.resize(390, 844, phone=True)
    assert chromium.run("document.documentElement.scrollWidth") == 390
    ground = chromium.run("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(21, 21, 20)" if dark else "rgb(246, 245, 242)")
    small = chromium.run(
        "[...document.querySelectorAll('button, a.button')].filter((each) => each.checkVisibility())"
        ".filter((each) => each.getBoundingClientRect().height < 44).map((each) => each.outerHTML.slice(0, 80))"
    )
    assert small == []
    tree = chromium.call("Accessibility.getFullAXTree")["nodes"]
    controls = [one for one in tree if one.get("role", {}).get("value") in ("button", "link", "textbox", "combobox")]
    assert len(controls) > 13
    assert [one for one in controls if not one.get("name", {}).get("value")] == []


def test_only_the_current_group_is_in_the_tab_order_and_the_focus_can_be_seen(chromium: Browser) -> None:
    in_order = chromium.run("document.querySelectorAll('main [tabindex=\"0\"]').length")
    assert 3 <= in_order <= 8
    chromium.press("j")
    assert chromium.run("document.activeElement.classList.contains('here')")
    assert chromium.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_page_can_be_limited_to_persons_and_to_a_number_of_faces(people: Run, album: Album, tmp_path: Path) -> None:
    page = tmp_path / "people.html"
    assert b"a page of 1 group with 2 faces" in people("review", "-o", page, "anna").err
    limited = people("review", "-o", page, "-n", "6")
    assert b"with 6 faces" in limited.err
    assert re.search(rb"\d more groups? did not fit; -n shows more faces", limited.err)
    assert people("review", "-o", page, "Nobody").code == 11


def test_a_face_without_a_preview_is_a_placeholder_and_the_summary_says_so(
    people: Run, album: Album, tmp_path: Path
) -> None:
    with library_in(album.folder) as library:
        shown = ShownFaces(library, tmp_path / "originals")
        shown.photos = 100
        shown.photo(album.small, picture=False)
    ran = people("review", "-o", tmp_path / "people.html", album.small)
    assert b"1 face without a preview; make them with: photoindex scan\n" in ran.err
    assert (tmp_path / "people.html").read_text("utf-8").count("no preview") == 1


def test_hidden_persons_and_faces_beside_them_are_left_out_unless_asked_for(
    people: Run, album: Album, tmp_path: Path
) -> None:
    with library_in(album.folder) as library:
        shown = ShownFaces(library, tmp_path / "originals")
        shown.photos = 100
        secret, beside = shown.photo(shown.person("Secret", hidden=True), album.small)
        shown.photo(shown.person("Stranger", ignored=True))
    page = tmp_path / "people.html"
    people("review", "-o", page)
    plain = page.read_text("utf-8")
    assert not any(word in plain for word in ("Secret", "Stranger", f'data-face="{secret}"', f'data-face="{beside}"'))
    people("review", "-o", page, "--hidden")
    everything = page.read_text("utf-8")
    assert all(word in everything for word in ("Secret", f'data-face="{secret}"', f'data-face="{beside}"'))
    assert "Stranger" not in everything


def test_answers_come_from_stdin_too(people: Run, album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps({"schema": 1, "do": "name", "person": album.large, "name": "Eve"})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line.encode())))
    ran = people("apply", "-", "--json")
    assert ran.json == [
        {
            "schema": 1, "entry": 1, "answers": 1, "done": {"name": 1}, "summary": "1 person named", "notes": [],
            "dry_run": False,
        }
    ]  # fmt: skip


def test_a_file_that_does_not_apply_is_refused_with_its_lines(people: Run, album: Album, tmp_path: Path) -> None:
    good = json.dumps({"schema": 1, "do": "name", "person": album.large, "name": "Eve"})
    file = written(tmp_path, f"{good}\nnonsense\n")
    ran = people("apply", file)
    assert ran.code == 2
    assert (
        ran.err.decode()
        .splitlines()[0]
        .endswith("by-hand.jsonl: 1 of 2 answers does not apply, so nothing was changed")
    )
    assert b"\n  line 2: it is no JSON" in ran.err
    person = album.person(album.large)
    assert person is not None
    assert person.name is None
    assert people("apply", tmp_path / "missing.jsonl").code == 2
