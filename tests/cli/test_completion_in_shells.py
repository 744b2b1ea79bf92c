"""Completion in Bash, zsh and fish themselves: keys go in at a terminal, and the words that the program gets come out."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from photoindex.library.search.saved import save
from photoindex.library.words.albums import create_album
from photoindex.library.words.tags import add_tags
from photoindex.store.schema.tables import place
from tests.face_rows import FaceRows
from tests.rows import VolumeRows, library_in

PROGRAM = """#!/bin/sh
[ -z "$_PHOTOINDEX_COMPLETE" ] || exec {python} -c 'import sys; from photoindex.cli.main import main; sys.exit(main(sys.argv[1:]))' "$@"
printf '%s\\0' "$@" > {words}.new; mv {words}.new {words}
"""
STARTS = {
    "bash": (
        ["bash", "--noprofile", "--norc", "-i"],
        "PS1='ready''> '; eval \"$(_PHOTOINDEX_COMPLETE=source_bash photoindex)\"",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1='ready''> '; autoload -U compinit; compinit -u -D; eval \"$(_PHOTOINDEX_COMPLETE=source_zsh photoindex)\"",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "function fish_prompt; echo -n ready'> '; end; env _PHOTOINDEX_COMPLETE=source_fish photoindex | source",
    ),
}
SECONDS_AT_MOST = 60.0

TYPED = (
    ("search cam\tNIKON\\ D\t", ["search", "camera:NIKON D800"]),
    ("search camera:Canon\\ EOS\\ 5\t", ["search", "camera:Canon EOS 5D"]),
    ("search lens:EF\t", ["search", "lens:EF24-105mm f/4L IS USM"]),
    ("search place:sao\t", ["search", "place:São Tomé"]),
    ("search person:o\t", ["search", "person:O'Brien"]),
    ("search -person:o\t", ["search", "-person:O'Brien"]),
    ("search tag:dog,an\t", ["search", "tag:dog,animals/cat"]),
    ("search @be\t", ["search", "@best-of"]),
    ("search source:taken_at=mt\t", ["search", "source:taken_at=mtime"]),
    ("album show Su\t", ["album", "show", "Summer: (the $ea)"]),
    ("search 'album:\"Su\t", ["search", 'album:"Summer: (the $ea)"']),
    ("tasks --state qu\t", ["tasks", "--state", "quarantined"]),
)  # fmt: skip
KEPT = {
    "search place:sao\t": "place:sao Tomé",
    "search person:o\t": "person:o'Brien",
    "search -person:o\t": "-person:o'Brien",
}
"""Zsh and fish go on from what was typed, in its own case and without its accents: the program takes both."""


@pytest.fixture(scope="module")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shells")
    with library_in(folder / "library") as library:
        rows = FaceRows(library, folder / "photos")
        rows.add_person("O'Brien")
        rows = VolumeRows(library, folder / "photos")
        with rows.writing() as connection:
            town = {
                "city": "São Tomé",
                "country": "Príncipe",
                "country_code": "ST",
                "words": " sao tome ",
                "alternates": "",
            }
            connection.execute(insert(place).values(id=1, latitude=0.3, longitude=6.7, population=1, **town))
        for make, model in (("NIKON CORPORATION", "NIKON D800"), ("Canon", "Canon EOS 5D"), ("Canon", "Canon EOS 6D")):
            photo_id = rows.add_photo(camera_make=make, camera_model=model, lens="EF24-105mm f/4L IS USM", place_id=1)
        for tag in ("dog", "animals/cat"):
            add_tags(library, [tag], [photo_id])
        create_album(library, "Summer: (the $ea)")
        save(library, "best-of", "rating:5")
    return folder / "library"


class Shell:
    """An interactive shell at a terminal of its own."""

    def __init__(self, name: str, folder: Path, library: Path) -> None:
        (folder / "bin").mkdir()
        self._words, self._seen = folder / "words", b""
        program = folder / "bin" / "photoindex"
        program.write_text(PROGRAM.format(python=sys.executable, words=self._words))
        program.chmod(0o700)
        command, start = STARTS[name]
        environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            "PHOTOINDEX_LIBRARY": str(library), "PYTHONPATH": os.pathsep.join(sys.path),
        }  # fmt: skip
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.chdir(folder / "bin")
            os.execvpe(command[0], command, environment)
        self._type(start + "\r")
        self._wait(lambda: b"ready> " in self._seen)

    def words(self, typed: str) -> list[str]:
        """Return what the program gets for what is typed."""
        self._words.unlink(missing_ok=True)
        for part in typed.split("\t")[:-1]:
            self._type(f"{part}\t")
        self._type("\r")
        self._wait(self._words.exists)
        return self._words.read_text().split("\0")[:-1]

    def close(self) -> None:
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        os.close(self._terminal)

    def _type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _wait(self, is_there: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS_AT_MOST
        while not is_there():
            assert time.monotonic() < end, self._seen.decode(errors="replace")[-2000:]
            if select.select([self._terminal], [], [], 0.05)[0]:
                self._seen += os.read(self._terminal, 65536)


@contextmanager
def _shell(name: str, folder: Path, library: Path) -> Iterator[Shell]:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    shell = Shell(name, folder, library)
    try:
        yield shell
    finally:
        shell.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", STARTS)
def test_a_shell_completes_values(name: str, library_folder: Path, tmp_path: Path) -> None:
    with _shell(name, tmp_path, library_folder) as shell:
        got = {typed: shell.words(f"photoindex {typed}") for typed, _ in TYPED}
    kept = {} if name == "bash" else {typed: ["search", word] for typed, word in KEPT.items()}
    assert got == dict(TYPED) | kept
