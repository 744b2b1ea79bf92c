"""The page and the answers of commands that let a person review in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from photoindex.cli.output.render import visible
from photoindex.errors import UsageError
from photoindex.file_access import as_named

_STDIO = "-"

PageOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write the page; - is stdout.")
]
AnswersArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="What the page saved, or a script wrote; - is stdin.")
]
CheckOnlyOption = Annotated[bool, typer.Option("--dry-run", help="Only check the answers; change nothing.")]


def page_target(output: Path) -> Path:
    """Return where the page goes. Raises UsageError where it would go to a terminal."""
    target = as_named(output)
    if str(target) == _STDIO and sys.stdout.isatty():
        raise UsageError("'-' writes to stdout, which is a terminal; name a file or redirect it")
    return target


def read_answers(answers: Path) -> tuple[str, bytes]:
    """Return the name of a file of answers for messages, and its bytes. Raises UsageError."""
    if str(answers) == _STDIO:
        return "stdin", sys.stdin.buffer.read()
    named = as_named(answers)
    shown = visible(str(named))
    try:
        return shown, named.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from error
