"""`photoindex embed`: make the vectors that search by meaning needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.errors import EXIT_SOME_QUARANTINED, EXIT_WINDOW_ENDED

if TYPE_CHECKING:
    from photoindex.library.embed.embed import EmbedSummary


def register(app: typer.Typer) -> None:
    """Add the command `embed`."""
    app.command("embed")(embed)


def embed(
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="ID", help="The model; default: that of the space in use, or the setting."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="At most so many pictures.", show_default=False)
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="DEVICE", help="auto (a GPU if there is one), cpu, cuda or cuda:N \\[default: auto]."
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", min=1, max=4096, help="Pictures a batch \\[default: 128].", show_default=False),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Begin no batch later than this: 90s, 30m, 2h, 1h30m."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many pictures wait.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")] = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Turn the preview of every picture into a vector, for search by meaning; what is done is never done twice.

    The originals are not read. A new model gets a space of its own beside the one that search uses; see `photoindex spaces`.
    Exit codes: 0 done; 75 the time of --for is over and pictures wait; 100 done, but some pictures were given up (see
    `photoindex tasks --stage embed`); 7 the model is not installed; 8 the device failed.
    """
    from photoindex.library.durations import parse_window
    from photoindex.library.embed.embed import EmbedRequest
    from photoindex.library.embed.embed import embed as run_embed

    request = EmbedRequest(
        limit=limit, window_seconds=None if window is None else parse_window(window), dry_run=dry_run
    )
    flags: dict[str, Any] = {"embed.model": model, "embed.device": device, "embed.batch_size": batch_size}
    with (
        opened(library, **flags) as found,
        progress_sink(progress) as emit,
        stop_on_signal() as stop,
    ):
        summary = run_embed(found, request, emit, stop)
    _print(summary, as_json=json)
    if stop.exit_code is not None and summary.stopped:
        raise typer.Exit(stop.exit_code)
    if summary.window_ended:
        raise typer.Exit(EXIT_WINDOW_ENDED)
    if summary.quarantined or summary.failed:
        raise typer.Exit(EXIT_SOME_QUARANTINED)


def _print(summary: EmbedSummary, *, as_json: bool) -> None:
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps({"schema": 1, **asdict(summary)}))
        return
    from photoindex.cli.embed_summary import lines

    for line in lines(summary):
        print(line, file=sys.stderr)
