"""`photoindex rate 0-5|reject|clear PHOTO…`: give photos stars, or reject them."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand
from photoindex.cli.arguments.photo_arguments import PhotosArgument, YesOption, chosen_photos, say
from photoindex.cli.arguments.value_completion import complete_from
from photoindex.errors import UsageError

_STARS = {str(stars): stars for stars in range(6)}
_REJECT, _CLEAR = "reject", "clear"
_HELP = """Rate photos with 0 to 5 stars, or reject them.

`clear` takes your rating back: what the files say holds again. A rejected
photo has the rating -1 and is found by `is:rejected`. Originals are not
written; your rating stands above all that files and sidecars say.
"""


def register(app: typer.Typer) -> None:
    """Add the command `rate`."""
    app.command("rate", cls=QueryCommand, help=_HELP)(rate)


def rate(
    stars: Annotated[
        str,
        typer.Argument(
            metavar="STARS",
            autocompletion=complete_from("0", "1", "2", "3", "4", "5", "reject", "clear"),
            help="The stars.",
        ),
    ],
    photos: PhotosArgument,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Rate photos with 0 to 5 stars, or reject them."""
    from photoindex.library.words import facts

    wanted = {**_STARS, _REJECT: facts.REJECTED, _CLEAR: None}
    if stars.lower() not in wanted:
        raise UsageError(f"'{stars}' is no rating; give 0 to 5, {_REJECT} or {_CLEAR}")
    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Rate {}?", yes=yes)
        say(facts.state(found, chosen, facts.rate(wanted[stars.lower()])), json=json)
