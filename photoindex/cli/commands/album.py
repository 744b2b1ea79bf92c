"""`photoindex album create|add|remove|list|show|…`: photos in an order, of one's own and of exports and folders."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_album, complete_path_or_term
from photoindex.cli.arguments.photo_arguments import PhotosArgument, YesOption, chosen_photos, say
from photoindex.cli.arguments.value_completion import ALBUM_KINDS, complete_album_sort, complete_from
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, NullOption, choose_output, render, visible
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.handle import Library

AlbumArgument = Annotated[
    str, typer.Argument(metavar="ALBUM", autocompletion=complete_album, help="Its name; case and accents are ignored.")
]
KindOption = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        autocompletion=complete_from(*ALBUM_KINDS),
        help="own, takeout, apple, folder or smart.",
        show_default=False,
    ),
]

_COLUMNS = (
    Column("name", "Album", plain=True, wide=True),
    Column("kind", "Kind", plain=True),
    Column("photos", "Photos", plain=True, justify="right", show=lambda value: f"{value:,}"),
    Column("first_at", "First", spare=1, show=lambda value: str(value)[:10]),
    Column("last_at", "Last", spare=2, show=lambda value: str(value)[:10]),
    Column("origin", "From", spare=3),
    Column("cover"),
    Column("problem"),
)
_PHOTOS = (
    Column("place", "#", justify="right", style="cyan"),
    Column("path", "Path", plain=True, wide=True),
    Column("id", "ID", justify="right"),
    Column("taken_at", "Taken", spare=1, show=lambda value: str(value)[:10]),
)


def register(app: typer.Typer) -> None:
    """Add the command `album`."""
    group = typer.Typer(
        name="album",
        help="Make albums, and list those of exports, folders and saved queries; every change can be undone.",
        no_args_is_help=True,
    )
    group.command("list")(_list)
    group.command("show")(_show)
    group.command("create", cls=QueryCommand)(_create)
    group.command("add", cls=QueryCommand)(_add)
    group.command("remove", cls=QueryCommand)(_remove)
    group.command("move", cls=QueryCommand)(_move)
    group.command("sort")(_sort)
    group.command("cover")(_cover)
    group.command("rename")(_rename)
    group.command("delete")(_delete)
    app.add_typer(group)


def _list(
    kind: KindOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """List albums: your own, those of Google Takeout and Apple, and saved queries; folders with --kind folder."""
    from dataclasses import asdict

    from photoindex.library.words.albums import list_albums

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    with opened(library, reading=True) as found:
        listed = list_albums(found, () if kind is None else (_checked_kind(kind),))
    if not render(map(asdict, listed), _COLUMNS, output) and output.terminal:
        print("there is no album; make one with: photoindex album create NAME QUERY", file=sys.stderr)
    for one in listed:
        if one.problem is not None:
            print(
                f"warning: the photos of {visible(one.name)} cannot be counted: {visible(one.problem)}", file=sys.stderr
            )


def _show(
    album: AlbumArgument,
    kind: KindOption = None,
    json: JsonOption = False,
    null: NullOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """Print the photos of an album in its order."""
    from photoindex.library.words.albums import show_album

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe, null=null)
    with opened(library, reading=True) as found:
        rows = (
            {"place": one.place, "path": one.path, "id": one.photo_id, "taken_at": one.taken_at}
            for one in show_album(found, album, None if kind is None else _checked_kind(kind))
        )
        render(rows, _PHOTOS, output)


def _create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name.")],
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO|QUERY",
            autocompletion=complete_path_or_term,
            help="Files, folders, numbers of photos, or a query; - reads paths or numbers from stdin.",
        ),
    ] = None,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Make an album, of photos in the order of their times.

    A query that is looked up again each time makes a smart album: `search QUERY --saved NAME`.
    """
    from photoindex.library.words.albums import create_album

    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Put {} into the album?", yes=yes) if photos else ()
        say(create_album(found, name, chosen), json=json)


def _add(
    album: AlbumArgument,
    photos: PhotosArgument,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Put photos at the end of an album, in the order of their times."""
    from photoindex.library.words.albums import add_to_album

    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Put {} into the album?", yes=yes)
        say(add_to_album(found, album, chosen), json=json)


def _remove(
    album: AlbumArgument,
    photos: PhotosArgument,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Take photos out of an album; they stay in the library."""
    from photoindex.library.words.albums import remove_from_album

    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Take {} out of the album?", yes=yes)
        say(remove_from_album(found, album, chosen), json=json)


def _move(
    album: AlbumArgument,
    photos: PhotosArgument,
    first: Annotated[bool, typer.Option("--first", help="To the beginning.")] = False,
    last: Annotated[bool, typer.Option("--last", help="To the end.")] = False,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="PHOTO", help="Before this photo of the album.", show_default=False),
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="PHOTO", help="Behind this photo of the album.", show_default=False)
    ] = None,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Move photos to another place in an album."""
    from photoindex.library.words.albums import Place, move_in_album

    asked = [
        (place, anchor)
        for given, place, anchor in (
            (first, Place.FIRST, None),
            (last, Place.LAST, None),
            (before is not None, Place.BEFORE, before),
            (after is not None, Place.AFTER, after),
        )
        if given
    ]
    if len(asked) != 1:
        raise UsageError("say where to with one of --first, --last, --before PHOTO and --after PHOTO")
    place, anchor = asked[0]
    with opened(library) as found:
        chosen = chosen_photos(found, photos, "Move {}?", yes=True)
        at = None if anchor is None else _one(found, anchor)
        say(move_in_album(found, album, chosen, place, at), json=json)


def _sort(
    album: AlbumArgument,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="KEY",
            autocompletion=complete_album_sort,
            help="As in `search --sort`: date, name, -rating and so on",
        ),
    ] = "date",
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Put an album in an order."""
    from photoindex.library.words.albums import sort_album

    with opened(library) as found:
        say(sort_album(found, album, by), json=json)


def _cover(
    album: AlbumArgument,
    photo: Annotated[
        str | None,
        typer.Argument(
            metavar="PHOTO", autocompletion=complete_path_or_term, help="A path or number; none: the first."
        ),
    ] = None,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Choose the photo that is shown for an album."""
    from photoindex.library.words.albums import set_cover

    with opened(library) as found:
        say(set_cover(found, album, None if photo is None else _one(found, photo)), json=json)


def _rename(
    album: AlbumArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Give an album another name."""
    from photoindex.library.words.albums import rename_album

    with opened(library) as found:
        say(rename_album(found, album, name), json=json)


def _delete(album: AlbumArgument, json: JsonOption = False, library: LibraryOption = None) -> None:
    """Delete an album; its photos stay in the library."""
    from photoindex.library.words.albums import delete_album

    with opened(library) as found:
        say(delete_album(found, album), json=json)


def _one(library: Library, photo: str) -> int:
    found = chosen_photos(library, [photo], "{}", yes=True)
    if len(found) != 1:
        raise UsageError(f"'{photo}' means {len(found):,} photos; name one by its path or number")
    return found[0]


def _checked_kind(kind: str) -> str:
    from photoindex.library.words.albums import ALL_KINDS

    if kind not in ALL_KINDS:
        raise UsageError(f"there is no kind of album '{kind}'; choose one of {', '.join(ALL_KINDS)}")
    return kind
