"""`photoindex caption set CAPTION PHOTO…`: a person's own caption."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_path_or_term
from photoindex.cli.arguments.photo_arguments import YesOption, chosen_photos, say
from photoindex.errors import UsageError

_HELP = """Give photos a caption of your own.

It is the photo's description, stands above that of its files and the
captions of models, and is found by words and by `description:`. With
--remove, which takes photos alone, what the files say holds again.
"""


def add_to(group: typer.Typer) -> None:
    """Add the command to the group `caption`."""
    group.command("set", cls=QueryCommand, help=_HELP)(_set)


def _set(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="CAPTION PHOTO|QUERY", autocompletion=complete_path_or_term, help="The caption, then the photos."
        ),
    ],
    remove: Annotated[bool, typer.Option("--remove", help="Remove your caption.")] = False,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Give photos a caption."""
    from photoindex.library.words import facts

    text, photos = (None, words) if remove else (words[0], words[1:])
    if not photos:
        raise UsageError("name the photos behind the caption: paths, numbers or a query")
    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Write the caption of {}?", yes=yes)
        say(facts.state(found, chosen, facts.caption(text)), json=json)
