"""`photoindex open`: open photos with the desktop's program."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand
from photoindex.cli.arguments.photo_arguments import PhotosArgument, with_list
from photoindex.cli.arguments.picture_options import HiddenOption, SensitiveOption
from photoindex.cli.arguments.sentences import LiteralOption, understood
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import visible
from photoindex.cli.terminal.confirm import confirm
from photoindex.errors import UsageError

ASK_ABOVE = 10
"""More photos than these are opened only after a question."""

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
HELP = r"""Open photos with the desktop's program for their kind, or with your own.

A QUERY is answered as `search` does, the most relevant or newest first; -n N
opens the first N. A photo of several files, such as RAW + JPEG, is opened by
its main file; a file named by its path is opened itself. Before more than 10
photos are opened, it asks.

--with PROGRAM, or the setting open.command, names another program with its
options: it gets the paths of all photos, and is waited for.

Originals are opened where they are: a program that saves changes writes into
them.
"""


def register(app: typer.Typer) -> None:
    """Add the command `open`."""
    app.command("open", cls=QueryCommand, help=HELP)(open_photos)


def open_photos(
    photos: PhotosArgument,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="Only the first N.", show_default=False)
    ] = None,
    program: Annotated[
        str | None,
        typer.Option("--with", metavar="PROGRAM", help="Open them with this program.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=f"Do not ask before more than {ASK_ABOVE}.")] = False,
    literal: LiteralOption = False,
    hidden: HiddenOption = False,
    sensitive: SensitiveOption = False,
    library: LibraryOption = None,
) -> None:
    """Open photos and say which."""
    from photoindex.library.photos.open_photos import choose_files, find_program, open_files

    flags: dict[str, Any] = {"open.command": program}
    with opened(library, reading=True, **flags) as found:
        find_program(found)  # before it asks
        given, listed = with_list(photos)
        if len(given) > 1 and not any(map(os.path.lexists, given)):
            meant = understood(found, given, literal=literal)
            given = [meant] if isinstance(meant, str) else given
        chosen = choose_files(found, given, listed, limit=limit, hidden=hidden, sensitive=sensitive)
        if chosen.hidden:
            print(f"{amount(chosen.hidden, 'photos')} of hidden persons left out; --hidden opens them", file=sys.stderr)
        if chosen.sensitive:
            print(f"{amount(chosen.sensitive, 'sensitive photos')} left out; --sensitive opens them", file=sys.stderr)
        if len(chosen.paths) > ASK_ABOVE and not yes:
            confirm(f"Open {len(chosen.paths):,} photos?", preview="photoindex search")
        done = open_files(found, chosen.paths)
    for one in done:
        if one.problem:
            print(f"not opened: {visible(one.path)}: {one.problem}", file=sys.stderr)
        else:
            print(f"opened {visible(one.path)}")
    if done and all(one.problem for one in done):
        raise UsageError("no photo was opened")
