"""What groups must respect: confirmed and rejected faces, one person once in a photo, and the dates of a life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.clustering import Edges, unique_edges
from photoindex.domain.people.grouping_values import Faces, Known
from photoindex.domain.people.lifetimes import outside_life

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Rules:
    """What is known about faces, by position.

    person: int64 [n], who a face was confirmed as, else NOBODY. held: int64 [n], the same, else who the program grouped
    it as, else NOBODY. photo: int64 [n]; negative and unique where the photo may show a person more than once. forbidden:
    person -> ascending positions of faces that cannot be them. apart: pairs of different persons, smaller first.
    """

    person: NDArray[np.int64]
    held: NDArray[np.int64]
    photo: NDArray[np.int64]
    forbidden: Mapping[int, NDArray[np.int64]]
    apart: frozenset[tuple[int, int]]

    def may_not_be(self, person: int, faces: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which faces, positions, cannot be a person: bool [len(faces)]."""
        known = self.forbidden.get(person)
        return np.zeros(len(faces), np.bool_) if known is None else np.isin(faces, known)

    def is_impossible(self, person: int, face: int) -> bool:
        """Return whether one face, a position, cannot be a person."""
        known = self.forbidden.get(person)
        if known is None:
            return False
        place = int(np.searchsorted(known, face))
        return place < len(known) and int(known[place]) == face

    def differ(self, one: int, other: int) -> bool:
        """Return whether two persons were declared different."""
        return (min(one, other), max(one, other)) in self.apart


def rules_of(faces: Faces, known: Known) -> Rules:
    """Return what is known about these faces; a confirmation beats a rejection and the dates of a life."""
    person = _looked_up(faces.ids, known.confirmed)
    held = np.where(person == NOBODY, _looked_up(faces.ids, known.grouped), person)
    photo = np.where(faces.repeats_allowed, -1 - np.arange(len(faces)), faces.photo)
    apart = frozenset((min(pair), max(pair)) for pair in known.apart)
    return Rules(person, held, photo, _forbidden(faces, known, person), apart)


def _looked_up(ids: NDArray[np.int64], table: Mapping[int, int]) -> NDArray[np.int64]:
    found = np.full(len(ids), NOBODY, np.int64)
    if not table:
        return found
    wanted = np.fromiter(table.keys(), np.int64, len(table))
    values = np.fromiter(table.values(), np.int64, len(table))
    order = np.argsort(wanted)
    wanted, values = wanted[order], values[order]
    place = np.minimum(np.searchsorted(wanted, ids), len(wanted) - 1)
    hit = wanted[place] == ids
    found[hit] = values[place[hit]]
    return found


def _forbidden(faces: Faces, known: Known, person: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    places: dict[int, list[NDArray[np.int64]]] = {}
    order = np.argsort(faces.ids)
    for face, rejected in known.rejected:
        place = np.searchsorted(faces.ids, face, sorter=order)
        if place < len(order) and faces.ids[order[place]] == face:
            places.setdefault(rejected, []).append(order[place : place + 1])
    for one, (born, died) in known.lives.items():
        outside = np.flatnonzero(outside_life(faces.taken, born, died))
        if len(outside):
            places.setdefault(one, []).append(outside)
    found = {}
    for one, parts in places.items():
        unique = np.unique(np.concatenate(parts))
        found[one] = unique[person[unique] != one]
    return found


def allowed(rules: Rules, edges: Edges) -> NDArray[np.bool_]:
    """Return which edges may link two faces of one person, bool [len(edges)]."""
    one, other = edges.first, edges.second
    sure = (rules.person[one] != NOBODY) & (rules.person[one] == rules.person[other])
    fine = rules.photo[one] != rules.photo[other]
    fine &= (rules.person[one] == rules.person[other]) | (rules.person[one] == NOBODY) | (rules.person[other] == NOBODY)
    for here, there in ((one, other), (other, one)):
        fine &= ~_breaks(rules, here, there)
    possible: NDArray[np.bool_] = fine | sure
    return possible


def _breaks(rules: Rules, here: NDArray[np.int64], there: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where the second face cannot be the person that the first one is held for."""
    broken = np.zeros(len(here), np.bool_)
    persons = np.array(sorted({*rules.forbidden, *(one for pair in rules.apart for one in pair)}), np.int64)
    some = np.flatnonzero(np.isin(rules.held[here], persons))
    for person in np.unique(rules.held[here[some]]).tolist():
        of_person = some[rules.held[here[some]] == person]
        broken[of_person] |= rules.may_not_be(person, there[of_person])
        others = [one + other - person for one, other in rules.apart if person in (one, other)]
        broken[of_person] |= np.isin(rules.held[there[of_person]], others)
    return broken


def must_links(rules: Rules, among: NDArray[np.int64], sure: float) -> Edges:
    """Return edges that link all confirmed faces of each person among these positions, in a chain."""
    confirmed = among[rules.person[among] != NOBODY]
    confirmed = confirmed[np.argsort(rules.person[confirmed], kind="stable")]
    linked = np.flatnonzero(np.diff(rules.person[confirmed]) == 0)
    distances = np.full(len(linked), max(0.0, 1 - sure), np.float32)
    return unique_edges(confirmed[linked], confirmed[linked + 1], distances)
