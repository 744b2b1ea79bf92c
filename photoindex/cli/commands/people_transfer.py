"""`photoindex people export` and `photoindex people import`: what was decided about people, between libraries."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments import people_panels
from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.details import print_json, size_text
from photoindex.cli.output.render import data_stream, visible
from photoindex.file_access import as_named

if TYPE_CHECKING:
    from photoindex.library.people.transfer.import_people import Imported

_NAMED = 20


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `people`."""
    group.command("export", rich_help_panel=people_panels.MOVE)(_export)
    group.command("import", rich_help_panel=people_panels.MOVE)(_import)


def _export(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a file instead of stdout.", show_default=False),
    ] = None,
    library: LibraryOption = None,
) -> None:
    """Print names, dates, faces and rejections as lines of JSON, for `people import` in another library.

    Faces are named by the digest of their photo and their place in it.
    """
    from photoindex.library.people.transfer.export import export_people, export_to_file

    with opened(library, reading=True) as found:
        if output is not None:
            written = export_to_file(found, as_named(output))
            print(f"wrote {visible(str(output))} ({size_text(written)})", file=sys.stderr)
            return
        stream = data_stream()
        for line in export_people(found):
            stream.write(line)
        stream.flush()


def _import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `people export` wrote.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be imported; change nothing.")
    ] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Take names, dates, faces and rejections from another library, as one change.

    What was decided in this library stays. A line that does not apply here, because its photo or face is not here or
    because it contradicts a decision, is left out and named.
    """
    from photoindex.library.people.transfer.import_people import import_people

    with opened(library) as found:
        done = import_people(found, as_named(file), dry_run=dry_run)
    if json:
        print_json(
            {
                "schema": 1,
                "entry": done.entry_id,
                "people": done.people,
                "faces": done.faces,
                "rejections": done.rejections,
                "left_out": [{"line": one.line, "why": one.why} for one in done.left_out],
                "dry_run": dry_run,
            }
        )
        return
    _print_imported(done, dry_run=dry_run)


def _print_imported(done: Imported, *, dry_run: bool) -> None:
    for one in done.left_out[:_NAMED]:
        print(f"line {one.line}: {visible(one.why)}", file=sys.stderr)
    if len(done.left_out) > _NAMED:
        print(f"{len(done.left_out) - _NAMED:,} more lines were left out; --json lists them all", file=sys.stderr)
    if not done.changed:
        print("nothing to change")
    elif dry_run:
        print(f"would have {visible(done.summary)}; nothing was changed")
    else:
        print(f"{visible(done.summary)}; take it back with: photoindex undo {done.entry_id}")
