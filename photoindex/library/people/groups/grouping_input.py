"""Everything that grouping works on, read from a library at one moment."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import Faces, Known
from photoindex.domain.people.groups.quality import FaceQuality, founders, overall
from photoindex.domain.people.lifetimes import outside_life
from photoindex.errors import NothingFound
from photoindex.library.handle import Library
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.people import grouping, spaces
from photoindex.store.people.grouping import NOBODY, Decisions, FaceRows, PersonRow
from photoindex.store.people.spaces import RegionSpace

NO_FACES = "no faces were found yet; run: photoindex faces"
_PHASE = "loading"
_DAYS, _MONTHS, _YEARS = 0, 1, 2

Lives = dict[int, tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class GroupingInput:
    """The faces of the active space and what is known about them.

    rows: as read. faces: the same for grouping. persons: id -> individual, of all. known: for grouping.
    """

    space: RegionSpace
    rows: FaceRows
    decisions: Decisions
    persons: dict[int, PersonRow]
    faces: Faces
    known: Known

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Which faces stay with their person: those assigned by the user or a file, and one of each that the user spoke of.

        So two groups with different names never become one, although none of their faces was confirmed, and a group
        that a face was said not to be keeps its number, and with it the user's word.
        """
        return np.isin(self.rows.ids, list(self.known.confirmed))

    @property
    def waiting(self) -> NDArray[np.bool_]:
        """Which faces are in no group."""
        return np.equal(self.rows.persons, NOBODY)

    @property
    def is_new(self) -> NDArray[np.bool_]:
        """Which faces came after those that were last grouped."""
        return np.greater(self.rows.ids, self.space.joined_up_to or 0)

    @property
    def to_join(self) -> NDArray[np.bool_]:
        """Which waiting faces may find a person: the new ones, and those that lost theirs by what somebody said."""
        lost = {face for face, _ in self.decisions.rejected} | self.decisions.let_go
        return self.waiting & (self.is_new | np.isin(self.rows.ids, np.array(sorted(lost), np.int64)))

    @property
    def named(self) -> frozenset[int]:
        """The persons that have a name."""
        return frozenset(one.id for one in self.persons.values() if one.name is not None)

    @property
    def decided(self) -> frozenset[int]:
        """The persons the user described: by a name or dates, or as strangers or hidden."""
        return frozenset(one.id for one in self.persons.values() if _is_decided(one))

    @property
    def newest(self) -> int:
        """The largest id of a face, 0 without any."""
        return int(self.rows.ids[-1]) if len(self.rows) else 0


def active_space(library: Library) -> RegionSpace:
    """Return the space of faces that is used for grouping. Raises NothingFound if no face was ever looked for."""
    with library.database.read() as connection:
        space = spaces.active(connection)
    if space is None:
        raise NothingFound(NO_FACES)
    return space


def grouping_input(library: Library, emit: EventSink = ignore_events) -> GroupingInput:
    """Read what grouping works on. Raises NothingFound if no face was ever found."""
    space = active_space(library)
    began = time.perf_counter()
    with library.database.read() as connection:
        emit(PhaseStarted(_PHASE, grouping.count(connection, space), "faces"))
        preview_px = library.config.derived.preview_px
        rows = grouping.faces(connection, space, preview_px, lambda done: emit(PhaseAdvanced(_PHASE, done)))
        decisions = grouping.decisions(connection, space)
        persons = grouping.persons(connection)
    emit(PhaseFinished(_PHASE, len(rows), time.perf_counter() - began))
    if not len(rows):
        raise NothingFound(NO_FACES)
    return GroupingInput(space, rows, decisions, persons, _faces(rows, decisions), _known(rows, decisions, persons))


def _faces(rows: FaceRows, decisions: Decisions) -> Faces:
    quality = FaceQuality(rows.shorter_px, rows.sharpness, rows.yaw, rows.detected)
    return Faces(
        ids=rows.ids,
        vectors=rows.vectors,
        founder=founders(quality),
        photo=rows.photos,
        # The first day of a month or year is not when the photo was taken; see `_outside_lives`.
        taken=np.where(rows.precision == _DAYS, rows.taken, np.datetime64("NaT")),
        repeats_allowed=np.isin(rows.assets, list(decisions.repeats)),
        quality=overall(quality),
    )


def _known(rows: FaceRows, decisions: Decisions, persons: dict[int, PersonRow]) -> Known:
    held = rows.fixed.copy()
    said = {person for _, person in decisions.rejected} | {person for pair in decisions.apart for person in pair}
    held[_surest(rows, [one.id for one in persons.values() if _is_decided(one) or one.id in said])] = True
    fixed = np.flatnonzero(held)
    grouped = np.flatnonzero(~held & (rows.persons != NOBODY))
    lives = {one.id: (one.born, one.died) for one in persons.values() if one.born or one.died}
    return Known(
        confirmed=dict(zip(rows.ids[fixed].tolist(), rows.persons[fixed].tolist(), strict=True)),
        rejected=decisions.rejected | _outside_lives(rows, lives),
        apart=decisions.apart,
        grouped=dict(zip(rows.ids[grouped].tolist(), rows.persons[grouped].tolist(), strict=True)),
        lives=lives,
    )


def _is_decided(person: PersonRow) -> bool:
    return bool(person.name or person.born or person.died or person.ignored or person.hidden)


def _surest(rows: FaceRows, persons: list[int]) -> NDArray[np.int64]:
    """Return the position of the face most like the others, of each of these persons who has none by a person's word."""
    wanted = np.isin(rows.persons, persons) & ~np.isin(rows.persons, rows.persons[rows.fixed])
    own = np.flatnonzero(wanted)
    _, which = np.unique(rows.persons[own], return_inverse=True)
    vectors = rows.vectors[own].astype(np.float32)
    middles = np.zeros((int(which.max(initial=-1)) + 1, vectors.shape[1]), np.float32)
    np.add.at(middles, which, vectors)
    order = np.lexsort((rows.ids[own], -(vectors * middles[which]).sum(axis=1), which))
    _, first = np.unique(which[order], return_index=True)
    return np.asarray(own[order[first]])


def _outside_lives(rows: FaceRows, lives: Lives) -> frozenset[tuple[int, int]]:
    """Return (face, person) where the photo has a month or year alone, which is wholly outside the person's life."""
    vague = np.flatnonzero(rows.precision != _DAYS)
    first = rows.taken[vague]
    last = first.copy()
    for precision, unit in ((_MONTHS, "M"), (_YEARS, "Y")):
        of_unit = rows.precision[vague] == precision
        last[of_unit] = (first[of_unit].astype(f"datetime64[{unit}]") + 1).astype("datetime64[D]") - 1
    found: set[tuple[int, int]] = set()
    for person, (born, died) in lives.items():
        outside = outside_life(last, born, None) | outside_life(first, None, died)
        found.update((face, person) for face in rows.ids[vague[outside]].tolist())
    return frozenset(found)
