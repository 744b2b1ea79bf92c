"""What commands that run a stage with a model print in common: where the time went, what is left, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from photoindex.cli.output.progress_text import amount
from photoindex.errors import EXIT_SOME_QUARANTINED, EXIT_WINDOW_ENDED

if TYPE_CHECKING:
    from photoindex.cli.terminal.signals import StopRequest
    from photoindex.library.stage_figures import StageFigures

_BUSIEST = {
    "read": "reading",
    "decode": "decoding",
    "infer": "the model",
    "write": "writing to the database",
}


def has_news(summary: StageFigures) -> bool:
    """Return whether a run did or would do anything, or met with anything wrong; with --quiet others are not spoken of."""
    worked = summary.dry_run or summary.batches or summary.restarts or summary.quarantined or summary.failed
    return bool(worked) or bool(getattr(summary, "refused", ""))


def print_summary(summary: StageFigures, lines: Iterable[str], *, as_json: bool, quiet: bool = False) -> None:
    """Print a summary: as one JSON object on stdout, or its lines on stderr. quiet: the lines only if they are news."""
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps({"schema": 1, **asdict(summary)}))
        return
    if quiet and not has_news(summary):
        return
    for line in lines:
        print(line, file=sys.stderr)


def exit_for(summary: StageFigures, stop: StopRequest) -> None:
    """Leave the command with the exit code of a run that did not do everything."""
    if stop.exit_code is not None and summary.stopped:
        raise typer.Exit(stop.exit_code)
    if summary.window_ended:
        raise typer.Exit(EXIT_WINDOW_ENDED)
    if summary.quarantined or summary.failed:
        raise typer.Exit(EXIT_SOME_QUARANTINED)


def lines_of_work(summary: StageFigures, *, verbose: bool) -> Iterator[str]:
    """Yield the lines on how the work went: with `verbose` where the time went, and what was lost."""
    if verbose and summary.batches:
        yield (
            f"per batch: read {_each(summary.read_seconds, summary)}, decode "
            f"{_each(summary.decode_seconds, summary)} (on {summary.decode_threads} threads together), infer "
            f"{_each(summary.infer_seconds, summary)} on {summary.runs_on}, write {_each(summary.write_seconds, summary)}; "
            f"the model waited {_each(summary.wait_seconds, summary)}; busiest: {_BUSIEST[summary.bottleneck or 'infer']}"
        )
    if summary.restarts:
        times = "once" if summary.restarts == 1 else f"{summary.restarts} times"
        yield f"the model process was lost and restarted {times}; the log says why"


def lines_of_rest(summary: StageFigures, command: str, stage: str) -> Iterator[str]:
    """Yield the lines on what is left and what failed. command: what does the rest."""
    if summary.stopped or summary.window_ended:
        why = "stopped early" if summary.stopped else "time is up"
        yield f"{why}: {amount(summary.pending, 'pictures')} left; the next {command} continues"
    elif summary.pending:
        yield f"{amount(summary.pending, 'pictures')} left; continue with: {command}"
    if summary.quarantined:
        yield f"{summary.quarantined:,} given up; to see why: photoindex tasks --stage {stage} --state quarantined"
    if summary.failed:
        yield f"{summary.failed:,} failed; the next {command} tries them again"


def _each(seconds: float, summary: StageFigures) -> str:
    return f"{seconds / summary.batches:.3f} s"
