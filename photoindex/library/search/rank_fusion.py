"""Merges ranked lists by weighted reciprocal rank fusion.

Source: Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods
(SIGIR 2009), with their constant k = 60.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

K = 60
MEANING, TEXTS = "meaning", "all texts"
"""The lists of photos by their score, and of those whose texts together have all words."""


@dataclass(frozen=True, slots=True)
class RankedList:
    """Photo ids, best first. weight: how much a rank in this list counts; a photo in several lists has the sum."""

    name: str
    weight: float
    photo_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Place:
    """The rank of a photo in one list, from 1, and what it adds: weight / (60 + rank)."""

    name: str
    weight: float
    rank: int

    @property
    def share(self) -> float:
        """What it adds to the fused score."""
        return self.weight / (K + self.rank)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One photo in the fused list.

    score: cosine of its best vector and the query, -1 to 1, None without a vector. places: its rank in each list that has
    it. fused: the sum of weight / (60 + rank) over these. second_score: cosine by a stronger model, None without a second look.
    relevance: see `with_relevance`.
    """

    photo_id: int
    score: float | None
    places: tuple[Place, ...]
    fused: float
    second_score: float | None = None
    relevance: int = 0

    @property
    def score_rank(self) -> int | None:
        """Its rank among the photos that reach the cut-off, None if it does not."""
        return self._rank_in(MEANING)

    @property
    def words_rank(self) -> int | None:
        """Its rank among the photos whose texts have all words, None if its texts do not."""
        return self._rank_in(TEXTS)

    def _rank_in(self, name: str) -> int | None:
        return next((place.rank for place in self.places if place.name == name), None)


def fuse(lists: Sequence[RankedList], scores: Mapping[int, float]) -> list[Ranked]:
    """Merge lists, best first; photos with equal fused scores are ordered by cosine, then by id.

    scores: the cosine of each photo that has a vector.
    """
    places: dict[int, list[Place]] = {}
    for one in lists:
        for rank, photo_id in enumerate(one.photo_ids, 1):
            places.setdefault(photo_id, []).append(Place(one.name, one.weight, rank))
    found = [
        Ranked(photo_id, scores.get(photo_id), tuple(some), sum(place.share for place in some))
        for photo_id, some in places.items()
    ]
    return sorted(found, key=lambda one: (-one.fused, -(one.score if one.score is not None else -2.0), one.photo_id))


def best_fused(found: Sequence[Ranked]) -> float:
    """Return the fused score of the first place in every list; found: all photos of the lists, not only the first few."""
    weights: dict[str, float] = {}
    for one in found:
        for place in one.places:
            weights[place.name] = max(place.weight, weights.get(place.name, 0.0))
    return sum(weights.values()) / (K + 1) or 1.0


def with_relevance(found: Sequence[Ranked], best: float) -> tuple[Ranked, ...]:
    """Return photos, best first, with a relevance from 0 to 100 that never rises; 100 is a fused score of `best`.

    Reciprocal ranks fall slowly, so the first few dozen photos stay above 60.
    """
    relevance, rated = 100, []
    for one in found:
        relevance = min(relevance, max(0, round(100 * one.fused / best)))
        rated.append(replace(one, relevance=relevance))
    return tuple(rated)
