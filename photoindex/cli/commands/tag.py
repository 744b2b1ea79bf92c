"""`photoindex tag add|remove|rename|merge|list|complete`: a person's own tags, with levels such as animals/dog."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_tag
from photoindex.cli.arguments.photo_arguments import PhotosArgument, YesOption, chosen_photos, say
from photoindex.cli.commands import tag_auto, tag_review
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Row, choose_output, render

TagArgument = Annotated[
    str,
    typer.Argument(metavar="TAG", autocompletion=complete_tag, help="The tag; slashes separate levels: animals/dog."),
]
AndOption = Annotated[
    list[str] | None,
    typer.Option("--and", metavar="TAG", autocompletion=complete_tag, help="A further tag; may be repeated."),
]

_COLUMNS = (
    Column("tag", "Tag", plain=True, wide=True),
    Column("photos", "Photos", plain=True, justify="right", show=lambda value: f"{value:,}"),
    Column("own", "Yours", justify="right", spare=1, show=lambda value: f"{value:,}"),
    Column("files", "In files", justify="right", spare=2, show=lambda value: f"{value:,}"),
    Column("models", "Models", justify="right", spare=3, show=lambda value: f"{value:,}"),
)


def register(app: typer.Typer) -> None:
    """Add the command `tag`."""
    group = typer.Typer(
        name="tag",
        help="Tag photos, and list, rename and merge tags; every change can be undone.",
        no_args_is_help=True,
    )
    group.command("add", cls=QueryCommand)(_add)
    group.command("remove", cls=QueryCommand)(_remove)
    group.command("rename")(_rename)
    group.command("merge")(_merge)
    group.command("list")(_list)
    group.command("complete")(_complete)
    tag_auto.add_to(group)
    tag_review.add_to(group)
    app.add_typer(group)


def _add(
    tag: TagArgument,
    photos: PhotosArgument,
    more: AndOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Give photos a tag.

    Words of a query are looked for in texts alone: no model decides what is tagged.
    """
    from photoindex.library.words.tags import add_tags

    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Tag {}?", yes=yes)
        say(add_tags(found, [tag, *(more or ())], chosen), json=json)


def _remove(
    tag: TagArgument,
    photos: PhotosArgument,
    more: AndOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Take a tag from photos.

    Where a file or a model gives it too, it is remembered for ever that it does not fit; originals are not changed.
    """
    from photoindex.library.words.tags import remove_tags

    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Take the tag from {}?", yes=yes)
        say(remove_tags(found, [tag, *(more or ())], chosen), json=json)


def _list(
    popular: Annotated[bool, typer.Option("--popular", help="Those of most photos first.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many.", show_default=False)
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """List the tags that photos have: yours, keywords of files, and labels of models."""
    from photoindex.library.words.tags import Order, list_tags

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    with opened(library, reading=True) as found:
        listed = list_tags(found, Order(popular, limit))
    rows: list[Row] = [
        {"tag": one.name, "photos": one.photos, "own": one.own, "files": one.files, "models": one.models}
        for one in listed
    ]
    if not render(rows, _COLUMNS, output) and output.terminal:
        print("no photo has a tag yet; give one with: photoindex tag add TAG QUERY", file=sys.stderr)


def _rename(
    tag: TagArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Give a tag another name, with all levels below it.

    Files and models that go on using the old name mean the new one.
    """
    from photoindex.library.words.tags import rename_tag

    with opened(library) as found:
        say(rename_tag(found, tag, name), json=json)


def _merge(
    into: Annotated[str, typer.Argument(metavar="INTO", autocompletion=complete_tag, help="The tag that stays.")],
    others: Annotated[
        list[str], typer.Argument(metavar="FROM", autocompletion=complete_tag, help="The tags that mean the same.")
    ],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Make tags one, with the levels below them; their names mean the one that stays from then on."""
    from photoindex.library.words.tags import merge_tags

    with opened(library) as found:
        say(merge_tags(found, into, others), json=json)


def _complete(
    text: Annotated[str, typer.Argument(metavar="TAG", help="How the tag, or a level of it, begins.")] = "",
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Print the tags that begin with a text, or have a level that does; for scripts, as shells complete tags themselves."""
    from photoindex.library.words.tags import complete_tags

    with opened(library, reading=True) as found:
        rows = ({"tag": one} for one in complete_tags(found, text))
        render(rows, _COLUMNS[:1], choose_output(json=json))
