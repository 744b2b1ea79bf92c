"""Asking on the terminal before much is changed."""

from __future__ import annotations

import sys

import typer

from photoindex.errors import UsageError


def ask(question: str, *, look: str = "--dry-run") -> None:
    """Ask on the terminal, and end the command on a no; look: what shows first what would change.

    Raises UsageError where nobody can answer.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can answer here; give --yes, or look first with {look}")
    if not typer.confirm(question, err=True):
        print("nothing was changed", file=sys.stderr)
        raise typer.Exit
