"""`photoindex facts FILE…`: the metadata of files, without a library."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, settings
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.output.details import Section, print_details, print_json
from photoindex.cli.output.fact_rows import fact_rows
from photoindex.errors import EXIT_SOME_QUARANTINED, UsageError

if TYPE_CHECKING:
    from photoindex.library.photos.facts import FileFacts
    from photoindex.types import Region


def register(app: typer.Typer) -> None:
    """Add the command `facts`."""
    app.command("facts")(facts)


def facts(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", autocompletion=complete_path, help="Photos or videos, in a library or not."),
    ],
    json: JsonOption = False,
) -> None:
    """Show the metadata of files, without a library and without sidecars."""
    from photoindex.library.photos.facts import NotRead, as_json, read_facts
    from photoindex.paths import display

    missing = broken = printed = 0
    for one in read_facts(settings(None), [os.fsencode(each) for each in files]):
        if isinstance(one, NotRead):
            missing += one.missing
            broken += not one.missing
            print(f"photoindex: {display(one.path)}: {one.failure.message}", file=sys.stderr)
        elif json:
            print_json(as_json(one))
        else:
            if printed:
                print()
            _print(one)
            printed += 1
    if missing:
        raise typer.Exit(UsageError.exit_code)
    if broken:
        raise typer.Exit(EXIT_SOME_QUARANTINED)


def _print(one: FileFacts) -> None:
    from photoindex.library.photos.facts import RESOLVED_NAMES
    from photoindex.paths import to_text

    described = one.described
    what: list[tuple[str, object]] = [("kind", f"{described.media.kind}, {described.media.format}")]
    if described.width and described.height:
        what.append(("size", f"{described.width} x {described.height} pixels, orientation {described.orientation}"))
    if described.duration_seconds is not None:
        what.append(("duration", f"{described.duration_seconds:g} s"))
    sections = [
        Section("what", what),
        Section("facts", fact_rows(RESOLVED_NAMES, one.resolved, described.facts)),
        Section("regions", [_region_row(region) for region in described.regions]),
        Section("notes", [("", note) for note in described.notes]),
    ]
    print_details(to_text(one.path), sections)


def _region_row(region: Region) -> tuple[str, str, str, str]:
    position = f"{region.width:.1%} x {region.height:.1%} at {region.x:.1%}, {region.y:.1%}"
    return region.kind, region.name or "", position, region.schema
