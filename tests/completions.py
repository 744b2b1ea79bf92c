"""What a line is completed with, as a shell asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import run

Completed = Callable[..., list[str]]


def completed_by_bash(
    library_folder: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[bytes]
) -> Completed:
    """Return what returns the completions of the last of the words of a line, as Bash splits it."""

    def completed(*words: str, library: Path = library_folder) -> list[str]:
        monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library))
        monkeypatch.setenv("_PHOTOINDEX_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(("photoindex", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        done = run(capture)
        assert (done.code, done.err) == (0, b"")
        return [one for one in done.out.decode().splitlines() if one]

    return completed
