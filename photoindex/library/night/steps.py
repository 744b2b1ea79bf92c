"""The steps of an unattended run, in their order: each is an operation that also has its own command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from photoindex.library.handle import Library
from photoindex.library.stage_figures import StageFigures
from photoindex.progress import EventSink

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What one pass over a step did.

    done: pictures, files or faces that are finished. failed: those that a later run tries again. given_up: those that failed
    for good. left: still to do. stopped: it was told to stop before the end. model, runs_on: what worked, and where.
    infer_seconds: time in the model. bottleneck: what took longest.
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


@dataclass(frozen=True, slots=True)
class Step:
    """One step. unit: what it counts. run: does at most `limit` of it. pending: what a run would do now; changes nothing.

    Both raise what the operation raises, such as ModelUnavailable where its model is not installed.
    """

    name: str
    unit: str
    run: Callable[[Library, int | None, EventSink, Stop], StepOutcome]
    pending: Callable[[Library], StepOutcome]


def _scan(library: Library, _limit: int | None, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.scan.scan import ScanRequest, scan

    found = scan(library, ScanRequest(), emit, stop)
    return StepOutcome(
        done=found.new + found.changed + found.duplicate + found.moved,
        given_up=found.quarantined,
        left=found.pending,
        stopped=found.stopped,
    )


def _to_scan(library: Library) -> StepOutcome:
    from photoindex.library.scan.scan import ScanRequest, scan
    from photoindex.progress import ignore_events

    found = scan(library, ScanRequest(dry_run=True), ignore_events)
    return StepOutcome(left=found.new + found.changed + found.duplicate)


def _embed(library: Library, limit: int | None, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.embed.embed import EmbedRequest, embed

    found = embed(library, EmbedRequest(limit=limit), emit, stop)
    return _outcome(found, found.embedded)


def _to_embed(library: Library) -> StepOutcome:
    from photoindex.library.embed.embed import EmbedRequest, embed
    from photoindex.progress import ignore_events

    return _outcome(embed(library, EmbedRequest(dry_run=True), ignore_events), 0)


def _faces(library: Library, limit: int | None, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.people.faces import FacesRequest, faces

    found = faces(library, FacesRequest(limit=limit), emit, stop)
    return _outcome(found, found.looked_through)


def _to_look_through(library: Library) -> StepOutcome:
    from photoindex.library.people.faces import FacesRequest, faces
    from photoindex.progress import ignore_events

    return _outcome(faces(library, FacesRequest(dry_run=True), ignore_events), 0)


def _cluster(library: Library, _limit: int | None, emit: EventSink, _stop: Stop) -> StepOutcome:
    from photoindex.library.people.groups.cluster import ClusterRequest, cluster, is_due

    due = is_due(library)
    if not due:
        return StepOutcome()
    found = cluster(library, ClusterRequest(), emit).summary
    return StepOutcome(done=found.faces if found.full else found.new, model=found.model)


def _to_cluster(library: Library) -> StepOutcome:
    from photoindex.library.people.groups.cluster import count_to_group

    return StepOutcome(left=count_to_group(library))


def _caption(library: Library, limit: int | None, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.words.caption import CaptionRequest, caption

    found = caption(library, CaptionRequest(limit=limit), emit, stop)
    return _outcome(found, found.captions)


def _to_caption(library: Library) -> StepOutcome:
    from photoindex.library.words.caption import CaptionRequest, caption
    from photoindex.progress import ignore_events

    return _outcome(caption(library, CaptionRequest(dry_run=True), ignore_events), 0)


def _labels_by(stage: str) -> Callable[[Library, int | None, EventSink, Stop], StepOutcome]:
    def run(library: Library, limit: int | None, emit: EventSink, stop: Stop) -> StepOutcome:
        from photoindex.library.words.tagging.auto import AutoRequest, tag_auto

        found = tag_auto(library, AutoRequest(only=(stage,), limit=limit), emit, stop)
        return _sum([_outcome(one, one.pictures) for one in found.runs])

    return run


def _to_label_by(stage: str) -> Callable[[Library], StepOutcome]:
    def pending(library: Library) -> StepOutcome:
        from photoindex.library.words.tagging.auto import AutoRequest, tag_auto
        from photoindex.progress import ignore_events

        found = tag_auto(library, AutoRequest(only=(stage,), dry_run=True), ignore_events)
        return _sum([_outcome(one, 0) for one in found.runs])

    return pending


def _ocr(library: Library, limit: int | None, emit: EventSink, stop: Stop) -> StepOutcome:
    from photoindex.library.words.ocr import OcrRequest, ocr

    found = ocr(library, OcrRequest(limit=limit), emit, stop)
    return _outcome(found, found.previews + found.originals)


def _to_read(library: Library) -> StepOutcome:
    from photoindex.library.words.ocr import OcrRequest, ocr
    from photoindex.progress import ignore_events

    return _outcome(ocr(library, OcrRequest(dry_run=True), ignore_events), 0)


def _index(library: Library, _limit: int | None, emit: EventSink, _stop: Stop) -> StepOutcome:
    from photoindex.library.index.maintain import merge_all_due

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
    )


SCAN = Step("scan", "files", _scan, _to_scan)
STEPS: tuple[Step, ...] = (
    SCAN,
    Step("embed", "pictures", _embed, _to_embed),
    Step("faces", "pictures", _faces, _to_look_through),
    Step("cluster", "faces", _cluster, _to_cluster),
    # Before captions: a service gets no sensitive picture, so the stage that tells them goes first.
    Step("sensitive", "pictures", _labels_by("sensitive"), _to_label_by("sensitive")),
    Step("caption", "pictures", _caption, _to_caption),
    *(Step(name, "pictures", _labels_by(name), _to_label_by(name)) for name in ("tags", "objects", "labels")),
    Step("ocr", "pictures", _ocr, _to_read),
    Step("index", "spaces", _index, lambda _library: StepOutcome()),
)
"""All steps in their order."""
