"""`photoindex status`: the library's contents, pending work, disk usage and next steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.details import Section, print_details, print_json, size_text
from photoindex.cli.output.watch import lines_of_state, watch_work

if TYPE_CHECKING:
    from photoindex.library.maintenance.status import Status
    from photoindex.library.night.state import RunState

_STATES = ("done", "pending", "running", "failed", "quarantined", "dismissed")


def register(app: typer.Typer) -> None:
    """Add the command `status`."""
    app.command("status")(status)


def status(
    watch: Annotated[
        bool,
        typer.Option("--watch", "-w", help="Show what is pending, how fast and until when, again every few seconds."),
    ] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.5, max=3600, help="How often, with --watch.")
    ] = 5.0,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Show the library's contents, pending work, disk usage and suggested next steps."""
    from photoindex.library.maintenance.status import as_json
    from photoindex.library.maintenance.status import status as find_status

    with opened(library, reading=True) as found:
        if watch:
            watch_work(found, every, as_json=json)
            return
        result = find_status(found)
    if json:
        print_json(as_json(result))
    else:
        _print(result)


def _print(found: Status) -> None:
    from photoindex.library.timestamps import local_time

    files, disk = found.files, found.disk
    roots = [
        (one.path, "never completely scanned" if one.scanned_at is None else f"scanned {local_time(one.scanned_at)}")
        for one in found.roots
    ]
    about = "about " if disk.derived_is_estimate else ""
    sections = [
        Section(
            "photos", [("all", f"{found.photos:,}"), *((name, f"{number:,}") for name, number in found.formats.items())]
        ),
        Section(
            "files",
            [
                ("present", f"{files.present:,}", size_text(files.bytes_present)),
                ("not media", f"{files.not_media:,}"),
                ("not recognised", f"{files.undetermined:,}"),
                ("missing", f"{files.missing:,}"),
                ("excluded", f"{files.excluded:,}"),
                ("different contents", f"{found.assets:,}"),
            ],
        ),
        Section("volumes", _volumes(found)),
        Section("folders", roots),
        Section("run", _run(found.run)),
        Section("tasks", [(stage, _counts(states)) for stage, states in found.tasks.items()]),
        Section("quarantined", [(name or "unknown", f"{number:,}") for name, number in found.quarantined.items()]),
        Section(
            "disk",
            [
                ("database", size_text(disk.database)),
                ("previews and thumbnails", about + size_text(disk.derived)),
                ("logs", size_text(disk.logs)),
                ("free", size_text(disk.free)),
            ],
        ),
        Section("next", [(step.command, step.why) for step in found.next_steps]),
    ]
    print_details(f"library {found.library}", sections)


def _run(state: RunState | None) -> list[tuple[str, str]]:
    return [] if state is None else [(state.step or "starting", line) for line in lines_of_state(state)]


def _volumes(found: Status) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in found.volumes:
        missing = f", {one.files.missing:,} missing" if one.files.missing else ""
        state = "online" if one.online else "offline"
        rows.append((one.volume.label, one.volume.mount_point, state, f"{one.files.present:,} files{missing}"))
    return rows


def _counts(states: Mapping[str, int]) -> str:
    return ", ".join(f"{states[state]:,} {state}" for state in _STATES if states.get(state))
