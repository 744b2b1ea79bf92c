"""Photos as the commands about words take them: a query, paths, numbers, or a list of these on stdin."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.person_completion import complete_path_or_term
from photoindex.cli.terminal.confirm import confirm
from photoindex.errors import NothingFound, UsageError

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.words.change import WordsChanged

MANY_PHOTOS = 1000
"""Before more photos of a query are changed, a person is asked."""
STDIN = "-"

PhotosArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PHOTO|QUERY",
        autocompletion=complete_path_or_term,
        help="Files, folders with all below them, numbers of photos, or a query; - reads paths or numbers from stdin.",
    ),
]
YesOption = Annotated[
    bool,
    typer.Option("--yes", "-y", help=f"Do not ask first, as for a query that finds more than {MANY_PHOTOS:,} photos."),
]


def chosen_photos(library: Library, arguments: list[str], question: str, *, yes: bool) -> tuple[int, ...]:
    """Return the photos of the arguments, and ask a person before many of a query; question: `Tag {} beach?`."""
    from photoindex.library.search.photo_choice import choose_photos
    from photoindex.library.words.change import photos_text

    chosen = choose_photos(library, *with_list(arguments))
    if chosen.by_query and len(chosen.photo_ids) > MANY_PHOTOS and not yes:
        confirm(question.format(photos_text(len(chosen.photo_ids))), preview="photoindex search")
    return chosen.photo_ids


def with_list(arguments: list[str]) -> tuple[list[str], list[bytes] | None]:
    """Return the arguments apart from `-`, and the list on stdin where that asks for it: a line each, or ended by NUL."""
    if STDIN not in arguments:
        return arguments, None
    if sys.stdin.isatty():
        raise UsageError("'-' reads paths or numbers of photos from stdin, which is a terminal; pipe a list into it")
    data = sys.stdin.buffer.read()
    listed = [one for one in data.split(b"\0" if b"\0" in data else b"\n") if one]
    if not listed:
        raise NothingFound("no photo: the list on stdin is empty")
    return [one for one in arguments if one != STDIN], listed


def say(done: WordsChanged, *, json: bool) -> None:
    """Print the result of a change."""
    if json:
        from photoindex.cli.output.details import print_json

        row = {"schema": 1, "entry": done.entry_id, "photos": done.photos, "summary": done.summary}
        print_json(row | {"notes": list(done.notes)})
        return
    from photoindex.cli.output.render import visible

    for note in done.notes:
        print(visible(note), file=sys.stderr)
    if done.entry_id is None:
        print("nothing to change")
    else:
        print(f"{visible(done.summary)}; take it back with: photoindex undo {done.entry_id}")
