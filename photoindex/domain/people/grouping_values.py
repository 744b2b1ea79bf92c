"""What grouping works on and what it returns: faces, what is known about them, thresholds, groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float16] | NDArray[np.float32]
Found = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Neighbours of n vectors, best first: positions int64 [n, k], cosines float32 [n, k]; -1 and -inf where there are none."""

WAITING = -1
"""The label of a face that belongs to no group yet."""


@dataclass(frozen=True, slots=True)
class Search:
    """How neighbours are found; `photoindex.vectors.neighbours` has the functions, so that the domain imports no engine.

    neighbours(vectors, k): the k nearest others of each vector. nearest(queries, base, k): the k nearest vectors in
    `base` of each query, as positions in `base`.
    """

    neighbours: Callable[[Vectors, int], Found]
    nearest: Callable[[Vectors, Vectors, int], Found]


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces with vectors of one space, in any order.

    ids: int64 [n], each once. vectors: float16 or float32 [n, dim], unit length. founder: bool [n], whether a face is
    good enough to found a group; others only join one. photo: int64 [n], the photo that shows it. taken: datetime64[D]
    [n], the day of the photo, NaT where that is not known or only the time of the file is. repeats_allowed: bool [n], whether the
    photo may show one person more than once (collage, mirror). quality: float32 [n], larger is better; of two faces in a
    photo that look like one person, the better one keeps the place when they are equally like.
    """

    ids: NDArray[np.int64]
    vectors: Vectors
    founder: NDArray[np.bool_]
    photo: NDArray[np.int64]
    taken: NDArray[np.datetime64]
    repeats_allowed: NDArray[np.bool_]
    quality: NDArray[np.float32]

    def __post_init__(self) -> None:
        if len({len(self.vectors), *(len(column) for column in self.columns())}) != 1:
            raise ValueError("the columns of faces differ in length")

    def columns(self) -> tuple[NDArray[np.generic], ...]:
        """Return all columns except the vectors."""
        return self.ids, self.founder, self.photo, self.taken, self.repeats_allowed, self.quality

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.ids)

    def some(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Faces:
        """Return the faces of a mask or at these positions."""
        return Faces(
            self.ids[chosen],
            self.vectors[chosen],
            self.founder[chosen],
            self.photo[chosen],
            self.taken[chosen],
            self.repeats_allowed[chosen],
            self.quality[chosen],
        )


def together(*parts: Faces) -> Faces:
    """Return all faces of these parts, in their order."""
    return Faces(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.founder for part in parts]),
        np.concatenate([part.photo for part in parts]),
        np.concatenate([part.taken for part in parts]),
        np.concatenate([part.repeats_allowed for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What people said about faces (by id) and persons (by id).

    confirmed: face -> person, confirmed or named in metadata. rejected: pairs (face, person): the face does not show
    them. apart: pairs of different persons, in any order. lives: person -> (born, died), each YYYY, YYYY-MM, YYYY-MM-DD or
    None.
    """

    confirmed: Mapping[int, int] = field(default_factory=dict)
    rejected: frozenset[tuple[int, int]] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()
    grouped: Mapping[int, int] = field(default_factory=dict)
    lives: Mapping[int, tuple[str | None, str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Cosines that separate one person from others; measured by `calibration`, for one model and size of a library.

    possible: less alike faces are never linked, and two groups whose faces are this alike on average may be one person.
    sure: faces at least this alike are one person whatever else is near. join: a face joins a group if it is this like
    its nearest face there.
    """

    possible: float
    sure: float
    join: float


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of faces. labels: int32 [n], 0 and up, WAITING for faces in no group. scores: float32 [n], 0 to 1.

    The score is the cosine with the mean of the other faces of the group, 0 for waiting faces.
    """

    labels: NDArray[np.int32]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Joined:
    """Where new faces belong. persons: int64 [n], WAITING for none. scores: float32 [n], 0 to 1, 0 for waiting faces."""

    persons: NDArray[np.int64]
    scores: NDArray[np.float32]
