"""`photoindex run`: everything that is pending, for cron."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.arguments.durations import running_time
from photoindex.cli.arguments.quiet import QuietOption, leaves_the_work_to_others, progress_of
from photoindex.cli.arguments.stage_options import SummaryJsonOption
from photoindex.cli.arguments.value_completion import STEPS, complete_from
from photoindex.cli.output.details import print_json
from photoindex.cli.output.night import lines_of_plan, lines_of_run, plan_as_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.errors import EXIT_SOME_QUARANTINED, EXIT_WINDOW_ENDED, UsageError
from photoindex.file_access import as_named

if TYPE_CHECKING:
    from photoindex.cli.terminal.signals import StopRequest
    from photoindex.library.night.summary import NightSummary


def _percent(flag: str, of: str) -> Any:
    return typer.Option(
        flag, min=1, max=100, metavar="PERCENT", help=f"Wait while others use more of {of}.", show_default=False
    )


def register(app: typer.Typer) -> None:
    """Add the command `run`."""
    app.command("run")(run)


def run(
    stage: Annotated[
        list[str] | None,
        typer.Option(
            "--stage",
            metavar="STAGE",
            autocompletion=complete_from(*STEPS),
            help="Only this stage; may be repeated.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Start no batch after this time of day.")
    ] = None,
    window: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Start no batch after this time: 90s, 30min, 2h, 1h30m."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="At most this many pictures per stage.", show_default=False
        ),
    ] = None,
    scan: Annotated[
        bool | None,
        typer.Option("--scan/--no-scan", help="Begin with a scan of all known folders.", show_default=False),
    ] = None,
    nice: Annotated[
        int | None,
        typer.Option("--nice", metavar="N", min=0, max=19, help="Niceness, 0 to 19 [default: 10].", show_default=False),
    ] = None,
    max_gpu_util: Annotated[int | None, _percent("--max-gpu-util", "the GPU [default: 85]")] = None,
    max_cpu_util: Annotated[int | None, _percent("--max-cpu-util", "the processor [default: 50]")] = None,
    max_watts: Annotated[
        int | None,
        typer.Option(
            "--max-watts",
            min=1,
            metavar="WATTS",
            help="Wait while the computer draws more, where the driver tells.",
            show_default=False,
        ),
    ] = None,
    show_plan: Annotated[
        bool, typer.Option("--plan", help="Only print what a run would do, and how long it takes.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write a report at the end: a .json or .html file.", show_default=False
        ),
    ] = None,
    quiet: QuietOption = False,
    json: SummaryJsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Do everything that is pending: vectors, faces, people, captions, tags, text in pictures, indices.

    One model is in memory at a time. The run waits while other programs need the processor or the GPU, on battery power and
    when the computer is hot, and goes on by itself; `photoindex status` says why it waits. It can be ended at any moment: what
    is finished is kept, and the next run continues. Exit codes: 0 done; 75 the window closed and work is left; 100 done, but
    some pictures failed; 5 another run is at work; else that of the first stage that failed.
    """
    from photoindex.library.night.plan import plan
    from photoindex.library.night.report import check_report, write_report
    from photoindex.library.night.run import RunRequest, chosen_steps, limits_of, window_of
    from photoindex.library.night.run import run as run_all

    seconds = window_of(until, None if window is None else running_time(window, "--for"))
    if report is not None and show_plan:
        raise UsageError("--report goes without --plan, which does nothing that could be reported")
    report = None if report is None else as_named(report)
    flags: dict[str, Any] = {
        "run.scan": scan, "run.nice": nice, "run.max_gpu_util": max_gpu_util, "run.max_cpu_util": max_cpu_util, "run.max_watts": max_watts,
    }  # fmt: skip
    with (
        stop_on_signal() as stop,
        leaves_the_work_to_others(quiet=quiet),
        opened(library, reading=show_plan, **flags) as found,
        progress_sink(progress_of(progress, quiet=quiet or show_plan)) as emit,
    ):
        settings = found.config.run
        if report is not None:
            check_report(found, report)
        if show_plan:
            planned = plan(found, chosen_steps(stage or (), scan=settings.scan), window_seconds=seconds, limit=limit)
            if json:
                print_json(plan_as_json(planned))
            else:
                for line in lines_of_plan(planned, datetime.now()):  # noqa: DTZ005
                    print(line)
            return
        os.nice(max(0, settings.nice - os.nice(0)))
        request = RunRequest(
            stages=tuple(stage or ()),
            scan=settings.scan,
            window_seconds=seconds,
            limit=limit,
            limits=limits_of(settings),
        )
        summary = run_all(found, request, emit, stop)
        if report is not None:
            write_report(summary, report)
    _print(summary, as_json=json, quiet=quiet)
    _exit(summary, stop)


def _print(summary: NightSummary, *, as_json: bool, quiet: bool) -> None:
    from photoindex.library.night.report import as_json as report_as_json

    if as_json:
        print_json(report_as_json(summary))
        return
    if quiet and not (summary.troubles or summary.error_code is not None or any(one.done for one in summary.steps)):
        return
    lines: Iterator[str] = lines_of_run(summary)
    for line in lines:
        print(line, file=sys.stderr)


def _exit(summary: NightSummary, stop: StopRequest) -> None:
    if stop.exit_code is not None and summary.outcome == "stopped":
        raise typer.Exit(stop.exit_code)
    if summary.error_code is not None:
        raise typer.Exit(summary.error_code)
    if summary.outcome == "window":
        raise typer.Exit(EXIT_WINDOW_ENDED)
    if summary.troubles:
        raise typer.Exit(EXIT_SOME_QUARANTINED)
