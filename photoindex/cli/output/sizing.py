"""Prints `doctor --sizing`: what differs from the plan, forecasts, and when to move on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from photoindex.cli.output.details import Section, print_details, print_json
from photoindex.cli.output.progress_text import amount, size_text

if TYPE_CHECKING:
    from photoindex.library.doctor.sizing import Assumption, Forecast, Range, Sizing, Trigger


def print_sizing(found: Sizing, *, as_json: bool) -> None:
    """Print a sizing: one JSON object, or sections for people."""
    if as_json:
        value = asdict(found)
        for name in ("assumptions", "triggers"):
            flag = "diverges" if name == "assumptions" else "met"
            value[name] = [
                written | {flag: getattr(one, flag)}
                for written, one in zip(value[name], getattr(found, name), strict=True)
            ]
        print_json({"schema": 1, **value})
        return
    basis = "measured here" if found.measured else "as planned: the library is too small to measure by"
    sections = [
        Section("planned and measured", [_assumption(one) for one in found.assumptions]),
        Section("what differs", [(text,) for text in divergences(found.assumptions)]),
        Section(f"forecasts, {basis} (originals, library, RAM, VRAM)", [_forecast(one) for one in found.forecasts]),
        Section("hours of work on one computer, median and range", list(_hours(found))),
        Section("when to move on", [_trigger(one) for one in found.triggers]),
    ]
    print_details(f"profile {found.profile}, {amount(found.contents, 'contents')}", sections)


def divergences(assumptions: Sequence[Assumption]) -> list[str]:
    """Return in words how a library differs from what was planned for."""
    found = []
    for one in assumptions:
        if not one.diverges or one.measured is None:
            continue
        factor = one.measured / one.planned
        how = f"{factor:.1f} times" if factor >= 1 else f"{factor:.0%} of"
        found.append(
            f"{one.name}: {_value(one.unit, one.measured)}, {how} the {_value(one.unit, one.planned)} that was planned"
        )
    return found or ["nothing: the forecasts of the plan hold for this library"]


def _assumption(one: Assumption) -> tuple[str, ...]:
    planned = f"{'at most ' if one.at_most else ''}{_value(one.unit, one.planned)} planned"
    measured = "not measured yet" if one.measured is None else f"{_value(one.unit, one.measured)} measured"
    return (one.name, planned, measured)


def _forecast(one: Forecast) -> tuple[str, ...]:
    sizes = (size_text(size) for size in (one.originals_bytes, one.library_bytes, one.ram_bytes, one.vram_bytes))
    return (f"{one.photos:,}", one.profile, *sizes, f"not: {', '.join(one.short_of)}" if one.short_of else "fits")


def _hours(found: Sizing) -> Iterator[tuple[str, ...]]:
    of_one_host = {one.photos: one.hours for one in found.forecasts if one.profile == found.profile}
    stages = next(iter(of_one_host.values()), {})
    if not stages:
        yield ("no stage was measured yet; run photoindex scan or photoindex embed",)
    for stage in stages:
        yield (stage, *(f"{photos:,}: {_range(hours[stage])}" for photos, hours in of_one_host.items()))


def _range(hours: Range) -> str:
    return f"{hours.median:,.1f} h ({hours.low:,.1f} to {hours.high:,.1f})"


def _trigger(one: Trigger) -> tuple[str, ...]:
    value = "not measured" if one.value is None else _value(one.unit, one.value)
    state = f"time to {one.then}" if one.met else f"above {_value(one.unit, one.limit)}: {one.then}"
    return (one.name, value, state)


def _value(unit: str, value: float) -> str:
    if unit == "bytes":
        return size_text(value)
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "seconds":
        return f"{1000 * value:.0f} ms"
    return f"{value:,.1f} h" if unit == "hours" else f"{value:,.3g}"
