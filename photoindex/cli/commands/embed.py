"""`photoindex embed`: make the vectors that search by meaning needs."""

from __future__ import annotations

from collections.abc import Iterator
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
from photoindex.cli.arguments.value_completion import complete_model
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.stage_summary import exit_for, lines_of_rest, lines_of_work, print_summary
from photoindex.cli.terminal.signals import stop_on_signal

if TYPE_CHECKING:
    from photoindex.library.embed.embed import EmbedSummary


def register(app: typer.Typer) -> None:
    """Add the command `embed`."""
    app.command("embed")(embed)


def embed(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            autocompletion=complete_model("image-text"),
            help="The model; default: that of the space in use, or the setting.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", min=1, help="Embed at most this many pictures.", show_default=False),
    ] = None,
    device: DeviceOption = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size", metavar="N", min=1, max=4096, help="Pictures per batch [default: 128].", show_default=False
        ),
    ] = None,
    window: WindowOption = None,
    dry_run: DryRunOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    json: SummaryJsonOption = False,
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
        leaves_the_work_to_others(quiet=quiet),
        opened(library, reading=dry_run, **flags) as found,
        progress_sink(progress_of(progress, quiet=quiet)) as emit,
    ):
        summary = run_embed(found, request, emit, stop)
    command = "photoindex embed" if model is None else f"photoindex embed --model {model}"
    print_summary(summary, lines(summary, command, verbose=verbose), as_json=json, quiet=quiet)
    exit_for(summary, stop)


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
    yield from lines_of_rest(summary, command, "embed")
    if summary.embedded and summary.active and not (summary.pending or summary.failed):
        yield "next: photoindex search WORDS (finds photos by what they show)"
    if summary.space is not None and not summary.active:
        others = "no space" if summary.search_uses is None else f"the space {summary.search_uses}"
        complete = not summary.pending and not summary.failed  # `spaces use` refuses another
        yield f"search uses {others}{f'; to use this one: photoindex spaces use {summary.space}' if complete else ''}"


def _work(summary: EmbedSummary, *, verbose: bool) -> Iterator[str]:
    rate = f"; {summary.images_per_second:,.1f} per second after the model was loaded" if summary.embedded else ""
    yield f"embedded: {amount(summary.embedded, 'pictures')} with {summary.model} in {summary.seconds:,.1f} s{rate}"
    yield from lines_of_work(summary, verbose=verbose)
