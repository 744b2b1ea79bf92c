"""`photoindex stats [QUERY…]`: numbers of photos by year, camera, place and so on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_term
from photoindex.cli.arguments.picture_options import write_page
from photoindex.cli.arguments.sentences import LiteralOption, understood
from photoindex.cli.arguments.value_completion import COUNTED_BY, complete_from
from photoindex.cli.output.bar_table import BarPart, print_bars
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import (
    Column,
    CsvOption,
    CsvSafeOption,
    Form,
    FormatOption,
    Row,
    choose_output,
    render,
    visible,
)
from photoindex.errors import UsageError
from photoindex.file_access import as_named
from photoindex.progress import Event, Notice

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.statistics.count import Group, Statistics

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
HELP = r"""Count photos by year, month, camera, lens and so on; without QUERY, all.

The numbers are those of the photos that `search` finds with the same QUERY.
--by names what to count by, with commas: year, month, weekday, hour, camera,
lens, focal (length), iso, place; without it, all of them. Times are local
wall times; an hour is counted only where the minute is known.

On a terminal, a part shows its 12 most frequent values, or the latest 12
months or 40 years; -n changes that. In a pipe, and with --json or --csv,
all values come, one a line; photos without a value have an empty one.

--page writes one page with plots, which any browser shows without the
library and the network; --svg writes the plots as one picture.
"""
_SHOWN = 12
_YEARS_SHOWN = 40
_STDOUT = "-"

COLUMNS = (
    Column("by", plain=True),
    Column("value"),
    Column("label", plain=True),
    Column("photos", plain=True),
    Column("share"),
)
"""One value of a dimension. value: null where it is not known. share: of all photos that match, 0 to 1."""


def register(app: typer.Typer) -> None:
    """Add the command `stats`."""
    app.command("stats", cls=QueryCommand, help=HELP)(stats)


def stats(
    query: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", autocompletion=complete_term, help="Only photos that match, as in `search`."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="KEY",
            autocompletion=complete_from(*COUNTED_BY, listed=True),
            help="What to count by, with commas: year,camera.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", min=1, help="At most N values of each.", show_default=False),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Write a page with plots; - is stdout.", show_default=False),
    ] = None,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Write the plots as a picture; - is stdout.", show_default=False),
    ] = None,
    literal: LiteralOption = False,
    template: FormatOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """Count photos and print the numbers."""
    from photoindex.library.search.near_misses import near_misses
    from photoindex.library.search.parse import parse_with_options
    from photoindex.library.statistics.count import DIMENSIONS, count, dimensions

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe, template=template)
    page, svg = (one if one is None else as_named(one) for one in (page, svg))
    targets = [str(one) for one in (page, svg) if one is not None]
    if targets.count(_STDOUT) > 1 or (_STDOUT in targets and (json or csv or csv_safe or template is not None)):
        raise UsageError("only one thing goes to stdout; name a file for the other")
    if _STDOUT in targets and sys.stdout.isatty():
        raise UsageError("'-' writes to stdout, which is a terminal; name a file or redirect it")
    chosen = dimensions(by) if by is not None else tuple(DIMENSIONS.values())
    with opened(library, reading=True) as opened_library:
        parsed = parse_with_options(opened_library, understood(opened_library, query or [], literal=literal))
        found = count(opened_library, parsed.tree, chosen, _print_notice)
        for note in found.notes:
            print(visible(note.text), file=sys.stderr)
        if not found.photos:
            for miss in near_misses(opened_library, parsed.tree):
                print(f"hint: {visible(miss)}", file=sys.stderr)
        _write(opened_library, found, parsed.text, limit, page=page, svg=svg)
    if targets and output.form in (Form.TABLE, Form.PLAIN):
        return
    if output.form is Form.TABLE:
        print(f"{amount(found.photos, 'photos')}{found.without_time}")
        sys.stdout.flush()
        print_bars([_part(group, limit) for group in found.groups if group.bars or group.unknown], output)
    else:
        render(_rows(found, limit), COLUMNS, output)


def _write(
    library: Library, found: Statistics, title: str, limit: int | None, *, page: Path | None, svg: Path | None
) -> None:
    from photoindex.library.statistics.page import statistics_page, statistics_picture

    if page is not None:
        write_page(
            library, page, statistics_page(found, title, limit=limit), f"numbers of {amount(found.photos, 'photos')}"
        )
    if svg is not None:
        picture = statistics_picture(found, title, limit=limit)
        write_page(library, svg, [picture], f"numbers of {amount(found.photos, 'photos')}")


def _part(group: Group, limit: int | None) -> BarPart:
    most = limit or (_YEARS_SHOWN if group.dimension.name == "year" else _SHOWN)
    shown = group.shortened(most)
    rest = []
    if shown.others:
        what = "earlier" if group.dimension.name in ("year", "month") else "others"
        rest.append((f"{shown.other_values:,} {what}", shown.others))
    if shown.unknown:
        rest.append(("unknown", shown.unknown))
    return BarPart(group.dimension.title, [(bar.label, bar.photos) for bar in shown.bars], rest)


def _rows(found: Statistics, limit: int | None) -> Iterator[Row]:
    for group in found.groups:
        name = group.dimension.name
        lines = [
            (bar.value, bar.label, bar.photos) for bar in (group if limit is None else group.shortened(limit)).bars
        ]
        for value, label, photos in (*lines, *([(None, "", group.unknown)] if group.unknown else [])):
            yield {
                "by": name,
                "value": value,
                "label": label,
                "photos": photos,
                "share": round(photos / found.photos, 6),
            }


def _print_notice(event: Event) -> None:
    if isinstance(event, Notice):
        print(visible(event.message), file=sys.stderr)
