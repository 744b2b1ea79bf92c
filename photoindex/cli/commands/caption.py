"""`photoindex caption set`: captions of photos."""

from __future__ import annotations

import typer

from photoindex.cli.commands import caption_words


def register(app: typer.Typer) -> None:
    """Add the command `caption`."""
    group = typer.Typer(name="caption", help="Captions of photos.", no_args_is_help=True)
    caption_words.add_to(group)
    app.add_typer(group)
