"""`photoindex scan PATH…`: bring the library up to date with the originals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.arguments.common import LibraryOption, opened, settings
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.quiet import QuietOption, leaves_the_work_to_others, progress_of
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.render import visible
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.errors import EXIT_SOME_QUARANTINED, UsageError, VolumeOffline
from photoindex.file_access import as_named, as_on_disk
from photoindex.paths import display, from_text, shell_word

if TYPE_CHECKING:
    from photoindex.library.maintenance.status import NextStep
    from photoindex.library.scan.scan import ScanSummary


def register(app: typer.Typer) -> None:
    """Add the command `scan`."""
    app.command("scan")(scan)


def scan(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            autocompletion=complete_path,
            help="Folders or files; without any, every root known from earlier scans.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="GLOB",
            help="Leave out matching files (gitignore syntax); repeatable, remembered for the root.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", min=1, help="Worker processes; default leaves 20 % of the cores."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be read; change nothing.")] = False,
    no_derived: Annotated[
        bool, typer.Option("--no-derived", help="Hash and facts only: no preview, no thumbnail.")
    ] = False,
    follow_symlinks: Annotated[
        bool | None,
        typer.Option(
            "--follow-symlinks/--no-follow-symlinks", help="Follow links (loops are safe); remembered for the root."
        ),
    ] = None,
    paths_from: Annotated[
        str | None,
        typer.Option("--paths-from", metavar="FILE", help="Scan the files listed in FILE, one per line; - is stdin."),
    ] = None,
    null: Annotated[bool, typer.Option("-0", "--null", help="The list of --paths-from is NUL-separated.")] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Mark originals as missing that are gone, even very many.")
    ] = False,
    check_derived: Annotated[
        bool,
        typer.Option("--check-derived", help="Look for previews that are gone and make them again; done once a day."),
    ] = False,
    max_megapixels: Annotated[
        float | None,
        typer.Option("--max-megapixels", metavar="N", min=0, help="Refuse larger pictures before decoding them."),
    ] = None,
    worker_memory_mb: Annotated[
        int | None, typer.Option("--worker-memory-mb", metavar="N", min=128, help="Memory of one worker in MiB.")
    ] = None,
    file_seconds: Annotated[
        float | None, typer.Option("--file-seconds", metavar="SECONDS", min=0.1, help="Give a file up after this time.")
    ] = None,
    quiet: QuietOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")] = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Find new, changed, moved and missing originals and read them; unchanged files are not opened.

    Exit codes: 0 done; 100 done, but files are quarantined (see `photoindex tasks --state quarantined`); 12 originals are
    away and no file was marked.
    """
    from photoindex.library.maintenance.status import next_after_scan
    from photoindex.library.scan.scan import ScanRequest
    from photoindex.library.scan.scan import scan as run_scan

    if paths_from is not None and paths:
        raise UsageError("give PATH or --paths-from, not both")
    if null and paths_from is None:
        raise UsageError("-0 needs --paths-from")
    _check_there_is_something(paths, paths_from, library)
    request = ScanRequest(
        tops=[os.fsencode(path) for path in paths or []],
        listed=_listed(paths_from, null=null) if paths_from is not None else None,
        exclude=tuple(exclude) if exclude is not None else None,
        follow_symlinks=follow_symlinks,
        derive=not no_derived,
        dry_run=dry_run,
        accept_missing=accept_missing,
        check_derived=check_derived,
        retry_classes=tuple(
            error_class
            for error_class, given in (
                ("too_large", max_megapixels),
                # Without a limit of its own, memory follows from the pixels.
                ("out_of_memory", max_megapixels if worker_memory_mb is None else worker_memory_mb),
                ("hang", file_seconds),
            )
            if given is not None
        ),
    )
    limits: dict[str, Any] = {
        "scan.jobs": jobs,
        "scan.max_megapixels": max_megapixels,
        "scan.worker_memory_mb": worker_memory_mb,
        "scan.file_seconds": file_seconds,
    }
    with (
        stop_on_signal() as stop,
        leaves_the_work_to_others(quiet=quiet),
        opened(library, create=True, on_trial=dry_run, **limits) as found,
        progress_sink(progress_of(progress, quiet=quiet)) as emit,
    ):
        summary = run_scan(found, request, emit, stop)
        is_silent = json or quiet
        step = None if is_silent or not summary.new or dry_run or summary.stopped else next_after_scan(found)
    if json or not quiet or says_something(summary):
        _print(summary, step, as_json=json)
    if stop.exit_code is not None and (summary.stopped or summary.pending):
        raise typer.Exit(stop.exit_code)
    _raise_what_is_wrong(summary)


