"""What a grouping changes, told by person and written in sound parts."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.domain.people.groups.regrouping import NOBODY, Kind, Regrouping, batches, changes, regrouped


def regrouping(*rows: tuple[int, int, int]) -> Regrouping:
    faces, before, after = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return regrouped(faces, before, after, np.linspace(0.5, 0.9, len(faces)).astype(np.float32))


def told(given: Regrouping, *kept: int) -> list[tuple[str, int, int, list[int]]]:
    return [(one.kind, one.before, one.after, one.faces.tolist()) for one in changes(given, frozenset(kept))]


def test_faces_that_keep_their_person_are_no_change() -> None:
    given = regrouping((1, 5, 5), (2, NOBODY, NOBODY), (3, NOBODY, 5))
    assert given.faces.tolist() == [3]
    assert told(given, 5) == [("joined", NOBODY, 5, [3])]


def test_without_a_change_nothing_is_told_and_nothing_is_written() -> None:
    given = regrouping((1, 5, 5))
    assert told(given, 5) == []
    assert list(batches(given, 10)) == []


def test_each_kind_of_change_is_told_once_for_whom_the_largest_first() -> None:
    given = regrouping(
        (1, NOBODY, 5), (2, NOBODY, 5), (3, NOBODY, 5), (4, 5, 6), (5, 5, -1), (6, 7, 6), (7, 7, 6), (8, 5, NOBODY),
        (9, NOBODY, -2),
    )  # fmt: skip
    found = told(given, 5, 6, -1, -2)
    assert found[0] == ("joined", NOBODY, 5, [3, 2, 1])  # the highest score first
    assert found[1] == ("merged", 7, 6, [7, 6])  # nothing of 7 is left
    assert sorted(found[2:]) == [
        ("left", 5, NOBODY, [8]), ("moved", 5, 6, [4]), ("new", NOBODY, -2, [9]), ("split", 5, -1, [5]),
    ]  # fmt: skip
    assert {kind for kind, *_ in found} == set(Kind)


def test_all_changes_of_one_person_are_in_one_part() -> None:
    # 1 -> 2 -> 3 hang together; 4 -> 5 is for itself; waiting faces link nobody.
    given = regrouping((1, 1, 2), (2, 2, 3), (3, 4, 5), (4, NOBODY, 6), (5, 7, NOBODY), (6, NOBODY, 3))
    parts = [part.faces.tolist() for part in batches(given, 1)]
    assert sorted(parts) == [[1, 2, 6], [3], [4], [5]]


@pytest.mark.parametrize("seed", range(20))
def test_parts_have_every_change_once_and_no_person_in_two(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = 400
    before, after = (random.integers(0, 120, count) for _ in range(2))
    after[random.random(count) < 0.2] = NOBODY
    before[random.random(count) < 0.4] = NOBODY
    given = regrouped(np.arange(count), before, after, np.zeros(count, np.float32))
    parts = list(batches(given, 25))
    assert sorted(np.concatenate([part.faces for part in parts]).tolist()) == given.faces.tolist()
    persons = [set(part.before.tolist()) | set(part.after.tolist()) - {NOBODY} for part in parts]
    for number, some in enumerate(persons):
        for others in persons[number + 1 :]:
            assert not (some & others) - {NOBODY}
    assert all((np.diff(part.faces) > 0).all() for part in parts)
