"""Lines about unattended runs: what one would do, and what one did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from photoindex.cli.output.progress_text import amount, rate_text, size_text
from photoindex.cli.output.render import visible
from photoindex.cli.output.service_summary import money
from photoindex.durations import spoken

if TYPE_CHECKING:
    from photoindex.library.night.plan import NightPlan, StepPlan
    from photoindex.library.night.summary import NightSummary, StepResult

_LONG_BACKLOG_SECONDS = 86_400.0


def lines_of_plan(plan: NightPlan, now: datetime) -> Iterator[str]:
    """Yield the lines of a plan. now: local time without a zone."""
    for one in plan.steps:
        if one.left or one.missing is not None:
            yield _line_of_step_plan(one)
    if not any(one.left for one in plan.steps):
        yield "nothing to do"
        return
    yield from _lines_of_total(plan, now)


def _lines_of_total(plan: NightPlan, now: datetime) -> Iterator[str]:
    if plan.seconds.high:
        low, high = (_clock(now + timedelta(seconds=one), now) for one in (plan.seconds.low, plan.seconds.high))
        ends = (
            f"; started now it ends between {low} and {high}" if low != high else f"; started now it ends about {low}"
        )
        yield f"in all: {plan.seconds}{ends}"
        window = plan.window_seconds
        if window is not None and plan.seconds.high > window:
            fewest, most = plan.nights
            yield (
                f"the window is {spoken(window)} long: the work needs "
                f"{amount(most, 'such nights') if fewest == most else f'{fewest} to {most} such nights'}"
            )
        elif plan.seconds.median > _LONG_BACKLOG_SECONDS:
            fewest, most = plan.nights
            yield f"a backlog of more than a day: at 4.5 h a night, {fewest} to {most} nights"
    if plan.unmeasured:
        names = ", ".join(one.name for one in plan.unmeasured)
        yield f"not measured on this computer yet, so not in these times: {names}"
    for one in plan.services:
        cost = min(one.micros, one.left_micros)
        yield (
            f"money: {visible(one.provider)}: at most {money(cost, one.currency)} this month, of {money(one.left_micros, one.currency)} "
            f"that its budget has left"
        )
    if plan.disk_bytes:
        yield f"disk: about {size_text(plan.disk_bytes)} for the results"


def _line_of_step_plan(one: StepPlan) -> str:
    if one.missing is not None:
        return f"{one.name}: cannot run: {visible(one.missing)}"
    model = f" with {visible(one.model)}" if one.model else ""
    text = f"{one.name}: {amount(one.left, one.unit)}{model}"
    if one.seconds is None or one.each is None:
        return f"{text}; speed not measured yet"
    rates = one.each.inverse
    return f"{text}; {rate_text(rates.median)} ({rate_text(rates.low)} to {rate_text(rates.high)}): {one.seconds}"


def _clock(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%a %H:%M}" if (at - now).days < 6 else f"{at:%Y-%m-%d}"


def plan_as_json(plan: NightPlan) -> dict[str, Any]:
    """Return a plan as values of JSON."""
    seconds = plan.seconds
    return {
        "schema": 1,
        "steps": [asdict(one) for one in plan.steps],
        "seconds": asdict(seconds),
        "window_seconds": plan.window_seconds,
        "nights": list(plan.nights),
        "unmeasured": [one.name for one in plan.unmeasured],
        "disk_bytes": plan.disk_bytes,
        "services": [asdict(one) for one in plan.services],
    }


def lines_of_run(summary: NightSummary) -> Iterator[str]:
    """Yield what a run did: a line for each step that did something, what is left, and the next step."""
    from photoindex.library.night.report import OUTCOMES, energy_text, next_steps

    for one in summary.steps:
        if one.done or one.failed or one.given_up or one.left or one.error is not None:
            yield _line_of_step(one)
    skipped = [one.name for one in summary.steps if one.skipped is not None]
    if skipped:
        yield f"not run: {', '.join(skipped)}; to see why: photoindex run --plan"
    for reason, seconds in summary.waited.items():
        yield f"waited for {spoken(seconds)}: {reason}"
    energy = energy_text(summary)
    yield f"run: {OUTCOMES[summary.outcome]} after {spoken(summary.seconds)}{f'; {energy}' if energy else ''}"
    yield from next_steps(summary)


def _line_of_step(one: StepResult) -> str:
    parts = [amount(one.done, one.unit)]
    if one.done and one.seconds >= 1:
        parts[0] += f" in {spoken(one.seconds)}, {rate_text(one.per_second)}"
    if one.model:
        parts[0] += f" with {visible(one.model)}"
    parts += [f"{one.given_up:,} given up"] * bool(one.given_up) + [f"{one.failed:,} failed"] * bool(one.failed)
    parts += [f"{one.left:,} left"] * bool(one.left)
    parts += [f"failed: {visible(one.error)}"] * (one.error is not None)
    return f"{one.name}: {', '.join(parts)}"
