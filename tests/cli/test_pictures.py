"""`--gallery`, `--contact-sheet` and `--preview`: files, streams, a terminal, and errors."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from photoindex.pipeline.ingest.derived_files import preview_path, thumbnail_path
from tests.command_line import CommandResult, run, run_on_terminal
from tests.picture_items import jpeg, share_of
from tests.rows import VolumeRows, library_in
from tests.terminal_decoders import kitty_pictures

RED, BLUE = (200, 30, 30), (40, 60, 200)
HOSTILE = b"<script>\x1b[31m\n\xff.jpg"
Search = Callable[..., CommandResult]


@pytest.fixture
def originals(library_folder: Path, tmp_path: Path) -> Path:
    """The folder of three photos; the library has pictures of two of them."""
    folder = tmp_path / "originals"
    with library_in(library_folder) as library:
        volume_rows = VolumeRows(library, folder)
        volume_rows.add_root()
        volume_rows.add_whole_photo(
            "2019/beach.jpg", taken_at="2019-06-15T10:30:00", title="Beach", width=200, height=150
        )
        volume_rows.add_whole_photo("2020/lake.cr3", taken_at="2020-01-01T00:00:00", kind="raw", format="cr3")
        volume_rows.add_file(HOSTILE, asset_id=volume_rows.asset_of(volume_rows.add_photo()), create=False)
        for number, colour in ((1, RED), (2, BLUE)):
            digest = number.to_bytes(32, "big")
            jpeg(thumbnail_path(library.derived_folder, digest), colour, (200, 150))
            jpeg(preview_path(library.derived_folder, digest), colour, (800, 600))
    return folder


@pytest.fixture
def search(library_folder: Path, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Search:
    """Run `photoindex search` with these arguments and without a terminal."""

    def search(*words: str | os.PathLike[str]) -> CommandResult:
        return run(capsysbinary, "search", "--library", library_folder, *words)

    return search


def test_a_gallery_is_written_in_addition_to_the_list(search: Search, tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    ran = search("--gallery", target, "--sort", "id", "id:1..2")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 2
    assert re.search(rb"wrote .*out\.html: a page of 2 photos, [\d.]+ kB", ran.err)
    page = target.read_text()
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert page.count("data:image/jpeg;base64,") == 2
    assert '<h1 title="id:1..2">id:1..2</h1>' in page


def test_an_empty_result_is_a_page_that_says_so_in_place_of_an_old_one(search: Search, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    search("--gallery", page)
    ran = search("--gallery", page, "--contact-sheet", tmp_path / "out.jpg", "id:4711")
    assert (ran.code, ran.out) == (0, b"")
    assert b"a page of 0 photos" in ran.err
    assert "No photo matches." in page.read_text()
    assert "data-photo" not in page.read_text()
    assert b"no sheet is written, as it would be empty\n" in ran.err
    assert not (tmp_path / "out.jpg").exists()


@pytest.mark.parametrize(
    ("option", "name"), [("--gallery", "out.html"), ("--contact-sheet", "out.jpg"), ("--contact-sheet", "out.png")]
)
def test_only_files_of_photoindex_are_replaced(option: str, name: str, search: Search, tmp_path: Path) -> None:
    target = tmp_path / name
    foreign = (
        b"<!doctype html><title>Mine</title>" if name.endswith("html") else jpeg(tmp_path / "a.jpg", RED).read_bytes()
    )
    for query in ("id:1", "id:4711") if name.endswith("html") else ("id:1",):
        target.write_bytes(foreign)
        refused = search(option, target, query)
        assert refused.code == 2
        assert b"was not made by photoindex, which replaces only files of its own; name another file" in refused.err
        assert target.read_bytes() == foreign
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(target)
        assert name.endswith(("jpg", "png")) or search(option, tmp_path / "link", query).code == 2
    target.write_bytes(b"")
    assert search(option, target, "id:1").code == 0, "an empty file, as mktemp makes it, holds nothing"
    first = target.read_bytes()
    assert search(option, target, "id:2").code == 0
    assert target.read_bytes() != first


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_printed(search: Search, tmp_path: Path) -> None:
    ran = search("--gallery", tmp_path / "photos.pdf")
    assert (ran.code, ran.out) == (2, b"")
    assert b"would be no PDF; name it .html" in ran.err
    ran = search("--gallery", tmp_path / "missing" / "photos.html")
    assert (ran.code, ran.out) == (2, b"")
    assert b"create it first" in ran.err
    assert list(tmp_path.glob("photos*")) == []


def test_a_hostile_name_is_plain_text_in_a_gallery(search: Search, tmp_path: Path) -> None:
    ran = search("--gallery", tmp_path / "out.html")
    assert ran.code == 0
    page = (tmp_path / "out.html").read_text("utf-8")
    assert page.count("<script>") == 1
    assert "&lt;script&gt;\\x1b[31m\\n\\xff.jpg" in page
    assert "%3Cscript%3E%1B%5B31m%0A%FF.jpg" in page


def test_a_gallery_is_the_only_output_on_stdout(search: Search) -> None:
    ran = search("--gallery", "-", "id:1..2")
    assert ran.code == 0
    assert ran.out.startswith(b"<!doctype html>")
    assert ran.out.rstrip().endswith(b"</html>")


def test_a_page_with_only_some_of_the_hits_says_so(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photoindex.cli.arguments.picture_options.DEFAULT_LIMIT", 2)
    ran = search("--gallery", tmp_path / "out.html")
    assert b"--gallery shows the first 2 of 3; -n 3 shows all" in ran.err
    assert "the first 2 of 3 photos" in (tmp_path / "out.html").read_text()
    asked = search("-n", "3", "--gallery", tmp_path / "all.html")
    assert b"shows the first" not in asked.err


@pytest.mark.parametrize(("name", "form"), [("out.jpg", "JPEG"), ("out.JPEG", "JPEG"), ("out.png", "PNG")])
def test_a_contact_sheet_shows_the_photos(name: str, form: str, search: Search, tmp_path: Path) -> None:
    ran = search("--contact-sheet", tmp_path / name, "id:1..2")
    assert ran.code == 0, ran.err
    sheet = Image.open(tmp_path / name)
    assert sheet.format == form
    assert share_of(sheet, RED) > 0.1
    assert share_of(sheet, BLUE) > 0.1


def test_further_pages_of_a_contact_sheet_are_numbered(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photoindex.library.export.contact_sheet._HEIGHT_PX", 500)
    monkeypatch.setattr("photoindex.library.export.contact_sheet._COLUMNS_MAX", 2)
    ran = search("--contact-sheet", tmp_path / "out.jpg")
    assert ran.code == 0
    assert {path.name for path in tmp_path.glob("out*")} == {"out.jpg", "out-2.jpg"}
    assert ran.err.count(b"wrote ") == 2


def test_a_contact_sheet_can_be_written_to_stdout(search: Search) -> None:
    ran = search("--contact-sheet", "-", "id:1..2")
    assert ran.code == 0
    assert Image.open(io.BytesIO(ran.out)).format == "JPEG"


def test_an_old_page_is_replaced_and_no_temporary_file_remains(search: Search, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert search("--gallery", out / "page.html", "id:1").code == 0
    assert search("--gallery", out / "page.html", "id:2").code == 0
    assert [path.name for path in out.iterdir()] == ["page.html"]
    assert 'data-photo="2"' in (out / "page.html").read_text()


def test_writing_through_a_link_replaces_its_target(search: Search, tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    assert search("--gallery", tmp_path / "link.html").code == 0
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text().startswith("<!doctype html>")


def test_a_failed_write_keeps_the_old_page(search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "page.html"
    search("--gallery", target, "id:1")
    old = target.read_text()

    def full(*_names: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    ran = search("--gallery", target)
    assert ran.code == 9
    assert target.read_text() == old
    assert [path.name for path in tmp_path.glob("*page*")] == ["page.html"]
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_nothing_is_written_among_the_originals(search: Search, originals: Path, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(originals)
    (tmp_path / "photo.jpg").symlink_to(originals / "2019" / "beach.jpg")
    before = (originals / "2019" / "beach.jpg").read_bytes()
    for target in (
        originals / "2019" / "beach.jpg",
        originals / "new.jpg",
        tmp_path / "way" / "new.jpg",
        tmp_path / "photo.jpg",
    ):
        ran = search("--contact-sheet", target)
        assert ran.code == 2
        assert b"among the originals" in ran.err
    assert (originals / "2019" / "beach.jpg").read_bytes() == before
    assert not (originals / "new.jpg").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preview"], b"--preview shows photos on a terminal, and this is none; --gallery OUT.html"),
        (["--contact-sheet", "out.gif"], b"name a file that ends in .jpg or .png"),
        (["--gallery", "-", "--contact-sheet", "-"], b"cannot both go to stdout"),
        (["--gallery", "no/such/folder/out.html"], b"there is no folder"),
        (["--gallery", "."], b"is a folder"),
        (["--gallery"], b"--gallery needs a value"),
        (["--private"], b"--private is for a page or a sheet; add --gallery OUT.html"),
        (["--gallery", "out.html", "--count"], b"--count goes with"),
    ],
)
def test_errors_are_named(
    words: list[str], message: bytes, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = search(*words)
    assert ran.code == 2
    assert message in ran.err
    assert not list(tmp_path.glob("out*"))


def test_a_preview_shows_thumbnails_on_a_terminal_with_graphics(
    library_folder: Path, originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")
    for name in ("TERM_PROGRAM", "LC_TERMINAL", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    ran = run_on_terminal("search", "--library", library_folder, "--preview", "--sort", "id")
    assert ran.code == 0, ran.out
    (shown,) = kitty_pictures(ran.out)
    third = shown.picture.width // 3
    assert share_of(shown.picture.crop((0, 0, third, shown.picture.height)), RED) > 0.5
    assert share_of(shown.picture.crop((third, 0, 2 * third, shown.picture.height)), BLUE) > 0.5
    text = re.sub(rb"\x1b_G.*?\x1b\\", b"", ran.out)
    assert b"Beach" in text
    assert b"\x1b[31m" not in text


def test_a_preview_uses_half_blocks_on_a_terminal_without_graphics(
    library_folder: Path, originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM_PROGRAM", "LC_TERMINAL", "TMUX", "KITTY_WINDOW_ID"):
        monkeypatch.delenv(name, raising=False)
    ran = run_on_terminal("search", "--library", library_folder, "--preview", answer=b"\x1b[?62;22c")
    assert ran.code == 0, ran.out
    assert "▀".encode() in ran.out
    refused = run_on_terminal("search", "--library", library_folder, "--gallery", "-")
    assert refused.code == 2
    assert b"which is a terminal" in refused.out
    mixed = run_on_terminal("search", "--library", library_folder, "--preview", "--json")
    assert mixed.code == 2
    assert b"it goes without --json" in mixed.out


def test_a_preview_on_a_terminal_without_graphics_and_colours_is_refused_with_a_remedy(
    library_folder: Path, originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("TERM_PROGRAM", "LC_TERMINAL", "TMUX", "KITTY_WINDOW_ID"):
        monkeypatch.delenv(name, raising=False)
    ran = run_on_terminal("search", "--library", library_folder, "--preview", answer=b"\x1b[?62;22c")
    assert ran.code == 2
    assert b"--gallery OUT.html" in ran.out
