"""Plans a grouping: of all faces again, or of the new ones."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.constraints import rules_of
from photoindex.domain.people.grouping import NEIGHBOURS, group, join
from photoindex.domain.people.grouping_values import WAITING, Found, Search, Thresholds, Vectors
from photoindex.domain.people.groups.regrouping import NOBODY, Regrouping, regrouped
from photoindex.domain.people.matching import Current, matched
from photoindex.library.people.groups.grouping_input import GroupingInput
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.vectors import neighbours

Persons = NDArray[np.int64]
PHASE = "grouping"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a grouping makes of the faces.

    persons: int64 [n], of each face afterwards, as in `Regrouping`. regrouping: what changes.
    """

    persons: Persons
    regrouping: Regrouping


def plan_all(given: GroupingInput, thresholds: Thresholds, emit: EventSink) -> Plan:
    """Group all faces again; persons keep their ids by the faces that they keep."""
    began = time.perf_counter()
    groups = group(given.faces, given.known, thresholds, search_with(emit))
    emit(PhaseFinished(PHASE, len(given.faces), time.perf_counter() - began))
    persons = matched(groups.labels, _current(given))
    persons = np.where(persons == WAITING, NOBODY, np.where(persons < WAITING, persons + 1, persons))
    return _plan(given, persons, groups.scores)


def _current(given: GroupingInput) -> Current:
    rows, repeats = given.rows, given.faces.repeats_allowed
    return Current(
        person=np.where(given.waiting, WAITING, rows.persons),
        fixed=given.fixed,
        photo=np.where(repeats, -1 - np.arange(len(rows)), rows.photos),
        decided=given.decided | frozenset(rows.persons[rows.fixed].tolist()),
        impossible=rules_of(given.faces, given.known).forbidden,
    )


def plan_new(given: GroupingInput, thresholds: Thresholds, emit: EventSink) -> Plan:
    """Let new faces join the persons that exist, or make groups with others that wait; nobody else moves."""
    search = Search(neighbours.neighbours, neighbours.nearest)
    rows = given.rows
    fresh = np.flatnonzero(given.to_join)
    base = np.flatnonzero(~given.waiting)
    persons = rows.persons.copy()
    scores = np.zeros(len(rows), np.float32)
    if len(fresh):
        emit(PhaseStarted(PHASE, len(fresh), "faces"))
        began = time.perf_counter()
        found = join(
            given.faces.some(fresh), given.faces.some(base), rows.persons[base], given.known, thresholds, search
        )
        persons[fresh] = np.where(found.persons == WAITING, NOBODY, found.persons)
        scores[fresh] = found.scores
        _found_groups(given, persons, scores, thresholds, search)
        emit(PhaseFinished(PHASE, len(fresh), time.perf_counter() - began))
    return _plan(given, persons, scores)


def _found_groups(
    given: GroupingInput, persons: Persons, scores: NDArray[np.float32], thresholds: Thresholds, search: Search
) -> None:
    """Group those new faces that still wait, with the waiting ones that are like them."""
    waiting = np.flatnonzero(persons == NOBODY)
    to_join = given.to_join
    fresh = waiting[to_join[waiting]]
    if not len(fresh):
        return
    others = waiting[~to_join[waiting]]
    vectors = given.faces.vectors
    places, cosines = search.nearest(vectors[fresh], vectors[others], NEIGHBOURS)
    near = others[np.unique(places[(places >= 0) & (cosines >= thresholds.possible)])]
    chosen = np.sort(np.concatenate([fresh, near]))
    groups = group(given.faces.some(chosen), given.known, thresholds, search)
    founded = chosen[groups.labels != WAITING]
    persons[founded] = -1 - groups.labels[groups.labels != WAITING].astype(np.int64)
    scores[founded] = groups.scores[groups.labels != WAITING]


def _plan(given: GroupingInput, persons: Persons, scores: NDArray[np.float32]) -> Plan:
    rows = given.rows
    persons = np.where(rows.fixed, rows.persons, persons)
    _respect_faces_without_vectors(given, persons)
    _keep_decided(given, persons)
    return Plan(persons, regrouped(rows.ids, rows.persons, persons, scores))


def _respect_faces_without_vectors(given: GroupingInput, persons: Persons) -> None:
    """Let faces wait whose photo has a face marked as the same person, which no model has described."""
    if not given.decisions.elsewhere:
        return
    taken = np.array(sorted(given.decisions.elsewhere), np.int64)
    some = np.flatnonzero(np.isin(given.rows.photos, taken[:, 0]) & ~given.rows.fixed & ~given.faces.repeats_allowed)
    for place in some.tolist():
        if (int(given.rows.photos[place]), int(persons[place])) in given.decisions.elsewhere:
            persons[place] = NOBODY


def _keep_decided(given: GroupingInput, persons: Persons) -> None:
    """Let a person with a name, or one who is a stranger or hidden, keep all faces where every one would be lost.

    That somebody is Anna, or a stranger, is a person's word.
    """
    before = np.intersect1d(given.rows.persons, np.array(sorted(given.decided), np.int64))
    for person in np.setdiff1d(before, persons).tolist():
        of_person = given.rows.persons == person
        persons[of_person] = person


def search_with(emit: EventSink) -> Search:
    """Return the search of neighbours. Those of all faces are a phase of their own, and grouping begins after it."""

    def all_of(vectors: Vectors, k: int) -> Found:
        emit(PhaseStarted("neighbours", len(vectors), "faces"))
        began = time.perf_counter()
        found = neighbours.neighbours(vectors, k, lambda done: emit(PhaseAdvanced("neighbours", done)))
        emit(PhaseFinished("neighbours", len(vectors), time.perf_counter() - began))
        emit(PhaseStarted(PHASE, len(vectors), "faces"))
        return found

    return Search(all_of, neighbours.nearest)
