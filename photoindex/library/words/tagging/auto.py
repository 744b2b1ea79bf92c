"""`tag auto`: runs every stage that gives pictures labels and whose model is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from photoindex.durations import seconds_since_boot
from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.handle import Library
from photoindex.library.providers.chain import Chain, ChainRequest, Local
from photoindex.library.providers.service_run import ServiceSummary
from photoindex.library.providers.settings import providers_of
from photoindex.library.stage_run import Chosen, StageRequest
from photoindex.library.words.tagging.picture_models import label_works, object_works, sensitive_works
from photoindex.library.words.tagging.shown import mark_shown
from photoindex.library.words.tagging.work import LabelRun, LabelsSummary, LabelWork
from photoindex.library.words.tagging.zero_shot import zero_shot_work
from photoindex.progress import EventSink, Notice
from photoindex.providers.registry import LOCAL
from photoindex.stages import labels, objects, sensitive, tags
from photoindex.stages.base import Stage

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

    runs: one per stage and model or service. missing: stage (and model, where only that one cannot be used) -> why it did not run.
    remarked: pictures whose labels are shown or hidden now, because the threshold changed. refused: whether one of the missing
    has a model that cannot be used.
    """

    runs: Sequence[LabelsSummary | ServiceSummary]
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
    ProviderFailed for a service that may not be asked, DeviceFailed, LibraryLocked, StorageFull; finished work is kept.
    """
    unknown = [name for name in request.only if name not in WORKS]
    if unknown:
        raise UsageError(f"there is no stage '{unknown[0]}' here; choose one of {', '.join(WORKS)}")
    plans: list[_Plan] = []
    missing: dict[str, str] = {}
    for name in request.only or WORKS:
        try:
            plans.append(_plan(library, name))
        except ModelUnavailable as error:
            if request.only:
                raise
            missing[name] = str(error)
    if not plans:
        raise ModelUnavailable(
            "no model for tags is there:\n" + "\n".join(f"  {name}: {why}" for name, why in missing.items())
        )
    run = _Run(library, request, emit, stop)
    if not request.dry_run:
        for name, why in missing.items():
            emit(Notice(f"{name}: will not run: {why}"))
    remarked = 0 if request.dry_run else mark_shown(library, emit, stop)
    for plan in plans:
        run.stage(plan)
    return AutoSummary(run.done, missing | run.refused, remarked, bool(run.refused))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a stage can run. in_turn: services are among its providers."""

    name: str
    works: Works
    in_turn: bool


def _plan(library: Library, name: str) -> _Plan:
    """Return what a stage can run. Raises ModelUnavailable where its first provider is this computer, and has no model."""
    names = providers_of(library, name)
    if names[0] != LOCAL:
        return _Plan(name, WORKS[name], in_turn=True)
    works = WORKS[name](library)
    return _Plan(name, lambda _library: works, in_turn=len(names) > 1)


@dataclass(slots=True)
class _Run:
    """One run of all stages. done: their summaries. refused: stage and model -> why it could not be used."""

    library: Library
    request: AutoRequest
    emit: EventSink
    stop: Callable[[], bool]
    started: float = field(default_factory=seconds_since_boot)
    done: list[LabelsSummary | ServiceSummary] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def stage(self, plan: _Plan) -> None:
        """Run one stage."""
        if plan.in_turn:
            self._in_turn(plan)
            return
        for work in plan.works(self.library):
            if self.stop():
                return
            try:
                self.done.append(self._run(work, StageRequest(self.request.limit, self._left())))
            except ModelUnavailable as error:
                if self.request.only:
                    raise
                self.refused[f"{work.stage.name} ({work.model})"] = str(error)

    def _in_turn(self, plan: _Plan) -> None:
        """Run a stage with services among its providers; on this computer it has one model."""
        chain = Chain(
            self.library,
            _STAGES[plan.name],
            ChainRequest(self.request.limit, self._left(), self.request.dry_run),
            self.emit,
        )

        def local() -> Local[LabelsSummary]:
            (work,) = plan.works(self.library)

            def run(chosen: Chosen | None, left: StageRequest) -> tuple[LabelsSummary, int]:
                summary = self._run(replace(work, chosen=chosen), left)
                return summary, summary.pictures + summary.failed + summary.quarantined

            return Local(run, lambda: work.variant, work.after_variant)

        summaries: list[LabelsSummary | ServiceSummary] = chain.run(local, self.stop)
        self.done += summaries

    def _run(self, work: LabelWork, request: StageRequest) -> LabelsSummary:
        run = LabelRun(self.library, work, self.emit)
        return run.dry_run() if self.request.dry_run else run.run(request, self.stop)

    def _left(self) -> float | None:
        window = self.request.window_seconds
        return None if window is None else max(0.0, self.started + window - seconds_since_boot())


_STAGES: Mapping[str, Stage] = {tags.STAGE.name: tags.STAGE, sensitive.STAGE.name: sensitive.STAGE}
"""The stages that services can do."""
