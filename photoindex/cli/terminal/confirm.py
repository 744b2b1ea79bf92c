"""Asks for confirmation on the terminal before large changes."""

from __future__ import annotations

import sys

import typer

from photoindex.errors import UsageError


def confirm(question: str, *, preview: str = "--dry-run") -> None:
    """Ask on the terminal, and exit if the answer is no; preview: the option or command that shows what would change.

    Raises UsageError if standard input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            f"{question} Standard input is not a terminal; confirm with --yes, or check first with {preview}"
        )
    if not typer.confirm(question, err=True):
        print("nothing was changed", file=sys.stderr)
        raise typer.Exit
