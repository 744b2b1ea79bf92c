"""Making groups respect what is known, whatever clustering made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.constraints import NOBODY, Rules
from photoindex.domain.people.grouping_values import WAITING, Faces

_NEAREST = 3
"""How many of the nearest faces of a person decide whether a face is theirs."""

Labels = NDArray[np.int64]


def repaired(labels: Labels, faces: Faces, rules: Rules) -> Labels:
    """Return groups in which nothing contradicts what is known; faces that had to go are WAITING.

    A group with confirmed faces of several persons, or with faces of persons declared apart, is split: each face goes to
    the person whose faces are nearest. A face leaves a person that it cannot be. Of several faces in one photo the
    confirmed one stays, else the one most like the group.
    """
    labels = labels.copy()
    for label, persons in list(_persons_in(labels, rules)):
        rivals = _rivals(persons, rules)
        if rivals:
            _split(labels, label, sorted(rivals), faces, rules)
    for label, person in persons_of(labels, rules).items():
        # Not a look at all faces for each group: that would take hours in a large library.
        impossible = rules.forbidden.get(person)
        if impossible is not None:
            labels[impossible[labels[impossible] == label]] = WAITING
    _keep_one_of_a_photo(labels, faces, rules)
    return labels


def persons_of(labels: Labels, rules: Rules) -> dict[int, int]:
    """Return the person of each group that has one: who is confirmed there, else who most of its faces are held for."""
    return {label: max(persons, key=lambda one: (*persons[one], -one)) for label, persons in _persons_in(labels, rules)}


def _persons_in(labels: Labels, rules: Rules) -> Iterator[tuple[int, Mapping[int, tuple[int, int]]]]:
    """Yield each group with the persons in it: how many faces are confirmed, and how many held for each."""
    known = np.flatnonzero((labels != WAITING) & (rules.held != NOBODY))
    pairs = np.stack([labels[known].astype(np.int64), rules.held[known]], axis=1)
    unique, where = np.unique(pairs, axis=0, return_inverse=True)
    held = np.bincount(where, minlength=len(unique))
    confirmed = np.bincount(where, rules.person[known] != NOBODY, minlength=len(unique)).astype(np.int64)
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for (label, person), sure, all_ in zip(unique.tolist(), confirmed.tolist(), held.tolist(), strict=True):
        found.setdefault(label, {})[person] = (sure, all_)
    yield from found.items()


def _rivals(persons: Mapping[int, tuple[int, int]], rules: Rules) -> set[int]:
    """Return the persons that cannot be in one group: several confirmed ones, and those declared apart."""
    confirmed = {one for one, (sure, _) in persons.items() if sure}
    rivals = confirmed if len(confirmed) > 1 else set()
    for one in persons:
        if any(rules.differ(one, other) for other in persons):
            rivals = rivals | {one} | confirmed
    return rivals


def _split(labels: Labels, label: int, persons: list[int], faces: Faces, rules: Rules) -> None:
    members = np.flatnonzero(labels == label)
    vectors = faces.vectors[members].astype(np.float32)
    likeness = np.empty((len(members), len(persons)), np.float32)
    for column, person in enumerate(persons):
        seeds = vectors[rules.held[members] == person]
        count = min(_NEAREST, len(seeds))
        cosines = vectors @ seeds.T
        likeness[:, column] = np.partition(cosines, len(seeds) - count, axis=1)[:, len(seeds) - count :].mean(axis=1)
        likeness[rules.may_not_be(person, members), column] = -np.inf
    best = likeness.argmax(axis=1)
    for column, person in enumerate(persons):
        best[rules.held[members] == person] = column
    numbers = np.array([label, *range(int(labels.max()) + 1, int(labels.max()) + len(persons))], np.int64)
    homeless = np.isneginf(likeness.max(axis=1)) & ~np.isin(rules.held[members], persons)
    labels[members] = np.where(homeless, WAITING, numbers[best])


def _keep_one_of_a_photo(labels: Labels, faces: Faces, rules: Rules) -> None:
    grouped = np.flatnonzero((labels != WAITING) & (rules.photo >= 0))
    order = grouped[np.lexsort((rules.photo[grouped], labels[grouped]))]
    same = (np.diff(labels[order]) == 0) & (np.diff(rules.photo[order]) == 0)
    crowded = np.unique(np.concatenate([order[:-1][same], order[1:][same]]))
    if not len(crowded):
        return
    likeness = likeness_of(labels, faces.vectors, crowded)
    confirmed = rules.person[crowded] != NOBODY
    best_first = np.lexsort((-faces.quality[crowded], -likeness, ~confirmed, rules.photo[crowded], labels[crowded]))
    crowded, confirmed = crowded[best_first], confirmed[best_first]
    first = np.ones(len(crowded), np.bool_)
    first[1:] = (np.diff(labels[crowded]) != 0) | (np.diff(rules.photo[crowded]) != 0)
    labels[crowded[~first & ~confirmed]] = WAITING


def likeness_of(
    labels: NDArray[np.integer], vectors: NDArray[np.floating], chosen: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the cosine of each chosen face, by position, and the mean of the other faces of its group; 0 if alone."""
    found = np.zeros(len(chosen), np.float32)
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[chosen])
    stops = np.searchsorted(labels[order], labels[chosen], side="right")
    of_groups = np.argsort(labels[chosen], kind="stable")
    ends = np.flatnonzero(np.diff(labels[chosen[of_groups]])) + 1
    for asked in np.split(of_groups, ends) if len(chosen) else []:
        members = order[starts[asked[0]] : stops[asked[0]]]
        total = vectors[members].astype(np.float32).sum(axis=0)
        own = vectors[chosen[asked]].astype(np.float32)
        others = total - own
        length = np.linalg.norm(others, axis=1)
        found[asked] = (others * own).sum(axis=1) / np.maximum(length, 1e-6)
    return found
