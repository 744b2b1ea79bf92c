"""What a run is doing now, in a small file that `status` reads; nothing depends on it."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from photoindex.atomic_files import atomic_file
from photoindex.library.lock import is_held
from photoindex.progress import Event, PhaseAdvanced, PhaseFinished, PhaseStarted

LOCK = "run.lock"
_STATE = "run.state"
_EVERY_SECONDS = 2.0


@dataclass(slots=True)
class RunState:
    """The state of a run; times are UTC seconds.

    ends_at: when its window closes, None if it has none. step: the one that works, or waits. phase, done, total, unit: the
    progress of that step. waiting: why it waits, None while it works. left: step -> subjects that it had to do when it began.
    """

    pid: int
    started_at: float
    ends_at: float | None = None
    step: str = ""
    phase: str = ""
    done: int = 0
    total: int | None = None
    unit: str = ""
    waiting: str | None = None
    waiting_since: float | None = None
    finished: list[str] = field(default_factory=list)
    at: float = 0.0


class StateFile:
    """Writes the state of a run, at most every two seconds except for changes that matter; a sink of events, too."""

    def __init__(self, folder: Path, state: RunState) -> None:
        self.state = state
        self._path = folder / _STATE
        self._written_at = 0.0

    def __call__(self, event: Event) -> None:
        """Take in the progress of the step."""
        state = self.state
        if isinstance(event, PhaseStarted):
            state.phase, state.done, state.total, state.unit = event.phase, 0, event.total, event.unit
            self.write()
        elif isinstance(event, PhaseAdvanced | PhaseFinished):
            state.done = event.done
            if time.monotonic() - self._written_at >= _EVERY_SECONDS:
                self.write()

    def write(self) -> None:
        """Write the state now; a full disk must not stop the run."""
        self._written_at = time.monotonic()
        self.state.at = time.time()
        with suppress(OSError), atomic_file(self._path, durable=False) as file:
            file.write(json.dumps(asdict(self.state)).encode())

    def remove(self) -> None:
        """Remove the file at the end of the run."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def running(folder: Path) -> RunState | None:
    """Return the state of the run that is at work in a library folder, None if none is."""
    if not is_held(folder / LOCK):
        return None
    try:
        return RunState(**json.loads((folder / _STATE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
