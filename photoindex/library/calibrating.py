"""Measure a space when it is new or has grown, so that its cut-off is there before it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photoindex.errors import DatabaseFailed, LibraryLocked, ModelUnavailable, StorageFull
from photoindex.library.handle import Library
from photoindex.library.spaces.calibration import Calibration, from_json, measure
from photoindex.library.spaces.probe_texts import PROBE_TEXTS, VERSION
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.store.vectors import spaces
from photoindex.store.vectors.spaces import SpaceRow

if TYPE_CHECKING:
    from photoindex.vectors.space_index import SpaceIndex

_WAIT_SECONDS = 1.0


def calibrated(
    library: Library, space: SpaceRow, index: SpaceIndex, encoder: QueryEncoder | None = None
) -> Calibration:
    """Return what was measured of a space; measure it where that was never done, or for a much smaller or larger one.

    To be called at the end of an embed run too: encoding the probe texts takes seconds, once a space. Raises
    ModelUnavailable where it has to be measured and the model is not there.
    """
    kept = from_json(space.calibration)
    if kept is not None and kept.is_current(len(index), VERSION):
        return kept
    try:
        probes = (encoder or QueryEncoder(library, space)).texts(PROBE_TEXTS)
    except ModelUnavailable:
        if kept is None:
            raise
        return kept
    measured = measure(
        index.sample(), np.stack([probes[text] for text in PROBE_TEXTS]), vectors=len(index), version=VERSION
    )
    try:
        with library.database.write(wait_seconds=_WAIT_SECONDS) as connection:
            spaces.calibrate(connection, space.id, measured.as_json())
    except (DatabaseFailed, LibraryLocked, StorageFull):
        return measured  # It serves this search, and the next one measures again.
    return measured
