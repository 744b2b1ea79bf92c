"""`photoindex faces`: find the faces in all pictures."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
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
from photoindex.cli.output.render import visible
from photoindex.cli.output.stage_summary import exit_for, lines_of_rest, lines_of_work, print_summary
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.paths import display, from_text

if TYPE_CHECKING:
    from photoindex.library.people.faces import FacesSummary


def register(app: typer.Typer) -> None:
    """Add the command `faces`."""
    app.command("faces")(faces)


class Source(StrEnum):
    """The pictures to look through."""

    PREVIEWS = "previews"
    ORIGINALS = "originals"


def faces(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            autocompletion=complete_model("faces"),
            help="The face pack; default: that of the faces in use, or the setting.",
        ),
    ] = None,
    source: Annotated[
        Source,
        typer.Option(
            "--from",
            metavar="WHICH",
            help="previews, or originals of photos whose preview shows small faces (setting faces.small_face_px).",
        ),
    ] = Source.PREVIEWS,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="Look through at most this many pictures.", show_default=False
        ),
    ] = None,
    device: DeviceOption = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size", metavar="N", min=1, max=4096, help="Pictures per batch [default: 32].", show_default=False
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
    """Find the faces in the preview of every picture, and turn each into a vector; finished pictures are skipped.

    The originals are not read, unless --from originals asks for it. Faces that are found again, by another pack or in a new preview, keep their people.
    Exit codes: 0 done; 75 the time of --for is up and pictures are left; 100 done, but some pictures were given up (see
    `photoindex tasks --stage faces`); 7 the face pack is not installed; 8 the device failed.
    """
    from photoindex.library.people.faces import FacesRequest
    from photoindex.library.people.faces import faces as run_faces

    request = FacesRequest(
        limit=limit,
        window_seconds=None if window is None else running_time(window, "--for"),
        dry_run=dry_run,
        from_originals=source is Source.ORIGINALS,
    )
    flags: dict[str, Any] = {"faces.model": model, "faces.device": device, "faces.batch_size": batch_size}
    with (
        stop_on_signal() as stop,
        leaves_the_work_to_others(quiet=quiet),
        opened(library, reading=dry_run, **flags) as found,
        progress_sink(progress_of(progress, quiet=quiet)) as emit,
    ):
        summary = run_faces(found, request, emit, stop)
    previews = "photoindex faces" if model is None else f"photoindex faces --model {model}"
    print_summary(summary, lines(summary, previews, verbose=verbose), as_json=json, quiet=quiet)
    exit_for(summary, stop)


def lines(summary: FacesSummary, previews: str, *, verbose: bool) -> Iterator[str]:
    """Yield the lines of the summary: the counts, with `verbose` where the time went, the next step.

    previews: the command that looks through previews.
    """
    command = f"{previews} --from originals" if summary.from_originals else previews
    if summary.dry_run:
        what = "originals" if summary.from_originals else "pictures"
        yield f"would look through {amount(summary.pending, what)} with {summary.model}"
    elif not (summary.looked_through or summary.quarantined or summary.failed or summary.pending):
        yield _nothing(summary)
    else:
        yield from _work(summary, verbose=verbose)
    if summary.limited:
        example = "" if summary.limited_path is None else f", such as {display(from_text(summary.limited_path))}"
        yield (
            f"{amount(summary.limited, 'pictures')} may show more than the 2,000 faces that are kept of one picture, the "
            f"surest{example}"
        )
    for label, number in summary.offline.items():
        yield f"{amount(number, 'originals')} left out: the volume {visible(label)} is not mounted"
    if summary.without_file:
        yield f"{amount(summary.without_file, 'originals')} left out: their files are missing"
    if summary.previews_left:
        yield f"{amount(summary.previews_left, 'previews')} not looked through yet; first run: {previews}"
    if summary.dry_run:
        return
    yield from lines_of_rest(summary, command, "faces")
    if summary.faces and not summary.pending:
        yield "to group the faces by person: photoindex cluster"


def _nothing(summary: FacesSummary) -> str:
    if summary.from_originals:
        return f"nothing to do: {summary.model} found no small faces in previews that it has not looked at in originals"
    return f"nothing to do: {summary.model} has looked through every preview"


def _work(summary: FacesSummary, *, verbose: bool) -> Iterator[str]:
    yield (
        f"faces: {amount(summary.faces, 'faces')} in {amount(summary.looked_through, 'pictures')} with {summary.model} in "
        f"{summary.seconds:,.1f} s; {amount(summary.without_face, 'pictures')} without a face"
    )
    if summary.looked_through:
        yield (
            f"{summary.images_per_second:,.1f} pictures and {summary.faces_per_second:,.1f} faces per second after the "
            f"models were loaded"
        )
    yield from lines_of_work(summary, verbose=verbose)
