"""`tag auto`: runs every stage that gives pictures labels and whose model is installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.handle import Library
from photoindex.library.stage_run import StageRequest
from photoindex.library.words.tagging.picture_models import label_works, object_works, sensitive_works
from photoindex.library.words.tagging.shown import mark_shown
from photoindex.library.words.tagging.work import LabelRun, LabelsSummary, LabelWork
from photoindex.library.words.tagging.zero_shot import zero_shot_work
from photoindex.progress import EventSink, Notice
from photoindex.stages import labels, objects, sensitive, tags

Works = Callable[[Library], Sequence[LabelWork]]


@dataclass(frozen=True, slots=True)
class AutoRequest:
    """only: stages to run, all by default. limit: pictures per stage. window_seconds: for all stages together."""

    only: Sequence[str] = ()
    limit: int | None = None
    window_seconds: float | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class AutoSummary:
    """What was done.

    runs: one per stage and model. missing: stage (and model, where only that one cannot be used) -> why it did not run.
    remarked: pictures whose labels are shown or hidden now, because the threshold changed. refused: whether one of the missing
    has a model that cannot be used.
    """

    runs: Sequence[LabelsSummary]
    missing: Mapping[str, str]
    remarked: int
    refused: bool = False


def _zero_shot(library: Library) -> Sequence[LabelWork]:
    return [zero_shot_work(library)]


WORKS: Mapping[str, Works] = {
    tags.STAGE.name: _zero_shot,
    objects.STAGE.name: object_works,
    labels.STAGE.name: label_works,
    sensitive.STAGE.name: sensitive_works,
}
"""Stage -> what it can run, in the order of running."""


def tag_auto(
    library: Library, request: AutoRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> AutoSummary:
    """Run the stages one after the other; those whose models are missing are named first.

    Raises UsageError for an unknown stage, ModelUnavailable where none can run or one that was asked for cannot, ConfigError,
    DeviceFailed, LibraryLocked, StorageFull; finished work is kept.
    """
    unknown = [name for name in request.only if name not in WORKS]
    if unknown:
        raise UsageError(f"there is no stage '{unknown[0]}' here; choose one of {', '.join(WORKS)}")
    ends = None if request.window_seconds is None else time.monotonic() + request.window_seconds
    works: list[LabelWork] = []
    missing: dict[str, str] = {}
    for name in request.only or WORKS:
        try:
            works += WORKS[name](library)
        except ModelUnavailable as error:
            if request.only:
                raise
            missing[name] = str(error)
    if not works:
        raise ModelUnavailable(
            "no model for tags is there:\n" + "\n".join(f"  {name}: {why}" for name, why in missing.items())
        )
    if request.dry_run:
        return AutoSummary([LabelRun(library, work, emit).dry_run() for work in works], missing, 0)
    for name, why in missing.items():
        emit(Notice(f"{name}: will not run: {why}"))
    remarked = mark_shown(library, emit, stop)
    runs: list[LabelsSummary] = []
    refused: dict[str, str] = {}
    for work in works:
        if stop():
            break
        left = None if ends is None else max(0.0, ends - time.monotonic())
        try:
            runs.append(LabelRun(library, work, emit).run(StageRequest(request.limit, left), stop))
        except ModelUnavailable as error:
            if request.only:
                raise
            refused[f"{work.stage.name} ({work.model})"] = str(error)
    return AutoSummary(runs, missing | refused, remarked, bool(refused))
