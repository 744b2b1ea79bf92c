"""What a run would do, and how long that takes on this machine, as ranges; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from photoindex.domain.night.estimates import NOTHING, Measured, Range, duration, nights_needed, seconds_each
from photoindex.errors import PhotoIndexError
from photoindex.library.handle import Library
from photoindex.library.night.costs import Forecast, costs
from photoindex.library.night.steps import SCAN, Step, StepOutcome
from photoindex.store.night import nights, throughput
from photoindex.store.tasks import queue
from photoindex.store.vectors import spaces

DAY_SECONDS = 86_400.0
USUAL_WINDOW_SECONDS = 4.5 * 3600
"""From 01:30 to 06:00, where no window is given."""
_USUAL_FACES = 1.2
"""Faces of a picture: 2.2 in each of 55 %."""
_STAGES = {"scan": "ingest"}
"""Step -> stage whose speed is measured, where they are called differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What a step would do.

    left: subjects. each: seconds that one takes, as measured here. seconds: for all, with the opening of the model; both None
    where nothing was measured yet. disk_bytes: what the results take, about. missing: why it cannot run.
    """

    name: str
    unit: str
    left: int = 0
    model: str = ""
    each: Range | None = None
    seconds: Range | None = None
    disk_bytes: int | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """What a run would do.

    window_seconds: how long it may work, None: no end. services: what pictures that wait for paid services would cost.
    """

    steps: Sequence[StepPlan]
    window_seconds: float | None
    services: Sequence[Forecast] = ()

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
        return nights_needed(self.seconds, self.window_seconds or USUAL_WINDOW_SECONDS)


def plan(library: Library, steps: Sequence[Step], *, window_seconds: float | None, limit: int | None) -> NightPlan:
    """Return what a run over these steps would do. limit: subjects per step.

    What one step makes, the later ones work on: new files become pictures, vectors get tags, faces are grouped.
    """
    planned: dict[str, StepPlan] = {}
    for one in steps:
        if one.name != "index":
            planned[one.name] = _step_plan(library, one, _arriving(one, planned), limit)
    services = [one for one in costs(library).forecasts if any(stage in planned for stage in one.pictures)]
    return NightPlan(steps=list(planned.values()), window_seconds=window_seconds, services=services)


def _arriving(step: Step, before: Mapping[str, StepPlan]) -> int:
    """Return how many subjects of a step the steps before it make in the same run."""
    if step.name == SCAN.name:
        return 0
    if step.name == "tags":
        return before["embed"].left if "embed" in before else 0
    if step.name == "cluster":
        return round(before["faces"].left * _USUAL_FACES) if "faces" in before else 0
    return before[SCAN.name].left if SCAN.name in before else 0


def _step_plan(library: Library, step: Step, arriving: int, limit: int | None) -> StepPlan:
    known: dict[str, Any] = {"name": step.name, "unit": step.unit}
    try:
        found = step.pending(library)
    except PhotoIndexError as reason:
        if step.name != "tags" or not arriving or _has_vectors(library):
            return StepPlan(**known, missing=str(reason))
        found = StepOutcome()  # it only lacks the vectors that are on their way
    left = found.left + arriving
    left = left if limit is None else min(limit, left)
    measured = measured_pieces(library, step, found)
    each = seconds_each(measured)
    return StepPlan(
        **known,
        left=left,
        model=found.model,
        each=each,
        seconds=duration(left, measured, [] if each is None else _overheads(library, step, each)),
        disk_bytes=_disk_bytes(library, step, left),
    )


def _has_vectors(library: Library) -> bool:
    with library.database.read() as connection:
        return spaces.active_space(connection) is not None


def measured_pieces(library: Library, step: Step, found: StepOutcome) -> list[Measured]:
    """Return what was measured of a step with the model that would do it now, newest first.

    Where originals were read besides previews, each preview bears its share of their time: how many of them will show text
    is not known before.
    """
    stage = _STAGES.get(step.name, step.name)
    with library.database.read() as connection:
        pieces = throughput.newest(connection, stage, model=found.model or None)
        variants = queue.variants(connection, stage)
    of_originals = {one for one, key in variants.items() if not _is_of_preview(json.loads(key))}
    usual = [one for one in pieces if one.variant_id not in of_originals and one.subjects]
    alone = sum(one.seconds for one in usual)
    besides = sum(one.seconds for one in pieces if one.variant_id in of_originals)
    factor = 1 + besides / alone if alone else 1.0
    return [Measured(one.subjects, one.seconds * factor, one.opening_seconds) for one in usual]


def _overheads(library: Library, step: Step, each: Range) -> list[float]:
    """Return what this step took in earlier runs besides the work itself, in seconds."""
    with library.database.read() as connection:
        reports = [one.report for one in nights.newest(connection) if one.report is not None]
    done = [one for report in reports for one in report["steps"] if one["name"] == step.name and one["done"]]
    # Where the work took most of the time, the rest is within its error.
    besides = [one["seconds"] - one["done"] * each.median for one in done]
    return [seconds for seconds in besides if seconds > 0]


def _is_of_preview(variant: Mapping[str, Any]) -> bool:
    picture = variant.get("picture")
    return picture is None or picture.get("of") == "preview"


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
