"""`photoindex backup DEST`, `backup list DEST`, `backup verify SNAPSHOT`: snapshots of the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.query_words import is_command, option_arities
from photoindex.cli.arguments.quiet import QuietOption, leaves_the_work_to_others, progress_of
from photoindex.cli.output.details import size_text
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.render import Column, Row, choose_output, render
from photoindex.cli.terminal.confirm import confirm
from photoindex.file_access import from_root
from photoindex.paths import display

if TYPE_CHECKING:
    from typer.core import TyperGroup

    from photoindex.library.backup.snapshots import Snapshot

_HELP = ("--help", "-h")

_COLUMNS = (
    Column("created_at", "created", show=lambda value: f"{str(value)[:19]}Z"),
    Column("bytes", "size", justify="right", show=lambda value: size_text(int(str(value)))),
    Column("state", "state"),
    Column("verified_at", "verified", spare=1, show=lambda value: f"{str(value)[:19]}Z"),
    Column("path", "snapshot", plain=True, wide=True),
    Column("problem", "problem", wide=True),
    Column("library_id"),
    Column("program_version"),
    Column("counts", structured=True),
)


def register(app: typer.Typer) -> None:
    """Add the group `backup`."""
    group = typer.Typer(
        name="backup",
        help="Back up the library: photoindex backup DEST writes a snapshot. List and verify snapshots.",
        no_args_is_help=True,
    )
    group.command("make")(make)
    group.command("list")(list_)
    group.command("verify")(verify)
    app.add_typer(group)


def rearrange(argv: list[str], app: TyperGroup) -> list[str]:
    """Return `argv` with the subcommand right after `backup`; without one, `make` is meant.

    A destination with the name of a subcommand has to be given with its folder: ./list.
    """
    start = next(index for index in range(len(argv)) if is_command(argv, index)) + 1
    words = argv[start:]
    group: Any = app.commands["backup"]
    arities = {name: count for one in group.commands.values() for name, count in option_arities(app, one).items()}
    if not words or words[0] in _HELP:
        return argv
    position = next((index for index in range(len(words)) if _is_argument(words, index, arities)), None)
    if position is not None and words[position] in group.commands:
        return [*argv[:start], words[position], *words[:position], *words[position + 1 :]]
    return [*argv[:start], "make", *words]


def _is_argument(words: list[str], index: int, arities: Mapping[str, int]) -> bool:
    return not words[index].startswith("-") and (index == 0 or not arities.get(words[index - 1]))


def make(
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="The folder for snapshots, on another disk than the library.")
    ],
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=1,
            metavar="N",
            help="Keep the newest N snapshots of this library there [default: 14, or as configured].",
        ),
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Make DEST a backup destination; asked for on a terminal, needed once.")
    ] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Write a snapshot, while other commands may run; `photoindex backup DEST` is short for this.

    It contains the database, the journal and your settings, but no originals and no previews. It is read back and checked
    before older ones are removed. Prints its path.
    """
    from photoindex.library.backup.backup import BackupRequest, backup, needs_initialising

    output = choose_output(json=json)
    with leaves_the_work_to_others(quiet=quiet), opened(library, reading=True) as found:
        if not init and sys.stdin.isatty() and needs_initialising(found, destination):
            shown = display(os.fsencode(from_root(destination)))
            confirm(f"{shown} is not a backup destination yet. Is its disk mounted, and are snapshots to go there?")
            init = True
        with progress_sink(progress_of(progress, quiet=quiet)) as emit:
            made = backup(found, BackupRequest(destination, keep, initialise=init), emit)
    if quiet and not json:
        return
    render([_row(made.snapshot)], _COLUMNS, output)
    counts = made.snapshot.manifest.counts if made.snapshot.manifest is not None else {}
    removed = f"; {len(made.removed)} older removed" if made.removed else ""
    print(
        f"backed up the records of {counts.get('photos', 0):,} photos in {size_text(made.snapshot.bytes)}, checked{removed}; "
        "the originals are not in it",
        file=sys.stderr,
    )


def list_(
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="The folder with snapshots.")],
    json: JsonOption = False,
) -> None:
    """List the snapshots in a folder, newest first, including damaged and incomplete ones."""
    from photoindex.library.backup.snapshots import list_snapshots

    output = choose_output(json=json)
    render((_row(one) for one in list_snapshots(from_root(destination))), _COLUMNS, output)


def verify(
    snapshot: Annotated[
        Path,
        typer.Argument(metavar="SNAPSHOT|DEST", help="The folder of one snapshot, or one that holds no other."),
    ],
    quiet: QuietOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
) -> None:
    """Verify every byte of a snapshot and its database; exit 13 if it is damaged."""
    from photoindex.library.backup.snapshots import verify as check

    output = choose_output(json=json)
    with progress_sink(progress_of(progress, quiet=quiet)) as emit:
        checked = check(from_root(snapshot), emit)
    if quiet and not json:
        return
    render([_row(checked)], _COLUMNS, output)
    print("the snapshot is intact", file=sys.stderr)


def _row(one: Snapshot) -> Row:
    return {
        "path": os.fsencode(one.path),
        "created_at": one.created_at,
        "bytes": one.bytes,
        "verified_at": one.verified_at,
        "state": str(one.state),
        "problem": one.problem,
        "library_id": one.manifest.library_id if one.manifest is not None else None,
        "program_version": one.manifest.program_version if one.manifest is not None else None,
        "counts": one.manifest.counts if one.manifest is not None else None,
    }
