"""`photoindex verify`: check the library against itself, or its originals against their checksums."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.durations import age, running_time
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.quiet import QuietOption, leaves_the_work_to_others, progress_of
from photoindex.cli.arguments.shares import percentage
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount, duration, size_text
from photoindex.cli.output.render import Column, Output, Row, choose_output, render, visible
from photoindex.cli.terminal.signals import StopRequest, stop_on_signal
from photoindex.errors import EXIT_SOME_QUARANTINED, EXIT_WINDOW_ENDED, UsageError
from photoindex.file_access import as_named

if TYPE_CHECKING:
    from photoindex.library.verify.originals import Finding, OriginalsRequest, OriginalsSummary
    from photoindex.library.verify.problems import Problem

HELP = """Check the library, or prove its originals good.

Alone: the database, full-text index, tasks, previews, vector indices and
models against each other. --repair queues what is missing or damaged,
rebuilds indices and removes strays; no original is read.

--originals reads originals again, those never read first, then those with
the oldest proof, and compares their bytes with the BLAKE3 that the library
knows. CHANGED: size or time differ; the next scan takes it in. DAMAGED:
both are equal and the bytes are not. UNREADABLE: the disk or a permission
refuses. Where another file has the right bytes, it is read too and named as
the cure. Originals are never written.

Exit codes: 0 all is well; 75 the time of --for is up and files are left;
100 something is damaged or unreadable.
"""

_PROBLEMS = (
    Column("check", "check", plain=True),
    Column("problem", "problem", plain=True, wide=True),
    Column("remedy", "remedy", plain=True, wide=True),
    Column("count"),
    Column("examples", "for example", wide=True, spare=1, structured=True),
    Column("harmful"),
    Column("repaired", "repaired", spare=2),
)
_FINDINGS = (
    Column("outcome", "outcome", plain=True),
    Column("path", "path", plain=True, wide=True),
    Column("copy", "a good copy", plain=True, wide=True),
    Column("detail", "why", spare=1),
    Column("size_bytes"),
    Column("digest"),
)


def register(app: typer.Typer) -> None:
    """Add the command `verify`."""
    app.command("verify", help=HELP)(verify)


def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            autocompletion=complete_path,
            help="With --originals: only these files and folders.",
            show_default=False,
        ),
    ] = None,
    originals: Annotated[
        bool, typer.Option("--originals", help="Read originals again and compare their bytes.")
    ] = False,
    sample: Annotated[
        str | None,
        typer.Option("--sample", metavar="PERCENT", help="Read this share of the originals: 3%.", show_default=False),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="DURATION",
            help="Leave out what was proved good since: 180d, 6mo.",
            show_default=False,
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="DURATION", help="Begin no file after this time: 90s, 30min, 1h.", show_default=False
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Write each damaged file and its good copy to a new file, as JSON lines.",
            show_default=False,
        ),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Queue again what is missing or damaged; rebuild indices; remove strays.")
    ] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Check the library, or prove its originals good."""
    if not originals:
        for given, option in ((paths, "PATH"), (sample, "--sample"), (older_than, "--older-than"), (window, "--for"),
                              (plan, "--plan")):  # fmt: skip
            if given:
                raise UsageError(f"{option} goes with --originals")
        _verify_library(library, _Printing(choose_output(json=json), progress, quiet, json), repair=repair)
        return
    if repair:
        raise UsageError("--repair goes without --originals, which are never written")
    from photoindex.library.verify.originals import OriginalsRequest

    request = OriginalsRequest(
        paths=tuple(os.fsencode(path) for path in paths or ()),
        sample=None if sample is None else percentage(sample, "--sample"),
        older_than_seconds=None if older_than is None else age(older_than, "--older-than"),
        window_seconds=None if window is None else running_time(window, "--for"),
    )
    printing = _Printing(choose_output(json=json), progress, quiet, json)
    _verify_originals(library, printing, request, None if plan is None else as_named(plan))


@dataclass(frozen=True, slots=True)
class _Printing:
    """How the result is printed. quiet: only if something is wrong, but JSON always."""

    output: Output
    progress: ProgressMode
    quiet: bool
    json: bool

    def everything(self, rows: Iterable[Row], columns: Sequence[Column], lines: Iterable[str], *, wrong: bool) -> None:
        """Print rows on stdout and lines on stderr."""
        if not self.quiet or self.json or wrong:
            render(rows, columns, self.output)
        if not self.quiet or wrong:
            for line in lines:
                print(line, file=sys.stderr)


