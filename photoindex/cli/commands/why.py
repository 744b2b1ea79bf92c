"""`photoindex why PATH…`: explain why a file is, or is not, in the library."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.output.details import Section, print_details, print_json
from photoindex.errors import NothingFound

if TYPE_CHECKING:
    from photoindex.library.photos.why import PathVerdict


def register(app: typer.Typer) -> None:
    """Add the command `why`."""
    app.command("why")(why)


def why(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", autocompletion=complete_path, help="A file or folder.")],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Explain why a file is, or is not, in the library: not seen, excluded, quarantined, missing, done."""
    from photoindex.library.photos.why import as_json
    from photoindex.library.photos.why import why as explain

    all_seen = True
    with opened(library, reading=True) as found:
        for verdict in explain(found, [os.fsencode(path) for path in paths]):
            all_seen = all_seen and verdict.seen
            if json:
                print_json(as_json(verdict))
            else:
                _print(verdict)
    if not all_seen:
        raise typer.Exit(NothingFound.exit_code)


def _print(verdict: PathVerdict) -> None:
    from json import dumps

    from photoindex.paths import to_text

    rows = [("answer", verdict.answer.replace("_", " ")), ("because", verdict.because)]
    if verdict.remedy is not None:
        rows.append(("what to do", verdict.remedy))
    if verdict.task is not None:
        rows.append(("task", f"{verdict.task.stage}, variant {dumps(verdict.task.variant)}"))
    print_details(to_text(verdict.path), [Section("why", rows)])
