"""Corrects when photos were taken: set, shift or reset; originals are never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import resolve_taken_at
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.roots import Roots
from photoindex.library.photos.time_text import partial, shift_text, shifted
from photoindex.library.scan.invalidation import invalidate
from photoindex.library.scan.refresh import refresh
from photoindex.pipeline.resolve.evidence import Evidence, gather_all
from photoindex.progress import EventSink, ignore_events
from photoindex.store.engine.chunks import chunks
from photoindex.store.journal import journal
from photoindex.store.photos import corrections
from photoindex.store.search import targets
from photoindex.store.search.targets import ContentCorrection, TimeOfPhoto
from photoindex.types import FactValue

FACT = "taken_at"
_CHUNK_PHOTOS = 500


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why a photo's time is not changed."""

    why: str


@dataclass(frozen=True, slots=True)
class TimeChange:
    """A change of photos' times.

    command, what: for the journal, which shows `what of 3 photos`. value_of: returns the correction of a photo, None to
    reset existing corrections.
    """

    command: str
    what: str
    value_of: Callable[[TimeOfPhoto], str | Skipped | None]


def set_to(value: str) -> TimeChange:
    """Set the time to `value`, as returned by `time_text.parse_time`."""
    return TimeChange("time set", f"time set to {value}", lambda _photo: value)


def shift_by(seconds: int) -> TimeChange:
    """Shift the time; wall time and instant are shifted together. A photo without a time of day cannot be shifted."""

    def moved(photo: TimeOfPhoto) -> str | Skipped:
        if photo.taken_at is None:
            return Skipped("its time is unknown")
        if photo.precision in ("day", "month", "year"):
            return Skipped(f"only the {photo.precision} is known ({partial(photo.taken_at, photo.precision)})")
        value = shifted(photo.taken_at, photo.precision, seconds)
        if value is None:
            return Skipped("the year is out of range")
        # A time known in UTC only still has no offset afterwards; a correction states that with a Z.
        return value if photo.utc_offset_minutes is not None else value.replace("+00:00", "Z")

    return TimeChange("time shift", f"time shift {shift_text(seconds)}", moved)


def reset() -> TimeChange:
    """Remove all corrections of the time."""
    return TimeChange("time reset", "time reset", lambda _photo: None)


@dataclass(frozen=True, slots=True)
class TimeResult:
    """The result of a time change for one photo.

    before, after: ISO 8601 wall time, only the known part (`1974-06`). before_source, after_source: where these come from.
    why: why the photo was skipped, None if it was corrected.
    """

    photo_id: int
    path: bytes
    before: str | None
    after: str | None
    why: str | None = None
    before_source: str | None = None
    after_source: str | None = None


