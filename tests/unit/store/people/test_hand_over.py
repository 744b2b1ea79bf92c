"""What a person said about a face follows it through edits of its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.domain.people.values import How
from photoindex.library.maintenance.journal import undo
from photoindex.library.people.decisions import changes
from photoindex.library.people.decisions.attributes import set_cover
from photoindex.store.people.hand_over import hand_over, to_primary
from tests.rows import library_in
from tests.unit.store.people.face_runs import BESIDE, BOX, FaceRuns, face

TOP = (0.1, 0.7, 0.1, 0.15)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRuns]:
    with library_in(tmp_path / "library") as library:
        yield FaceRuns(library, tmp_path / "photos")


def edited(rows: FaceRuns, earlier: int) -> int:
    """Add the content that an edit made of `earlier`, and hand over."""
    ((photo_id,),) = rows.query("SELECT photo_id FROM asset WHERE id = ?", earlier)
    later = rows.add_asset(photo_id, width=4000, height=3000)
    with rows.writing() as connection:
        hand_over(connection, source=earlier, target=later)
    return later


def mark_looked_through(rows: FaceRuns, asset_id: int, variant_id: int) -> None:
    rows.add_task(asset_id, subject_kind="asset", stage="faces", variant_id=variant_id)


def names(rows: FaceRuns, asset_id: int) -> dict[float, tuple[str | None, str | None]]:
    """Return left edge -> name and how, of the faces of a content."""
    found = rows.query(
        "SELECT round(x, 3), name, how FROM region LEFT JOIN assignment ON region_id = region.id"
        " LEFT JOIN individual ON individual.id = individual_id WHERE asset_id = ?",
        asset_id,
    )
    return {left: (name, how) for left, name, how in found}


def cover(rows: FaceRuns, person: int) -> int | None:
    ((found,),) = rows.query("SELECT cover_id FROM individual WHERE id = ?", person)
    return found  # type: ignore[no-any-return]


def test_decided_faces_are_copied_at_once_and_others_are_not(rows: FaceRuns) -> None:
    earlier = rows.add_content()
    rows.look({earlier: [face(), face(BESIDE, 2), face(TOP, 3)]})
    anna, grouped, rejected = (row[0] for row in rows.faces(earlier))
    person = rows.add_person("Anna", [anna])
    rows.add_person(None, [grouped], how=How.CLUSTER)
    rows.reject(person, [rejected])
    rows.allow_repeats(anna)
    later = edited(rows, earlier)
    assert names(rows, later) == {0.2: ("Anna", "confirmed"), 0.1: (None, None)}
    assert rows.query("SELECT count(*) FROM region_vector JOIN region ON id = region_id WHERE asset_id = ?", later) == [
        (2,)
    ]
    assert len(rows.query("SELECT 1 FROM rejection")) == 2
    assert rows.query("SELECT asset_id FROM asset_with_repeats ORDER BY 1") == [(earlier,), (later,)]
    assert names(rows, earlier)[0.2] == ("Anna", "confirmed")


@pytest.mark.parametrize("how", [How.CONFIRMED, How.CLUSTER])
def test_a_chosen_cover_follows_an_edit_and_earlier_decisions_can_still_be_undone(rows: FaceRuns, how: How) -> None:
    earlier = rows.add_content()
    rows.look({earlier: [face(BOX, 1), face(BESIDE, 2)]})
    first, _second = (row[0] for row in rows.faces(earlier))
    group = rows.add_person(None, [first], how=how)
    named = changes.name(rows.library, str(group), "Anna")
    covered = set_cover(rows.library, "Anna", f"f{first}")
    later = edited(rows, earlier)
    (copy,) = (row[0] for row in rows.faces(later))
    assert cover(rows, group) == copy
    assert names(rows, later) == {0.2: ("Anna", how)}
    # The edit moved the face.
    rows.look({later: [face(BESIDE, 1, shot=1)]})
    assert cover(rows, group) == copy
    assert [row[0] for row in rows.faces(later)] == [copy]
    undo(rows.library, covered.entry_id)
    assert cover(rows, group) is None
    undo(rows.library, named.entry_id)
    assert names(rows, later) == {0.6: (None, how)}


def test_a_copied_face_is_recognised_by_its_look_where_the_edit_moved_it(rows: FaceRuns) -> None:
    earlier = rows.add_content()
    rows.look({earlier: [face(BOX, 1), face(BESIDE, 2), face(TOP, 3)]})
    first, second, third = (row[0] for row in rows.faces(earlier))
    for name, one in (("Anna", first), ("Ben", second), ("Carl", third)):
        rows.add_person(name, [one])
    later = edited(rows, earlier)
    copies = {row[0] for row in rows.faces(later)}
    # A mirrored picture without Carl: Anna is where Ben was.
    variant_id = rows.look({later: [face(BESIDE, 1, shot=1), face(BOX, 2, shot=1), face((0.4, 0.4, 0.1, 0.1), 9)]})
    assert names(rows, later) == {0.6: ("Anna", "confirmed"), 0.2: ("Ben", "confirmed"), 0.4: (None, None)}
    assert len(copies & {row[0] for row in rows.faces(later)}) == 2
    assert {row[3] for row in rows.faces(later)} == {variant_id}


def test_a_copied_face_that_only_another_model_can_look_for_is_matched_by_place_and_never_lost(rows: FaceRuns) -> None:
    earlier = rows.add_content()
    rows.look({earlier: [face(BOX, 1), face(TOP, 2)]})
    first, second = (row[0] for row in rows.faces(earlier))
    rows.add_person("Anna", [first])
    rows.add_person("Ben", [second])
    later = edited(rows, earlier)
    rows.look({later: [face(BOX, 8)]}, model="better")
    assert names(rows, later) == {0.2: ("Anna", "confirmed"), 0.1: ("Ben", "confirmed")}


def test_a_file_that_is_edited_back_gets_what_was_said_since(rows: FaceRuns) -> None:
    earlier = rows.add_content()
    variant_id = rows.look({earlier: [face(BOX, 1), face(BESIDE, 2), face(TOP, 3)]})
    mark_looked_through(rows, earlier, variant_id)
    before = rows.faces(earlier)
    first, second, _third = (row[0] for row in before)
    anna = rows.add_person("Anna", [first])
    rows.add_person("Ben", [second])
    later = edited(rows, earlier)
    moved = (0.4, 0.4, 0.1, 0.15)
    rows.look({later: [face(moved, 1, shot=1), face(BESIDE, 2, shot=1), face((0.8, 0.8, 0.1, 0.1), 4)]})
    on_later = {left: region_id for region_id, left, *_ in rows.faces(later)}
    rows.assign(rows.add_person("Clara"), [on_later[0.6]])
    rows.reject(anna, [on_later[0.4]])
    with rows.writing() as connection:
        connection.exec_driver_sql("DELETE FROM assignment WHERE region_id = ?", (on_later[0.4],))
        hand_over(connection, source=later, target=earlier)
    assert names(rows, earlier) == {0.2: (None, None), 0.6: ("Clara", "confirmed"), 0.1: (None, None)}
    assert rows.faces(earlier) == before
    assert (first, anna) in rows.query("SELECT region_id, individual_id FROM rejection")


def test_a_second_edit_before_a_model_looked_hands_the_copies_on(rows: FaceRuns) -> None:
    first = rows.add_content()
    rows.look({first: [face()]})
    rows.add_person("Anna", [rows.faces(first)[0][0]])
    third = edited(rows, edited(rows, first))
    assert names(rows, third) == {0.2: ("Anna", "confirmed")}
    rows.look({third: [face(TOP, 1, shot=1)]})
    assert names(rows, third) == {0.1: ("Anna", "confirmed")}


def test_what_was_said_about_faces_of_a_raw_file_holds_for_the_picture_that_joins_it(rows: FaceRuns) -> None:
    raw = rows.add_content()
    rows.look({raw: [face(BOX, 1), face(BESIDE, 2), face(TOP, 3)]})
    first, second, third = (row[0] for row in rows.faces(raw))
    anna = rows.add_person("Anna", [first])
    rows.add_person("Ben", [second])
    rows.reject(anna, [third])
    rows.allow_repeats(third)
    ((photo_id,),) = rows.query("SELECT photo_id FROM asset WHERE id = ?", raw)
    picture = rows.add_asset(photo_id, width=4000, height=3000)
    variant_id = rows.look({picture: [face(BOX, 1, shot=1), face(BESIDE, 2, shot=1), face(TOP, 3, shot=1)]})
    mark_looked_through(rows, picture, variant_id)
    on_picture = {left: region_id for region_id, left, *_ in rows.faces(picture)}
    rows.assign(rows.add_person("Clara"), [on_picture[0.6]])
    for _ in range(2):
        with rows.writing() as connection:
            to_primary(connection, picture, [raw])
    assert names(rows, picture) == {0.2: ("Anna", "confirmed"), 0.6: ("Clara", "confirmed"), 0.1: (None, None)}
    assert rows.query("SELECT asset_id FROM asset_with_repeats ORDER BY 1") == [(raw,), (picture,)]
    assert (on_picture[0.1], anna) in rows.query("SELECT region_id, individual_id FROM rejection")


def test_a_picture_that_joins_before_a_model_looked_through_it_gets_copies(rows: FaceRuns) -> None:
    raw = rows.add_content()
    rows.look({raw: [face(BOX, 1)]})
    rows.add_person("Anna", [row[0] for row in rows.faces(raw)])
    ((photo_id,),) = rows.query("SELECT photo_id FROM asset WHERE id = ?", raw)
    picture = rows.add_asset(photo_id, width=4000, height=3000)
    for _ in range(2):
        with rows.writing() as connection:
            to_primary(connection, picture, [raw])
    assert names(rows, picture) == {0.2: ("Anna", "confirmed")}
    rows.look({picture: [face(BOX, 1, shot=1)]})
    assert names(rows, picture) == {0.2: ("Anna", "confirmed")}
    assert len(rows.faces(picture)) == 1
