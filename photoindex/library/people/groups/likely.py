"""People who may be one: groups that are alike, and a life in groups of successive years, each with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.cluster_quality import Means, means_of
from photoindex.domain.people.grouping_values import WAITING
from photoindex.domain.people.groups.same_person import YEAR, Background, Link, Spans, alike, chains, successive
from photoindex.library.handle import Library
from photoindex.library.people.groups.calibrate import Measured, calibrated
from photoindex.library.people.groups.grouping_input import GroupingInput
from photoindex.progress import EventSink, ignore_events
from photoindex.vectors.neighbours import neighbours

_CANDIDATES = 10
_LEAST = 0.75
_SEAM_FACES = 100
"""At most this many faces of a group are compared one by one."""
_EXAMPLES = 3
_LEAST_FACES = 2


class Kind(StrEnum):
    """ALIKE: their faces are. YEARS: one follows the other in time, and the faces of about the same age are alike."""

    ALIKE = "alike"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why two persons may be one.

    cosine: the mean of all pairs of their faces, with YEARS of the end of `person` and the beginning of `other`. nearest:
    their most alike faces, (face of person, face of other, cosine). until, since: with YEARS, the days between.
    """

    person: int
    other: int
    cosine: float
    nearest: tuple[tuple[int, int, float], ...]
    until: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Likely:
    """Persons who may be one. persons: the one to keep, then those to merge into it; with YEARS `evidence` is in order of time.

    confidence: 0 to 1, of the weakest link.
    """

    kind: Kind
    persons: tuple[int, ...]
    confidence: float
    evidence: tuple[Evidence, ...]


def likely_same(
    library: Library,
    given: GroupingInput,
    emit: EventSink = ignore_events,
    *,
    least: float = _LEAST,
    measured: Measured | None = None,
) -> list[Likely]:
    """Return who may be one person, the most certain first.

    Left out: groups none of whose faces would join the other, strangers and hidden people, pairs that somebody said are
    not the same, two people with names, and people who are together in a photo. least: of the confidence. measured: the
    calibration, if the caller has it.
    """
    pool = _Pool(given)
    if len(pool.groups.labels) < 2:
        return []
    measured = measured or calibrated(library, given, emit, keep=False)
    expected = Background(measured.calibration.mean, measured.calibration.deviation)
    join = measured.thresholds(len(given.faces)).join
    lives = [one for one in successive(pool.spans(), expected) if one.confidence >= least]
    found = [pool.as_likely(Kind.YEARS, part) for chain in chains(lives) for part in pool.sound_parts(chain)]
    in_chain = {frozenset((one, other)) for likely in found for one in likely.persons for other in likely.persons}
    unit = pool.groups.means / np.linalg.norm(pool.groups.means, axis=1, keepdims=True)
    for link in alike(pool.groups.means, neighbours(unit, _CANDIDATES), expected):
        pair = frozenset((pool.person(link.first), pool.person(link.second)))
        if link.confidence >= least and pair not in in_chain and pool.may_be_one(link.first, link.second):
            likely = pool.as_likely(Kind.ALIKE, [link])
            if likely.evidence[0].nearest[0][2] >= join:
                found.append(likely)
    return sorted(found, key=lambda one: (-one.confidence, one.persons))


class _Pool:
    """The persons that can be proposed, by row of `groups`, with their faces."""

    def __init__(self, given: GroupingInput) -> None:
        self._given = given
        left_out = [one.id for one in given.persons.values() if one.ignored or one.hidden]
        labels = np.where(given.waiting | np.isin(given.rows.persons, left_out), WAITING, given.rows.persons)
        self.groups: Means = means_of(labels, given.faces.vectors)
        order = np.argsort(labels, kind="stable")
        order = order[labels[order] != WAITING]
        self._faces = np.split(order, np.cumsum(self.groups.faces)[:-1])

    def person(self, row: int) -> int:
        return int(self.groups.labels[row])

    def _name(self, row: int) -> str | None:
        known = self._given.persons.get(self.person(row))
        return None if known is None else known.name

    def spans(self) -> Spans:
        """Return when the groups were photographed, and the means of their first and last years."""
        taken, vectors = self._given.rows.taken, self._given.faces.vectors
        count = len(self._faces)
        first, last = np.full((2, count), np.datetime64("NaT"), "datetime64[D]")
        beginning, end = np.zeros((2, count, vectors.shape[1]), np.float32)
        for row, faces in enumerate(self._faces):
            dated = faces[~np.isnat(taken[faces])]
            if len(dated) < _LEAST_FACES:
                continue
            days = taken[dated]
            first[row], last[row] = days.min(), days.max()
            beginning[row] = vectors[dated[days <= days.min() + YEAR]].mean(axis=0, dtype=np.float32)
            end[row] = vectors[dated[days >= days.max() - YEAR]].mean(axis=0, dtype=np.float32)
        return Spans(first, last, beginning, end)

    def may_be_one(self, row: int, other: int) -> bool:
        """Tell whether nothing that is known speaks against two groups being one person."""
        pair = min(self.person(row), self.person(other)), max(self.person(row), self.person(other))
        if pair in self._given.decisions.apart or (self._name(row) is not None and self._name(other) is not None):
            return False
        return not len(np.intersect1d(self._photos(row), self._photos(other)))

    def _photos(self, row: int) -> NDArray[np.int64]:
        faces = self._faces[row]
        once = faces[~self._given.faces.repeats_allowed[faces]]
        return np.asarray(self._given.faces.photo[once])

    def sound_parts(self, chain: Sequence[Link]) -> Iterator[list[Link]]:
        """Yield the parts of a chain in which no two persons have anything against them."""
        part: list[Link] = []
        rows = [chain[0].first]
        for link in chain:
            if all(self.may_be_one(row, link.second) for row in rows):
                part.append(link)
                rows.append(link.second)
                continue
            if part:
                yield part
            part, rows = [], [link.second]
        if part:
            yield part

    def as_likely(self, kind: Kind, links: Sequence[Link]) -> Likely:
        rows = list(dict.fromkeys(row for link in links for row in (link.first, link.second)))
        rows.sort(key=lambda row: (self._name(row) is None, -int(self.groups.faces[row]), self.person(row)))
        persons = tuple(self.person(row) for row in rows)
        evidence = tuple(self._evidence(kind, link) for link in links)
        return Likely(kind, persons, min(link.confidence for link in links), evidence)

    def _evidence(self, kind: Kind, link: Link) -> Evidence:
        ones, others = self._faces[link.first], self._faces[link.second]
        taken = self._given.rows.taken
        until = since = None
        if kind is Kind.YEARS:
            ones, others = (one[~np.isnat(taken[one])] for one in (ones, others))
            until, since = taken[ones].max(), taken[others].min()
            ones, others = ones[taken[ones] >= until - YEAR], others[taken[others] <= since + YEAR]
        nearest = tuple(self._nearest(ones[:_SEAM_FACES], others[:_SEAM_FACES]))
        return Evidence(
            self.person(link.first), self.person(link.second), link.cosine, nearest,
            None if until is None else str(until), None if since is None else str(since),
        )  # fmt: skip

    def _nearest(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> Iterable[tuple[int, int, float]]:
        vectors, ids = self._given.faces.vectors, self._given.rows.ids
        cosines = vectors[ones].astype(np.float32) @ vectors[others].astype(np.float32).T
        for place in np.argsort(-cosines, axis=None, kind="stable")[:_EXAMPLES].tolist():
            one, other = divmod(place, len(others))
            yield int(ids[ones[one]]), int(ids[others[other]]), float(cosines[one, other])
