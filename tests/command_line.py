"""Runs command lines in this process, or in one with a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from photoindex.cli.main import main


@dataclass(frozen=True)
class CommandResult:
    """The result of a command: its exit code, and the bytes of both streams."""

    code: int
    out: bytes
    err: bytes

    @property
    def json(self) -> list[Any]:
        """Every line of stdout as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(capture: pytest.CaptureFixture[bytes], *argv: str | os.PathLike[str]) -> CommandResult:
    """Run a command line; `capture` is the fixture capsysbinary."""
    capture.readouterr()
    code = main([os.fspath(word) for word in argv])
    out, err = capture.readouterr()
    return CommandResult(code, out, err)


def run_on_terminal(*argv: str | os.PathLike[str], answer: bytes = b"", columns: int = 200) -> CommandResult:
    """Run a command line in a process whose streams are a terminal; `answer` is typed into it."""
    parent, child = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "photoindex", *map(os.fspath, argv)],
        stdin=child, stdout=child, stderr=child, env=environment, close_fds=True,
    )  # fmt: skip
    os.close(child)
    os.write(parent, answer)
    out = b""
    while True:
        ready, _, _ = select.select([parent], [], [], 20)
        if not ready:
            break
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # Linux returns EIO once the other end is closed
            break
        if not chunk:
            break
        out += chunk
    os.close(parent)
    return CommandResult(process.wait(20), out, b"")
