"""`photoindex prune`: remove missing files from the library."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.durations import age
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.value_completion import complete_names
from photoindex.cli.output.details import print_json, size_text
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.render import Column, choose_output, render
from photoindex.cli.terminal.confirm import confirm
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.maintenance.prune import ForgetPlan, PruneRequest

_COLUMNS = (
    Column("path", "path", plain=True, wide=True),
    Column("missing_since", "missing since"),
    Column("size", "size", justify="right"),
    Column("photo", "photo", justify="right"),
)


def register(app: typer.Typer) -> None:
    """Add the command `prune`."""
    app.command("prune")(prune)


def prune(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH", autocompletion=complete_path, help="Only these files, or the files in these folders."
        ),
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(
            "--volume",
            metavar="VOLUME",
            autocompletion=complete_names("volume"),
            help="Only files of this volume; repeatable.",
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than", metavar="DURATION", help="Only files missing for at least this long: 12h, 30d, 6w, 6mo, 1y."
        ),
    ] = None,
    derived: Annotated[
        bool, typer.Option("--derived", help="Delete previews of removed contents instead. Cannot be undone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be removed; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Remove missing files, and photos without files, from the library.

    The library keeps their data until then. `photoindex undo` restores everything; previews are kept for that, until
    `prune --derived`.
    """
    from photoindex.library.maintenance.prune import PruneRequest

    if derived and (paths or volume or older_than):
        raise UsageError("--derived takes no PATH, --volume or --older-than")
    with opened(library, reading=dry_run) as found:
        if derived:
            _prune_derived(found, dry_run=dry_run, yes=yes, json=json, progress=progress)
            return
        request = PruneRequest(
            paths=tuple(os.fsencode(path) for path in paths or ()),
            volumes=tuple(volume or ()),
            older_than_seconds=None if older_than is None else age(older_than, "--older-than"),
        )
        if dry_run:
            _list(found, request, json=json)
        else:
            _prune(found, request, yes=yes, json=json, progress=progress)


def _list(library: Library, request: PruneRequest, *, json: bool) -> None:
    from photoindex.library.maintenance.prune import files_to_prune, plan_prune
    from photoindex.library.timestamps import utc

    rows = (
        {"path": one.path, "missing_since": utc(one.missing_since), "size": one.size_bytes, "photo": one.photo_id}
        for one in files_to_prune(library, request)
    )
    render(rows, _COLUMNS, choose_output(json=json))
    print(f"would remove {_words(plan_prune(library, request))}; nothing was changed", file=sys.stderr)


def _prune(library: Library, request: PruneRequest, *, yes: bool, json: bool, progress: ProgressMode) -> None:
    from photoindex.library.maintenance.prune import plan_prune
    from photoindex.library.maintenance.prune import prune as forget

    if not yes:
        plan = plan_prune(library, request)
        if not plan.is_empty:
            confirm(f"Remove {_words(plan)} from the library?")
    with progress_sink(progress) as emit:
        done = forget(library, request, emit)
    if json:
        print_json(
            {
                "schema": 1,
                "files": done.plan.files,
                "photos": done.plan.photos,
                "contents": done.plan.contents,
                "entry": done.entry_id,
            }
        )
    elif done.entry_id is None:
        print("nothing to remove")
    else:
        print(f"removed {_words(done.plan)}; undo with: photoindex undo {done.entry_id}")


def _prune_derived(library: Library, *, dry_run: bool, yes: bool, json: bool, progress: ProgressMode) -> None:
    from photoindex.library.maintenance.prune import prune_derived

    if not dry_run and not yes:
        unneeded = prune_derived(library, dry_run=True)
        if unneeded.files:
            confirm(
                f"Remove {unneeded.files:,} previews and thumbnails ({size_text(unneeded.bytes)})? This cannot be undone."
            )
    with progress_sink(progress) as emit:
        done = prune_derived(library, dry_run=dry_run, emit=emit)
    if json:
        print_json({"schema": 1, "files": done.files, "bytes": done.bytes, "dry_run": dry_run})
    else:
        verb = "would remove" if dry_run else "removed"
        print(f"{verb} {done.files:,} previews and thumbnails ({size_text(done.bytes)})")


def _words(plan: ForgetPlan) -> str:
    files = f"{plan.files:,} missing {'file' if plan.files == 1 else 'files'} ({size_text(plan.bytes)})"
    return f"{files} and {plan.photos:,} {'photo' if plan.photos == 1 else 'photos'} without files"
