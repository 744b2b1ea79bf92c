"""Renders the progress of long commands: a live bar on a terminal, plain lines in a log, or JSON lines.

Everything goes to stderr; stdout is for data. Events may come from several threads.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Protocol, TextIO

import typer

from photoindex.cli.output.progress_text import (
    Phase,
    finished_line,
    fitted_line,
    position,
    progress_line,
    sentence,
    started_line,
    stopped_line,
)
from photoindex.paths import to_text
from photoindex.progress import Event, EventSink, FileQuarantined, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted

PLAIN_SECONDS = 10.0
JSON_SECONDS = 1.0


class ProgressMode(StrEnum):
    """How long commands report progress on stderr."""

    AUTO = "auto"
    PLAIN = "plain"
    JSON = "json"
    NONE = "none"


ProgressOption = Annotated[
    ProgressMode,
    typer.Option(
        "--progress",
        metavar="HOW",
        help="How to show progress on stderr: auto is a bar on a terminal and plain lines elsewhere; plain; json; none shows only "
        "warnings and quarantined files.",
    ),
]


class _Renderer(Protocol):
    """Shows events in one form; calls are serialised by a lock."""

    def show(self, event: Event, phase: Phase | None, now: float) -> None: ...

    def close(self, unfinished: list[Phase], now: float) -> None: ...


@contextlib.contextmanager
def progress_sink(
    mode: ProgressMode = ProgressMode.AUTO, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[EventSink]:
    """Yield a sink that renders events on `stream` (default: stderr) until the block ends.

    The sink may be called from several threads. When the block ends, also by an exception, the bar is removed and an
    unfinished phase is summed up in one line. Write errors are ignored: the work matters more than its progress.
    """
    renderer = _renderer(mode, sys.stderr if stream is None else stream, clock)
    phases: dict[str, Phase] = {}
    lock = threading.Lock()

    def sink(event: Event) -> None:
        with lock:
            now = clock()
            phase = _update(phases, event, now)
            renderer.show(event, phase, now)

    try:
        yield sink
    finally:
        with lock:
            renderer.close(list(phases.values()), clock())


def _update(phases: dict[str, Phase], event: Event, now: float) -> Phase | None:
    """Update the state of the running phases and return the one that `event` belongs to."""
    if isinstance(event, PhaseStarted):
        phases[event.phase] = Phase(event.phase, now, event.total, event.unit)
        return phases[event.phase]
    if isinstance(event, PhaseAdvanced):
        phase = phases.setdefault(event.phase, Phase(event.phase, now))
        phase.advance(event, now)
        return phase
    if isinstance(event, PhaseFinished):
        return phases.pop(event.phase, Phase(event.phase, now - event.seconds))
    return None


def _renderer(mode: ProgressMode, stream: TextIO, clock: Callable[[], float]) -> _Renderer:
    if mode is ProgressMode.JSON:
        return _JsonLines(stream)
    if mode is ProgressMode.NONE:
        return _Warnings(stream)
    if mode is ProgressMode.AUTO and stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb"):
        return _Bar(stream, clock)
    return _PlainLines(stream)


class _Lines:
    """Writes lines to a stream that may be closed at any time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def write(self, line: str) -> None:
        """Write one line; after an error all further lines are dropped."""
        if self._gone:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._gone = True


class _Warnings:
    """Only warnings and quarantined files."""

    def __init__(self, stream: TextIO) -> None:
        self._lines = _Lines(stream)

    def show(self, event: Event, phase: Phase | None, now: float) -> None:  # noqa: ARG002
        if isinstance(event, FileQuarantined) or (isinstance(event, Notice) and event.level == "warning"):
            self._lines.write(sentence(event))

    def close(self, unfinished: list[Phase], now: float) -> None:
        pass


class _PlainLines:
    """Lines for a log: start, end, and at most one line per phase every PLAIN_SECONDS."""

    def __init__(self, stream: TextIO) -> None:
        self._lines = _Lines(stream)
        self._written_at: dict[str, float] = {}

    def show(self, event: Event, phase: Phase | None, now: float) -> None:
        if isinstance(event, PhaseStarted):
            self._written_at[event.phase] = now
            self._lines.write(started_line(event))
        elif isinstance(event, PhaseAdvanced) and phase is not None:
            if now - self._written_at.get(event.phase, phase.started_at) >= PLAIN_SECONDS:
                self._written_at[event.phase] = now
                self._lines.write(progress_line(phase, now))
        elif isinstance(event, PhaseFinished) and phase is not None:
            self._lines.write(finished_line(event, phase.unit))
        elif isinstance(event, FileQuarantined | Notice):
            self._lines.write(sentence(event))

    def close(self, unfinished: list[Phase], now: float) -> None:
        for phase in unfinished:
            self._lines.write(stopped_line(phase, now))


class _JsonLines:
    """One JSON object per line for programs; phase_advanced at most once per phase every JSON_SECONDS."""

    def __init__(self, stream: TextIO) -> None:
        self._lines = _Lines(stream)
        self._written_at: dict[str, float] = {}

    def show(self, event: Event, phase: Phase | None, now: float) -> None:
        if isinstance(event, PhaseStarted):
            self._write("phase_started", phase=event.phase, total=event.total, unit=event.unit)
        elif isinstance(event, PhaseAdvanced) and phase is not None:
            if now - self._written_at.get(event.phase, phase.started_at) >= JSON_SECONDS:
                self._written_at[event.phase] = now
                self._write(
                    "phase_advanced",
                    **position(phase, now),
                    slow=event.slow,
                )
        elif isinstance(event, PhaseFinished):
            self._write("phase_finished", phase=event.phase, done=event.done, seconds=round(event.seconds, 3))
        elif isinstance(event, FileQuarantined):
            self._write(
                "file_quarantined", path=to_text(event.path), error_class=event.error_class, message=event.message
            )
        elif isinstance(event, Notice):
            self._write("notice", level=event.level, message=event.message)

    def close(self, unfinished: list[Phase], now: float) -> None:
        for phase in unfinished:
            self._write("phase_stopped", **position(phase, now))

    def _write(self, event: str, **values: Any) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.write(json.dumps({"schema": 1, "event": event, "time": at, **values}))


class _Bar:
    """A live bar per phase; finished phases, quarantined files and notices scroll above it."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._clock = clock
        self._running: dict[str, Phase] = {}
        self._live = Live(
            get_renderable=self._renderable,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,  # a command's output must not end up on stderr
        )
        self._live.start()

    def show(self, event: Event, phase: Phase | None, now: float) -> None:  # noqa: ARG002
        if isinstance(event, PhaseFinished) and phase is not None:
            self._running = {name: one for name, one in self._running.items() if name != event.phase}
            self._print(finished_line(event, phase.unit))
        elif phase is not None:
            self._running = self._running | {phase.name: phase}
        elif isinstance(event, FileQuarantined):
            self._print(sentence(event), "yellow")
        elif isinstance(event, Notice):
            self._print(sentence(event), "yellow" if event.level == "warning" else "")

    def close(self, unfinished: list[Phase], now: float) -> None:
        self._live.stop()
        for phase in unfinished:
            self._print(stopped_line(phase, now))

    def _print(self, line: str, style: str = "") -> None:
        with contextlib.suppress(OSError, ValueError):
            self._console.print(line, style=style, soft_wrap=True)

    def _renderable(self) -> Any:
        from rich.console import Group

        # The refresh thread reads this dictionary, so it is replaced and never modified.
        width, now = self._console.width, self._clock()
        return Group(*(fitted_line(phase, now, width) for phase in self._running.values()))