def _raise_what_is_wrong(summary: ScanSummary) -> None:
    if summary.roots_away:
        away = [from_text(path) for path in summary.roots_away]
        raise VolumeOffline(
            f"not there (not mounted, or emptied): {', '.join(map(display, away))}; none of its files was marked. Mount it and "
            f"scan again, or if the originals were really removed: photoindex scan --accept-missing {' '.join(map(shell_word, away))}"
        )
    if summary.quarantined or summary.unreadable_folders or summary.unreadable_files:
        raise typer.Exit(EXIT_SOME_QUARANTINED)


def says_something(summary: ScanSummary) -> bool:
    """Return whether a scan found anything new or wrong; files that fail are named as they are found."""
    found = summary.new + summary.changed + summary.moved + summary.duplicate + summary.newly_missing
    return bool(found or summary.unreadable_folders or summary.unreadable_files)


def _check_there_is_something(paths: list[str] | None, paths_from: str | None, library: Path | None) -> None:
    """Raise UsageError before a library is made of nothing: a mistyped path must not leave an empty one behind."""
    from photoindex.app import database_path

    config = settings(library)
    if database_path(config).exists() or paths_from is not None:
        return
    if paths and not any(os.path.lexists(as_on_disk(os.fsencode(path))) for path in paths):
        raise UsageError(f"no such file or folder: {visible(paths[0])}")
    if not paths and config.originals_path is None:
        from photoindex.library.originals.roots import NOTHING_TO_SCAN

        raise UsageError(NOTHING_TO_SCAN)


def _listed(source: str, *, null: bool) -> list[bytes]:
    """Read the list at once, before Ctrl-C only asks for a stop: reading may wait for ever."""
    separator = b"\0" if null else b"\n"
    try:
        data = sys.stdin.buffer.read() if source == "-" else as_named(Path(source)).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the list {source}: {error.strerror}") from error
    return [path for path in data.split(separator) if path]


def _print(summary: ScanSummary, step: NextStep | None, *, as_json: bool) -> None:
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps({"schema": 1, **asdict(summary)}))
        return

    for line in lines(summary):
        print(line, file=sys.stderr)
    if step is not None:
        print(f"next: {step.command} ({step.why})", file=sys.stderr)


def lines(summary: ScanSummary) -> Iterator[str]:
    """Yield the lines of the summary: the counts, then what went wrong and what to do about it."""
    counts = [
        ("new", summary.new),
        ("changed", summary.changed),
        ("moved", summary.moved),
        ("duplicate", summary.duplicate),
        ("unchanged", summary.unchanged),
        ("quarantined", summary.quarantined),
        ("excluded", summary.excluded),
        ("sidecar" if summary.sidecars == 1 else "sidecars", summary.sidecars),
        ("missing", summary.missing),
    ]
    said = ", ".join(f"{count:,} {name}" for name, count in counts if count) or "no files"
    verb = "would read" if summary.dry_run else "scanned"
    megabytes = summary.bytes / 1e6
    yield (
        f"{verb}: {said}; {megabytes:,.1f} MB read in {summary.seconds:,.1f} s, {summary.files_per_minute:,.0f} files/min"
        if not summary.dry_run
        else f"{verb}: {said}; {megabytes:,.1f} MB to read"
    )
    if summary.stopped:
        left = f"{_files(summary.pending)} left; " if summary.pending else ""
        yield f"stopped early: {left}the next scan continues"
    if summary.quarantined:
        yield f"{summary.quarantined:,} quarantined; to see why: photoindex tasks --state quarantined, to try again: photoindex retry"
    if summary.newly_missing:
        yield f"{_files(summary.newly_missing)} gone; the library keeps their facts until: photoindex prune"
    if summary.unreadable_folders:
        folders = "1 folder" if summary.unreadable_folders == 1 else f"{summary.unreadable_folders:,} folders"
        yield f"{folders} could not be read; their files stay as they were"
    if summary.unreadable_files:
        files = "1 file" if summary.unreadable_files == 1 else f"{summary.unreadable_files:,} files"
        yield f"{files} could not be read from the disk; what is known of them stays as it was"


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count:,} files are"
