"""Grouping of real faces by real weights, alone and among made-up strangers whose cosines follow the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.domain.people.calibration import Calibration, from_labels, from_photos
from photoindex.domain.people.grouping import group
from photoindex.domain.people.grouping_values import WAITING, Groups, Known
from tests.bcubed import bcubed
from tests.made_up_faces import SEARCH, faces_of
from tests.real_faces import LabelledFaces, Spreads, real_faces, spreads, strangers

pytestmark = [pytest.mark.shared, pytest.mark.slow]

STRANGERS = 20_000
LOOK_ALIKE = ("bbt-amy", "bbt-howard", "bbt-leonard", "bbt-penny")


@pytest.fixture(scope="module")
def real(testdata: Path) -> LabelledFaces:
    return real_faces(testdata)


@pytest.fixture(scope="module")
def wanted(real: LabelledFaces) -> Spreads:
    """The means of deepface's labelled pairs with these weights, and the spreads of the 66 faces here."""
    measured = spreads(real.vectors, real.person)
    return Spreads(0.745, measured.within_deviation, 0.028, measured.between_deviation)


@pytest.fixture(scope="module")
def crowd(real: LabelledFaces, wanted: Spreads) -> NDArray[np.float32]:
    return np.concatenate([real.vectors, strangers(STRANGERS, wanted, near=real.vectors, seed=1).vectors])


def by_source(source: str, real: LabelledFaces, vectors: NDArray[np.float32]) -> Calibration:
    return (
        from_labels(real.vectors, real.person) if source == "labels" else from_photos(vectors, np.arange(len(vectors)))
    )


def grouped(vectors: NDArray[np.float32], calibration: Calibration, known: Known) -> Groups:
    return group(faces_of(vectors), known, calibration.thresholds(len(vectors)), SEARCH)


@pytest.mark.parametrize("source", ["labels", "random"])
def test_the_faces_of_17_people_alone_come_out_right(real: LabelledFaces, source: str) -> None:
    assert (len(real.person), len(real.names)) == (66, 17)
    groups = grouped(real.vectors, by_source(source, real, real.vectors), Known())
    precision, recall = bcubed(real.person, groups.labels)
    assert (precision.mean(), recall.mean()) == (1.0, 1.0)


def test_the_cosines_of_strangers_are_spread_as_measured(real: LabelledFaces, wanted: Spreads) -> None:
    drawn = strangers(3_000, wanted, near=real.vectors, seed=1)
    found = spreads(drawn.vectors, drawn.person)
    assert found.within == pytest.approx(wanted.within, abs=0.02)
    assert found.within_deviation == pytest.approx(wanted.within_deviation, abs=0.02)
    assert found.between == pytest.approx(wanted.between, abs=0.01)
    assert found.between_deviation == pytest.approx(wanted.between_deviation, abs=0.01)


@pytest.mark.parametrize("source", ["labels", "random"])
def test_people_are_found_among_20000_strangers(real: LabelledFaces, crowd: NDArray[np.float32], source: str) -> None:
    groups = grouped(crowd, by_source(source, real, crowd), Known())
    truth = np.concatenate([real.person, np.full(STRANGERS, len(real.names))])
    precision, recall = (one[: len(real.person)].mean() for one in bcubed(truth, groups.labels))
    ours, others = groups.labels[: len(real.person)], groups.labels[len(real.person) :]
    assert precision >= 0.99
    assert recall >= 0.90
    assert not np.intersect1d(ours[ours != WAITING], others).size
    of_series = [set(ours[real.called(name)]) - {WAITING} for name in LOOK_ALIKE]
    assert len(set.union(*of_series)) == sum(map(len, of_series))


def test_no_corrected_mistake_comes_back(real: LabelledFaces, crowd: NDArray[np.float32]) -> None:
    calibration = by_source("random", real, crowd)
    amy, howard, leonard, obama, penny = (
        np.flatnonzero(real.called(name)) + 1 for name in ("bbt-amy", "bbt-howard", "bbt-leonard", "obama", "bbt-penny")
    )
    # A person's word counts, even against what the faces look like: moved twice, rejected twice, and two made one.
    known = Known(
        confirmed={
            **dict.fromkeys([*amy[:2].tolist(), int(howard[0])], 1),
            **dict.fromkeys([*leonard[:2].tolist(), int(penny[0])], 2),
            **dict.fromkeys([int(howard[1]), int(howard[2])], 3),
            **dict.fromkeys([int(obama[0]), int(obama[1])], 4),
        },
        rejected=frozenset({(int(obama[5]), 4), (int(penny[1]), 2), (int(howard[3]), 3)}),
    )
    labels = grouped(crowd, calibration, known).labels
    label = {face: int(labels[face - 1]) for face in range(1, len(real.person) + 1)}
    for person in (1, 2, 3, 4):
        of_person = {label[face] for face, confirmed in known.confirmed.items() if confirmed == person}
        other = {label[face] for face, confirmed in known.confirmed.items() if confirmed != person}
        assert not (of_person - {WAITING}) & other
        assert all(label[face] not in of_person - {WAITING} for face, rejected in known.rejected if rejected == person)
    assert label[int(howard[0])] in {label[int(amy[0])], WAITING}
    assert label[int(penny[0])] in {label[int(leonard[0])], WAITING}
