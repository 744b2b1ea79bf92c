"""Calibrates a space: measures the scores of unrelated queries, to separate hits from the irrelevant tail.

Scores are not comparable between models: an unrelated text and photo have a cosine of about 0.13 in one space and 0.02 in
another, and the level also differs between texts. So a query's scores are compared with its own background, its scores on
a sample of the space. If half of the photos match the query, or the sample is small, that background is not reliable; the
scores of the probe texts, measured once per space, then bound it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import DatabaseFailed, LibraryLocked, ModelUnavailable, StorageFull
from photoindex.library.handle import Library
from photoindex.library.spaces.probe_texts import PROBE_TEXTS, VERSION
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.store.vectors import spaces
from photoindex.store.vectors.spaces import SpaceRow

if TYPE_CHECKING:
    from photoindex.vectors.space_index import SpaceIndex

_FORMAT = 1
_PROBE_PHOTOS = 100
_LEAST_REACH, _GREATEST_REACH = 2.0, 4.0
_REACH_OF_PHOTOS = 2.5
"""A photo as a probe always has similar photos, so its best score does not show what a random match scores."""
_PRIOR_VECTORS = 8
"""The measured level has the weight of this many vectors of the query's own background."""
_GROWTH = 1.5
_SHARE_TO_BEST = 0.75
_FLOOR_SPREADS = 1.5
"""A query that nothing matches scores low everywhere; its best score, within the range of all pairs, is not a hit."""
_ROUNDING = 1e-3
"""Vectors are stored as float16, so a photo's cosine with itself is at most this much below 1."""
_ONE_SPREAD_BELOW = 15.866
"""Percentile one standard deviation below the mean of a normal distribution."""
_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Level:
    """Statistics of the cosines of probes with a sample of the space.

    middle, spread: of all pairs: median, and its distance to the 15.87th percentile (one standard deviation of a normal
    distribution; the lower side, because relevant pairs are on the upper one). middle_most: 95th percentile of the probes'
    own medians. spread_least, spread_most: 5th and 95th percentile of the probes' own spreads. reach: how many spreads
    above its own median the best vector is for a probe that nothing matches; for texts the 25th percentile over the
    probes, most of which match few photos or none. matched: the best score of a probe that something matches, the 85th
    percentile over the probes.
    """

    middle: float
    spread: float
    middle_most: float
    spread_least: float
    spread_most: float
    reach: float
    matched: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The measurements of a space, for texts and for photos as queries; None if there was nothing to measure.

    vectors: number of vectors in the space at that time. sampled: size of the sample. probes: version of the probe texts.
    """

    texts: Level | None
    photos: Level | None
    vectors: int
    sampled: int
    probes: int

    def as_json(self) -> dict[str, Any]:
        """Return the JSON value stored in the database."""
        return {"format": _FORMAT, **asdict(self)}

    def is_current(self, vectors: int, probes: int) -> bool:
        """Tell whether it is still valid for a space of this size."""
        return self.probes == probes and self.vectors / _GROWTH <= vectors <= self.vectors * _GROWTH


def from_json(kept: dict[str, Any] | None) -> Calibration | None:
    """Parse a stored calibration; None if there is none, or it has another version or is damaged."""
    if not isinstance(kept, dict) or kept.get("format") != _FORMAT:
        return None
    try:
        texts, photos = (None if kept[name] is None else _level_from(kept[name]) for name in ("texts", "photos"))
        return Calibration(texts, photos, *(operator.index(kept[name]) for name in ("vectors", "sampled", "probes")))
    except (KeyError, TypeError, ValueError):
        return None


def _level_from(kept: dict[str, Any]) -> Level:
    """Parse a stored level. Raises KeyError, TypeError and ValueError if it is invalid."""
    values = {name: kept[name] for name in Level.__slots__}
    if not all(math.isfinite(value) for value in values.values()):
        raise ValueError("a level must have finite numbers")
    return Level(**values)


def measure(sample: NDArray[np.floating], probes: NDArray[np.floating], *, vectors: int, version: int) -> Calibration:
    """Return the calibration of a space.

    sample: [n, dim], unit vectors of the space. probes: [p, dim], the vectors of the probe texts. vectors: number of vectors
    in the space. version: of the probe texts.
    """
    own = np.asarray(sample, np.float32)
    texts = _level(own @ np.asarray(probes, np.float32).T) if len(own) else None
    some = np.linspace(0, len(own) - 1, min(len(own), _PROBE_PHOTOS)).astype(int) if len(own) > 2 else np.array([], int)
    pairs = own @ own[some].T
    pairs[some, np.arange(len(some))] = np.nan  # do not compare a photo with itself
    photos = replace(_level(pairs), reach=_REACH_OF_PHOTOS) if len(some) else None
    return Calibration(texts, photos, vectors, len(own), version)


def _level(scores: NDArray[np.float32]) -> Level:
    """Return the level of scores [sample, probe]; NaN is ignored."""
    low, middle = np.nanpercentile(scores, [_ONE_SPREAD_BELOW, 50], axis=0)
    own_spread = np.maximum(middle - low, 1e-6)
    all_low, all_middle = np.nanpercentile(scores, [_ONE_SPREAD_BELOW, 50])
    best = np.nanmax(scores, axis=0)
    reaches = (best - middle) / own_spread
    return Level(
        middle=float(all_middle),
        spread=float(max(all_middle - all_low, 1e-6)),
        middle_most=float(np.percentile(middle, 95)),
        spread_least=float(np.percentile(own_spread, 5)),
        spread_most=float(np.percentile(own_spread, 95)),
        reach=float(np.clip(np.percentile(reaches, 25), _LEAST_REACH, _GREATEST_REACH)),
        matched=float(np.percentile(best, 85)),
    )


@dataclass(frozen=True, slots=True)
class Share:
    """The share of one text or picture in a query vector: its signed weight divided by the length of the sum."""

    of_picture: bool
    factor: float


def level_of(calibration: Calibration, shares: Sequence[Share]) -> Level | None:
    """Return the level of a query made of several texts and pictures, None if it was not measured.

    Most of a cosine is what all texts have in common with all photos. It adds up when texts are added, and cancels out when
    one is subtracted: the background of a subtraction is around 0.
    """
    by_picture = any(share.of_picture for share in shares)
    base = calibration.photos if by_picture else calibration.texts
    levels = [calibration.photos if share.of_picture else calibration.texts for share in shares]
    known = [level for level in levels if level is not None]
    if base is None or len(known) < len(shares) or len(shares) == 1:
        return base
    pairs = list(zip(known, (share.factor for share in shares), strict=True))
    middle = sum(factor * level.middle for level, factor in pairs)
    # A subtraction lowers the score of a match, and never raises it.
    matched = sum(factor * (level.matched if factor > 0 else level.middle) for level, factor in pairs)
    return replace(
        base,
        middle=middle,
        middle_most=middle + (base.middle_most - base.middle),
        matched=min(matched, base.matched),
    )


@dataclass(frozen=True, slots=True)
class CutOff:
    """The minimum score of a hit for one query, and how it was computed.

    minimum: None without a cut-off; else the background's middle plus `reach` times its spread, but not below the level of
    the whole space; or, if `best` is not None, three quarters of the way from the background's own middle to `best`, the
    best score found or the highest possible one.
    """

    minimum: float | None
    middle: float | None = None
    spread: float | None = None
    reach: float | None = None
    best: float | None = None


def cut_off(background: NDArray[np.floating], level: Level | None, top: float = 1.0) -> CutOff:
    """Return the cut-off of a query; background: its scores [n] on the sample that `level` was measured with.

    top: a score that is certainly a hit, such as that of a picture in the query; the cut-off stays below it.
    """
    if level is None or not len(background):
        return CutOff(None)
    low, own_middle = np.percentile(background, [_ONE_SPREAD_BELOW, 50])
    share = len(background) / (len(background) + _PRIOR_VECTORS)
    middle = min(share * float(own_middle) + (1 - share) * level.middle, level.middle_most)
    own_spread = share * float(own_middle - low) + (1 - share) * level.spread
    spread = min(max(own_spread, level.spread_least), level.spread_most)
    floor = level.middle + _FLOOR_SPREADS * level.spread
    usual = max(middle + level.reach * spread, floor)
    best = float(np.max(background))
    near_best = float(own_middle) + _SHARE_TO_BEST * (best - float(own_middle))
    if best >= level.matched and near_best < usual:
        # Something matches, but the background is so wide that the usual cut-off would exclude it.
        return CutOff(min(near_best, top - _ROUNDING), middle, spread, level.reach, best)
    # If photos are very diverse, `reach` spreads above the middle can exceed every possible score.
    near_top = min(float(own_middle) + _SHARE_TO_BEST * (top - float(own_middle)), top - _ROUNDING)
    if near_top < usual:
        return CutOff(near_top, middle, spread, level.reach, top)
    return CutOff(usual, middle, spread, level.reach)


def calibrated(
    library: Library, space: SpaceRow, index: SpaceIndex, encoder: QueryEncoder | None = None
) -> Calibration:
    """Return the calibration of a space; measure it if there is none or the size of the space has changed much.

    Call it at the end of an embed run too: encoding the probe texts takes seconds, once per space. Raises ModelUnavailable
    if it has to be measured and the model is not installed.
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
        return measured  # good for this search; the next one measures again
    return measured
