"""Text of progress reports: the state of a phase, its rates and estimates, and the lines that show them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photoindex.cli.output.render import visible
from photoindex.progress import FileQuarantined, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted

if TYPE_CHECKING:
    from rich.text import Text

WINDOW_SECONDS = 30.0
"""Rates are averages over this window, so that they adapt to another disk or kind of file."""
_SAMPLE_SECONDS = 0.25
_BAR_CELLS = (10, 30)
_SEPARATOR = "  "


@dataclass(slots=True)
class Phase:
    """The state of one running phase; times are seconds of a monotonic clock.

    `started_at` and `samples` (time, items, bytes) give the rates; `samples` spans the last WINDOW_SECONDS.
    """

    name: str
    started_at: float
    total: int | None = None
    unit: str = "files"
    done: int = 0
    bytes_done: int = 0
    slow: str = ""
    samples: deque[tuple[float, int, int]] = field(default_factory=deque)

    def advance(self, event: PhaseAdvanced, now: float) -> None:
        """Update the state from an event."""
        self.done, self.bytes_done, self.slow = event.done, event.bytes_done, event.slow
        if not self.samples:
            self.samples.append((self.started_at, 0, 0))
        if now - self.samples[-1][0] >= _SAMPLE_SECONDS:
            self.samples.append((now, self.done, self.bytes_done))
        while len(self.samples) > 1 and self.samples[1][0] <= now - WINDOW_SECONDS:
            self.samples.popleft()

    def rates(self, now: float) -> tuple[float, float]:
        """Return items and bytes per second over the window; zero at first."""
        since, items, size = self.samples[0] if self.samples else (self.started_at, 0, 0)
        seconds = now - since
        if seconds <= 0:
            return 0.0, 0.0
        return max(0.0, (self.done - items) / seconds), max(0.0, (self.bytes_done - size) / seconds)

    def seconds_left(self, now: float) -> float | None:
        """Return the estimated seconds left; None if the total or the rate is unknown."""
        rate = self.rates(now)[0]
        return max(0, self.total - self.done) / rate if self.total is not None and rate > 0 else None

    def counts(self) -> str:
        """Return the counts as text: `1,234 of 5,678 files`."""
        if not self.unit:
            return ""
        if self.total is None:
            return amount(self.done, self.unit)
        return f"{self.done:,} of {amount(self.total, self.unit)}"


def fitted_line(phase: Phase, now: float, width_cells: int) -> Text:
    """Return one phase as a line of at most `width_cells`; less important parts are dropped first."""
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    rate, bytes_rate = phase.rates(now)
    left = phase.seconds_left(now)
    slow = visible(phase.slow)
    # By importance; None is the bar.
    offered: list[tuple[int, str | None]] = [
        (0, visible(phase.name)),
        (2, phase.counts()),
        (4, f"{duration(left)} left" if left is not None else ""),
        (3, rate_text(rate) if phase.unit else ""),
        (1, None if phase.total else ""),
        (5, f"{size_text(bytes_rate)}/s" if bytes_rate else ""),
        (6, f"slow: {slow}" if slow else ""),
    ]
    taken: dict[int, str] = {}
    room = width_cells
    for place, text in offered:
        if text == "":
            continue
        needed = len(_SEPARATOR) * bool(taken) + (_BAR_CELLS[0] if text is None else cell_len(text))
        if needed <= room:
            room -= needed
            taken[place] = "" if text is None else text
        elif place in (0, 6) and room > len(_SEPARATOR) + 8 * bool(taken):
            taken[place] = set_cell_size(text or "", room - len(_SEPARATOR) * bool(taken) - 1) + "…"
            room = 0
    line = Text(no_wrap=True, overflow="ellipsis", end="")
    for number, (place, text) in enumerate(sorted(taken.items())):
        line.append(_SEPARATOR if number else "")
        line.append_text(_bar(phase, min(_BAR_CELLS[0] + room, _BAR_CELLS[1])) if place == 1 else Text(text))
    return line


def _bar(phase: Phase, cells: int) -> Text:
    from rich.text import Text

    share = min(1.0, phase.done / phase.total) if phase.total else 0.0
    filled = int(cells * share)
    return Text.assemble(("━" * filled, "green"), ("─" * (cells - filled), "dim"))


def sentence(event: FileQuarantined | Notice) -> str:
    """Return the event as one line that is safe on a terminal."""
    if isinstance(event, FileQuarantined):
        return f"quarantined {visible(event.path)}: {visible(event.error_class)}: {visible(event.message)}"
    return f"{'warning: ' if event.level == 'warning' else ''}{visible(event.message)}"


def amount(count: int, unit: str) -> str:
    """Return a count with its unit, which is given in the plural: `1 file`, `5,678 files`, `1 copy`."""
    if count != 1:
        return f"{count:,} {unit}"
    return f"1 {unit.removesuffix('ies')}y" if unit.endswith("ies") else f"1 {unit.removesuffix('s')}"


def started_line(event: PhaseStarted) -> str:
    """Return the line for a phase that starts: `scan: 5,678 files`, `loading clip-vit-b-32 ...`."""
    if not event.unit:
        return f"{visible(event.phase)} ..."
    return f"{event.phase}: {'started' if event.total is None else amount(event.total, event.unit)}"


def finished_line(event: PhaseFinished, unit: str) -> str:
    """Return the line for a finished phase: `scan: 5,678 files in 2:33, 37/s`."""
    if not unit:
        return f"{visible(event.phase)}: done in {duration(event.seconds)}"
    rate = f", {rate_text(event.done / event.seconds)}" if event.seconds >= 1 and event.done else ""
    return f"{event.phase}: {amount(event.done, unit)} in {duration(event.seconds)}{rate}"


def progress_line(phase: Phase, now: float) -> str:
    """Return the state of a running phase as a line for a log."""
    rate, bytes_rate = phase.rates(now)
    left = phase.seconds_left(now)
    parts = [f"{phase.name}: {phase.counts()}"]
    if phase.total:
        parts[0] += f" ({100 * phase.done // phase.total} %)"
    parts.append(rate_text(rate))
    if bytes_rate:
        parts.append(f"{size_text(bytes_rate)}/s")
    if left is not None:
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts) + (f"; slow: {visible(phase.slow)}" if phase.slow else "")


def stopped_line(phase: Phase, now: float) -> str:
    """Return the line for a phase that did not finish."""
    if not phase.unit:
        return f"{visible(phase.name)}: stopped after {duration(now - phase.started_at)}"
    return f"{phase.name}: stopped at {phase.counts()} after {duration(now - phase.started_at)}"


def position(phase: Phase, now: float) -> dict[str, object]:
    """Return the state of a running phase as values for JSON."""
    rate, bytes_rate = phase.rates(now)
    left = phase.seconds_left(now)
    return {
        "phase": phase.name,
        "done": phase.done,
        "total": phase.total,
        "unit": phase.unit,
        "bytes_done": phase.bytes_done,
        "per_second": round(rate, 3),
        "bytes_per_second": round(bytes_rate),
        "seconds_left": None if left is None else round(left, 1),
    }


def duration(seconds: float) -> str:
    """Format a duration: `0.4 s`, `2:33`, `1:02:10`, `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rate_text(per_second: float) -> str:
    """Format a rate, per minute if it is slow: `37/s`, `12/min`."""
    if per_second >= 10:
        return f"{per_second:,.0f}/s"
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{60 * per_second:.0f}/min"


def size_text(size_bytes: float) -> str:
    """Format a size in decimal units: `250 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 999.5:
            return f"{size_bytes:.0f} {unit}" if size_bytes >= 10 or unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"
