"""`photoindex config show|path`: the effective settings with their origins, and the path of the settings file."""

from __future__ import annotations

import os
import sys

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption
from photoindex.cli.output.render import Column, choose_output, data_stream, encoded, render

_COLUMNS = (
    Column("name", "setting", plain=True),
    Column("value", "value", plain=True),
    Column("origin", "origin", plain=True, wide=True),
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    group = typer.Typer(
        name="config", help="Show the effective settings and where each comes from.", no_args_is_help=True
    )
    group.command("show", help="Print each setting with its value and its origin.")(_show)
    group.command("path", help="Print the path of your settings file.")(_path)
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
    data_stream().write(encoded(os.fsdecode(path)) + b"\n")
    sys.stdout.buffer.flush()
    if not path.exists():
        print("photoindex: this file does not exist yet; the defaults apply", file=sys.stderr)
