"""Says how good the groups of faces are: sizes, cohesion, groups that may be several people, people who may be one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.cluster_quality import cohesion, means_of
from photoindex.domain.people.grouping_values import WAITING, Thresholds
from photoindex.domain.people.groups.mixed_groups import parts_of
from photoindex.library.handle import Library
from photoindex.library.people.groups.calibrate import calibrated
from photoindex.library.people.groups.grouping_input import GroupingInput, grouping_input
from photoindex.library.people.groups.likely import Likely, likely_same
from photoindex.progress import EventSink, ignore_events

_PART_FACES = 2_000
"""Larger groups are looked at by this many of their faces."""
_TWICE_LEAST = 2
"""One photo with a second face that is like a person is chance, or a mirror."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """The two parts of a group: how many faces each has, the larger first; the mean cosine across; one face of each."""

    faces: tuple[int, int]
    cosine: float
    examples: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PersonStats:
    """One person's group. fixed: faces confirmed or named. cohesion: mean cosine of all pairs of faces.

    first, last: days of photos, None where unknown. mixed: set where the group may be two people. twice: photos with
    another face that is like this person and had to wait.
    """

    person: int
    name: str | None
    ignored: bool
    faces: int
    fixed: int
    cohesion: float
    first: str | None
    last: str | None
    mixed: Mixed | None
    twice: int

    @property
    def suspicious(self) -> bool:
        """Whether somebody should look at it."""
        return self.mixed is not None or self.twice >= _TWICE_LEAST


@dataclass(frozen=True, slots=True)
class ClusterStats:
    """The groups of the active space.

    poor: waiting faces that are too small, blurry or turned to found a group. people: the largest first. likely: see
    `likely_same`.
    """

    model: str
    faces: int
    waiting: int
    poor: int
    thresholds: Thresholds
    people: tuple[PersonStats, ...]
    likely: tuple[Likely, ...]


def cluster_stats(library: Library, emit: EventSink = ignore_events) -> ClusterStats:
    """Measure the groups; nothing is changed. Raises NothingFound where no face was ever found."""
    given = grouping_input(library, emit)
    measured = calibrated(library, given, emit, keep=False)
    thresholds = measured.thresholds(len(given.faces))
    return ClusterStats(
        model=given.space.model,
        faces=len(given.rows),
        waiting=int(given.waiting.sum()),
        poor=int((given.waiting & ~given.faces.founder).sum()),
        thresholds=thresholds,
        people=tuple(_people(given, thresholds)),
        likely=tuple(likely_same(library, given, emit, measured=measured)),
    )


def _people(given: GroupingInput, thresholds: Thresholds) -> list[PersonStats]:
    labels = np.where(given.waiting, WAITING, given.rows.persons)
    groups = means_of(labels, given.faces.vectors)
    coherent = cohesion(groups)
    order = np.argsort(labels, kind="stable")
    of_groups = np.split(order[labels[order] != WAITING], np.cumsum(groups.faces)[:-1])
    twice = _twice(given, groups.labels, groups.means, thresholds)
    found = []
    for row, faces in enumerate(of_groups if len(groups.labels) else []):
        person = int(groups.labels[row])
        known = given.persons.get(person)
        days = given.rows.taken[faces][~np.isnat(given.rows.taken[faces])]
        found.append(
            PersonStats(
                person=person,
                name=None if known is None else known.name,
                ignored=known is not None and known.ignored,
                faces=len(faces),
                fixed=int(given.rows.fixed[faces].sum()),
                cohesion=float(coherent[row]),
                first=str(days.min()) if len(days) else None,
                last=str(days.max()) if len(days) else None,
                mixed=_mixed(given, faces, thresholds) if coherent[row] < thresholds.sure else None,
                twice=twice.get(person, 0),
            )
        )
    return sorted(found, key=lambda one: (-one.faces, one.person))


def _mixed(given: GroupingInput, faces: NDArray[np.int64], thresholds: Thresholds) -> Mixed | None:
    """Return the parts of a group where they are no more alike than strangers.

    The ages of one person are parts, too: where the faces of one part lead to those of the other, it is one person.
    """
    some = faces[:: -(-len(faces) // _PART_FACES)]
    vectors = given.faces.vectors[some]
    parts = parts_of(vectors)
    if parts is None or parts.cosine >= thresholds.possible:
        return None
    rows = vectors.astype(np.float32)
    across = rows[~parts.second] @ rows[parts.second].T
    if np.mean(across.max(axis=0) >= thresholds.join) > _LEADING:
        return None
    scale = len(faces) / len(some)
    second = round(int(parts.second.sum()) * scale)
    examples = (int(given.rows.ids[some[~parts.second][0]]), int(given.rows.ids[some[parts.second][0]]))
    return Mixed((len(faces) - second, second), parts.cosine, examples)


_LEADING = 0.1
"""Where more than this share of the faces of the smaller part are like one of the other, they belong together."""


def _twice(
    given: GroupingInput, persons: NDArray[np.int64], means: NDArray[np.float32], thresholds: Thresholds
) -> dict[int, int]:
    """Return person -> how many photos have a waiting face that is like them beside one of theirs."""
    photos, grouped = given.faces.photo, np.flatnonzero(~given.waiting)
    waiting = np.flatnonzero(given.waiting & ~given.faces.repeats_allowed & np.isin(photos, photos[grouped]))
    if not len(waiting):
        return {}
    order = grouped[np.argsort(photos[grouped], kind="stable")]
    low, high = (np.searchsorted(photos[order], photos[waiting], side) for side in ("left", "right"))
    found: dict[int, set[int]] = {}
    for face, start, end in zip(waiting.tolist(), low.tolist(), high.tolist(), strict=True):
        beside = np.unique(given.rows.persons[order[start:end]])
        cosines = means[np.searchsorted(persons, beside)] @ given.faces.vectors[face].astype(np.float32)
        for person in beside[cosines >= thresholds.join].tolist():
            found.setdefault(person, set()).add(int(photos[face]))
    return {person: len(some) for person, some in found.items()}
