"""`photoindex embed`: make the vectors that search by meaning needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.arguments.durations import running_time
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.errors import EXIT_SOME_QUARANTINED, EXIT_WINDOW_ENDED

if TYPE_CHECKING:
    from photoindex.library.embed.embed import EmbedSummary

_BUSIEST = {
    "read": "reading previews",
    "decode": "decoding previews",
    "infer": "the model",
    "write": "writing to the database",
}


def register(app: typer.Typer) -> None:
    """Add the command `embed`."""
    app.command("embed")(embed)


def embed(
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="ID", help="The model; default: that of the space in use, or the setting."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Embed at most this many pictures.", show_default=False)
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="DEVICE", help="auto (a GPU if there is one), cpu, cuda or cuda:N \\[default: auto]."
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", min=1, max=4096, help="Pictures per batch \\[default: 128].", show_default=False),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Start no batch after this time: 90s, 30min, 2h, 1h30m."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print how many pictures are left.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also print where the time of a batch goes.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")] = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Turn the preview of every picture into a vector, for search by meaning; finished pictures are skipped.

    The originals are not read. A new model gets its own space beside the one that search uses; see `photoindex spaces`.
    Exit codes: 0 done; 75 the time of --for is up and pictures are left; 100 done, but some pictures were given up (see
    `photoindex tasks --stage embed`); 7 the model is not installed; 8 the device failed.
    """
    from photoindex.library.embed.embed import EmbedRequest
    from photoindex.library.embed.embed import embed as run_embed

    request = EmbedRequest(
        limit=limit, window_seconds=None if window is None else running_time(window, "--for"), dry_run=dry_run
    )
    flags: dict[str, Any] = {"embed.model": model, "embed.device": device, "embed.batch_size": batch_size}
    with (
        stop_on_signal() as stop,
        opened(library, reading=dry_run, **flags) as found,
        progress_sink(progress) as emit,
    ):
        summary = run_embed(found, request, emit, stop)
    command = "photoindex embed" if model is None else f"photoindex embed --model {model}"
    _print(summary, command, as_json=json, verbose=verbose)
    if stop.exit_code is not None and summary.stopped:
        raise typer.Exit(stop.exit_code)
    if summary.window_ended:
        raise typer.Exit(EXIT_WINDOW_ENDED)
    if summary.quarantined or summary.failed:
        raise typer.Exit(EXIT_SOME_QUARANTINED)


def _print(summary: EmbedSummary, command: str, *, as_json: bool, verbose: bool) -> None:
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps({"schema": 1, **asdict(summary)}))
        return

    for line in lines(summary, command, verbose=verbose):
        print(line, file=sys.stderr)


def lines(summary: EmbedSummary, command: str, *, verbose: bool) -> Iterator[str]:
    """Yield the lines of the summary: the counts, with `verbose` where the time went, the next step.

    command: what does the rest of the work.
    """
    if summary.dry_run:
        yield f"would embed {amount(summary.pending, 'pictures')} with {summary.model}"
        return
    if not (summary.embedded or summary.quarantined or summary.failed or summary.pending):
        yield f"nothing to embed: every preview has a vector in the space {summary.space}"
    else:
        yield from _work(summary, verbose=verbose)
    if summary.stopped or summary.window_ended:
        why = "stopped early" if summary.stopped else "time is up"
        yield f"{why}: {amount(summary.pending, 'pictures')} left; the next {command} continues"
    elif summary.pending:
        yield f"{amount(summary.pending, 'pictures')} left; continue with: {command}"
    if summary.quarantined:
        yield f"{summary.quarantined:,} given up; to see why: photoindex tasks --stage embed --state quarantined"
    if summary.failed:
        yield f"{summary.failed:,} failed; the next {command} tries them again"
    if summary.space is not None and not summary.active:
        others = "no space" if summary.search_uses is None else f"the space {summary.search_uses}"
        complete = not summary.pending and not summary.failed  # `spaces use` refuses another
        yield f"search uses {others}{f'; to use this one: photoindex spaces use {summary.space}' if complete else ''}"


def _work(summary: EmbedSummary, *, verbose: bool) -> Iterator[str]:
    rate = f"; {summary.images_per_second:,.1f} per second after the model was loaded" if summary.embedded else ""
    yield f"embedded: {amount(summary.embedded, 'pictures')} with {summary.model} in {summary.seconds:,.1f} s{rate}"
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


def _each(seconds: float, summary: EmbedSummary) -> str:
    return f"{seconds / summary.batches:.3f} s"
