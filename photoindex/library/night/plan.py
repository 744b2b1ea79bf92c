"""What a run would do, and how long that takes on this machine, as ranges; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from photoindex.domain.night.estimates import NOTHING, Measured, Range, duration, nights, seconds_each
from photoindex.errors import LibraryLocked, ModelUnavailable, NothingFound, PhotoIndexError
from photoindex.library.handle import Library
from photoindex.library.night.steps import Step, StepOutcome
from photoindex.store.night import throughput

DAY_SECONDS = 86_400.0
USUAL_WINDOW_SECONDS = 4.5 * 3600
"""From 01:30 to 06:00, where no window is given."""
_STAGES = {"scan": "ingest"}
"""Step -> stage whose speed is measured, where they are called differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What a step would do.

    left: subjects. each: seconds that one takes, as measured here. seconds: for all, with the opening of the model; both None
    where nothing was measured yet. disk_bytes: what the results take, about. missing: why it cannot run.
    """

    name: str
    command: str
    unit: str
    left: int = 0
    model: str = ""
    each: Range | None = None
    seconds: Range | None = None
    disk_bytes: int | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """What a run would do. seconds: of the steps that were measured. window_seconds: how long it may work, None: no end."""

    steps: Sequence[StepPlan]
    window_seconds: float | None

    @property
    def seconds(self) -> Range:
        """How long the steps take whose speed is known."""
        return sum((one.seconds for one in self.steps if one.seconds is not None), NOTHING)

    @property
    def unmeasured(self) -> list[StepPlan]:
        """Steps with work whose speed is not known yet."""
        return [one for one in self.steps if one.left and one.seconds is None and one.missing is None]

    @property
    def disk_bytes(self) -> int:
        """What the results take on the disk of the library, about."""
        return sum(one.disk_bytes or 0 for one in self.steps)

    @property
    def nights(self) -> tuple[int, int]:
        """How many windows the work needs, at least and at most."""
        return nights(self.seconds, self.window_seconds or USUAL_WINDOW_SECONDS)


def plan(library: Library, steps: Sequence[Step], *, window_seconds: float | None, limit: int | None) -> NightPlan:
    """Return what a run over these steps would do. limit: subjects per step."""
    return NightPlan(
        steps=[_step_plan(library, one, limit) for one in steps if one.name != "index"], window_seconds=window_seconds
    )


def _step_plan(library: Library, step: Step, limit: int | None) -> StepPlan:
    known: dict[str, Any] = {"name": step.name, "command": step.command, "unit": step.unit}
    try:
        found = step.pending(library)
    except (ModelUnavailable, NothingFound, LibraryLocked) as reason:
        return StepPlan(**known, missing=str(reason))
    except PhotoIndexError as error:
        return StepPlan(**known, missing=str(error))
    left = found.left if limit is None else min(limit, found.left)
    measured = measured_pieces(library, step, found)
    return StepPlan(
        **known,
        left=left,
        model=found.model,
        each=seconds_each(measured),
        seconds=duration(left, measured),
        disk_bytes=_disk_bytes(library, step, left),
    )


def measured_pieces(library: Library, step: Step, found: StepOutcome) -> list[Measured]:
    """Return what was measured of a step with the model that would do it now, newest first."""
    with library.database.read() as connection:
        pieces = throughput.newest(connection, _STAGES.get(step.name, step.name), model=found.model or None)
    return [Measured(one.subjects, one.seconds, one.opening_seconds) for one in pieces if one.subjects]


def _disk_bytes(library: Library, step: Step, left: int) -> int | None:
    """Return what the results of so many subjects take, about."""
    if step.name == "scan":
        return left * _derived_bytes(library)
    each = _RESULT_BYTES.get(step.name)
    return None if each is None else left * each


def _derived_bytes(library: Library) -> int:
    """Return what the previews of a picture take, from those that exist; 150 kB if there are none."""
    from photoindex.library.maintenance.status import size_of_derived
    from photoindex.store.photos.counts import count_assets

    with library.database.read() as connection:
        assets = count_assets(connection)
    return round(size_of_derived(library.derived_folder)[0] / assets) if assets else 150_000


_RESULT_BYTES = {
    "embed": 2_300,
    "faces": 5_500,
    "caption": 700,
    "tags": 900,
    "objects": 400,
    "labels": 400,
    "sensitive": 150,
    "ocr": 500,
}
"""Bytes of a result in the database and its indices: a vector of 512 numbers twice with its code, two faces, five labels."""
