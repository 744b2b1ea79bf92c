"""`photoindex config show|path`: the settings in force, where each came from, and where to write them."""

from __future__ import annotations

import os
import sys

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption
from photoindex.cli.output.render import Column, choose_output, encoded, render

_COLUMNS = (
    Column("name", "setting", plain=True),
    Column("value", "value", plain=True),
    Column("origin", "origin", plain=True, wide=True),
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    group = typer.Typer(
        name="config", help="Show the settings in force and where each came from.", no_args_is_help=True
    )
    group.command("show", help="Print each setting with its value and its origin.")(_show)
    group.command("path", help="Print where your own settings file is looked for.")(_path)
    app.add_typer(group)


def _show(library: LibraryOption = None, json: JsonOption = False) -> None:
    from photoindex.config.load import origins

    flags: dict[str, object] = {} if library is None else {"library": library}
    rows = [{"name": part.name, "value": part.shown(), "origin": part.origin} for part in origins(flags)]
    render(rows, _COLUMNS, choose_output(json=json))


def _path() -> None:
    from photoindex.config.load import config_file

    path = config_file()
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded(os.fsdecode(path)) + b"\n")
    sys.stdout.buffer.flush()
    if not path.exists():
        print("photoindex: there is no such file yet; the defaults hold", file=sys.stderr)
