"""Merges two ranked lists by reciprocal rank fusion.

Source: Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods
(SIGIR 2009), with their constant k = 60.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

K = 60


@dataclass(frozen=True, slots=True)
class Ranked:
    """One photo in the fused list.

    score: cosine of its best vector and the query, -1 to 1, None without a vector. score_rank, words_rank: its rank in
    each list, from 1, None if it is not in that list. fused: the sum of 1 / (60 + rank) over both lists.
    """

    photo_id: int
    score: float | None
    score_rank: int | None
    words_rank: int | None
    fused: float


def fuse(by_score: Sequence[int], by_words: Sequence[int], scores: Mapping[int, float]) -> list[Ranked]:
    """Merge two lists of photo ids, best first; photos with equal fused scores are ordered by cosine, then by id.

    scores: the cosine of each photo that has a vector.
    """
    score_ranks = {photo_id: rank for rank, photo_id in enumerate(by_score, 1)}
    words_ranks = {photo_id: rank for rank, photo_id in enumerate(by_words, 1)}
    found = [
        Ranked(
            photo_id,
            scores.get(photo_id),
            score_ranks.get(photo_id),
            words_ranks.get(photo_id),
            sum(1 / (K + ranks[photo_id]) for ranks in (score_ranks, words_ranks) if photo_id in ranks),
        )
        for photo_id in score_ranks | words_ranks
    ]
    return sorted(found, key=lambda one: (-one.fused, -(one.score if one.score is not None else -2.0), one.photo_id))
