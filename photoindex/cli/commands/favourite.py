"""`photoindex favourite PHOTO…`: mark photos as favourites."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand
from photoindex.cli.arguments.photo_arguments import PhotosArgument, YesOption, chosen_photos, say

_HELP = """Mark photos as favourites, or with --remove as none.

Favourites of Google Takeout, Picasa and F-Stop are favourites from the
start; what you say stands above them. `is:favourite` finds them.
"""


def register(app: typer.Typer) -> None:
    """Add the command `favourite`."""
    app.command("favourite", cls=QueryCommand, help=_HELP)(favourite)


def favourite(
    photos: PhotosArgument,
    remove: Annotated[bool, typer.Option("--remove", help="They are no favourites, whatever their files say.")] = False,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Mark photos as favourites."""
    from photoindex.library.words import facts

    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Mark {}?", yes=yes)
        say(facts.state(found, chosen, facts.favourite(on=not remove)), json=json)
