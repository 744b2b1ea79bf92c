"""The cut-off between hits and the irrelevant tail, for spaces of different levels and libraries of different sizes."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.library.search.query_targets import QueryPart, combined
from photoindex.library.spaces.calibration import Calibration, Level, Share, cut_off, from_json, level_of, measure
from photoindex.library.spaces.probe_texts import PROBE_TEXTS, VERSION

DIM = 128
CLIP = Level(
    middle=0.13, spread=0.035, middle_most=0.165, spread_least=0.02, spread_most=0.045, reach=2.0, matched=0.25
)
"""Scores of ViT-B/32 for a few photos, with texts that most of them do not match."""


class World:
    """Photos of things, and texts for them, with cosines like CLIP's: 0.13 by chance, 0.3 for a match."""

    def __init__(self, photos: int, things: int, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        axes = np.linalg.qr(self._random.standard_normal((DIM, DIM)))[0]
        self._photo, self._text, self._things = axes[0], axes[1], axes[2:60]
        self.things = self._random.integers(0, things, photos)
        self.photos = self._unit(0.8 * self._photo + 0.6 * self._things[self.things] + self._noise(photos))

    def text(self, thing: int | None) -> NDArray[np.float32]:
        """The vector of a text for a thing, or for something that no photo shows."""
        named = 0 if thing is None else 0.35 * self._things[thing]
        return self._unit(0.9 * self._text + 0.18 * self._photo + named + self._noise(1)[0])

    def _noise(self, count: int) -> NDArray[np.float64]:
        return 0.35 * self._random.standard_normal((count, DIM)) / np.sqrt(DIM)

    def _unit(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True), np.float32)

    def calibration(self, named: float = 0.4) -> Calibration:
        """Calibrate with probes, some of which match photos; named: their share."""
        known = len(set(self.things.tolist()))
        probes = [self.text(number % known if number % 20 < 20 * named else None) for number in range(100)]
        return measure(self.photos, np.stack(probes), vectors=len(self.photos), version=1)

    def passing(self, text: NDArray[np.float32], *, named: float = 0.4) -> NDArray[np.bool_]:
        """Which photos reach the cut-off of a text; named: the share of probes that match photos."""
        scores = self.photos @ text
        cut = cut_off(scores, self.calibration(named).texts)
        assert cut.minimum is not None
        return np.asarray(scores >= cut.minimum)


@pytest.mark.parametrize(("photos", "things"), [(12, 4), (60, 10), (2_000, 40)])
def test_matching_photos_pass_and_others_do_not(photos: int, things: int) -> None:
    world = World(photos, things)
    for thing in sorted(set(world.things.tolist()))[:4]:
        passing = world.passing(world.text(thing))
        relevant = world.things == thing
        assert passing[relevant].mean() > 0.85
        assert passing[~relevant].mean() < 0.1


