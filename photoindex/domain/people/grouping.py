"""Grouping faces into people, and joining new faces to the groups that exist."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.clustering import Edges, clusters, edges_of, joined
from photoindex.domain.people.constraints import NOBODY, Rules, allowed, must_links, rules_of
from photoindex.domain.people.grouping_values import (
    WAITING,
    Faces,
    Found,
    Groups,
    Joined,
    Known,
    Search,
    Thresholds,
    together,
)
from photoindex.domain.people.joining import with_joined
from photoindex.domain.people.merging import merged
from photoindex.domain.people.repair import likeness_of, persons_of, repaired

NEIGHBOURS = 16
_HASHED_ROWS = 4_096

Labels = NDArray[np.int64]


def group(faces: Faces, known: Known, thresholds: Thresholds, search: Search) -> Groups:
    """Group faces by person; the result depends on the faces, not on their order or ids.

    Only founders found groups, and the others join them. What is known always holds in the result: see `repaired`. A
    confirmed face that waits is not like enough to any other; it keeps its person.
    """
    order = _by_content(faces)
    ordered = faces.some(order)
    rules = rules_of(ordered, known)
    labels = _founded(ordered, rules, thresholds, search)
    labels = merged(labels, ordered.vectors, rules, thresholds.possible, search)
    labels = repaired(labels, ordered, rules)
    labels = _completed(labels, ordered, rules, thresholds, search)
    kept, labels = np.unique(labels, return_inverse=True)
    labels = labels - (1 if len(kept) and kept[0] == WAITING else 0)
    grouped = np.flatnonzero(labels != WAITING)
    result = Groups(np.full(len(faces), WAITING, np.int32), np.zeros(len(faces), np.float32))
    result.labels[order] = labels
    result.scores[order[grouped]] = np.clip(likeness_of(labels, ordered.vectors, grouped), 0, 1)
    return result


def join(
    new: Faces, base: Faces, persons: NDArray[np.int64], known: Known, thresholds: Thresholds, search: Search
) -> Joined:
    """Find the persons of new faces among faces that have one.

    persons: int64 [len(base)], the person of each base face; new faces are compared with the good and the confirmed ones.
    A face that is like nobody waits, and so does one that cannot be the person it is like. Confirmed new faces get their person.
    """
    rules = rules_of(together(base, new), known)
    rules.held[: len(base)] = persons
    waiting = np.arange(len(base), len(base) + len(new))
    labels = np.concatenate([persons.astype(np.int64), rules.person[waiting]])
    # Blurry faces are like each other, whoever they are.
    shown = np.flatnonzero(base.founder | (rules.person[: len(base)] != NOBODY))
    found = _among(shown, search.nearest(new.vectors, base.vectors[shown], NEIGHBOURS))
    labels = with_joined(labels, waiting, found, rules, thresholds.join)
    scores = np.zeros(len(new), np.float32)
    known_ones = np.flatnonzero(labels[waiting] != WAITING)
    vectors = np.concatenate([base.vectors, new.vectors])
    scores[known_ones] = np.clip(likeness_of(labels, vectors, waiting[known_ones]), 0, 1)
    return Joined(labels[waiting], scores)


def _by_content(faces: Faces) -> NDArray[np.int64]:
    """Return an order of faces that does not depend on when they came: by a hash of their vectors."""
    hashes = np.zeros(len(faces), np.uint64)
    rows = np.ascontiguousarray(faces.vectors).view(np.uint16)
    factors = np.random.default_rng(0).integers(1, 1 << 63, rows.shape[1], dtype=np.uint64)
    for start in range(0, len(rows), _HASHED_ROWS):
        hashes[start : start + _HASHED_ROWS] = (rows[start : start + _HASHED_ROWS] * factors).sum(
            axis=1, dtype=np.uint64
        )
    return np.lexsort((faces.ids, faces.photo, hashes))


def _founded(faces: Faces, rules: Rules, thresholds: Thresholds, search: Search) -> Labels:
    """Return the groups of the founders alone."""
    founders = np.flatnonzero(faces.founder)
    found, cosines = search.neighbours(faces.vectors[founders], NEIGHBOURS)
    near = edges_of((found, cosines), thresholds.possible)
    edges = Edges(founders[near.first], founders[near.second], near.distances)
    edges = joined(edges.some(allowed(rules, edges)), must_links(rules, founders, thresholds.sure))
    labels = clusters(len(faces), edges, possible=thresholds.possible, sure=thresholds.sure).astype(np.int64)
    labels = repaired(labels, faces, rules)
    # Faces that had to leave a group may be another person's.
    left = edges.some((labels[edges.first] == WAITING) & (labels[edges.second] == WAITING))
    more = clusters(len(faces), left, possible=thresholds.possible, sure=thresholds.sure)
    labels = np.where(more == WAITING, labels, more + labels.max() + 1)
    return repaired(labels, faces, rules)


def _completed(labels: Labels, faces: Faces, rules: Rules, thresholds: Thresholds, search: Search) -> Labels:
    """Let the waiting faces join: confirmed ones the group of their person, the others the group they are like."""
    groups = {person: label for label, person in persons_of(labels, rules).items()}
    labels = labels.copy()
    for face in np.flatnonzero((labels == WAITING) & (rules.person != NOBODY)).tolist():
        labels[face] = groups.get(int(rules.person[face]), WAITING)
    labels = repaired(labels, faces, rules)
    waiting = np.flatnonzero((labels == WAITING) & (rules.person == NOBODY))
    grouped = np.flatnonzero(labels != WAITING)
    found = _among(grouped, search.nearest(faces.vectors[waiting], faces.vectors[grouped], NEIGHBOURS))
    return with_joined(labels, waiting, found, rules, thresholds.join)


def _among(places: NDArray[np.int64], found: Found) -> Found:
    """Return neighbours among some faces as neighbours among all: places int64 [m], the positions of these faces."""
    padded = np.append(places, -1)
    return padded[found[0]], found[1]
