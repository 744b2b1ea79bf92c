"""`photoindex doctor`: is everything well with this computer and the library, and how will it grow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened, settings
from photoindex.cli.arguments.quiet import QuietOption
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import Column, Output, Row, choose_output, render
from photoindex.errors import ChecksFailed, ConfigError, LibraryNotFound, PhotoIndexError

if TYPE_CHECKING:
    from photoindex.library.doctor.examination import Finding

_CHECKS = (
    Column("level", "", plain=True),
    Column("check", "check", plain=True),
    Column("text", "what was found", plain=True, wide=True),
    Column("remedy", "remedy", plain=True, wide=True),
)


def register(app: typer.Typer) -> None:
    """Add the command `doctor`."""
    app.command("doctor")(doctor)


def doctor(
    sizing: Annotated[
        bool,
        typer.Option("--sizing", help="Compare the library with the planning assumptions, and forecast its growth."),
    ] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Examine this computer and the library: one line ok, warn or fail each, with a remedy. Nothing is changed.

    Works without a library, too; then only what needs none is examined. Exit codes: 0 nothing fails; 18 something does.
    """
    output = choose_output(json=json)
    if sizing:
        from photoindex.cli.output.sizing import print_sizing
        from photoindex.library.doctor.sizing import size_up

        with opened(library, reading=True) as found:
            print_sizing(size_up(found), as_json=json)
        return
    _examine(library, output, only_troubles=quiet and not json)


def _examine(library: Path | None, output: Output, *, only_troubles: bool) -> None:
    levels: list[str] = []

    def rows() -> Iterator[Row]:
        for name, finding in _findings(library):
            levels.append(str(finding.level))
            if not only_troubles or levels[-1] != "ok":
                yield {"level": levels[-1], "check": name, "text": finding.text, "remedy": finding.remedy}

    render(rows(), _CHECKS, output)
    failed, warned = levels.count("fail"), levels.count("warn")
    if not only_troubles or failed or warned:
        print(f"{amount(len(levels), 'findings')}: {failed} fail, {warned} warn", file=sys.stderr)
    if failed:
        raise ChecksFailed(f"{failed} of {amount(len(levels), 'findings')} fail; each names its remedy")


def _findings(library: Path | None) -> Iterator[tuple[str, Finding]]:
    from photoindex.app import library_folder
    from photoindex.library.doctor.doctor import examine_library, examine_machine
    from photoindex.library.doctor.examination import fail, warn

    yield from examine_machine(library_folder(settings(library)))
    try:
        with opened(library, reading=True) as found:
            yield from examine_library(found)
    except ConfigError:
        raise
    except LibraryNotFound as error:
        yield "library", warn("there is no library yet", str(error).partition("; ")[2])
    except PhotoIndexError as error:
        yield "library", fail(str(error), "")