@pytest.mark.parametrize("photos", [12, 60, 2_000])
def test_a_text_that_no_photo_matches_finds_few_or_none(photos: int) -> None:
    world = World(photos, 8)
    found = [int(world.passing(world.text(None)).sum()) for _ in range(5)]
    assert sorted(found)[2] <= max(1, photos // 100)


@pytest.mark.parametrize(("photos", "weight"), [(60, 0.5), (60, 1.0), (60, 2.0), (2_000, 1.0)])
def test_subtraction_lowers_the_level_and_matching_photos_still_pass(photos: int, weight: float) -> None:
    world = World(photos, 10)
    measured = world.calibration()
    assert measured.texts is not None
    query = combined(
        [QueryPart("text", "wanted", 1.0, world.text(0)), QueryPart("without", "other", weight, world.text(1))]
    )
    level = level_of(measured, [Share(False, part.factor / query.length) for part in query.parts])
    assert level is not None
    assert level.middle < measured.texts.middle - 0.03
    minimum = cut_off(world.photos @ query.values, level).minimum
    assert minimum is not None
    passing = world.photos @ query.values >= minimum
    assert passing[world.things == 0].mean() > 0.85
    assert passing[world.things != 0].mean() < 0.1


def test_the_level_of_a_single_text_or_picture_is_the_measured_one() -> None:
    measured = World(60, 10).calibration()
    assert level_of(measured, [Share(False, 1.0)]) is measured.texts
    assert level_of(measured, [Share(True, 1.0)]) is measured.photos
    both = level_of(measured, [Share(True, 0.6), Share(False, 0.6)])
    assert both is not None
    assert measured.texts is not None
    assert measured.photos is not None
    assert both.middle == pytest.approx(0.6 * (measured.texts.middle + measured.photos.middle))
    assert level_of(replace(measured, photos=None), [Share(True, 0.6), Share(False, 0.6)]) is None


def test_matches_in_most_photos_are_not_treated_as_background() -> None:
    world = World(12, 4)
    many = np.flatnonzero(world.things != 3)
    world.photos[many] = world.photos[np.flatnonzero(world.things == 0)[0]]
    world.things[many] = 0
    passing = world.passing(world.text(0), named=0.1)
    assert len(many) > 6
    assert (passing == (world.things == 0)).all()


def test_a_single_photo_is_compared_with_the_level_of_all_probes() -> None:
    world = World(1, 1)
    assert world.passing(world.text(0)).all()
    assert not world.passing(world.text(None)).any()


def test_a_score_below_the_level_of_the_whole_space_is_not_a_hit() -> None:
    background = np.concatenate([np.full(95, -0.3), np.full(5, -0.1)])
    cut = cut_off(background, CLIP)
    assert cut.minimum is not None
    assert cut.minimum > 0.13


def test_a_wide_background_does_not_hide_clear_matches() -> None:
    background = np.concatenate([np.linspace(0.0, 0.5, 80), np.linspace(0.6, 0.63, 20)])
    level = Level(middle=-0.3, spread=0.15, middle_most=0.3, spread_least=0.05, spread_most=0.3, reach=2.5, matched=0.5)
    cut = cut_off(background, level)
    assert cut.best == pytest.approx(0.63)
    assert cut.minimum is not None
    assert int((background >= cut.minimum).sum()) >= 20


def test_the_cut_off_of_diverse_photos_stays_below_the_highest_possible_score() -> None:
    background = np.concatenate([np.linspace(0.1, 0.9, 40), [0.95]])
    level = Level(0.5, 0.25, 0.6, 0.2, 0.3, 2.5, 0.99)
    middle = float(np.median(background))
    assert level.middle + level.reach * level.spread > 1
    assert cut_off(background, level).minimum == pytest.approx(middle + 0.75 * (1 - middle))
    named = cut_off(background, level, top=0.7)
    assert named.minimum is not None
    assert middle < named.minimum < 0.7
    assert named.best == 0.7


def test_a_picture_in_the_query_passes_even_if_most_photos_score_higher() -> None:
    level = Level(0.7, 0.1, 0.8, 0.05, 0.2, 2.5, 0.95)
    minimum = cut_off(np.linspace(0.5, 0.9, 40), level, top=0.3).minimum
    assert minimum == pytest.approx(0.299)


def test_an_empty_space_has_no_cut_off_and_keeps_its_calibration() -> None:
    empty = measure(np.zeros((0, DIM), np.float32), np.zeros((3, DIM), np.float32), vectors=0, version=1)
    assert (empty.texts, empty.photos) == (None, None)
    assert cut_off(np.zeros(0), empty.texts).minimum is None
    assert from_json(empty.as_json()) == empty


def test_a_stored_calibration_is_loaded_unless_its_version_differs() -> None:
    measured = World(60, 10).calibration()
    assert from_json(measured.as_json()) == measured
    assert from_json(None) is None
    assert from_json(measured.as_json() | {"format": 0}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"texts": {"middle": 0.1}},
        {"texts": 3},
        {"vectors": "many"},
        {"sampled": None},
        {"photos": {name: float("nan") for name in Level.__slots__}},
        {"texts": dict.fromkeys(Level.__slots__, "0.1")},
    ],
)
def test_a_malformed_calibration_is_ignored(change: dict[str, object]) -> None:
    assert from_json(World(60, 10).calibration().as_json() | change) is None
    assert from_json({"format": World(60, 10).calibration().as_json()["format"]}) is None
    assert from_json([]) is None  # type: ignore[arg-type]


def test_a_space_is_recalibrated_when_it_grew_or_shrank_a_lot_or_the_probes_changed() -> None:
    measured = World(60, 10).calibration()
    assert measured.is_current(60, 1)
    assert measured.is_current(80, 1)
    assert not measured.is_current(100, 1)
    assert not measured.is_current(30, 1)
    assert not measured.is_current(60, 2)


def test_photos_as_queries_have_their_own_level() -> None:
    measured = World(200, 10).calibration()
    assert measured.photos is not None
    assert measured.texts is not None
    assert measured.photos.middle > measured.texts.middle + 0.2


def test_there_are_at_least_a_hundred_distinct_probe_texts() -> None:
    assert len(set(PROBE_TEXTS)) == len(PROBE_TEXTS) >= 100
    assert all(text == " ".join(text.split()) for text in PROBE_TEXTS)
    assert VERSION >= 1


RELEVANT = {
    "bmp": r"chess", "gif": r"chess-(queen|knight|pawns)", "jp2": r"duck", "pbm": r"magpie", "png": r"boats",
    "pnm": r"kookaburras", "ppm": r"looks-into-the-camera", "tiff": r"chess", "webp": r"tree",
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("name", RELEVANT)
def test_real_scores_of_vit_b_32_are_cut_between_matches_and_others(testdata: Path, name: str) -> None:
    with (testdata / "expected" / "rclip" / f"test_search_format[{name}].txt").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    scores = [float(row["score"]) for row in rows]
    # The ten best of 22 photos are listed; the others score lower.
    others = np.linspace(scores[-1], scores[-1] - 0.08, 12)
    cut = cut_off(np.concatenate([scores, others]), CLIP)
    assert cut.minimum is not None
    passing = [row["filepath"] for row, score in zip(rows, scores, strict=True) if score >= cut.minimum]
    relevant = [row["filepath"] for row in rows if re.search(RELEVANT[name], row["filepath"])]
    assert set(relevant) <= set(passing)
    assert len(passing) <= len(relevant) + 3
