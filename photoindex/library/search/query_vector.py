"""One query as one vector: texts and pictures are added with their weights, what is not wanted is subtracted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import UsageError

Kind = Literal["text", "photo", "picture", "without"]
_LEAST_NORM = 1e-3
"""Rounding leaves some 1e-7; what is shorter than this points nowhere that was asked for."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text or picture of a query. weight: above 0, whatever the kind. values: float32 [dim] of unit length."""

    kind: Kind
    label: str
    weight: float
    values: NDArray[np.float32]

    @property
    def factor(self) -> float:
        """Its weight with the sign that it counts with."""
        return -self.weight if self.kind == "without" else self.weight

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture that is named, of the library or any other."""
        return self.kind in ("photo", "picture")


@dataclass(frozen=True, slots=True)
class QueryVector:
    """The direction that is looked for. values: float32 [dim] of unit length. length: of the sum before it was scaled."""

    values: NDArray[np.float32]
    length: float
    parts: tuple[Part, ...]

    def shares(self, values: NDArray[np.floating]) -> list[float]:
        """Return what each part gives to the cosine of the query and a vector [dim]; their sum is that cosine."""
        own = values.astype(np.float32)
        return [part.factor * float(part.values @ own) / self.length for part in self.parts]


def combined(parts: Sequence[Part]) -> QueryVector:
    """Return the sum of all parts. Raises UsageError where they cancel each other out."""
    total = np.sum([part.factor * part.values.astype(np.float64) for part in parts], axis=0)
    length = float(np.linalg.norm(total))
    if length < _LEAST_NORM:
        raise UsageError(
            "what is looked for and what is subtracted cancel each other out; change the words or their weights"
        )
    return QueryVector((total / length).astype(np.float32), length, tuple(parts))
