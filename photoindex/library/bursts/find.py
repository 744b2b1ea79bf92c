"""Finds the bursts of a library, and proposes which of their frames to keep."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from photoindex.domain.bursts.propose import own_choice, propose
from photoindex.domain.bursts.series import exposure_ev, series_of
from photoindex.domain.bursts.teacher import LEAST_FRAMES, Weights, learn
from photoindex.domain.bursts.values import CHOSEN, FAVOURITE, Frame, Judged, Measures, Series, Shot
from photoindex.library.bursts.frames import Measurer
from photoindex.library.handle import Library
from photoindex.library.photos.lost_previews import mark_lost_if_possible
from photoindex.library.search.find import matching_photo_ids
from photoindex.progress import EventSink, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.query.syntax import Node
from photoindex.store.people.hidden import Also, photos_of_hidden
from photoindex.store.photos import bursts as store
from photoindex.store.photos.bursts import BurstPhoto
from photoindex.store.search.tags import sensitive_among

BEST_TAG, OTHER_TAG = "burst/best", "burst/other"
"""What a person's choice is stored as."""
_PHASE = "measure"
_TAUGHT_FRAMES = 400
"""Frames of rated bursts that are measured to learn from, the newest ones."""
_STATED = "id:"
"""How the key of a burst begins that the camera itself marked."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BurstsRequest:
    """Which bursts to find. query: those with a matching photo; limit, frames: the newest ones, with so many frames at most.

    series: only such. undecided: without those in which the user preferred some frames already. also: None for all; else
    bursts with a hidden person or a sensitive photo are left out, unless it asks for them.
    """

    query: Node | Sequence[str] | None = None
    limit: int | None = None
    frames: int | None = None
    series: Series | None = None
    undecided: bool = False
    also: Also | None = None


@dataclass(frozen=True, slots=True)
class Burst:
    """One burst. photos: its frames by time. judged: the proposal for each, in the same order; empty if it is no burst.

    decided: the user preferred some of its frames, or set some aside. seconds: from the first to the last, None if unknown.
    """

    key: str
    series: Series
    photos: tuple[BurstPhoto, ...]
    judged: tuple[Judged, ...]
    decided: bool
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Bursts:
    """The bursts found, newest first. left: bursts beyond the limits; left_out: those that were not asked for by `also`.

    weights: what the proposal went by.

    copies: photos that are copies of a frame, which stay out of bursts. measured: frames, in `seconds`.
    """

    bursts: tuple[Burst, ...]
    left: int
    left_out: int
    weights: Weights
    copies: int
    measured: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Known:
    """A burst before its frames are measured. stars: photo -> what the user said, as in `Frame`."""

    key: str
    series: Series
    photos: tuple[BurstPhoto, ...]
    stars: dict[int, int]
    set_aside: bool

    @property
    def decided(self) -> bool:
        return self.set_aside or bool(own_choice(self.frames({})))

    def frames(self, measures: dict[int, Measures | None]) -> list[Frame]:
        return [Frame(one.id, measures.get(one.id), self.stars.get(one.id, 0)) for one in self.photos]


def find_bursts(library: Library, request: BurstsRequest, emit: EventSink = ignore_events) -> Bursts:
    """Find bursts and propose their best frames; nothing is changed.

    Only previews are read. Raises UsageError for a query that cannot be understood.
    """
    wanted = None if request.query is None else set(matching_photo_ids(library, request.query))
    known, copies = _known(library)
    chosen = [one for one in known if wanted is None or any(photo.id in wanted for photo in one.photos)]
    if request.series is not None:
        chosen = [one for one in chosen if one.series is request.series]
    if request.undecided:
        chosen = [one for one in chosen if not one.decided]
    allowed = chosen if request.also is None else _allowed(library, chosen, request.also)
    shown = _first(allowed, request)
    taught = _taught(known)
    judging = _Judging(Measurer(library), emit, _frames({one.key: one for one in (*shown, *taught)}.values()))
    weights = judging.learn(taught)
    found = tuple(judging.judge(shown, weights))
    judging.finish(library)
    return Bursts(
        found, len(allowed) - len(shown), len(chosen) - len(allowed), weights, copies, judging.measurer.done,
        time.monotonic() - judging.started,
    )  # fmt: skip


def _allowed(library: Library, known: Sequence[_Known], also: Also) -> list[_Known]:
    """Return the bursts without those that show a hidden person, or are sensitive, in one frame."""
    ids = [photo.id for one in known for photo in one.photos]
    with library.database.read() as connection:
        kept_out = set() if also.hidden else photos_of_hidden(connection, ids)
        kept_out |= set() if also.sensitive else sensitive_among(connection, ids)
    return [one for one in known if not any(photo.id in kept_out for photo in one.photos)]


def _first(known: Sequence[_Known], request: BurstsRequest) -> Sequence[_Known]:
    """Return as many bursts as the limits allow, at least one."""
    shown = known[: request.limit]
    if request.frames is None:
        return shown
    ends = accumulate(len(one.photos) for one in shown)
    return shown[: max(1, sum(end <= request.frames for end in ends))]


class _Judging:
    """Measures and judges bursts, some at a time, so that memory stays the same however many there are."""

    def __init__(self, measurer: Measurer, emit: EventSink, frames: int) -> None:
        self.measurer = measurer
        self.started = time.monotonic()
        self._emit = emit
        self._taught: dict[int, Measures | None] = {}
        emit(PhaseStarted(_PHASE, frames, "frames"))

    def learn(self, taught: Sequence[_Known]) -> Weights:
        found: list[list[Frame]] = []
        for some in _portions(taught):
            measures = self._measured(some)
            found += [one.frames(measures) for one in some]
            self._taught.update(measures)
        return learn(found)

    def judge(self, shown: Sequence[_Known], weights: Weights) -> Iterator[Burst]:
        for some in _portions(shown):
            measures = self._measured([one for one in some if one.series is Series.BURST])
            for one in some:
                judged = propose(one.frames(measures), weights.values) if one.series is Series.BURST else ()
                yield Burst(one.key, one.series, one.photos, tuple(judged), one.decided, _span(one.photos))

    def finish(self, library: Library) -> None:
        self._emit(PhaseFinished(_PHASE, self.measurer.done, time.monotonic() - self.started))
        if lost := self.measurer.lost:
            mark_lost_if_possible(library, lost)
            self._emit(
                Notice(
                    f"{len(lost):,} frames have no readable preview and were not compared; run photoindex scan to make "
                    "their previews again",
                    "warning",
                )
            )

    def _measured(self, some: Sequence[_Known]) -> dict[int, Measures | None]:
        photos = [photo for one in some for photo in one.photos]
        measures = self.measurer.measured([one for one in photos if one.id not in self._taught])
        self._emit(PhaseAdvanced(_PHASE, self.measurer.done))
        return self._taught | measures


def _known(library: Library) -> tuple[list[_Known], int]:
    """Return all bursts, newest first, and how many copies of frames were left out of them."""
    with library.database.read() as connection:
        rows = store.all_photos(connection)
        ids = [one.id for one in rows]
        best, other = (store.tagged(connection, name, ids) for name in (BEST_TAG, OTHER_TAG))
    groups: defaultdict[str, list[BurstPhoto]] = defaultdict(list)
    for row in rows:
        groups[row.burst].append(row)
    found, copies = [], 0
    for key, photos in groups.items():
        frames = _without_copies(photos)
        copies += len(photos) - len(frames)
        if len(frames) < 2:
            continue
        stars = {one.id: CHOSEN if one.id in best else _stars(one) for one in frames}
        shots = [Shot(_wall_seconds(one), exposure_ev(one.exposure_seconds, one.aperture, one.iso)) for one in frames]
        series = series_of(shots, stated=key.startswith(_STATED))
        set_aside = any(one.id in other for one in frames)
        found.append(_Known(key, series, tuple(frames), stars, set_aside))
    found.sort(key=lambda one: (one.photos[0].taken_at or "", one.key), reverse=True)
    return found, copies


def _without_copies(photos: Sequence[BurstPhoto]) -> list[BurstPhoto]:
    """Return the frames without smaller ones of the same moment, to the fraction of a second.

    Times without a fraction tell nothing, as the frames of a burst share them; some cameras write the same fraction always.
    """
    largest: defaultdict[str, int] = defaultdict(int)
    for one in photos:
        largest[_moment(one)] = max(largest[_moment(one)], _pixels(one))
    return [one for one in photos if _pixels(one) == largest[_moment(one)]]


def _moment(photo: BurstPhoto) -> str:
    return photo.taken_at if photo.taken_at is not None and "." in photo.taken_at else f"photo {photo.id}"


def _pixels(photo: BurstPhoto) -> int:
    return (photo.width or 0) * (photo.height or 0)


def _stars(photo: BurstPhoto) -> int:
    if (photo.rating or 0) < 0:
        return -1
    return FAVOURITE if photo.favourite else photo.rating or 0


def _wall_seconds(photo: BurstPhoto) -> float | None:
    if photo.taken_at is None:
        return None
    wall = datetime.fromisoformat(photo.taken_at).replace(tzinfo=None)
    return (wall - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - wall time


def _span(photos: Sequence[BurstPhoto]) -> float | None:
    times = [seconds for one in photos if (seconds := _wall_seconds(one)) is not None]
    return max(times) - min(times) if times else None


def _taught(known: Iterable[_Known]) -> list[_Known]:
    """Return the newest bursts whose frames the user rated differently, or none if there are too few stars to learn from."""
    found: list[_Known] = []
    rated = frames = 0
    for one in known:
        if one.series is Series.BURST and len(set(one.stars.values())) > 1 and frames < _TAUGHT_FRAMES:
            found.append(one)
            frames += len(one.photos)
            rated += sum(stars != 0 for stars in one.stars.values())
    return found if rated >= LEAST_FRAMES else []


def _frames(known: Iterable[_Known]) -> int:
    return sum(len(one.photos) for one in known if one.series is Series.BURST)


def _portions(known: Sequence[_Known]) -> Iterator[list[_Known]]:
    """Yield bursts, some hundred frames at a time."""
    some: list[_Known] = []
    for one in known:
        some.append(one)
        if sum(len(other.photos) for other in some) >= _AT_ONCE:
            yield some
            some = []
    if some:
        yield some
