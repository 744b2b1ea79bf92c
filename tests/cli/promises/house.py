"""A small library in a state of a test, with what commands said and the commands that they promised."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.cli.promises.messages import HOLE, named_in
from tests.command_line import CommandResult, run
from tests.harness import LibraryRunner
from tests.originals import write_photo

Scenario = TypeVar("Scenario", bound=Callable[..., None])

_PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b")


def promises(*patterns: str) -> Callable[[Scenario], Scenario]:
    """Say which messages a scenario keeps: whole, or in part, with a HOLE for each field; `House.follow` has to see each."""

    def marked(scenario: Scenario) -> Scenario:
        scenario.promises = patterns  # type: ignore[attr-defined]
        return scenario

    return marked


@dataclass
class House:
    """The library `my library` and the photos `my photos` in one folder: each path needs its quotes."""

    folder: Path
    capture: pytest.CaptureFixture[bytes]
    seen: set[str] = field(default_factory=set)

    @property
    def library(self) -> Path:
        """The library's folder."""
        return self.folder / "my library"

    @property
    def photos(self) -> Path:
        """The folder of the originals."""
        return self.folder / "my photos"

    @property
    def rows(self) -> LibraryRunner:
        """Reads the library's tables."""
        return LibraryRunner(self.library)

    def write_photos(self, *names: str, first: int = 0) -> None:
        """Write a small photo of its own for each name."""
        for seed, name in enumerate(names, first):
            write_photo(self.photos / name, seed)

    def run(self, *argv: str | os.PathLike[str], code: int | None = 0) -> str:
        """Run a command and return all that it printed; `code` is its exit code, None for any."""
        ran = self.result(*argv)
        printed = (ran.out + ran.err).decode("utf-8", "backslashreplace")
        assert code in (None, ran.code), f"{argv} exits with {ran.code}: {printed}"
        return printed

    def result(self, *argv: str | os.PathLike[str]) -> CommandResult:
        """Run a command."""
        return run(self.capture, *argv)

    def commands(self, pattern: str, printed: str, **values: str | os.PathLike[str]) -> list[list[str]]:
        """Return the command lines of a message that has to be in `printed`, as a shell splits them.

        values: what a person writes for the words in capitals, such as PATH.
        """
        excerpt = self.excerpt(pattern, printed)
        named = [excerpt[one.start : one.end] for one in named_in(excerpt) if one.words]
        return [[str(values.get(word, word)) for word in split_line(line)] for line in named]

    def excerpt(self, pattern: str, printed: str) -> str:
        """Return the part of `printed` that is the message, or the part of one, in `pattern`."""
        self.seen.add(pattern)
        parts = (re.escape(part) for part in pattern.removeprefix(HOLE).split(HOLE))
        found = re.search("(.*?)".join(parts) + (r"(?=[\n;,]|$)" if pattern.endswith(HOLE) else ""), printed, re.DOTALL)
        assert found, f"{pattern!r} is not in {printed!r}"
        return found.group()

    def follow(self, pattern: str, printed: str, code: int = 0, **values: str | os.PathLike[str]) -> str:
        """Run all commands of a message, the last with this exit code and the others with 0; return what the last printed."""
        commands = self.commands(pattern, printed, **values)
        assert commands, f"no command in {pattern!r}"
        for command in commands[:-1]:
            self.run(*command)
        return self.run(*commands[-1], code=code)


def split_line(line: str) -> list[str]:
    """Split a command line as a shell does."""
    script = f"printf '%s\\0' {line}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return os.fsdecode(done.stdout).split("\0")[:-1]


@dataclass
class Prepared:
    """Folders with libraries in the states that scenarios begin with, all at one path: a library knows absolute paths."""

    base: Path

    def put(self, state: str, house: House, make: Callable[[House], Any]) -> None:
        """Put a copy of a prepared library into an empty house; `make` prepares it where this is the first."""
        kept = self.base / state
        if not kept.exists():
            make(house)
            shutil.copytree(house.folder, kept, symlinks=True)
        else:
            shutil.copytree(kept, house.folder, symlinks=True, dirs_exist_ok=True)
