"""Persons keep their ids when all faces are grouped again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from photoindex.domain.people.grouping_values import WAITING
from photoindex.domain.people.matching import Current, matched

NEW = -2


def plan(
    labels: Sequence[int],
    before: Sequence[int],
    *,
    fixed: Collection[int] = (),
    decided: Collection[int] = (),
    impossible: Mapping[int, Sequence[int]] | None = None,
    photo: Sequence[int] | None = None,
) -> list[int]:
    """Match groups; fixed, impossible: positions of faces."""
    count = len(labels)
    persons = matched(
        np.array(labels, np.int32),
        Current(
            person=np.array(before, np.int64),
            fixed=np.isin(np.arange(count), list(fixed)),
            photo=np.arange(count) if photo is None else np.array(photo),
            decided=decided,
            impossible={person: np.array(faces) for person, faces in (impossible or {}).items()},
        ),
    )
    return [int(person) for person in persons]


def test_a_group_is_the_person_that_most_of_its_faces_were() -> None:
    found = plan([0, 0, 0, 1, 1, WAITING], [7, 7, 9, 9, 9, 9])
    assert found == [7, 7, 7, 9, 9, WAITING]


def test_confirmed_faces_outweigh_any_number_of_others() -> None:
    found = plan([0, 0, 0, 0, 1], [7, 7, 7, 9, 9], fixed=[3], decided=[9])
    assert found == [9, 9, 9, 9, 9]


def test_a_confirmed_face_never_moves() -> None:
    found = plan([0, 0, 0, WAITING], [7, 7, 9, 8], fixed=[0, 1, 2, 3], decided=[7, 8, 9])
    assert found == [7, 7, 9, 8]


def test_a_person_that_nobody_decided_about_keeps_its_largest_group() -> None:
    found = plan([0, 0, 0, 1, 1], [7, 7, 7, 7, 7])
    assert found == [7, 7, 7, NEW, NEW]


def test_a_named_person_may_be_child_and_adult() -> None:
    found = plan([0, 0, 0, 1, 1], [7, 7, 7, 7, 7], decided=[7])
    assert found == [7, 7, 7, 7, 7]


def test_faces_without_a_person_join_one_or_are_new() -> None:
    found = plan([0, 0, 1, 1, 2, 2], [7, WAITING, WAITING, WAITING, WAITING, WAITING])
    assert found == [7, 7, NEW, NEW, NEW - 1, NEW - 1]


def test_a_rejected_face_does_not_come_back_with_its_group() -> None:
    found = plan([0, 0, 0], [7, 7, WAITING], impossible={7: [2]})
    assert found == [7, 7, WAITING]


def test_two_groups_of_a_person_never_show_them_twice_in_a_photo() -> None:
    found = plan([0, 0, 0, 1, 1], [7, 7, 7, 7, 7], decided=[7], photo=[1, 2, 3, 3, 4])
    assert found == [7, 7, 7, WAITING, 7]


def test_a_confirmed_face_without_a_group_keeps_its_place_in_a_photo() -> None:
    found = plan([0, 0, 0, WAITING], [7, 7, 7, 7], decided=[7], fixed=[3], photo=[1, 2, 3, 3])
    assert found == [7, 7, WAITING, 7]
    assert plan([0, 0, 0, WAITING], [7, 7, 7, 7], decided=[7], fixed=[2, 3], photo=[1, 2, 3, 3]) == [7] * 4
