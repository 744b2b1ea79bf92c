"""What `open`, and `search` with copies, promise."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from photoindex.library.export import copying
from tests.cli.promises.house import House, promises
from tests.rows import library_in
from tests.shown_faces import ShownFaces

NO_DISPLAY = (
    "there is no display to open photos on; a page that can be opened elsewhere: photoindex search QUERY --gallery found.html; "
    "or name a program that needs no display, with --with PROGRAM"
)
NO_PROGRAM = "there is no program '{}' to open photos with; name another with --with PROGRAM"
CANNOT_RUN = "{} cannot be run: {}; name another with --with PROGRAM"
NO_XDG_OPEN = "xdg-open is not installed; install xdg-utils, or name a program with --with PROGRAM"
ENDED = "{} ended with {}; name a program with --with PROGRAM"
NO_PHOTO_BY_NAME = "by its name it is no photo, and the desktop would take it for something else; use --with PROGRAM"


def _program(folder: Path, name: str, script: str) -> Path:
    program = folder / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(script)
    program.chmod(0o755)
    return program


@promises(NO_DISPLAY, NO_PROGRAM, CANNOT_RUN)
def test_without_a_display_a_page_is_written_or_another_program_is_named(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(scanned.folder)
    printed = scanned.run("open", "1", code=2)
    assert "a page of" in scanned.follow(NO_DISPLAY, printed, QUERY="id:1")
    assert Path("found.html").is_file()
    scanned.excerpt(NO_PROGRAM, scanned.run("open", "1", "--with", "no-such-viewer", code=2))
    broken = _program(scanned.folder / "broken", "viewer", "#!/no/such/interpreter\n")
    scanned.excerpt(CANNOT_RUN, scanned.run("open", "1", "--with", str(broken).replace(" ", r"\ "), code=2))
    assert "opened " in scanned.run("open", "1", "--with", "true")


@promises(NO_XDG_OPEN, ENDED, NO_PHOTO_BY_NAME)
def test_where_the_desktop_cannot_open_photos_another_program_does(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":9")
    programs = scanned.folder / "programs"
    true = _program(programs, "viewer", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(programs))
    scanned.excerpt(NO_XDG_OPEN, scanned.run("open", "1", code=2))
    _program(programs, "xdg-open", "#!/bin/sh\nexit 3\n")
    scanned.excerpt(ENDED, scanned.run("open", "1", code=2))
    assert "opened " in scanned.run("open", "1", "--with", true.name)
    os.link(next(scanned.photos.rglob("*.jpg")), scanned.photos / "page.html")
    monkeypatch.undo()
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(scanned.library))
    monkeypatch.setenv("DISPLAY", ":9")
    scanned.run("scan", scanned.photos)
    page = scanned.photos / "page.html"
    scanned.excerpt(NO_PHOTO_BY_NAME, scanned.run("open", page, code=2))
    assert "page.html" in scanned.run("open", page, "--with", "true")


HIDDEN_OPENED = "{} of hidden persons left out; --hidden opens them"
SENSITIVE_OPENED = "{} left out; --sensitive opens them"
HIDDEN_COPIED = "{} of hidden persons left out; --hidden copies them"
SENSITIVE_COPIED = "{} left out; --sensitive copies them"


@promises(HIDDEN_OPENED, SENSITIVE_OPENED, HIDDEN_COPIED, SENSITIVE_COPIED)
def test_photos_that_were_left_out_come_with_the_option(scanned: House) -> None:
    with library_in(scanned.library) as library:
        shown = ShownFaces(library, scanned.photos)
        shown.faces_in(1, shown.person("Anna", hidden=True))
    scanned.run("tag", "add", "sensitive", "2")
    printed = scanned.run("open", "id:1..3", "--with", "true")
    assert printed.count("opened ") == 1
    scanned.excerpt(HIDDEN_OPENED, printed)
    scanned.excerpt(SENSITIVE_OPENED, printed)
    assert scanned.run("open", "id:1..3", "--with", "true", "--hidden", "--sensitive").count("opened ") == 3
    target = scanned.folder / "copies"
    printed = scanned.run("search", "id:1..3", "--copy-to", target)
    scanned.excerpt(HIDDEN_COPIED, printed)
    scanned.excerpt(SENSITIVE_COPIED, printed)
    assert len(os.listdir(target)) == 1
    scanned.run("search", "id:1..3", "--copy-to", target, "--hidden", "--sensitive")
    assert len(os.listdir(target)) == 3


NOT_AS_JSON = "--thumbnail shows a picture above the text; it goes without --json"
HIDDEN_SHOWN = "a photo of a hidden person; --hidden shows it"
SENSITIVE_SHOWN = "a sensitive photo; --sensitive shows it"


@promises(NOT_AS_JSON, HIDDEN_SHOWN, SENSITIVE_SHOWN)
def test_a_thumbnail_that_was_left_out_comes_with_the_option(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned.excerpt(NOT_AS_JSON, scanned.run("show", "1", "--thumbnail", "--json", code=2))
    assert '"id": 1' in scanned.run("show", "1", "--json")
    with library_in(scanned.library) as library:
        shown = ShownFaces(library, scanned.photos)
        shown.faces_in(1, shown.person("Anna", hidden=True))
    scanned.run("tag", "add", "sensitive", "2")
    terminal = {
        "FZF_PREVIEW_COLUMNS": "40",
        "FZF_PREVIEW_LINES": "20",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for photo, message, option in (("1", HIDDEN_SHOWN, "--hidden"), ("2", SENSITIVE_SHOWN, "--sensitive")):
        printed = scanned.run("show", photo, "--thumbnail")
        scanned.excerpt(message, printed)
        assert "▀" not in printed
        assert "▀" in scanned.run("show", photo, "--thumbnail", option)


CHANGED = "it has changed since it was scanned; run: photoindex scan {}"


@promises(CHANGED)
def test_a_changed_photo_is_copied_after_a_scan(scanned: House) -> None:
    original = next(scanned.photos.rglob("*.jpg"))
    original.write_bytes(original.read_bytes() + b"more")
    target = scanned.folder / "copies"
    scanned.follow(CHANGED, scanned.run("search", "--copy-to", target, code=12))
    scanned.run("search", "--copy-to", target)
    assert (target / original.name).read_bytes() == original.read_bytes()


OTHER_DISK = "hard links stay on one disk, and {} is on another than {}; leave out --hard for symbolic links"


@promises(OTHER_DISK)
def test_symbolic_links_lead_to_another_disk(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_another_disk(source: bytes, target: bytes, *, hard: bool) -> None:
        if hard:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link_new(source, target, hard=hard)

    link_new = copying.link_new
    monkeypatch.setattr(copying, "link_new", on_another_disk)
    target = scanned.folder / "links"
    scanned.excerpt(OTHER_DISK, scanned.run("search", "--link-to", target, "--hard", code=2))
    scanned.run("search", "--link-to", target)
    assert all((target / name).is_symlink() for name in os.listdir(target))
