"""The tags stage: finds the terms of a vocabulary that fit a picture, from its stored vectors alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject
from photoindex.types import Failure, Label

STAGE = Stage(
    name="tags",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.RESULTS,
    command="tag auto --only tags",
    open="photoindex.stages.tags:open_terms",
    results=(Label,),
    after="embed",
)
TEMPLATES = ("a photo of {}.", "a picture of {}.", "{}")
"""How a term is said to a model; the vectors of the three are averaged."""
NEUTRAL = ("a photo.", "a picture.", "an image.", "a photo of something.", "a picture of something.", "something")
"""What fits every picture; a term that fits no better than these says nothing about it."""
SLOPE = 100.0
"""The temperature with which CLIP and SigLIP models are trained: from a difference of cosines to log-odds."""
TAGS_MAX = 12
"""Tags kept of a picture."""
KEPT_FROM = 0.5
"""Least confidence that is kept, where the threshold is not lower still: a threshold that is raised or lowered later needs
no new run above it."""
_STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class Opening:
    """The terms to look for.

    names: of the tags. terms: float32 [n, dim], the vector of each. neutral: float32 [m, dim]. slopes, intercepts:
    float32 [n], see `domain.words.confidence.Curve`. calibrated: bool [n], whether these were measured on a person's verdicts.
    kept_from: least confidence that is kept.
    """

    names: Sequence[str]
    terms: NDArray[np.float32]
    neutral: NDArray[np.float32]
    slopes: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    calibrated: NDArray[np.bool_]
    kept_from: float = KEPT_FROM


def variant(*, model: str, weights: str, vocabulary: str, kept_from: float) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key.

    weights: digest of the model's files. vocabulary: digest of the terms and how they are said.
    """
    return {
        "code": STAGE.code_version,
        "model": model,
        "weights": weights,
        "vocabulary": vocabulary,
        "kept_from": kept_from,
    }


def raw_scores(
    vectors: NDArray[np.float32], terms: NDArray[np.float32], neutral: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return float32 [vectors, terms]: how much better each term fits than what fits every picture, in cosines.

    What fits every picture is the mean of the neutral prompts, as the model's own softmax would weigh them.
    """
    common = SLOPE * (vectors @ neutral.T)
    highest = common.max(axis=1, keepdims=True)
    level = (highest[:, 0] + np.log(np.exp(common - highest).mean(axis=1))) / SLOPE
    scores: NDArray[np.float32] = vectors @ terms.T
    scores -= level[:, None]
    return scores


def open_terms(opening: Opening) -> TagStage:
    """Return the stage."""
    return TagStage(opening)


class TagStage(OpenStage):
    """Terms as vectors, compared with those of pictures."""

    runs_on = "cpu (matrix products)"

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._dim = opening.terms.shape[1]
        odds = np.log(opening.kept_from / (1 - opening.kept_from))
        self._least_raw = ((odds - opening.intercepts) / opening.slopes).astype(np.float32)

    def prepare(self, data: bytes) -> NDArray[np.float16]:
        """Return float16 [frames, dim]: the vectors of one content, one after the other in `data`."""
        return np.frombuffer(data, _STORED).reshape(-1, self._dim)

    def run(self, batch: Sequence[NDArray[np.float16]]) -> Sequence[Outcome]:
        """Return the terms that fit each content, the surest first; of a video, those that fit a frame."""
        frames = [len(one) for one in batch]
        vectors = np.concatenate(batch).astype(np.float32)
        if not np.isfinite(vectors).all():
            return [self._outcome_alone(one) for one in batch]
        scores = raw_scores(vectors, self._opening.terms, self._opening.neutral)
        if len(scores) != len(batch):
            first = np.concatenate([[0], np.cumsum(frames)[:-1]])
            scores = np.maximum.reduceat(scores, first, axis=0)
        return self._outcomes(scores)

    def prove(self) -> None:
        """Compare a vector of zeros."""
        self.run([np.zeros((1, self._dim), np.float16)])

    def _outcome_alone(self, one: NDArray[np.float16]) -> Outcome:
        if not np.isfinite(one).all():
            return Failure("not_a_vector", "the stored vector of this picture is damaged")
        return self.run([one])[0]

    def _outcomes(self, scores: NDArray[np.float32]) -> list[Outcome]:
        rows, terms = np.nonzero(scores >= self._least_raw)
        raw = scores[rows, terms]
        odds = self._opening.slopes[terms] * raw + self._opening.intercepts[terms]
        confidences = 1 / (1 + np.exp(-np.clip(odds, -60, 60)))
        order = np.lexsort((-odds, rows))
        bounds = np.searchsorted(rows, np.arange(len(scores) + 1))
        names, calibrated = self._opening.names, self._opening.calibrated.tolist()
        outcomes: list[Outcome] = []
        for row in range(len(scores)):
            chosen = order[bounds[row] : min(bounds[row + 1], bounds[row] + TAGS_MAX)]
            outcomes.append(
                tuple(
                    Label(names[term], confidence, score, calibrated=calibrated[term])
                    for term, confidence, score in zip(
                        terms[chosen].tolist(), confidences[chosen].tolist(), raw[chosen].tolist(), strict=True
                    )
                )
            )
        return outcomes


def digest_of(names: Sequence[str], words: Sequence[str]) -> str:
    """Return the digest of a vocabulary: its names, what is said to the model, and how."""
    said = {"names": list(names), "words": list(words), "templates": TEMPLATES, "neutral": NEUTRAL}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
