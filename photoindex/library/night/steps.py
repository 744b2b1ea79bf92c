"""The steps of an unattended run, in their order: each is an operation that also has its own command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from photoindex.library.handle import Library
from photoindex.library.stage_figures import StageFigures
from photoindex.progress import EventSink, ignore_events

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What one pass over a step did.

    done: pictures, files or faces that are finished. failed: those that a later run tries again. given_up: those that failed
    for good. left: still to do. stopped: it was told to stop before the end. model, runs_on: what worked, and where.
    infer_seconds: time in the model. bottleneck: what took longest. refused: why a service is not asked any more, empty as a rule.
    """

    done: int = 0
    failed: int = 0
    given_up: int = 0
    left: int = 0
    stopped: bool = False
    model: str = ""
    runs_on: str = ""
    infer_seconds: float = 0.0
    bottleneck: str | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class StepRequest:
    """limit: maximum number of subjects. dry_run: only say what is left; nothing is changed."""

    limit: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step. unit: what it counts. operation: does it.

    `run` and `pending` raise what the operation raises, such as ModelUnavailable where its model is not installed.
    """

    name: str
    unit: str
    operation: Callable[[Library, StepRequest, EventSink, Stop], StepOutcome]

    def run(self, library: Library, limit: int | None, emit: EventSink, stop: Stop) -> StepOutcome:
        """Do at most `limit` subjects."""
        return self.operation(library, StepRequest(limit), emit, stop)

    def pending(self, library: Library) -> StepOutcome:
        """Return what is left for a run now, and the model that would do it."""
        return self.operation(library, StepRequest(dry_run=True), ignore_events, lambda: False)


def _scan(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.scan.scan import ScanRequest, scan

    found = scan(library, ScanRequest(dry_run=request.dry_run), emit, stop)
    to_read = found.new + found.changed + found.duplicate
    if request.dry_run:
        return StepOutcome(left=to_read)
    return StepOutcome(
        done=to_read + found.moved, given_up=found.quarantined, left=found.pending, stopped=found.stopped
    )


def _hash(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.duplicates.hash_pictures import hash_pictures
    from photoindex.library.stage_run import StageRequest

    found = hash_pictures(library, StageRequest(request.limit), emit, dry_run=request.dry_run, stop=stop)
    return _outcome(found, found.hashed)


def _embed(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.embed.embed import EmbedRequest, embed

    found = embed(library, EmbedRequest(limit=request.limit, dry_run=request.dry_run), emit, stop)
    return _outcome(found, found.embedded)


def _faces(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.people.faces import FacesRequest, faces

    found = faces(library, FacesRequest(limit=request.limit, dry_run=request.dry_run), emit, stop)
    return _outcome(found, found.looked_through)


def _cluster(library: Library, request: StepRequest, emit: EventSink, _stop: Stop) -> StepOutcome:
    from photoindex.library.people.groups.cluster import ClusterRequest, cluster, count_to_group, is_due

    if request.dry_run:
        return StepOutcome(left=count_to_group(library))
    if not is_due(library):
        return StepOutcome()
    found = cluster(library, ClusterRequest(), emit).summary
    return StepOutcome(done=found.faces if found.full else found.new, model=found.model)


def _caption(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.words.caption import CaptionRequest, CaptionSummary
    from photoindex.library.words.in_turn import caption_in_turn

    found = caption_in_turn(library, CaptionRequest(limit=request.limit, dry_run=request.dry_run), emit, stop)
    return _sum([_outcome(one, one.captions if isinstance(one, CaptionSummary) else one.pictures) for one in found])


def _labels_by(stage: str) -> Callable[[Library, StepRequest, EventSink, Stop], StepOutcome]:
    def operation(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
        from photoindex.library.words.tagging.auto import AutoRequest, tag_auto

        wanted = AutoRequest(only=(stage,), limit=request.limit, dry_run=request.dry_run)
        return _sum([_outcome(one, one.pictures) for one in tag_auto(library, wanted, emit, stop).runs])

    return operation


def _ocr(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.words.in_turn import ocr_in_turn
    from photoindex.library.words.ocr import OcrRequest, OcrSummary

    found = ocr_in_turn(library, OcrRequest(limit=request.limit, dry_run=request.dry_run), emit, stop)
    parts = []
    for one in found:
        if isinstance(one, OcrSummary):
            part = _outcome(one, one.previews + one.originals)
            parts.append(replace(part, left=part.left + one.originals_left))
        else:
            parts.append(_outcome(one, one.pictures))
    return _sum(parts)


def _duplicates(library: Library, request: StepRequest, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.duplicates.compare_pictures import compare_pictures, count_pending

    if request.dry_run:
        return StepOutcome(left=count_pending(library))
    found = compare_pictures(library, limit=request.limit, emit=emit, stop=stop)
    return StepOutcome(done=found.compared, left=found.pending, stopped=found.stopped)


def _index(library: Library, request: StepRequest, emit: EventSink, _stop: Stop) -> StepOutcome:
    from photoindex.library.index.maintain import merge_all_due

    if not request.dry_run:
        merge_all_due(library, emit)
    return StepOutcome()


def _outcome(found: StageFigures, done: int) -> StepOutcome:
    return StepOutcome(
        done=done,
        failed=found.failed,
        given_up=found.quarantined,
        left=found.pending,
        stopped=found.stopped or found.window_ended,
        model=found.model,
        runs_on=found.runs_on,
        infer_seconds=found.infer_seconds,
        bottleneck=found.bottleneck,
        refused=getattr(found, "refused", ""),
    )


def _sum(parts: list[StepOutcome]) -> StepOutcome:
    """Return several runs of a step, by one model after the other, as one."""
    if len(parts) == 1:
        return parts[0]
    return StepOutcome(
        done=sum(one.done for one in parts),
        failed=sum(one.failed for one in parts),
        given_up=sum(one.given_up for one in parts),
        left=sum(one.left for one in parts),
        stopped=any(one.stopped for one in parts),
        model=", ".join(one.model for one in parts),
        runs_on=next((one.runs_on for one in parts if one.runs_on), ""),
        infer_seconds=sum(one.infer_seconds for one in parts),
        bottleneck=next((one.bottleneck for one in parts if one.bottleneck), None),
        refused="; ".join(one.refused for one in parts if one.refused),
    )


SCAN = Step("scan", "files", _scan)
INDEX = Step("index", "spaces", _index)
STEPS: tuple[Step, ...] = (
    SCAN,
    Step("hash", "pictures", _hash),
    Step("embed", "pictures", _embed),
    Step("faces", "pictures", _faces),
    Step("cluster", "faces", _cluster),
    # Before captions: a service gets no sensitive picture, so the stage that tells them goes first.
    Step("sensitive", "pictures", _labels_by("sensitive")),
    Step("caption", "pictures", _caption),
    *(Step(name, "pictures", _labels_by(name)) for name in ("tags", "objects", "labels")),
    Step("ocr", "pictures", _ocr),
    Step("duplicates", "pictures", _duplicates),
    INDEX,
)
"""All steps in their order."""
