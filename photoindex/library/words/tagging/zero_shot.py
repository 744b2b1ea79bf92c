"""Tags from a vocabulary: what the stage `tags` needs to run on the vectors of the active space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from photoindex.domain.words.confidence import Curve
from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.library.words.tagging.terms import Vocabulary, load_vocabulary, term_vectors
from photoindex.library.words.tagging.work import LabelWork
from photoindex.progress import EventSink
from photoindex.stages import tags as stage
from photoindex.stages.tags import KEPT_FROM, SLOPE, STAGE, Opening
from photoindex.store.vectors import spaces, vectors
from photoindex.store.vectors.spaces import SpaceRow

NEUTRAL_CURVE = Curve(SLOPE, 0.0)
"""The confidence of a tag that nobody judged yet: against the neutral prompts."""
BATCH = 2048
"""Vectors per batch, which is one matrix product and one transaction."""


def zero_shot_work(library: Library) -> LabelWork:
    """Return the work of the stage `tags`. Raises ModelUnavailable if nothing is embedded, ConfigError."""
    with library.database.read() as connection:
        space = spaces.active_space(connection)
    if space is None:
        raise ModelUnavailable("no pictures are embedded, and tags are found in their vectors; run: photoindex embed")
    installed = QueryEncoder(library, space).installed
    vocabulary = load_vocabulary(library)
    variant = stage.variant(
        model=installed.id,
        weights=installed.digest,
        vocabulary=vocabulary.digest,
        kept_from=min(KEPT_FROM, library.config.ai_confidence_threshold / 100),
    )
    return LabelWork(
        stage=STAGE,
        model=installed.id,
        variant=variant,
        opening=_Opener(library, space, vocabulary).opening,
        replaces=lambda _key: True,
        phase="tagging",
        batch_size=BATCH,
        inputs=lambda connection, asset_ids: vectors.of_assets(connection, space, asset_ids),
        after_variant=space.variant_id,
    )


@dataclass(frozen=True, slots=True)
class _Opener:
    library: Library
    space: SpaceRow
    vocabulary: Vocabulary

    def opening(self, emit: EventSink, stop: Callable[[], bool]) -> Opening:
        """Return the terms with their vectors. Raises ModelUnavailable, Stopped."""
        made = term_vectors(self.library, self.space, self.vocabulary, emit, stop)
        count = len(self.vocabulary.terms)
        return Opening(
            names=[one.name for one in self.vocabulary.terms],
            terms=made.terms,
            neutral=made.neutral,
            slopes=np.full(count, NEUTRAL_CURVE.slope, np.float32),
            intercepts=np.full(count, NEUTRAL_CURVE.intercept, np.float32),
            kept_from=min(KEPT_FROM, self.library.config.ai_confidence_threshold / 100),
        )
