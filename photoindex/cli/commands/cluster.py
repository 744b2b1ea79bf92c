"""`photoindex cluster`, `cluster stats`, `cluster calibrate`: group faces into people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.quiet import QuietOption, leaves_the_work_to_others, progress_of
from photoindex.cli.commands import cluster_stats
from photoindex.cli.output.details import print_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import Column, Row, choose_output, render, visible
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.people.groups.calibrate import CalibrationReport, Share
    from photoindex.library.people.groups.cluster import Clustering, ClusterSummary

HELP = """Group faces into people.

New faces join the people that exist, or wait until others like them come.
From time to time all faces are grouped again: with a new model, after the
days or the new faces of the settings cluster.*, or with --full. People keep
their numbers, and what was confirmed, named or rejected never changes.

Exit codes: 0 done, or nothing to do; 5 another `cluster` is running; 11 no
face was found yet. Interrupted before the writing begins, it changes nothing;
in it, each person is as before or as planned, and the next run completes.
"""

_DIFF = (
    Column("change", "Change", plain=True),
    Column("faces", "Faces", plain=True, justify="right", show=lambda value: f"{value:,}"),
    Column("before", "From", plain=True),
    Column("after", "To", plain=True),
    Column(
        "examples",
        "Examples",
        plain=True,
        show=lambda value: " ".join(value) if isinstance(value, list) else str(value),
    ),
    Column("paths", "Photos", wide=True),
    Column("person"),
    Column("name"),
    Column("before_person"),
    Column("before_name"),
)
"""--diff: `before` and `after` are for people; the others are the same as numbers and names."""


def register(app: typer.Typer) -> None:
    """Add the command `cluster`."""
    group = typer.Typer(name="cluster", help=HELP)
    group.callback(invoke_without_command=True)(_cluster)
    cluster_stats.add_to(group)
    group.command("calibrate")(_calibrate)
    app.add_typer(group)


def _cluster(
    context: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Group all faces again, due or not.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; print how many faces would change.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Also print each person's changes: joined, new, moved, merged, split, left.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary, or with --diff each change, as JSON on stdout.")
    ] = False,
    quiet: QuietOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    if context.invoked_subcommand is not None:
        return
    from photoindex.library.people.groups.cluster import ClusterRequest, cluster

    if diff and not dry_run:
        raise UsageError("--diff goes with --dry-run")
    output = choose_output(json=json)
    with leaves_the_work_to_others(quiet=quiet), opened(library, reading=dry_run) as found:
        with progress_sink(progress_of(progress, quiet=quiet)) as emit:
            result = cluster(found, ClusterRequest(full=full, dry_run=dry_run), emit)
        if diff:
            render(_changes(found, result), _DIFF, output)
    if json and not diff:
        from dataclasses import asdict

        print_json({"schema": 1, **asdict(result.summary)})
    elif not quiet or _has_news(result.summary):
        for line in _lines(result.summary):
            print(line, file=sys.stderr)


def _has_news(one: ClusterSummary) -> bool:
    return bool(one.new or one.joined or one.groups or one.moved or one.left or one.outdated)


def _changes(library: Library, result: Clustering) -> Iterator[Row]:
    from photoindex.library.people.groups.diff import diff

    for one in diff(library, result):
        yield {
            "change": one.kind,
            "faces": one.faces,
            "before": _who(one.before, one.before_name) or "waiting",
            "after": _who(one.person, one.name) or ("waiting" if one.kind == "left" else "a new group"),
            "examples": [f"f{face}" for face in one.examples],
            "paths": list(one.paths),
            "person": one.person,
            "name": one.name,
            "before_person": one.before,
            "before_name": one.before_name,
        }


def _who(person: int | None, name: str | None) -> str:
    return "" if person is None else str(person) if name is None else f"{person} {name}"


def _lines(summary: ClusterSummary) -> Iterator[str]:
    """Yield what is said about a grouping: what was done, how things are now, and what is next."""
    if summary.full:
        grouped = "would be grouped" if summary.dry_run else "grouped"
        yield f"all {amount(summary.faces, 'faces')} {grouped} in {summary.seconds:,.1f} s: {summary.reason}"
    elif summary.new:
        grouped = "would be looked at" if summary.dry_run else "looked at"
        yield f"{amount(summary.new, 'new faces')} {grouped} in {summary.seconds:,.1f} s"
    else:
        yield "no new faces to group"
    groups = amount(summary.groups, "new groups")
    counts = (summary.joined, summary.grouped_new, summary.moved, summary.left)
    done = ("joined people", f"are in {groups}", "moved", "wait again")
    would = ("would join people", f"would be in {groups}", "would move", "would wait again")
    words = would if summary.dry_run else done
    if changed := [f"{count:,} {what}" for count, what in zip(counts, words, strict=True) if count]:
        yield f"of the faces, {', '.join(changed)}"
    yield (
        f"{amount(summary.people, 'people')}: {summary.named:,} named, {summary.unnamed:,} unnamed; "
        f"{amount(summary.grouped, 'faces')} in groups, {summary.waiting:,} waiting"
    )
    if summary.outdated:
        yield f"{amount(summary.outdated, 'faces')} left alone: somebody changed them meanwhile; the next run sees them"
    if not summary.dry_run and summary.people:
        yield "name them: photoindex people review" if summary.unnamed else "see who they are: photoindex people list"


def _calibrate(
    json: JsonOption = False, progress: ProgressOption = ProgressMode.AUTO, library: LibraryOption = None
) -> None:
    """Measure how alike faces of different people are to the model; `cluster` groups by that, and does it itself.

    On faces that you confirmed or named where there are enough, else on photos with several faces, which show different
    people. precision, recall: of your own faces, with the 95 % interval; by the nearest other face that you named.
    """
    from photoindex.library.people.groups.calibrate import calibrate

    with opened(library) as found, progress_sink(progress) as emit:
        report = calibrate(found, emit)
    if json:
        print_json(_as_json(report))
    else:
        for line in _report(report):
            print(visible(line))


_SOURCES = {
    "labels": "faces that you named",
    "photos": "faces of one photo",
    "random": "faces at random, because few photos show several",
}


def _report(report: CalibrationReport) -> Iterator[str]:
    found, thresholds = report.measured.calibration, report.thresholds
    yield f"{report.model}, {amount(report.measured.faces, 'faces')}, {report.measured.named:,} named by you"
    yield (
        f"different people: cosine {found.mean:.3f} ± {found.deviation:.3f}, at most {found.highest:.3f}, in "
        f"{amount(found.pairs, 'pairs')} of {_SOURCES[found.source]}"
    )
    if found.same_median is not None and found.same_low is not None:
        yield f"one person: half of {found.same_pairs:,} pairs above {found.same_median:.3f}, 95 % above {found.same_low:.3f}"
    yield (
        f"faces are linked from {thresholds.possible:.3f} on, join people from {thresholds.join:.3f}, and are certainly one "
        f"person from {thresholds.sure:.3f}"
    )
    for name, share in (("precision", report.precision), ("recall", report.recall)):
        if share is not None:
            yield f"{name}: {share.share:.4f} ({share.low:.4f} to {share.high:.4f}) of {amount(share.of, 'faces')}"


def _as_json(report: CalibrationReport) -> dict[str, object]:
    from dataclasses import asdict

    def of(share: Share | None) -> dict[str, object] | None:
        return None if share is None else asdict(share)

    return {
        "schema": 1,
        "model": report.model,
        "faces": report.measured.faces,
        "named_faces": report.measured.named,
        **asdict(report.measured.calibration),
        "thresholds": asdict(report.thresholds),
        "precision": of(report.precision),
        "recall": of(report.recall),
    }
