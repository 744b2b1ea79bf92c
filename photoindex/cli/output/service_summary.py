"""What commands print of a service that was asked: what it answered, what it cost, what was kept from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.stage_summary import exit_for, lines_of_rest
from photoindex.errors import ProviderFailed

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from photoindex.cli.terminal.signals import StopRequest
    from photoindex.library.providers.service_run import ServiceSummary
    from photoindex.library.stage_figures import StageFigures

_FOUND = {"tags": "labels", "sensitive": "sensitive pictures", "caption": "captions", "ocr": "texts"}


def is_of_service(summary: StageFigures) -> TypeIs[ServiceSummary]:
    """Return whether a summary is that of a service, not of this computer."""
    return hasattr(summary, "kept_back")


def lines_of_service(summary: ServiceSummary, command: str) -> Iterator[str]:
    """Yield the lines of a service's summary. command: does the rest."""
    name = f"{summary.stage} by {summary.model}"
    if summary.dry_run:
        yield f"{name}: would be asked about {amount(summary.pending, 'pictures')}"
    elif not (summary.pictures or summary.pending or summary.quarantined or summary.failed):
        yield f"{name}: nothing to do"
    else:
        yield (
            f"{name}: {amount(summary.pictures, 'pictures')} answered with {amount(summary.found, _FOUND[summary.stage])} in "
            f"{summary.seconds:,.1f} s; {amount(summary.calls, 'calls')}, {money(summary.micros, summary.currency)}"
        )
    yield from _lines_of_kept(summary)
    if summary.month_micros or summary.budget_micros:
        yield (
            f"{summary.model} this month: {money(summary.month_micros, summary.currency)} of a budget of "
            f"{money(summary.budget_micros, summary.currency)}"
        )
    if summary.unanswered:
        yield f"{amount(summary.unanswered, 'pictures')} asked about without getting an answer"
    if not summary.dry_run:
        yield from lines_of_rest(summary, command, summary.stage)


def _lines_of_kept(summary: ServiceSummary) -> Iterator[str]:
    for reason, number in summary.kept_back.items():
        yield f"kept back: {amount(number, 'pictures')}: {reason}"
    yield from summary.remedies


def money(micros: int, currency: str) -> str:
    """Return an amount: `1.50 USD`, with more digits where cents would hide something."""
    whole, _point, fraction = f"{micros / 1_000_000:,.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2} {currency}"


def exit_for_all(summaries: Sequence[Any], stop: StopRequest) -> None:
    """Leave the command with the exit code of what was not done. Raises ProviderFailed for a service that refused."""
    for one in sorted(summaries, key=lambda each: (not each.stopped, not each.window_ended)):
        if one.stopped or one.window_ended:
            exit_for(one, stop)
    refused = [one.refused for one in summaries if is_of_service(one) and one.refused]
    if refused:
        raise ProviderFailed("\n".join(refused))
    for one in summaries:
        exit_for(one, stop)
