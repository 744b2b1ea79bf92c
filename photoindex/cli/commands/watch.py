"""`photoindex watch`: scan as soon as something changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.arguments.durations import running_time
from photoindex.cli.commands.scan import lines, says_something
from photoindex.cli.output.progress import ProgressMode, progress_sink
from photoindex.cli.terminal.signals import stop_on_signal

if TYPE_CHECKING:
    from photoindex.library.scan.scan import ScanSummary


def register(app: typer.Typer) -> None:
    """Add the command `watch`."""
    app.command("watch")(watch)


def watch(
    calm: Annotated[
        str, typer.Option("--calm", metavar="DURATION", help="Scan this long after the last change.")
    ] = "5s",
    rescan: Annotated[
        str, typer.Option("--rescan", metavar="DURATION", help="Also scan everything this often.")
    ] = "1h",
    library: LibraryOption = None,
) -> None:
    """Scan the known folders, then each folder in which something changes, until Ctrl-C.

    For small libraries on a local disk: every folder takes a watch of the system. Where changes cannot be watched, everything
    is scanned every ten minutes; changes that others make on a server are found by the scan of --rescan.
    """
    from photoindex.library.scan.watch import WatchRequest
    from photoindex.library.scan.watch import watch as run_watch

    request = WatchRequest(calm_seconds=running_time(calm, "--calm"), rescan_seconds=running_time(rescan, "--rescan"))
    with stop_on_signal() as stop, opened(library) as found, progress_sink(ProgressMode.NONE) as emit:
        print("watching; Ctrl-C ends it", file=sys.stderr)
        run_watch(found, request, emit, _print, stop)
    raise typer.Exit(stop.exit_code or 0)


def _print(summary: ScanSummary) -> None:
    if says_something(summary):
        for line in lines(summary):
            print(line, file=sys.stderr, flush=True)