def _verify_library(library: Path | None, printing: _Printing, *, repair: bool) -> None:
    from photoindex.library.verify.library_checks import verify_library

    with (
        leaves_the_work_to_others(quiet=printing.quiet),
        stop_on_signal() as stop,
        opened(library, reading=not repair) as found,
        progress_sink(progress_of(printing.progress, quiet=printing.quiet)) as emit,
    ):
        problems = list(verify_library(found, emit, repair=repair, stop=stop))
    lines = _library_lines(problems, stopped=stop())
    printing.everything(map(_problem_row, problems), _PROBLEMS, lines, wrong=bool(problems))
    if stop.exit_code is not None:
        raise typer.Exit(stop.exit_code)
    if any(one.harmful and not one.repaired for one in problems):
        raise typer.Exit(EXIT_SOME_QUARANTINED)


def _verify_originals(library: Path | None, printing: _Printing, request: OriginalsRequest, plan: Path | None) -> None:
    from photoindex.library.duplicates.plan import check_plan_target
    from photoindex.library.verify.originals import verify_originals, write_plan

    with leaves_the_work_to_others(quiet=printing.quiet), stop_on_signal() as stop, opened(library) as found:
        if plan is not None:
            check_plan_target(found, plan)
        with progress_sink(progress_of(printing.progress, quiet=printing.quiet)) as emit:
            summary = verify_originals(found, request, emit, stop)
        if plan is not None:
            write_plan(summary.findings, plan)
    lines = list(_originals_lines(summary))
    if plan is not None:
        lines.append(f"wrote the plan to {visible(os.fsencode(plan))}; nothing was changed")
    bad = summary.damaged + summary.unreadable > 0
    printing.everything(map(_finding_row, summary.findings), _FINDINGS, lines, wrong=bad)
    _exit_for(summary, stop)


def _exit_for(summary: OriginalsSummary, stop: StopRequest) -> None:
    if stop.exit_code is not None and summary.stopped:
        raise typer.Exit(stop.exit_code)
    if summary.damaged or summary.unreadable:
        raise typer.Exit(EXIT_SOME_QUARANTINED)
    if summary.window_ended:
        raise typer.Exit(EXIT_WINDOW_ENDED)


def _library_lines(problems: list[Problem], *, stopped: bool) -> Iterator[str]:
    if stopped:
        yield "stopped early; not all was checked"
    elif not problems:
        yield "the library is sound; whether its originals are: photoindex verify --originals"
    repaired = sum(one.repaired for one in problems)
    if repaired:
        yield f"{repaired} of {amount(len(problems), 'findings')} repaired"
    following = dict.fromkeys(one.remedy for one in problems if one.repaired and one.remedy)
    yield from (f"next: {command}" for command in following)


def _originals_lines(summary: OriginalsSummary) -> Iterator[str]:
    rate = f", {size_text(summary.bytes_read / summary.seconds)}/s" if summary.seconds else ""
    yield (
        f"proved good: {summary.good:,} of {amount(summary.read, 'files')} in {duration(summary.seconds)}, "
        f"{size_text(summary.bytes_read)} read{rate}"
    )
    bad = [
        f"{count:,} {word}"
        for count, word in ((summary.damaged, "damaged"), (summary.unreadable, "unreadable"))
        if count
    ]
    if bad:
        copies = sum(one.copy is not None for one in summary.findings)
        yield f"{', '.join(bad)}; {copies:,} with a good copy elsewhere"
    if summary.changed or summary.missing:
        yield f"{summary.changed:,} changed and {summary.missing:,} missing since the last scan; take them in with: photoindex scan"
    for label, count in summary.offline.items():
        yield f"left out: {amount(count, 'files')} on {visible(label)}, which is not mounted"
    if summary.younger:
        yield f"left out: {amount(summary.younger, 'files')} proved good more recently"
    if summary.stopped or summary.window_ended:
        why = "stopped early" if summary.stopped else "time is up"
        yield f"{why}: {amount(summary.left, 'files')} left; the next photoindex verify --originals continues"
    yield _coverage_line(summary)


def _coverage_line(summary: OriginalsSummary) -> str:
    from photoindex.library.timestamps import local_time

    coverage = summary.coverage
    since = "" if coverage.oldest_at is None else f", the oldest proof of {local_time(coverage.oldest_at)}"
    return f"of the library: {coverage.proved:,} of {amount(coverage.files, 'originals')} proved good{since}"


def _problem_row(one: Problem) -> Row:
    return {
        "check": one.check, "problem": one.problem, "remedy": one.remedy, "count": one.count,
        "examples": list(one.examples), "harmful": one.harmful, "repaired": one.repaired,
    }  # fmt: skip


def _finding_row(one: Finding) -> Row:
    return {
        "outcome": str(one.outcome), "path": one.path, "copy": one.copy, "detail": one.detail,
        "size_bytes": one.size_bytes, "digest": one.digest.hex(),
    }  # fmt: skip
