"""`photoindex duplicates [QUERY]` and `duplicates apply FILE`: find copies of photos, and move them away."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.person_completion import complete_term
from photoindex.cli.arguments.picture_options import (
    GalleryOption,
    HiddenOption,
    SensitiveOption,
    picture_options,
    show_groups,
)
from photoindex.cli.arguments.query_group import QueryGroup
from photoindex.cli.commands import duplicates_apply
from photoindex.cli.output.details import print_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount, size_text
from photoindex.cli.output.render import (
    Column,
    CsvOption,
    CsvSafeOption,
    NullOption,
    Row,
    choose_output,
    render,
    visible,
)
from photoindex.file_access import as_named
from photoindex.paths import shell_word

if TYPE_CHECKING:
    from photoindex.library.duplicates.find import Duplicates
    from photoindex.library.duplicates.verdicts import DuplicateGroup
    from photoindex.library.export.photo_cards import GalleryGroup as PictureGroup
    from photoindex.library.handle import Library
    from photoindex.library.search.hits import Hit

HELP = """Find copies of photos and say which to keep. Nothing is ever deleted.

Without QUERY in the whole library; with it, groups with a photo that
matches, as in search: photoindex duplicates path:/photos/inbox date:2019

EXACT copies are the same bytes in several files. THE SAME PICTURE is one
that was saved smaller or again, cut, turned, mirrored, coloured, framed.
Pictures with near hashes, and near embeddings where photos are embedded,
are laid over each other and compared region by region. Shots of
a burst, panoramas and other shots of one scene stay apart, and RAW + JPEG,
a Live Photo or an original with its edits are one photo and no copies.

TO KEEP: the photo with its RAW, without an added border, with more pixels,
less compressed, in a folder of --prefer, not named like a copy, with a time
and camera of its own, with more metadata, known the longest. Of equal bytes,
the file in a folder of --prefer, then the one known the longest. Keywords,
ratings, albums and people of a copy never decide: they are carried over.

ACTIONS: keep; remove, where a file with the same bytes or picture is kept
that is no worse, and both files are on disk; review, where it was cut, turned
or coloured, moves, has a RAW of its own, or cannot be reached. In a pipe:
group, action and path, separated by tabs; -0 ends each with NUL.

A plan (--plan FILE) is a list to read and edit; the command apply moves
what it says to remove into a trash folder. To search for the word "apply",
put -- before it.
"""


def register(app: typer.Typer) -> None:
    """Add the commands `duplicates` and `duplicates apply`."""
    group = typer.Typer(name="duplicates", cls=QueryGroup, help=HELP)
    group.callback(invoke_without_command=True)(duplicates)
    duplicates_apply.add_to(group)
    app.add_typer(group)


def duplicates(
    context: typer.Context,
    query: Annotated[
        list[str] | None, typer.Argument(metavar="QUERY", autocompletion=complete_term, help="As in search.")
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Only the same bytes; no picture is looked at.")] = False,
    radius: Annotated[
        int | None,
        typer.Option(
            "--radius",
            metavar="BITS",
            min=0,
            max=16,
            help="How far hashes of compared pictures may differ, 0 to 16 [default: 11].",
            show_default=False,
        ),
    ] = None,
    prefer: Annotated[
        list[str] | None,
        typer.Option(
            "--prefer",
            metavar="PATH",
            autocompletion=complete_path,
            help="Of equal copies keep the one here; repeatable, the first most.",
        ),
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(
            "--avoid",
            metavar="PATH",
            autocompletion=complete_path,
            help="Of equal copies keep the one elsewhere; repeatable.",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Write what to keep and remove to a new file of tab-separated text, for review; nothing is changed.",
            show_default=False,
        ),
    ] = None,
    gallery: GalleryOption = None,
    hidden: HiddenOption = False,
    sensitive: SensitiveOption = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", min=0, help="Only the N groups that free most.", show_default=False),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    null: NullOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Find groups of copies and print them."""
    if context.invoked_subcommand is not None:
        return
    from photoindex.library.duplicates.find import DuplicatesRequest, find_duplicates
    from photoindex.library.duplicates.pairs import RADIUS
    from photoindex.library.duplicates.plan import check_plan_target

    pictures = picture_options(gallery=gallery, hidden=hidden, sensitive=sensitive)
    output = choose_output(json=json, csv=csv, csv_safe=csv_safe, null=null)
    with opened(library, reading=True) as found:
        if plan is not None:
            plan = as_named(plan)
            check_plan_target(found, plan)
        request = DuplicatesRequest(
            query=query or None,
            exact=exact,
            radius=RADIUS if radius is None else radius,
            prefer=[os.fsencode(one) for one in prefer or ()],
            avoid=[os.fsencode(one) for one in avoid or ()],
        )
        with progress_sink(progress) as emit:
            result = find_duplicates(found, request, emit)
        groups = result.groups if limit is None else result.groups[:limit]
        if plan is not None:
            _write_plan(found, groups, plan)
        if pictures.wanted:
            show_groups(found, list(_picture_groups(found, groups)), pictures, " ".join(query or ["duplicates"]))
        if json and not pictures.takes_stdout:
            for number, group in enumerate(groups, 1):
                print_json(_as_json(number, group))
        elif not pictures.takes_stdout:
            render(_rows(groups), COLUMNS, output)
    _print_summary(result, shown=len(groups))


