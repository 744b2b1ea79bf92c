"""Groups faces into people: new faces join or wait, and from time to time all are grouped again."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from photoindex.domain.people.groups.regrouping import NOBODY, Change, Kind, Regrouping, batches, changes
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.logs import both, log_events, open_log
from photoindex.library.people.groups.calibrate import calibrated
from photoindex.library.people.groups.grouping_input import GroupingInput, grouping_input
from photoindex.library.people.groups.plan import Plan, plan_all, plan_new
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.people import grouping, regroup, spaces
from photoindex.store.people.spaces import RegionSpace

LOCK_NAME = "cluster.lock"
_BATCH_FACES = 10_000
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class ClusterRequest:
    """full: group all faces again, due or not. dry_run: change nothing, only say what would change."""

    full: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """What a grouping did, or would do.

    model: of the faces. full: all faces were grouped again, because of `reason`. faces: of the active space in photos.
    waiting: in no group. people, named, unnamed: persons with faces, without strangers. new: faces that were looked at for
    the first time. joined, moved, left: see `Kind`; moved includes split and merged. groups: new groups; new_faces: faces
    in them that had waited. outdated: changes that were dropped because somebody changed the same people meanwhile.
    """

    model: str
    full: bool
    reason: str
    faces: int
    grouped: int
    waiting: int
    people: int
    named: int
    unnamed: int
    new: int
    joined: int
    moved: int
    left: int
    groups: int
    grouped_new: int
    removed: int
    outdated: int
    seconds: float
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What the next grouping would do. full: why all faces are grouped again, empty if they are not. new: new faces."""

    full: str
    new: int

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.full) or self.new > 0


@dataclass(frozen=True, slots=True)
class Clustering:
    """A summary, with the changes in detail and what they were made from."""

    summary: ClusterSummary
    changes: list[Change]
    given: GroupingInput = field(repr=False)


def is_due(library: Library) -> Due:
    """Return whether there is something to group, from a few counts."""
    with library.database.read() as connection:
        space = spaces.active(connection)
        if space is None:
            return Due("", 0)
        new, since_full = grouping.count_new(connection, space, space.joined_up_to or 0, space.clustered_up_to or 0)
        other_model = space.clustered_at is None and grouping.was_grouped(connection)
    if not since_full and space.clustered_at is None:
        return Due("", 0)
    return Due(_why_full(library, space, since_full, model_changed=other_model), new)


def count_to_group(library: Library) -> int:
    """Return how many faces the next grouping would look at."""
    due = is_due(library)
    if not due.full:
        return due.new
    with library.database.read() as connection:
        space = spaces.active(connection)
        return 0 if space is None else grouping.count(connection, space)


def _why_full(library: Library, space: RegionSpace, new: int, *, model_changed: bool) -> str:
    settings = library.config.cluster
    if space.clustered_at is None:
        return f"the model changed to {space.model}" if model_changed else "faces are grouped for the first time"
    days = (time.time() - space.clustered_at) / _DAY_SECONDS
    if days >= settings.full_after_days:
        return f"the last time was {days:.0f} days ago"
    if new >= settings.full_after_faces:
        return f"{new:,} faces are new since the last time"
    return ""


def cluster(library: Library, request: ClusterRequest, emit: EventSink = ignore_events) -> Clustering:
    """Group faces into people.

    New faces join the persons that exist, or wait; all are grouped again where that is due, see `is_due`. What a person
    confirmed, named or rejected never changes, and persons keep their ids. An interruption before the last phase changes
    nothing; in it, each person is either as before or as planned, and the next run completes. Raises LibraryLocked, and
    NothingFound where no face was ever found.
    """
    began = time.monotonic()
    if request.dry_run:
        planned = _planned(library, request, emit)
        return _clustering(planned, _Written(), began, dry_run=True)
    with exclusive(library.folder, "cluster", name=LOCK_NAME), open_log(library.folder, library.config.log) as log:
        emit = both(emit, log_events(log, "cluster"))
        planned = _planned(library, request, emit)
        done = _write(library, planned, emit, log)
        result = _clustering(planned, done, began, dry_run=False)
        log.info("grouped", extra={"action": "cluster", **_fields(result.summary)})
    return result


@dataclass(frozen=True, slots=True)
class _Planned:
    given: GroupingInput
    plan: Plan
    reason: str


@dataclass(slots=True)
class _Written:
    outdated: int = 0
    removed: int = 0


def _planned(library: Library, request: ClusterRequest, emit: EventSink) -> _Planned:
    due = is_due(library)
    reason = due.full or ("as asked" if request.full else "")
    given = grouping_input(library, emit)
    thresholds = calibrated(library, given, emit, keep=not request.dry_run).thresholds(len(given.rows))
    plan = plan_all(given, thresholds, emit) if reason else plan_new(given, thresholds, emit)
    return _Planned(given, plan, reason)


def _write(library: Library, planned: _Planned, emit: EventSink, log: logging.Logger) -> _Written:
    done = _Written()
    wanted = planned.plan.regrouping
    emit(PhaseStarted("writing", len(wanted), "faces"))
    began, count = time.perf_counter(), 0
    for part in batches(wanted, _BATCH_FACES):
        _write_part(library, part, done, log)
        count += len(part)
        emit(PhaseAdvanced("writing", count))
    with library.database.write() as connection:
        regroup.mark_grouped(connection, planned.given.space, planned.given.newest, whole=bool(planned.reason))
    emit(PhaseFinished("writing", count, time.perf_counter() - began))
    return done


def _write_part(library: Library, part: Regrouping, done: _Written, log: logging.Logger) -> None:
    try:
        with library.database.write() as connection:
            written = regroup.write(connection, part)
    except regroup.NotSound as error:
        log.warning(
            "changes of '%s' were dropped: somebody changed the same people", error, extra={"action": "cluster"}
        )
        done.outdated += len(part)
    else:
        done.outdated += written.outdated
        done.removed += written.removed


def _clustering(planned: _Planned, done: _Written, began: float, *, dry_run: bool) -> Clustering:
    given, plan = planned.given, planned.plan
    kept = frozenset(np.unique(plan.persons).tolist())
    found = changes(plan.regrouping, kept)
    faces = Counter[Kind]()
    for change in found:
        faces[change.kind] += len(change.faces)
    shown = (kept - {NOBODY}) | {person for _, person in given.decisions.elsewhere}
    strangers = {one.id for one in given.persons.values() if one.ignored}
    people = shown - strangers
    named = len(people & given.named)
    waiting = int((plan.persons == NOBODY).sum())
    summary = ClusterSummary(
        model=given.space.model,
        full=bool(planned.reason),
        reason=planned.reason,
        faces=len(given.rows),
        grouped=len(given.rows) - waiting,
        waiting=waiting,
        people=len(people),
        named=named,
        unnamed=len(people) - named,
        new=int((given.is_new & given.waiting).sum()),
        joined=faces[Kind.JOINED],
        moved=faces[Kind.MOVED] + faces[Kind.MERGED] + faces[Kind.SPLIT],
        left=faces[Kind.LEFT],
        groups=sum(one < NOBODY for one in kept),
        grouped_new=faces[Kind.NEW],
        removed=done.removed,
        outdated=done.outdated,
        seconds=round(time.monotonic() - began, 3),
        dry_run=dry_run,
    )
    return Clustering(summary, found, given)


def _fields(summary: ClusterSummary) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(summary)
