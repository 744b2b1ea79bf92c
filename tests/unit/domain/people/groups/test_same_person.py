"""Groups that may be one person, and groups that may be several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.domain.people.calibration import from_photos
from photoindex.domain.people.cluster_quality import means_of
from photoindex.domain.people.groups.mixed_groups import parts_of
from photoindex.domain.people.groups.same_person import (
    Background,
    Link,
    Spans,
    alike,
    background_of,
    chains,
    successive,
)
from photoindex.vectors.neighbours import neighbours
from tests.face_rows import faces_of
from tests.made_up_faces import people
from tests.real_faces import real_faces

EXPECTED = Background(0.0, 0.13)


def mean(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    return np.asarray(vectors.astype(np.float32).mean(axis=0))


def test_two_groups_of_one_person_are_more_alike_than_by_chance() -> None:
    means = np.stack([mean(faces_of(person, 6)) for person in range(30)] + [mean(faces_of(4, 5, first=6))])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    first, *others = alike(means, neighbours(unit, 5), EXPECTED)
    assert (first.first, first.second) == (4, 30)
    assert first.confidence > 0.99
    assert all(link.confidence < 0.75 for link in others)


@pytest.mark.parametrize("dim", [64, 128])
@pytest.mark.parametrize("count", [8, 17, 60])
def test_the_most_alike_of_different_people_are_not_called_one_and_two_groups_of_one_are(count: int, dim: int) -> None:
    """Of 20 libraries, one may have a pair of different people at 50 % or more."""
    doubted = 0
    for seed in range(20):
        sizes = np.random.default_rng(seed).integers(3, 9, count)
        vectors, person = people([6, *sizes], seed=seed, dim=dim)
        person[:3] = count + 1
        groups = means_of(person, vectors)
        measured = from_photos(vectors, np.arange(len(vectors)))
        unit = groups.means / np.linalg.norm(groups.means, axis=1, keepdims=True)
        links = alike(groups.means, neighbours(unit, 5), Background(measured.mean, measured.deviation))
        certain = {(link.first, link.second) for link in links if link.confidence >= 0.75}
        assert (0, count + 1) in certain
        doubted += any(link.confidence >= 0.5 for link in links if (link.first, link.second) != (0, count + 1))
    assert doubted <= 1


@pytest.mark.shared
@pytest.mark.slow
def test_no_two_of_seventeen_real_people_are_proposed_as_one(testdata: Path) -> None:
    real = real_faces(testdata)
    groups = means_of(real.person, real.vectors.astype(np.float16))
    measured = from_photos(real.vectors.astype(np.float16), np.arange(len(real.vectors)))
    unit = groups.means / np.linalg.norm(groups.means, axis=1, keepdims=True)
    links = alike(groups.means, neighbours(unit, 5), Background(measured.mean, measured.deviation))
    assert max(link.cosine for link in links) > 0.2
    assert all(link.confidence < 0.5 for link in links)


def test_a_child_is_a_chain_of_years_though_its_ends_are_strangers() -> None:
    years = [faces_of("child", 60, drift=0.035)[6 * year : 6 * year + 6] for year in range(10)]
    groups = [*years, *(faces_of(person, 6) for person in range(20))]
    means = np.stack(list(map(mean, groups)))
    assert float(means[0] @ means[9]) < 0
    begin = [np.datetime64(f"{2010 + year}-03-01") for year in range(10)]
    begin += [np.datetime64(f"{2008 + person % 12}-03-01") for person in range(20)]
    first = np.array(begin)
    links = successive(Spans(first, first + np.timedelta64(150, "D"), means, means), EXPECTED)
    (chain,) = chains([link for link in links if link.confidence > 0.75])
    assert [link.first for link in chain] == list(range(9))
    assert [link.second for link in chain] == list(range(1, 10))


def test_groups_of_the_same_time_or_without_one_are_no_chain() -> None:
    means = np.stack([mean(faces_of(1, 6)), mean(faces_of(1, 6, first=6))])
    same = np.array(["2015-01-01", "2015-01-01"], "datetime64[D]")
    assert successive(Spans(same, same, means, means), EXPECTED) == []
    unknown = np.array(["NaT", "2015-01-01"], "datetime64[D]")
    assert successive(Spans(unknown, unknown, means, means), EXPECTED) == []
    late = np.array(["2015-01-01", "2018-01-01"], "datetime64[D]")
    assert successive(Spans(late, late, means, means), EXPECTED) == []


def test_chains_begin_with_the_earliest_and_share_no_group() -> None:
    links = [Link(3, 1, 0.5, 0.9), Link(1, 7, 0.5, 0.9), Link(2, 5, 0.5, 0.9)]
    assert [[(link.first, link.second) for link in chain] for chain in chains(links)] == [[(2, 5)], [(3, 1), (1, 7)]]


def test_the_background_is_that_of_the_lower_half() -> None:
    random = np.random.default_rng(1)
    cosines = np.concatenate([random.normal(0.1, 0.05, 9_000), random.normal(0.7, 0.1, 500)]).astype(np.float32)
    found = background_of(cosines, EXPECTED)
    assert found.mean == pytest.approx(0.1, abs=0.01)
    assert found.deviation == pytest.approx(0.05, abs=0.01)
    assert background_of(np.zeros(0, np.float32), EXPECTED) == EXPECTED
    assert found.confidence(0.5, 10_000) > 0.99 > 0.01 > found.confidence(0.1, 10_000)


def test_a_group_of_two_people_falls_into_two_parts() -> None:
    parts = parts_of(np.concatenate([faces_of("a", 6), faces_of("b", 9)]))
    assert parts is not None
    assert parts.second.tolist() == [True] * 6 + [False] * 9
    assert parts.cosine < 0.2


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_parts_of_one_person_are_alike(count: int) -> None:
    parts = parts_of(faces_of("a", count))
    assert parts is None or parts.cosine > 0.5


def test_a_few_odd_faces_are_no_part() -> None:
    assert parts_of(np.concatenate([faces_of("a", 20), faces_of("b", 2)])) is None
