"""What `open` promises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.promises.house import House, promises

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
