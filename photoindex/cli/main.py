"""The command line's entry: the visible list of commands, the global options, the error boundary."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Optional

import typer

from photoindex import __version__, errors

COMMANDS: tuple[str, ...] = ("config",)
"""Every command, in the order of `photoindex --help`: `photoindex/cli/<name>.py` with a function `register(app)`."""


def build_app() -> typer.Typer:
    """Return the Typer application with every command of COMMANDS."""
    app = typer.Typer(
        name="photoindex",
        help="Index, search and keep safe a photo library from the shell.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def _global_options(
        version: Annotated[
            Optional[bool], typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
        ] = None,
    ) -> None:
        pass

    for name in COMMANDS:
        importlib.import_module(f"photoindex.cli.{name}").register(app)
    return app


def _print_version(wanted: Optional[bool]) -> None:
    if wanted:
        print(f"photoindex {__version__}")
        raise typer.Exit


def main(argv: list[str]) -> int:
    """Run one command line and return its exit code; every error that a user can meet ends here."""
    try:
        result = build_app()(args=argv, prog_name="photoindex", standalone_mode=False)
    except errors.PhotoIndexError as error:
        print(f"photoindex: {error}", file=sys.stderr)
        return error.exit_code
    return result if isinstance(result, int) else 0
