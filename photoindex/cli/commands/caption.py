"""`photoindex caption`, `caption list`, `caption set`: describe photos in words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.durations import running_time
from photoindex.cli.arguments.person_completion import QueryCommand
from photoindex.cli.arguments.photo_arguments import PhotosArgument, chosen_photos
from photoindex.cli.arguments.quiet import QuietOption, leaves_the_work_to_others, progress_of
from photoindex.cli.arguments.stage_options import (
    DeviceOption,
    DryRunOption,
    SummaryJsonOption,
    VerboseOption,
    WindowOption,
)
from photoindex.cli.arguments.value_completion import complete_model
from photoindex.cli.commands import caption_words
from photoindex.cli.output.details import Section, print_details, print_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import visible
from photoindex.cli.output.service_summary import exit_for_all, is_of_service, lines_of_service
from photoindex.cli.output.stage_summary import lines_of_rest, lines_of_work, print_summary
from photoindex.cli.terminal.signals import stop_on_signal

if TYPE_CHECKING:
    from photoindex.library.providers.service_run import ServiceSummary
    from photoindex.library.words.caption import CaptionSummary
    from photoindex.library.words.captions_listed import PhotoCaptions

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
HELP = """Describe every photo in words; finished pictures are skipped.

A model looks at the preview; the originals are not read. Each model's
captions stand side by side with those of other models, and searches find
their words at once. What you say of a photo yourself is never replaced.

Exit codes: 0 done; 75 the time of --for is up and pictures are left; 100
done, but some pictures were given up (see `photoindex tasks --stage
caption`); 7 the model is not installed; 8 the device failed; 10 the server
or a service refused, cannot be reached, or its budget is spent.
"""
_LIST = "Print the captions of photos: yours, and those of every model."


def register(app: typer.Typer) -> None:
    """Add the commands `caption`, `caption list` and `caption set`."""
    group = typer.Typer(name="caption", help=HELP)
    group.callback(invoke_without_command=True)(_caption)
    group.command("list", cls=QueryCommand, help=_LIST)(_list)
    caption_words.add_to(group)
    app.add_typer(group)


def _caption(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            autocompletion=complete_model("captions"),
            help="The model; default: the only one installed, or the setting.",
        ),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="A server that describes photos; --model names its model."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="Describe at most this many pictures.", show_default=False
        ),
    ] = None,
    device: DeviceOption = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size", metavar="N", min=1, max=1024, help="Pictures per batch [default: 8].", show_default=False
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
    if context.invoked_subcommand is not None:
        return
    from photoindex.library.words.caption import CaptionRequest
    from photoindex.library.words.in_turn import caption_in_turn

    request = CaptionRequest(
        limit=limit,
        window_seconds=None if window is None else running_time(window, "--for"),
        dry_run=dry_run,
    )
    flags: dict[str, Any] = {
        "caption.model": model, "caption.endpoint": endpoint, "caption.device": device, "caption.batch_size": batch_size,
    }  # fmt: skip
    with (
        stop_on_signal() as stop,
        leaves_the_work_to_others(quiet=quiet),
        opened(library, reading=dry_run, **flags) as found,
        progress_sink(progress_of(progress, quiet=quiet)) as emit,
    ):
        summaries = caption_in_turn(found, request, emit, stop)
    command = command_with("photoindex caption", model=model, endpoint=endpoint)
    for one in summaries:
        print_summary(one, _lines_of(one, command, verbose=verbose), as_json=json, quiet=quiet)
    exit_for_all(summaries, stop)


def _lines_of(summary: CaptionSummary | ServiceSummary, command: str, *, verbose: bool) -> Iterator[str]:
    if is_of_service(summary):
        return lines_of_service(summary, command)
    return lines(summary, command, verbose=verbose)


def command_with(command: str, *, model: str | None, endpoint: str | None) -> str:
    """Return a command with the options that were given."""
    options = {"--endpoint": endpoint, "--model": model}
    return " ".join(
        [command, *(f"{name} {shlex.quote(value)}" for name, value in options.items() if value is not None)]
    )


def lines(summary: CaptionSummary, command: str, *, verbose: bool) -> Iterator[str]:
    """Yield the lines of the summary: the counts, with `verbose` where the time went, the next step.

    command: what describes the rest.
    """
    if summary.dry_run:
        yield f"would describe {amount(summary.pending, 'pictures')} with {_named(summary)}"
        return
    if summary.reread:
        yield f"{amount(summary.reread, 'answers')} that were stored read again by a newer version of photoindex"
    if not (summary.captions or summary.quarantined or summary.failed or summary.pending):
        yield f"nothing to do: {visible(summary.model)} has described every preview"
    else:
        yield (
            f"captions: {amount(summary.captions, 'pictures')} described with {_named(summary)} in "
            f"{summary.seconds:,.1f} s; {summary.images_per_second:,.1f} per second after the model was loaded"
        )
        if summary.example is not None:
            yield f"the last one: {visible(summary.example)}"
        yield from lines_of_work(summary, verbose=verbose)
    yield from lines_of_rest(summary, command, "caption")


def _named(summary: CaptionSummary) -> str:
    return visible(summary.model) + (" (untested, by its own code)" if summary.untested else "")


def _list(
    photos: PhotosArgument,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    from photoindex.library.words.captions_listed import as_json, captions_of

    with opened(library, reading=True) as found:
        for one in captions_of(found, chosen_photos(found, photos, "{}", yes=True)):
            if json:
                print_json(as_json(one))
            else:
                print_details(f"photo {one.photo_id}  {one.path or ''}", [Section("captions", caption_rows(one))])


def caption_rows(one: PhotoCaptions) -> list[tuple[str, str]]:
    """Return the rows of a photo's captions: who said it, and what."""
    rows = [] if one.description is None else [(one.source or "", one.description)]
    return rows + [(row.model, row.text) for row in one.by_models]
