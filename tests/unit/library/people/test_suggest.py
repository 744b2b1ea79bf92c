"""Groups without a name that look like somebody are suggested, with the nearest faces, until a person says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.domain.people.values import How
from photoindex.errors import NothingFound
from photoindex.library.people.decisions import attributes, changes
from photoindex.library.people.suggest import Suggestion, suggest
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRows]:
    """Anna (1), a group that is her too (2), two groups of one person (3, 4), and others to measure on."""
    (tmp_path / "originals").mkdir()
    with library_in(tmp_path / "library") as library:
        found = FaceRows(library, tmp_path / "originals")
        found.add_person("Anna", found.add_photos_of("anna", 6))
        found.add_person(None, found.add_photos_of("anna", 4), how=How.CLUSTER)
        found.add_person(None, found.add_photos_of("bea", 5), how=How.CLUSTER)
        found.add_person(None, found.add_photos_of("bea", 4), how=How.CLUSTER)
        for number in range(30):
            found.add_person(None, found.add_photos_of(f"other {number}", 3), how=How.CLUSTER)
        yield found


def numbers(found: list[Suggestion]) -> list[tuple[int, ...]]:
    return [tuple(person.id for person, _ in one.people) for one in found]


def test_a_group_that_looks_like_somebody_is_suggested_with_the_nearest_faces(rows: FaceRows) -> None:
    found = suggest(rows.library)
    assert numbers(found) == [(1, 2), (3, 4)]
    first = found[0]
    assert [(person.name, count) for person, count in first.people] == [("Anna", 6), (None, 4)]
    assert first.confidence > 0.9
    example = first.examples[0]
    assert (rows.people()[example.face], rows.people()[example.other_face]) in ((1, 2), (2, 1))
    assert example.path.endswith(b".jpg")
    assert example.cosine > 0.7


def test_suggestions_may_be_about_one_person_and_limited(rows: FaceRows) -> None:
    assert numbers(suggest(rows.library, "4")) == [(3, 4)]
    assert numbers(suggest(rows.library, limit=1)) == [(1, 2)]
    with pytest.raises(NothingFound):
        suggest(rows.library, "Quentin")


def test_what_was_rejected_kept_apart_or_merged_is_not_suggested_again(rows: FaceRows) -> None:
    face = next(face for face, person in rows.people().items() if person == 2)
    done = changes.reject(rows.library, "Anna", [f"f{face}"])
    attributes.keep_apart(rows.library, "3", "4")
    assert done.entry_id is not None
    assert numbers(suggest(rows.library)) == []
    attributes.keep_apart(rows.library, "3", "4", on=False)
    changes.merge(rows.library, "3", ["4"])
    assert numbers(suggest(rows.library)) == []


def test_strangers_and_hidden_people_are_not_suggested(rows: FaceRows) -> None:
    attributes.hide(rows.library, ["Anna"])
    attributes.ignore(rows.library, ["3"])
    assert numbers(suggest(rows.library)) == []
