"""The report of a run: what was done, what failed, how fast, with how much energy, and what is left; JSON or a page."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from photoindex.durations import spoken
from photoindex.errors import UsageError
from photoindex.library.export.output_files import check_target, write_whole
from photoindex.library.export.pages import rendered
from photoindex.library.handle import Library
from photoindex.library.night.summary import NightSummary, StepResult
from photoindex.library.timestamps import local_time, utc

OUTCOMES = {"done": "done", "window": "the window closed", "stopped": "stopped early", "failed": "a stage failed"}
"""How each outcome of a run is called."""
_FORMS = (".json", ".html")
_OF_PHOTOS = ("files", "pictures")
"""Units of steps that take one photo after the other."""


def check_report(library: Library, path: Path) -> None:
    """Raise UsageError for a file that a report cannot be written to, such as one among originals, before the run."""
    if path.suffix.lower() not in _FORMS:
        raise UsageError(f"--report {path}: the name must end in .json or .html")
    check_target(library, path)


def write_report(summary: NightSummary, path: Path) -> None:
    """Write the report of a run; the ending of the name says in which form. Raises StorageFull."""
    text = _page(summary) if path.suffix.lower() == ".html" else json.dumps(as_json(summary), indent=1) + "\n"
    write_whole(path, [text.encode()])


def as_json(summary: NightSummary) -> dict[str, Any]:
    """Return the documented JSON of a run."""
    each = joules_per_1000(summary)
    return {
        "schema": 1,
        "started_at": utc(summary.started_at),
        "seconds": summary.seconds,
        "outcome": summary.outcome,
        "left": summary.left,
        "joules": summary.joules,
        "joules_per_1000": None if each is None else round(each),
        "waited": dict(summary.waited),
        "failures": [asdict(one) for one in summary.failures],
        "steps": [asdict(one) | {"per_second": round(one.per_second, 3)} for one in summary.steps],
    }


def next_steps(summary: NightSummary) -> list[str]:
    """Return what to do after a run, as sentences."""
    steps = []
    if summary.left:
        left = ", ".join(f"{one.name} {one.left:,}" for one in summary.steps if one.left and one.skipped is None)
        steps.append(f"left: {left}; the next photoindex run continues")
    if any(one.given_up for one in summary.steps):
        steps.append("to see what failed and why: photoindex tasks --state quarantined")
    return steps


def joules_per_1000(summary: NightSummary) -> float | None:
    """Return the energy that takes 1,000 photos through all steps that did any, None where the computer does not tell it."""
    of_photos = [one for one in summary.steps if one.unit in _OF_PHOTOS and one.done and one.joules is not None]
    return sum(1000 * (one.joules or 0.0) / one.done for one in of_photos) if of_photos else None


def energy_text(summary: NightSummary) -> str:
    """Return the energy of a run and of 1,000 photos, "" where the computer does not tell it."""
    if not summary.joules:
        return ""
    each = joules_per_1000(summary)
    of_photos = "" if each is None else f", {each / 1000:,.1f} kJ per 1,000 photos"
    return f"{summary.joules / 3.6e6:,.2f} kWh{of_photos}"


def _page(summary: NightSummary) -> str:
    failures = [{"stage": one.step, "path": one.path, "error": one.message} for one in summary.failures]
    given_up = sum(one.given_up + one.failed for one in summary.steps)
    longest = max((one.seconds for one in summary.steps), default=0.0) or 1.0
    energy = energy_text(summary)
    pieces = rendered(
        "photoindex.library.night",
        "report.html.j2",
        {},
        started=local_time(summary.started_at),
        outcome=OUTCOMES[summary.outcome],
        is_warning=summary.outcome == "failed" or bool(given_up),
        total=f"{spoken(summary.seconds)} in all",
        energy=f"; {energy}" if energy else "",
        waits=[f"waited for {spoken(seconds)}: {reason}" for reason, seconds in summary.waited.items()],
        steps=[_row(one, longest) for one in summary.steps],
        failures=failures,
        more=f"and {given_up - len(failures):,} more" if given_up > len(failures) else "",
        next=next_steps(summary) or ["nothing is left to do in these stages"],
    )
    return b"".join(pieces).decode()


def _row(one: StepResult, longest: float) -> dict[str, Any]:
    """Return the cells of a step."""
    return {
        "name": one.name,
        "note": f"not run: {one.skipped}" if one.skipped else f"failed: {one.error}" if one.error else "",
        "done": f"{one.done:,}",
        "rate": f"{one.per_second:,.1f}/s" if one.done and one.seconds else "",
        "share": round(one.seconds / longest, 3),
        "time": spoken(one.seconds) if one.seconds >= 1 else "",
        "failed": f"{one.failed + one.given_up:,}",
        "left": f"{one.left:,}",
        "model": one.model,
    }
