"""`photoindex tag …`: tags of photos."""

from __future__ import annotations

import typer

from photoindex.cli.commands import tag_auto


def register(app: typer.Typer) -> None:
    """Add the command `tag`."""
    group = typer.Typer(name="tag", help="Tag photos: by machine.", no_args_is_help=True)
    tag_auto.add_to(group)
    app.add_typer(group)
