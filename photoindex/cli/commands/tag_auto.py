"""`photoindex tag auto`: tags, objects and sensitive pictures that models find."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.arguments.durations import running_time
from photoindex.cli.arguments.quiet import QuietOption, leaves_the_work_to_others, progress_of
from photoindex.cli.arguments.stage_options import (
    DeviceOption,
    DryRunOption,
    SummaryJsonOption,
    VerboseOption,
    WindowOption,
)
from photoindex.cli.arguments.value_completion import TAGGING, complete_from
from photoindex.cli.output.details import print_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.service_summary import exit_for_all, is_of_service, lines_of_service
from photoindex.cli.output.stage_summary import has_news, lines_of_rest, lines_of_work
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.errors import ModelUnavailable

if TYPE_CHECKING:
    from photoindex.cli.terminal.signals import StopRequest
    from photoindex.library.words.tagging.auto import AutoSummary
    from photoindex.library.words.tagging.work import LabelsSummary


def add_to(group: typer.Typer) -> None:
    """Add the command to the group `tag`."""
    group.command("auto")(_auto)


def _auto(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="STAGE",
            autocompletion=complete_from(*TAGGING),
            help="Run this stage alone: tags, objects, labels or sensitive; may be repeated.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="At most this many pictures per stage.", show_default=False
        ),
    ] = None,
    device: DeviceOption = None,
    window: WindowOption = None,
    dry_run: DryRunOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    json: SummaryJsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Find tags for all pictures with the models that are installed; finished pictures are skipped.

    `tags` compares the vectors of `photoindex embed` with about 1,500 terms, and reads no picture; `objects` and `labels` run ONNX models
    of your own (setting tags.models), `sensitive` needs the extra of that name. Tags that are less sure than the
    setting ai_confidence_threshold are not shown. Exit codes: 0 done; 75 the time of --for is up and pictures are left; 100 done,
    but some pictures were given up (see `photoindex tasks`); 7 no model is installed, one cannot be used (the others run), or nothing is embedded; 8 the device failed; 10 a service in
    the setting tags.providers refused, or its budget is spent.
    """
    from photoindex.library.words.tagging.auto import AutoRequest, tag_auto

    request = AutoRequest(
        only=tuple(dict.fromkeys(only or ())),
        limit=limit,
        window_seconds=None if window is None else running_time(window, "--for"),
        dry_run=dry_run,
    )
    flags: dict[str, Any] = {"tags.device": device}
    with (
        stop_on_signal() as stop,
        leaves_the_work_to_others(quiet=quiet),
        opened(library, reading=dry_run, **flags) as found,
        progress_sink(progress_of(progress, quiet=quiet)) as emit,
    ):
        summary = tag_auto(found, request, emit, stop)
    if json or not quiet or summary.remarked or any(map(has_news, summary.runs)):
        _print(summary, as_json=json, verbose=verbose)
    _exit(summary, stop)


def _print(summary: AutoSummary, *, as_json: bool, verbose: bool) -> None:
    if as_json:
        runs = [asdict(one) for one in summary.runs]
        print_json({"schema": 1, "runs": runs, "missing": dict(summary.missing), "remarked": summary.remarked})
        return
    for line in _lines(summary, verbose=verbose):
        print(line, file=sys.stderr)


def _exit(summary: AutoSummary, stop: StopRequest) -> None:
    """Leave with the exit code of the first run that did not do everything."""
    if stop.exit_code is not None and not summary.runs:
        raise typer.Exit(stop.exit_code)
    exit_for_all(summary.runs, stop)
    if summary.refused:
        raise typer.Exit(ModelUnavailable.exit_code)


def _lines(summary: AutoSummary, *, verbose: bool) -> Iterator[str]:
    if summary.remarked:
        yield f"marked again by the threshold: {amount(summary.remarked, 'pictures')}"
    for one in summary.runs:
        command = f"photoindex tag auto --only {one.stage}"
        yield from lines_of_service(one, command) if is_of_service(one) else _lines_of(one, command, verbose=verbose)
    for stage, why in summary.missing.items():
        yield f"{stage}: not run: {why}"


def _lines_of(one: LabelsSummary, command: str, *, verbose: bool) -> Iterator[str]:
    if one.dry_run:
        yield f"{one.stage}: would look at {amount(one.pending, 'pictures')} with {one.model}"
        return
    if not (one.pictures or one.quarantined or one.failed or one.pending):
        yield f"{one.stage}: nothing to do: {one.model} has labelled every picture that it can"
        return
    hidden = f"; {one.hidden:,} more below {one.threshold} % are not shown" if one.hidden else ""
    yield (
        f"{one.stage}: {amount(one.labels, 'labels')} in {amount(one.pictures, 'pictures')} with {one.model} in "
        f"{one.seconds:,.1f} s{hidden}; {one.images_per_second:,.1f} per second after the model was loaded"
    )
    if one.calibrated:
        yield f"{amount(one.calibrated, 'tags')} calibrated on your verdicts; the others are uncalibrated"
    yield from lines_of_work(one, verbose=verbose)
    yield from lines_of_rest(one, command, one.stage)
