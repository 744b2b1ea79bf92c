"""`photoindex ocr`: read the text in all pictures."""

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
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import visible
from photoindex.cli.output.service_summary import exit_for_all, is_of_service, lines_of_service
from photoindex.cli.output.stage_summary import lines_of_rest, lines_of_work, print_summary
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.paths import display, from_text

if TYPE_CHECKING:
    from photoindex.library.providers.service_run import ServiceSummary
    from photoindex.library.words.ocr import OcrSummary


def register(app: typer.Typer) -> None:
    """Add the command `ocr`."""
    app.command("ocr")(ocr)


def ocr(
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            metavar="LANGUAGE",
            help="auto (Latin, Chinese and Japanese letters, and simple Greek), or what Tesseract reads, in its own names: rus, rus+eng "
            "[default: auto].",
        ),
    ] = None,
    previews_only: Annotated[
        bool, typer.Option("--previews-only", help="Do not read the originals of pictures that show text.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            min=1,
            help="Read at most this many pictures: previews first, then originals.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size", metavar="N", min=1, max=4096, help="Pictures per batch [default: 8].", show_default=False
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
    """Read the text in every picture, for `ocr:"boarding pass"` and for bare words; finished pictures are skipped.

    Previews are read first. Where one shows text, the original is read once more, because small letters are lost in previews; originals on a volume that is not mounted are read by a later run.
    Exit codes: 0 done; 75 the time of --for is up and pictures are left; 100 done, but some pictures were given up (see
    `photoindex tasks --stage ocr`); 7 what reads is not installed; 8 the device failed; 10 a service
    in the setting ocr.providers refused, or its budget is spent.
    """
    from photoindex.library.words.in_turn import ocr_in_turn
    from photoindex.library.words.ocr import OcrRequest

    request = OcrRequest(
        limit=limit,
        window_seconds=None if window is None else running_time(window, "--for"),
        dry_run=dry_run,
        previews_only=previews_only,
    )
    flags: dict[str, Any] = {"ocr.language": language, "ocr.device": device, "ocr.batch_size": batch_size}
    with (
        stop_on_signal() as stop,
        leaves_the_work_to_others(quiet=quiet),
        opened(library, reading=dry_run, **flags) as found,
        progress_sink(progress_of(progress, quiet=quiet)) as emit,
    ):
        summaries = ocr_in_turn(found, request, emit, stop)
    command = "photoindex ocr" if language is None else f"photoindex ocr --language {language}"
    for one in summaries:
        print_summary(one, _lines_of(one, command, verbose=verbose), as_json=json, quiet=quiet)
    exit_for_all(summaries, stop)


def _lines_of(summary: OcrSummary | ServiceSummary, command: str, *, verbose: bool) -> Iterator[str]:
    if is_of_service(summary):
        return lines_of_service(summary, command)
    return lines(summary, command, verbose=verbose)


def lines(summary: OcrSummary, command: str, *, verbose: bool) -> Iterator[str]:
    """Yield the lines of the summary: the counts, with `verbose` where the time went, the next step."""
    if summary.dry_run:
        yield (
            f"would read {amount(summary.pending, 'previews')} with {summary.model}, and the originals of those that show text"
        )
    elif not (summary.previews or summary.originals or summary.quarantined or summary.failed or summary.pending):
        yield f"nothing to do: {summary.model} has read every preview"
    else:
        yield (
            f"ocr: {amount(summary.previews, 'previews')} and {amount(summary.originals, 'originals')} read with {summary.model} "
            f"in {summary.seconds:,.1f} s; {amount(summary.lines, 'lines')} in {amount(summary.with_text, 'previews')} with text, "
            f"{amount(summary.original_lines, 'lines')} in originals"
        )
        if summary.previews or summary.originals:
            yield f"{summary.images_per_second:,.1f} pictures per second after the models were loaded"
        yield from lines_of_work(summary, verbose=verbose)
    if summary.limited:
        example = "" if summary.limited_path is None else f", such as {display(from_text(summary.limited_path))}"
        yield f"{amount(summary.limited, 'pictures')} show more than the 100,000 characters that are kept of one{example}"
    for label, number in summary.offline.items():
        yield f"{amount(number, 'originals')} left out: the volume {visible(label)} is not mounted"
    if summary.without_file:
        yield f"{amount(summary.without_file, 'originals')} left out: their files are missing"
    if summary.originals_left:
        yield f"{amount(summary.originals_left, 'originals')} of pictures that show text not read yet; run: {command}"
    if not summary.dry_run:
        yield from lines_of_rest(summary, command, "ocr")
