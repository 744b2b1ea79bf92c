"""Calibrates tags of the vocabulary: fits their confidence to what a person accepted and rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.domain.words.confidence import VERDICTS_NEEDED, Curve, fitted
from photoindex.stages.tags import SLOPE, raw_scores
from photoindex.store.vectors import vectors
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.store.words import calibrations, tags

NEUTRAL_CURVE = Curve(SLOPE, 0.0)
"""The confidence of a tag with too few verdicts: against the neutral prompts."""
_GROWTH = 1.1
"""A tag is fitted again when it has a tenth more verdicts, or fewer than before."""


def calibrated(
    connection: Connection,
    variant_id: int,
    space: SpaceRow,
    names: Sequence[str],
    terms: NDArray[np.float32],
    neutral: NDArray[np.float32],
) -> tuple[list[Curve], bool]:
    """Return the curve of each term, and whether any has changed: then all pictures are labelled again.

    names: of the tags; terms, neutral: their vectors. Call it in the write transaction that stores the curves.
    """
    judged = calibrations.judged_tags(connection, least=VERDICTS_NEEDED)
    known = calibrations.curves(connection, variant_id)
    # Terms that were merged are one tag, which is as sure as the surest of them.
    places: dict[int, list[int]] = {}
    now_called = tags.find(connection, names)
    for place, name in enumerate(names):
        if (row := now_called.get(name)) is not None and row.id in {*judged, *known}:
            places.setdefault(row.id, []).append(place)
    found: dict[int, Curve] = {}
    for tag_id, count in judged.items():
        if tag_id not in places:
            continue
        before = known.get(tag_id)
        if before is not None and before.verdicts <= count < _GROWTH * before.verdicts:
            found[tag_id] = before
            continue
        curve = _fit(connection, tag_id, space, terms[places[tag_id]], neutral)
        if curve is not None:
            found[tag_id] = curve
    changed = found != known
    if changed:
        calibrations.replace_curves(connection, variant_id, found)
    by_place: Mapping[int, Curve] = {place: curve for tag_id, curve in found.items() for place in places[tag_id]}
    return [by_place.get(place, NEUTRAL_CURVE) for place in range(len(names))], changed


def _fit(
    connection: Connection, tag_id: int, space: SpaceRow, terms: NDArray[np.float32], neutral: NDArray[np.float32]
) -> Curve | None:
    said = calibrations.verdicts(connection, tag_id)
    stored = vectors.of_assets(connection, space, [one.asset_id for one in said])
    used = [one for one in said if one.asset_id in stored]
    if not used:
        return None
    scores = [float(raw_scores(_frames(stored[one.asset_id], space.dim), terms, neutral).max()) for one in used]
    return fitted(scores, [one.fits for one in used], NEUTRAL_CURVE)


def _frames(data: bytes, dim: int) -> NDArray[np.float32]:
    return np.frombuffer(data, vectors.STORED).reshape(-1, dim).astype(np.float32)