@dataclass(frozen=True, slots=True)
class TimesCorrected:
    """The result of a correction; entry_id: in the journal, None if nothing was changed.

    before, before_sources: corrected photo -> its previous time, and where that came from. skipped: photo -> why it was not
    corrected.
    """

    entry_id: int | None
    before: Mapping[int, str | None] = field(default_factory=dict)
    skipped: Mapping[int, str] = field(default_factory=dict)
    before_sources: Mapping[int, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Planned:
    photo_id: int
    before: str | None
    before_source: str | None
    value: str | None
    rows: tuple[tuple[int, str, FactValue], ...]
    why: str | None


def plan_time_changes(library: Library, photo_ids: Sequence[int], change: TimeChange) -> Iterator[TimeResult]:
    """Yield what `correct_times` would do with each photo; nothing is changed."""
    for chunk in chunks(photo_ids, _CHUNK_PHOTOS):
        with library.database.read() as connection:
            paths = targets.first_paths(connection, chunk)
            planned = list(_plan(connection, chunk, change))
            foreseen = _foreseen(library, connection, planned)
        for one in planned:
            after, after_source = foreseen.get(one.photo_id, (one.before, one.before_source))
            path = paths.get(one.photo_id, b"")
            yield TimeResult(one.photo_id, path, one.before, after, one.why, one.before_source, after_source)


def correct_times(
    library: Library, photo_ids: Sequence[int], change: TimeChange, emit: EventSink = ignore_events
) -> TimesCorrected:
    """Correct the times of photos, all or none, as one journal entry that `undo` can revert.

    Photos that no longer exist are skipped. Raises LibraryLocked, StorageFull.
    """
    with exclusive(library.folder, f"photoindex {change.command}"), library.database.session() as session:
        roots = Roots(library.database)
        # Finish the work of a killed scan first; otherwise outdated times would be shifted.
        refresh(library, session, roots, emit)
        with session.write() as connection:
            before: dict[int, str | None] = {}
            sources: dict[int, str | None] = {}
            skipped: dict[int, str] = {}
            rows: list[tuple[int, str, FactValue]] = []
            for chunk in chunks(photo_ids, _CHUNK_PHOTOS):
                for one in _plan(connection, chunk, change):
                    if one.why is not None:
                        skipped[one.photo_id] = one.why
                    else:
                        before[one.photo_id] = one.before
                        sources[one.photo_id] = one.before_source
                        rows += one.rows
            if not rows:
                return TimesCorrected(None, before, skipped)
            photos = f"{len(before):,} {'photo' if len(before) == 1 else 'photos'}"
            changes = corrections.correct(connection, rows)
            summary = f"{change.what} of {photos}"
            entry_id = journal.record(connection, command=change.command, summary=summary, changes=changes)
            invalidate(connection, entry_id)
        refresh(library, session, roots, emit)
    return TimesCorrected(entry_id, before, skipped, sources)


def results_of(library: Library, done: TimesCorrected) -> Iterator[TimeResult]:
    """Yield the result for each photo, by id."""
    yield from _results(library, done, sorted({*done.before, *done.skipped}))


def skipped_of(library: Library, done: TimesCorrected) -> Iterator[TimeResult]:
    """Yield the skipped photos, by id."""
    yield from _results(library, done, sorted(done.skipped))


def _results(library: Library, done: TimesCorrected, photo_ids: Sequence[int]) -> Iterator[TimeResult]:
    for chunk in chunks(photo_ids, _CHUNK_PHOTOS):
        with library.database.read() as connection:
            paths = targets.first_paths(connection, chunk)
            now = {one.photo_id: one for one in targets.times_of(connection, chunk)}
        for photo_id in chunk:
            one, why = now.get(photo_id), done.skipped.get(photo_id)
            after = None if one is None else partial(one.taken_at, one.precision)
            after_source = None if one is None else one.source
            before, before_source = after, after_source
            if why is None:
                before, before_source = done.before[photo_id], done.before_sources.get(photo_id)
            yield TimeResult(photo_id, paths.get(photo_id, b""), before, after, why, before_source, after_source)


def _plan(connection: Connection, photo_ids: Sequence[int], change: TimeChange) -> Iterator[_Planned]:
    contents: dict[int, list[ContentCorrection]] = {}
    for content in targets.corrections_of(connection, photo_ids, FACT):
        contents.setdefault(content.photo_id, []).append(content)
    for photo in targets.times_of(connection, photo_ids):
        before = partial(photo.taken_at, photo.precision)
        mine = contents.get(photo.photo_id, [])
        value = change.value_of(photo)
        if isinstance(value, Skipped):
            yield _Planned(photo.photo_id, before, photo.source, None, (), value.why)
            continue
        unchanged = "its time was not corrected" if value is None else "it already has this time"
        # A correction on an earlier content of an edited file must not take effect again.
        wanted = [(one, value if one.current else None) for one in mine]
        rows = tuple((one.asset_id, FACT, new) for one, new in wanted if one.value != new)
        yield _Planned(photo.photo_id, before, photo.source, value, rows, None if rows else unchanged)


def _foreseen(
    library: Library, connection: Connection, planned: Sequence[_Planned]
) -> dict[int, tuple[str | None, str | None]]:
    """Return photo -> the time that it would have after the change, and its source; only for photos that would change."""
    changed = {one.photo_id: one for one in planned if one.why is None}
    evidence = gather_all(connection, changed)
    return {photo_id: _resolved(library, one, evidence.get(photo_id)) for photo_id, one in changed.items()}


def _resolved(library: Library, planned: _Planned, evidence: Evidence | None) -> tuple[str | None, str | None]:
    if evidence is None:
        return planned.value, None
    person = {name: value for name, value in evidence.facts.get("person", {}).items() if name != FACT}
    if planned.value is not None:
        person[FACT] = planned.value
    first = evidence.files[0]
    time = resolve_taken_at(
        {**evidence.facts, "person": person},
        name=first.name,
        folder=first.folder_path,
        mtime_ns=first.mtime_ns,
        home_zone=library.config.time.home_zone,
    )
    return (None, None) if time is None else (partial(time.taken_at, time.precision), time.source)
