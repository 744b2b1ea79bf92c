"""Tags from a vocabulary: what the stage `tags` needs to run on the vectors of the active space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from photoindex.domain.words.confidence import VERDICTS_NEEDED, Curve
from photoindex.errors import ModelUnavailable
from photoindex.library.embed.model_choice import embed_hint
from photoindex.library.handle import Library
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.library.words.tagging.calibrate import NEUTRAL_CURVE, calibrated
from photoindex.library.words.tagging.terms import Vocabulary, load_vocabulary, term_vectors
from photoindex.library.words.tagging.work import LabelWork
from photoindex.progress import EventSink, Notice
from photoindex.stages import tags as stage
from photoindex.stages.tags import KEPT_FROM, STAGE, Opening
from photoindex.store.tasks import queue
from photoindex.store.vectors import spaces, vectors
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.store.words import calibrations

BATCH = 2048
"""Vectors per batch, which is one matrix product and one transaction."""


def zero_shot_work(library: Library) -> LabelWork:
    """Return the work of the stage `tags`. Raises ModelUnavailable if nothing is embedded, ConfigError."""
    with library.database.read() as connection:
        space = spaces.active_space(connection)
    if space is None:
        raise ModelUnavailable(f"no pictures are embedded, and tags are found in their vectors; {embed_hint(library)}")
    installed = QueryEncoder(library, space).installed
    vocabulary = load_vocabulary(library)
    variant = stage.variant(
        model=installed.id,
        weights=installed.digest,
        vocabulary=vocabulary.digest,
        kept_from=min(KEPT_FROM, library.config.ai_confidence_threshold / 100),
    )
    terms = _Terms(library, space, vocabulary, variant)
    return LabelWork(
        stage=STAGE,
        model=installed.id,
        variant=variant,
        opening=terms.opening,
        replaces=lambda _key: True,
        phase="tagging",
        batch_size=BATCH,
        inputs=lambda connection, asset_ids: vectors.of_assets(connection, space, asset_ids),
        after_variant=space.variant_id,
        prepare=terms.calibrate,
        calibrated=lambda: sum(curve.verdicts > 0 for curve in terms.curves),
    )


@dataclass(slots=True)
class _Terms:
    """The terms of a run. curves: of each, once they were calibrated."""

    library: Library
    space: SpaceRow
    vocabulary: Vocabulary
    variant: Mapping[str, object]
    curves: Sequence[Curve] = ()

    def calibrate(self, emit: EventSink, stop: Callable[[], bool]) -> None:
        """Fit the curves of terms with enough verdicts. Raises ModelUnavailable, Stopped."""
        names = [one.name for one in self.vocabulary.terms]
        self.curves = [NEUTRAL_CURVE] * len(names)
        with self.library.database.read() as connection:
            variant_id = queue.find_variant(connection, STAGE.name, self.variant)
            judged = calibrations.judged_tags(connection, least=VERDICTS_NEEDED)
            known = {} if variant_id is None else calibrations.curves(connection, variant_id)
        if not judged and not known:
            return
        made = term_vectors(self.library, self.space, self.vocabulary, emit, stop)
        with self.library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, STAGE.name, self.variant)
            self.curves, changed = calibrated(connection, variant_id, self.space, names, made.terms, made.neutral)
        if changed:
            emit(Notice("confidences were measured on what you accepted and rejected; all pictures are tagged again"))

    def opening(self, emit: EventSink, stop: Callable[[], bool]) -> Opening:
        """Return the terms with their vectors. Raises ModelUnavailable, Stopped."""
        made = term_vectors(self.library, self.space, self.vocabulary, emit, stop)
        return Opening(
            names=[one.name for one in self.vocabulary.terms],
            terms=made.terms,
            neutral=made.neutral,
            slopes=np.array([curve.slope for curve in self.curves], np.float32),
            intercepts=np.array([curve.intercept for curve in self.curves], np.float32),
            calibrated=np.array([curve.verdicts > 0 for curve in self.curves]),
            kept_from=min(KEPT_FROM, self.library.config.ai_confidence_threshold / 100),
        )
