"""`photoindex costs`: what services have cost, and what is still to pay."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.details import print_json
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import Column, choose_output, render
from photoindex.cli.output.service_summary import money
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.night.costs import Costs, Forecast

_COLUMNS = (
    Column("provider", "provider", plain=True),
    Column("month", "month", plain=True),
    Column("stage", "stage", plain=True),
    Column("feature", "feature", plain=True),
    Column("units", "units", plain=True, justify="right"),
    Column("reserved", "reserved", justify="right", spare=1),
    Column("amount", "cost", plain=True, justify="right"),
)


def register(app: typer.Typer) -> None:
    """Add the command `costs`."""
    app.command("costs")(costs)


def costs(
    month: Annotated[
        str | None, typer.Option("--month", metavar="MONTH", help="Only this month (UTC).", show_default=False)
    ] = None,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Show what services have cost by provider, month and stage, and what the pictures that wait for them would cost.

    Calls that may have been billed count, also without an answer; so do those of a run that was killed (reserved). In a pipe:
    provider, month, stage, feature, units and cost, separated by tabs.
    """
    from photoindex.library.night.costs import costs as find_costs

    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageError(f"'{month}' is no month; write one like 2026-11")
    with opened(library, reading=True) as found:
        known = find_costs(found, month)
    if json:
        _print_json(known)
        return
    rows = [
        {
            "provider": one.provider, "month": one.month, "stage": one.stage, "feature": one.feature, "units": one.units,
            "reserved": one.reserved, "amount": money(one.micros, known.currencies.get(one.provider, "")).strip(),
        }
        for one in known.costs
    ]  # fmt: skip
    render(rows, list(_COLUMNS), choose_output())
    for line in _lines(known):
        print(line, file=sys.stderr)


def _print_json(known: Costs) -> None:
    from dataclasses import asdict

    print_json(
        {
            "schema": 1,
            "costs": [asdict(one) | {"currency": known.currencies.get(one.provider)} for one in known.costs],
            "forecast": [asdict(one) for one in known.forecasts],
            "problems": dict(known.problems),
        }
    )


def _lines(known: Costs) -> Iterator[str]:
    if not known.costs:
        yield "no service has cost anything"
    for one in known.forecasts:
        yield from _lines_of(one)
    for stage, why in known.problems.items():
        yield f"{stage}: nothing can be foretold: {why}"


def _lines_of(one: Forecast) -> Iterator[str]:
    waiting = sum(one.pictures.values())
    budget = money(one.budget_micros, one.currency)
    yield f"{one.provider} in {one.month}: {money(one.spent_micros, one.currency)} of a budget of {budget}"
    if not waiting:
        yield f"{one.provider}: no picture waits for it"
        return
    stages = ", ".join(f"{stage} {number:,}" for stage, number in one.pictures.items() if number)
    yield f"{one.provider}: {amount(waiting, 'pictures')} wait ({stages}); all together cost {money(one.micros, one.currency)}"
    if one.affordable < waiting:
        when = "never" if one.done_in is None else f"in {one.done_in}"
        yield (
            f"{one.provider}: the budget is spent after {amount(one.affordable, 'pictures')} more; at this budget the last one is "
            f"answered {when}"
        )
