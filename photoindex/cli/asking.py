"""Asking on the terminal before much is changed."""

from __future__ import annotations

import sys

import typer

from photoindex.errors import UsageError


def ask(question: str) -> None:
    """Ask on the terminal, and end the command on a no. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can answer here; give --yes, or look first with --dry-run")
    if not typer.confirm(question, err=True):
        print("nothing was changed", file=sys.stderr)
        raise typer.Exit
