"""`photoindex restore SNAPSHOT --library NEW`: restore a library from a snapshot."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, settings
from photoindex.cli.output.details import print_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.errors import UsageError
from photoindex.file_access import from_root
from photoindex.paths import display


def register(app: typer.Typer) -> None:
    """Add the command `restore`."""
    app.command("restore")(restore)


def restore(
    context: typer.Context,
    snapshot: Annotated[Path, typer.Argument(metavar="SNAPSHOT", help="The folder of one snapshot.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Move an existing library aside (it is renamed, not deleted).")
    ] = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Verify a snapshot and restore it to the folder given by --library."""
    from photoindex.library.backup.restore import RestoreRequest
    from photoindex.library.backup.restore import restore as restore_library

    before_the_command = context.find_root().params.get("library")
    if library is None and before_the_command is not None:
        library = Path(before_the_command)
    if library is None:
        raise UsageError(
            "restore needs a folder for the library: photoindex restore SNAPSHOT --library NEW "
            "(PHOTOINDEX_LIBRARY is ignored here)"
        )
    request = RestoreRequest(from_root(snapshot), library, replace=replace)
    with progress_sink(progress) as emit:
        done = restore_library(settings(library), request, emit)
    if json:
        print_json(
            {
                "schema": 1,
                "library": os.fsencode(done.library),
                "created_at": done.created_at,
                "counts": done.counts,
                "lost_previews": done.lost_derived,
                "replaced": None if done.replaced is None else os.fsencode(done.replaced),
                "config": None if done.config is None else os.fsencode(done.config),
            }
        )
    else:
        print(display(os.fsencode(done.library)))
    print(f"restored {done.counts.get('photos', 0):,} photos as of {done.created_at}", file=sys.stderr)
    if done.replaced is not None:
        where = display(os.fsencode(done.replaced))
        print(f"the previous library is now {where}; delete it when you no longer need it", file=sys.stderr)
    if done.config is not None:
        where = display(os.fsencode(done.config))
        print(f"the settings of the snapshot are in {where}; they are not used automatically", file=sys.stderr)
    if done.lost_derived:
        print(
            f"previews are not in snapshots; scan rebuilds {done.lost_derived:,}",
            file=sys.stderr,
        )
