"""Which faces of an edited picture are those of the picture before the edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photoindex.domain.people.boxes import Box, greedy_pairs, matched

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAME_FACE = 0.6
"""The vectors of one face before and after an edit have at least this cosine.

It is the same shot, so this is far above what two photos of a person have; other people stay well below it.
"""
OTHER_FACE = 0.3
"""Below this cosine, a face in the same place is somebody else: the picture was mirrored, or another one."""
_ROWS = 512
"""Rows of cosines at once, so that thousands of faces take little memory."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face. vector: [dim] of unit length, None if it has none; comparable with those of the same space."""

    box: Box
    space_id: int | None
    vector: NDArray[np.floating] | None


def matched_after_edit(before: Sequence[Face], after: Sequence[Face]) -> list[tuple[int, int]]:
    """Return pairs (index in before, index in after) of the same face; each face is in one pair at most.

    Faces that look the same come first, wherever the edit put them. The rest is matched by place: that finds faces that
    the edit changed, and those whose vectors come from another model.
    """
    pairs = greedy_pairs(_alike(before, after))
    left = sorted(set(range(len(before))) - {i for i, _ in pairs})
    free = sorted(set(range(len(after))) - {j for _, j in pairs})
    in_place = matched([before[i].box for i in left], [after[j].box for j in free])
    return pairs + [(left[i], free[j]) for i, j in in_place if not _are_others(before[left[i]], after[free[j]])]


def _alike(before: Sequence[Face], after: Sequence[Face]) -> Iterator[tuple[float, int, int]]:
    """Yield the cosine of each pair of faces that look the same, and their indices."""
    import numpy as np

    for space_id in {face.space_id for face in before} & {face.space_id for face in after}:
        ones, first = _vectors(before, space_id)
        others, second = _vectors(after, space_id)
        if not ones or not others:
            continue
        for start in range(0, len(ones), _ROWS):
            cosines = first[start : start + _ROWS] @ second.T
            for i, j in zip(*np.nonzero(cosines >= SAME_FACE), strict=True):
                yield float(cosines[i, j]), ones[start + i], others[j]


def _vectors(faces: Sequence[Face], space_id: int | None) -> tuple[list[int], NDArray[np.float32]]:
    """Return the indices of the faces with a vector of a space, and these vectors: float32 [n, dim]."""
    import numpy as np

    found = [
        (number, face.vector)
        for number, face in enumerate(faces)
        if face.vector is not None and face.space_id == space_id
    ]
    return [number for number, _ in found], np.array([vector for _, vector in found], np.float32)


def _are_others(one: Face, other: Face) -> bool:
    if one.vector is None or other.vector is None or one.space_id != other.space_id:
        return False
    return float(one.vector.astype("f4") @ other.vector.astype("f4")) < OTHER_FACE
