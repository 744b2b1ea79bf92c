"""Opens photos with the program of the desktop, or with one of the user's choice."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from photoindex import file_access
from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.people.hidden import left_out
from photoindex.library.search.find import SearchRequest, find
from photoindex.library.search.hits import hits_by_id
from photoindex.library.search.photo_choice import choose_photos
from photoindex.media.identify.kind import MEDIA_EXTENSIONS
from photoindex.paths import display
from photoindex.store.photos.details import file_by_id

_AT_ONCE = 1_000
"""Paths that a program gets at once: the system limits the length of a command line."""
_START_SECONDS = 5.0
"""A desktop's program that has not ended by then has opened its file."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The files to open, and the numbers of photos that a query found and that are left out."""

    paths: tuple[bytes, ...]
    hidden: int = 0
    sensitive: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A file and why it could not be opened, empty if it was."""

    path: bytes
    problem: str = ""


def choose_files(
    library: Library,
    arguments: Sequence[str],
    listed: Sequence[bytes] | None = None,
    *,
    limit: int | None,
    hidden: bool,
    sensitive: bool,
) -> Choice:
    """Return the files of photos given by paths, numbers or a query, which is answered as `search` does, best first.

    A photo is opened by its main file, a named file by itself. listed: further paths and numbers. hidden, sensitive: also such photos of a query. Raises as
    `choose_photos` does.
    """

    def by_words(library: Library, words: Sequence[str]) -> Sequence[int]:
        return find(library, SearchRequest(words, limit=limit)).photo_ids()

    chosen = choose_photos(library, arguments, listed, by_words)
    named = {one.photo_id for one in chosen.files}
    with library.database.read() as connection:
        files = [file_by_id(connection, one.file_id).path for one in chosen.files]
    ids = [one for one in chosen.photo_ids if one not in named or one in chosen.photos_of_folders]
    of_hidden, of_sensitive = left_out(library, ids) if chosen.by_query else (set[int](), set[int]())
    of_hidden = set() if hidden else of_hidden
    of_sensitive = set() if sensitive else of_sensitive - of_hidden
    hits = hits_by_id(library, [one for one in ids if one not in of_hidden | of_sensitive])
    paths = dict.fromkeys([*files, *(hit.path for hit in hits.values())])
    return Choice(tuple(paths)[:limit], len(of_hidden), len(of_sensitive))


def find_program(library: Library) -> tuple[list[str], bool]:
    """Return the program with its options, and whether it is one that the user chose. Raises UsageError."""
    try:
        chosen = shlex.split(library.config.open.command)
    except ValueError as error:
        raise UsageError(f"the program '{library.config.open.command}' to open photos with: {error}") from error
    if chosen:
        if shutil.which(chosen[0]) is None:
            raise UsageError(f"there is no program '{chosen[0]}' to open photos with; name another with --with PROGRAM")
        return chosen, True
    if sys.platform == "darwin":
        return ["open"], False
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError(
            "there is no display to open photos on; a page that can be opened elsewhere: photoindex search QUERY "
            "--gallery found.html; or name a program that needs no display, with --with PROGRAM"
        )
    if shutil.which("xdg-open") is None:
        raise UsageError("xdg-open is not installed; install xdg-utils, or name a program with --with PROGRAM")
    return ["xdg-open"], False


def open_files(library: Library, paths: Sequence[bytes]) -> list[Opened]:
    """Open files and return what became of each.

    The user's own program gets all paths and is waited for; the desktop's gets one at a time and runs on by itself.
    Raises UsageError as `find_program` does.
    """
    program, is_chosen = find_program(library)
    problems = {path: _problem(path, is_chosen=is_chosen) for path in paths}
    good = [path for path, problem in problems.items() if not problem]
    problems |= _open_with(program, good) if is_chosen else _open_on_desktop(program, good)
    return [Opened(path, problem) for path, problem in problems.items()]


def _problem(path: bytes, *, is_chosen: bool) -> str:
    if not file_access.is_file(path):
        return "it is not there now; is its disk mounted?"
    # A desktop chooses the program by the name: a picture that is called .html or .desktop would run as one.
    extension = os.path.splitext(path)[1].lstrip(b".").lower()
    if not is_chosen and extension not in MEDIA_EXTENSIONS:
        return "by its name it is no photo, and the desktop would take it for something else; use --with PROGRAM"
    return ""


def _open_with(program: Sequence[str], paths: Sequence[bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for start in range(0, len(paths), _AT_ONCE):
        some = paths[start : start + _AT_ONCE]
        try:
            code = subprocess.run([*map(os.fsencode, program), *some], check=False).returncode
        except OSError as error:
            raise UsageError(
                f"{program[0]} cannot be run: {error.strerror}; name another with --with PROGRAM"
            ) from error
        found |= dict.fromkeys(some, f"{display(os.fsencode(program[0]))} ended with {code}" if code else "")
    return found


def _open_on_desktop(program: Sequence[str], paths: Sequence[bytes]) -> dict[bytes, str]:
    quiet = subprocess.DEVNULL
    started = {
        path: subprocess.Popen([*program, path], start_new_session=True, stdin=quiet, stdout=quiet, stderr=quiet)
        for path in paths
    }
    until = time.monotonic() + _START_SECONDS
    found = {}
    for path, process in started.items():
        try:
            code = process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            code = 0
        found[path] = f"{program[0]} ended with {code}; name a program with --with PROGRAM" if code else ""
    return found
