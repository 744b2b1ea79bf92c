"""`status --watch`: what is pending, how fast it goes and until when, again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from photoindex.cli.output.details import print_json
from photoindex.cli.output.night import lines_of_plan, plan_as_json
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import visible
from photoindex.durations import spoken

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.night.state import RunState


def lines_of_state(state: RunState) -> Iterator[str]:
    """Yield what a run is doing: why it waits, or how far it is, and when its window closes."""
    since = datetime.fromtimestamp(state.started_at, UTC).astimezone()
    ends = "" if state.ends_at is None else f", until {datetime.fromtimestamp(state.ends_at, UTC).astimezone():%H:%M}"
    if state.waiting is not None:
        waiting = spoken(max(0.0, time.time() - (state.waiting_since or state.at)))
        yield f"waiting for {waiting}: {visible(state.waiting)}; it goes on by itself"
    elif state.phase:
        of = "" if state.total is None else f" of {amount(state.total, state.unit)}"
        yield f"{visible(state.phase)}: {state.done:,}{of}"
    yield f"process {state.pid}, since {since:%a %H:%M}{ends}"


def watch_work(library: Library, every_seconds: float, *, as_json: bool) -> None:
    """Show the work of a library until Ctrl-C: in place on a terminal, else one block after the other."""
    from dataclasses import asdict

    from photoindex.library.night.plan import plan
    from photoindex.library.night.state import running
    from photoindex.library.night.steps import SCAN, STEPS

    in_place = sys.stdout.isatty() and not as_json
    steps = [one for one in STEPS if one is not SCAN]
    while True:
        planned = plan(library, steps, window_seconds=None, limit=None)
        state = running(library.folder)
        if as_json:
            print_json(plan_as_json(planned) | {"run": None if state is None else asdict(state)})
        else:
            now = datetime.now()  # noqa: DTZ005 - clocks in rooms show local time
            lines = [f"{now:%H:%M:%S}  {library.folder}"]
            if state is not None:
                lines += [f"{state.step}: {line}" for line in lines_of_state(state)]
            lines += lines_of_plan(planned, now)
            print(("\x1b[H\x1b[J" if in_place else "") + "\n".join(lines), flush=True)
        time.sleep(every_seconds)