def _write_plan(library: Library, groups: Sequence[DuplicateGroup], path: Path) -> None:
    from photoindex.library.duplicates.plan import write_plan

    write_plan(library, groups, path)
    written = os.fsencode(path)
    print(
        f"wrote a plan of {amount(len(groups), 'groups')} to {visible(written)}; nothing was changed; when you have read it: "
        f"photoindex duplicates apply {shell_word(written)} --trash FOLDER",
        file=sys.stderr,
    )


def _picture_groups(library: Library, groups: Sequence[DuplicateGroup]) -> Iterator[PictureGroup]:
    from photoindex.library.export.photo_cards import GalleryEntry
    from photoindex.library.export.photo_cards import GalleryGroup as PictureGroup
    from photoindex.library.search.hits import hits_by_id

    hits = hits_by_id(library, [number for group in groups for number in group.photo_ids])
    for number, group in enumerate(groups, 1):
        entries = [
            GalleryEntry(_with_kept_file(hits[one], group), keep=one == group.photo_ids[0], note=_note(group, one))
            for one in group.photo_ids
            if one in hits
        ]
        counts = [(name, sum(one.action == name for one in group.files)) for name in ("keep", "review", "remove")]
        heading = f"Group {number}, {group.kind}: " + ", ".join(f"{name} {count:,}" for name, count in counts if count)
        yield PictureGroup(entries, heading, f"kept: {group.keep_reason}", same_picture=True)


def _with_kept_file(hit: Hit, group: DuplicateGroup) -> Hit:
    """Return a photo's hit with the path of the file that is kept of it; a hit has the path of any present file."""
    kept = next((one.path for one in group.files if one.photo_id == hit.id and one.action == "keep"), hit.path)
    return hit._replace(path=kept, name=kept.rpartition(b"/")[2])


def _note(group: DuplicateGroup, photo_id: int) -> str:
    """Return what a page says below a photo of a group."""
    files = [one for one in group.files if one.photo_id == photo_id]
    copies = [visible(one.path) for one in files if one.action == "remove"]
    if photo_id != group.photo_ids[0]:
        first = files[0]
        more = f" (in {len(files)} files)" if len(files) > 1 else ""
        return f"{first.action}: {first.reason}{more}"
    kept = ", ".join(visible(one.path) for one in files if one.action == "keep")
    return f"keep {kept}; remove the same bytes in {', '.join(copies)}" if copies else ""


def _rows(groups: Sequence[DuplicateGroup]) -> Iterator[Row]:
    for number, group in enumerate(groups, 1):
        for one in group.files:
            yield {
                "group": number, "kind": group.kind, "action": one.action, "size": one.size_bytes,
                "pixels": f"{one.width} x {one.height}" if one.width else "", "path": one.path,
                "reason": group.keep_reason if one is group.files[0] else one.reason, "photo": one.photo_id,
                "digest": one.digest.hex(), "state": one.state, "volume": one.volume, "format": one.format,
                "width": one.width, "height": one.height, "likeness": one.likeness, "share": one.share,
            }  # fmt: skip


def _as_json(number: int, group: DuplicateGroup) -> dict[str, object]:
    from photoindex.library.duplicates.verdicts import REMOVE, REVIEW

    names = ("path", "action", "reason", "photo", "digest", "size", "format", "width", "height", "state", "volume",
             "likeness", "share")  # fmt: skip
    return {
        "schema": 1,
        "group": number,
        "kind": group.kind,
        "keep": group.photo_ids[0],
        "keep_reason": group.keep_reason,
        "photos": list(group.photo_ids),
        "removable_bytes": group.bytes_of(REMOVE),
        "review_bytes": group.bytes_of(REVIEW),
        "files": [{name: row[name] for name in names} for row in _rows([group])],
    }


def _print_summary(result: Duplicates, *, shown: int) -> None:
    actions = [one.action for group in result.groups for one in group.files]
    text = amount(len(result.groups), "groups")
    if shown < len(result.groups):
        text += f" ({shown:,} shown)"
    if actions:
        text += f": {amount(actions.count('remove'), 'files')} could go ({size_text(result.removable_bytes)})"
        text += f", {actions.count('review'):,} to review ({size_text(result.review_bytes)})"
    if result.compared:
        text += f"; {amount(result.compared, 'pairs')} compared"
        text += f", near in hash or in space {result.space}" if result.space else ", near in hash"
    if result.apart:
        text += f"; {amount(result.apart, 'pairs')} of other shots left apart"
    print(text, file=sys.stderr)


def _size(value: object) -> str:
    return size_text(value) if isinstance(value, int) else ""


COLUMNS: tuple[Column, ...] = (
    Column("group", "Group", plain=True, justify="right", style="cyan"),
    Column("action", "Action", plain=True),
    Column("pixels", "Pixels", justify="right", spare=1),
    Column("size", "Size", justify="right", show=_size),
    Column("path", "Path", plain=True, wide=True),
    Column("reason", "Why", wide=True),
    *(
        Column(name)
        for name in (
            "kind", "photo", "digest", "state", "volume", "format", "width", "height", "likeness", "share",
        )
    ),
)  # fmt: skip
"""What is known of each file: all in CSV, those with a heading in the table."""
