"""What a person says about people and their faces: rules, rows, and undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from photoindex.domain.people.values import How
from photoindex.errors import NothingFound, PhotoIndexError, UsageError
from photoindex.library.maintenance.journal import log, undo
from photoindex.library.people.decisions import attributes, changes
from photoindex.library.people.decisions.rules import CannotBe
from photoindex.library.people.people import Which, list_people, show_person
from photoindex.store.schema.tables import individual, region, rejection
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRows]:
    """An empty library that takes faces."""
    (tmp_path / "originals").mkdir()
    with library_in(tmp_path / "library") as library:
        yield FaceRows(library, tmp_path / "originals")


TABLES = ("individual", "individual_alias", "assignment", "rejection", "individuals_apart", "asset_with_repeats")


def decided(rows: FaceRows) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row about people, bit for bit."""
    with rows.library.database.read() as connection:
        return {
            table: sorted(tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))) for table in TABLES
        }


def name_of(rows: FaceRows, person_id: int) -> str | None:
    with rows.library.database.read() as connection:
        return connection.execute(select(individual.c.name).where(individual.c.id == person_id)).scalar_one()


def rejections(rows: FaceRows) -> set[tuple[int, int]]:
    with rows.library.database.read() as connection:
        chosen = select(rejection.c.region_id, rejection.c.individual_id)
        return {(row.region_id, row.individual_id) for row in connection.execute(chosen)}


def newest(rows: FaceRows) -> str:
    return next(iter(log(rows.library))).summary


def test_a_merge_moves_the_faces_and_undo_gives_both_their_numbers_back(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 3), how=How.CLUSTER)
    group = rows.add_person(None, rows.add_photos_of("b", 4), how=How.CLUSTER)
    before = decided(rows)
    done = changes.merge(rows.library, "Anna", [str(group)])
    assert newest(rows) == f"merged {group} (4 faces) into Anna ({anna})"
    assert set(rows.people().values()) == {anna}
    after = decided(rows)
    undone = undo(rows.library, done.entry_id)
    assert decided(rows) == before
    undo(rows.library, undone.undone_by)
    assert decided(rows) == after


def test_a_merge_confirms_one_face_of_each_group_so_that_grouping_keeps_them_together(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 3), how=How.CLUSTER)
    group = rows.add_person(None, rows.add_photos_of("b", 4), how=How.CLUSTER)
    changes.merge(rows.library, str(anna), [str(group)])
    assert sorted(how for face in rows.people() if (how := rows.how(face))) == ["cluster"] * 5 + ["confirmed"] * 2


def test_a_person_without_a_name_gets_that_of_the_merged_one_which_stays_known_to_metadata(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 2))
    group = rows.add_person(None, rows.add_photos_of("b", 2))
    changes.merge(rows.library, str(group), ["anna"])
    assert name_of(rows, group) == "Anna"
    assert ("person", "anna", group) in decided(rows)["individual_alias"]
    with pytest.raises(NothingFound, match=f"no person {anna}"):
        changes.name(rows.library, str(anna), "Bea")


def test_a_person_cannot_be_merged_with_themselves(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 2))
    with pytest.raises(UsageError, match="themselves: Anna"):
        changes.merge(rows.library, "Anna", [str(anna)])


def test_people_confirmed_in_the_same_photo_are_not_merged_and_the_photo_is_named(rows: FaceRows) -> None:
    first, second = rows.add_face_photo("both.jpg", "a", "b")
    anna, bea = rows.add_person("Anna", [first]), rows.add_person("Bea", [second])
    with pytest.raises(CannotBe, match=rf"twice in .*both\.jpg \(f{first} and f{second}\).*people repeats .*both\.jpg"):
        changes.merge(rows.library, str(anna), [str(bea)])
    rows.allow_repeats(first)
    changes.merge(rows.library, str(anna), [str(bea)])
    assert rows.people() == {first: anna, second: anna}


def test_a_face_that_only_the_program_grouped_gives_way_when_people_in_one_photo_are_merged(rows: FaceRows) -> None:
    first, second = rows.add_face_photo("both.jpg", "a", "b")
    others = rows.add_photos_of("b", 2)
    anna = rows.add_person("Anna", [first])
    bea = rows.add_person("Bea", [second, *others], how=How.CLUSTER)
    done = changes.merge(rows.library, str(anna), [str(bea)])
    assert rows.people() == dict.fromkeys((first, *others), anna)
    assert any(f"f{second} cannot be Anna" in note for note in done.notes)


def test_different_birth_dates_are_not_merged_and_the_more_precise_one_stays(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 2))
    bea = rows.add_person("Bea", rows.add_photos_of("b", 2))
    rows.set_person(anna, born="2015")
    rows.set_person(bea, born="2016-03")
    with pytest.raises(UsageError, match=r"born 2015, .*born 2016-03"):
        changes.merge(rows.library, str(anna), [str(bea)])
    rows.set_person(bea, born="2015-03")
    changes.merge(rows.library, str(anna), [str(bea)])
    with rows.library.database.read() as connection:
        assert connection.execute(select(individual.c.born).where(individual.c.id == anna)).scalar_one() == "2015-03"


def test_a_name_that_is_taken_is_refused_and_the_merge_named(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 2))
    group = rows.add_person(None, rows.add_photos_of("b", 2))
    with pytest.raises(UsageError, match=f"taken by person {anna}; .*photoindex people merge {anna} {group}"):
        changes.name(rows.library, str(group), "ANNA")
    changes.name(rows.library, str(anna), "Ännä")
    assert name_of(rows, anna) == "Ännä"


@pytest.mark.parametrize(
    "wanted", ["", "Anna\nB", "Anna, Ben", "12", "-Anna", "a\x1b[2J", "f12", "F3", "\u200d", "a\u202eb"]
)
def test_bad_names_are_refused(rows: FaceRows, wanted: str) -> None:
    group = rows.add_person(None, rows.add_photos_of("b", 2))
    with pytest.raises(UsageError, match="must not"):
        changes.name(rows.library, str(group), wanted)
    assert name_of(rows, group) is None


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("  Anna \u00a0 Meyer ", "Anna Meyer"),
        ("f12 Anna", "f12 Anna"),
        ("O'Brien", "O'Brien"),
    ],
)
def test_names_of_all_scripts_are_kept_with_single_spaces(rows: FaceRows, wanted: str, given: str) -> None:
    group = rows.add_person(None, rows.add_photos_of("b", 2))
    changes.name(rows.library, str(group), wanted)
    assert name_of(rows, group) == given


def test_rejected_faces_leave_the_person_and_are_remembered(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 3)
    anna = rows.add_person("Anna", faces)
    done = changes.reject(rows.library, "Anna", [f"f{faces[0]}"])
    assert rows.people() == dict.fromkeys(faces[1:], anna)
    assert rejections(rows) == {(faces[0], anna)}
    assert changes.reject(rows.library, "Anna", [f"f{faces[0]}"]).entry_id is None
    undo(rows.library, done.entry_id)
    assert rejections(rows) == set()
    assert rows.people() == dict.fromkeys(faces, anna)


def test_confirming_moves_a_face_and_takes_its_rejection_back(rows: FaceRows) -> None:
    (face,) = rows.add_photos_of("a", 1)
    group = rows.add_person(None, [face], how=How.CLUSTER)
    anna = rows.add_person("Anna", rows.add_photos_of("a", 1))
    rows.reject(anna, [face])
    before = decided(rows)
    done = changes.confirm(rows.library, "Anna", [f"F{face}"])
    assert (rows.people()[face], rows.how(face), rejections(rows)) == (anna, "confirmed", set())
    assert name_of_or_gone(rows, group) == "gone"
    undo(rows.library, done.entry_id)
    assert decided(rows) == before


def name_of_or_gone(rows: FaceRows, person_id: int) -> str | None:
    with rows.library.database.read() as connection:
        found = connection.execute(select(individual.c.name).where(individual.c.id == person_id)).first()
        return "gone" if found is None else found.name


def test_all_faces_of_a_person_are_confirmed_by_default(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 3)
    rows.add_person("Anna", faces, how=How.CLUSTER)
    assert changes.confirm(rows.library, "Anna").summary == "confirmed 3 faces of Anna (1)"
    assert [rows.how(face) for face in faces] == ["confirmed"] * 3
    assert changes.confirm(rows.library, "Anna").entry_id is None


def test_nobody_is_confirmed_before_their_birth_but_the_date_of_a_copied_file_says_nothing(rows: FaceRows) -> None:
    anna = rows.add_person("Anna")
    rows.set_person(anna, born="2015-03")
    (early,) = rows.add_face_photo("early.jpg", "a", taken_at="2015-02-28T23:00:00")
    (copied,) = rows.add_face_photo("copied.jpg", "a", taken_at="2014-01-01T00:00:00", taken_at_source="mtime")
    with pytest.raises(
        CannotBe, match=rf"f{early} in .*early\.jpg cannot be Anna.*before the birth .*people born {anna}"
    ):
        changes.confirm(rows.library, "Anna", [f"f{early}"])
    changes.confirm(rows.library, "Anna", [f"f{copied}"])


def test_unknown_people_and_faces_are_named_with_what_is_near(rows: FaceRows) -> None:
    rows.add_person("Anna", rows.add_photos_of("a", 1))
    with pytest.raises(NothingFound, match="no person 'Ana'; did you mean Anna"):
        changes.confirm(rows.library, "Ana")
    with pytest.raises(NothingFound, match="no person 99; see"):
        changes.confirm(rows.library, "99")
    with pytest.raises(NothingFound, match="no face f99"):
        changes.confirm(rows.library, "Anna", ["f99"])
    with pytest.raises(UsageError, match="'12' is no face: a face is written f123"):
        changes.confirm(rows.library, "Anna", ["12"])


def test_split_faces_are_a_new_persons_and_never_the_old_ones_again(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 4)
    anna = rows.add_person("Anna", faces, how=How.CLUSTER)
    before = decided(rows)
    done = changes.split(rows.library, "Anna", [f"f{faces[0]}", f"f{faces[1]}"])
    assert done.person_id not in (None, anna)
    assert rows.people() == dict(zip(faces, [done.person_id] * 2 + [anna] * 2, strict=True))
    assert rejections(rows) == {(faces[0], anna), (faces[1], anna)}
    assert newest(rows) == f"split f{faces[0]} f{faces[1]} of Anna ({anna}) off to person {done.person_id}"
    undo(rows.library, done.entry_id)
    assert decided(rows) == before


def test_one_face_is_split_off_to_a_name_but_not_all_faces(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 2)
    anna = rows.add_person("Anna", faces)
    bea = rows.add_person("Bea", rows.add_photos_of("b", 1))
    with pytest.raises(UsageError, match=rf"all faces of Anna .*people name {anna} NAME"):
        changes.split(rows.library, "Anna", [f"f{one}" for one in faces])
    assert changes.split(rows.library, "Anna", [f"f{faces[0]}"], to="Bea").person_id == bea
    with pytest.raises(UsageError, match=f"f{faces[0]} is no face of Anna"):
        changes.split(rows.library, "Anna", [f"f{faces[0]}"])
    with pytest.raises(NothingFound, match="no person 12"):
        changes.split(rows.library, "Bea", [f"f{faces[0]}"], to="12")
    with pytest.raises(UsageError, match="the other person cannot be called that"):
        changes.split(rows.library, "Bea", [f"f{faces[0]}"], to="a,b")
    assert changes.split(rows.library, "Bea", [f"f{faces[0]}"], to=str(anna)).person_id == anna
    assert rows.people()[faces[0]] == anna


def test_ids_of_removed_people_are_never_used_again(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 1))
    last = rows.add_person(None, rows.add_photos_of("b", 1))
    changes.merge(rows.library, str(anna), [str(last)])
    assert rows.add_person("New") == last + 1


def test_a_birth_date_lets_go_of_earlier_faces_that_nobody_confirmed(rows: FaceRows) -> None:
    early = rows.add_photos_of("a", 2, taken_at="2010-05-01T00:00:00")
    late = rows.add_photos_of("a", 1, taken_at="2020-05-01T00:00:00")
    anna = rows.add_person("Anna", early + late, how=How.CLUSTER)
    rows.assign(anna, early[:1])
    done = attributes.set_birth(rows.library, "Anna", "2015-03")
    assert rows.people() == dict.fromkeys([early[0], *late], anna)
    assert any(f"f{early[0]} confirmed" in note for note in done.notes)
    with pytest.raises(UsageError, match=r"died \(2014\) before the birth \(2015-03\)"):
        attributes.set_death(rows.library, "Anna", "2014")
    with pytest.raises(UsageError, match="'2015-13' is no date"):
        attributes.set_birth(rows.library, "Anna", "2015-13")
    assert attributes.set_birth(rows.library, "Anna", None).entry_id is not None


@pytest.mark.parametrize("say", [attributes.set_birth, attributes.set_death])
def test_nobody_is_born_or_dies_in_the_future(rows: FaceRows, say: Callable[..., object]) -> None:
    rows.add_person("Anna", rows.add_photos_of("a", 1))
    before = decided(rows)
    with pytest.raises(UsageError, match="9999-01 is in the future"):
        say(rows.library, "Anna", "9999-01")
    assert decided(rows) == before


def test_a_date_that_is_taken_back_is_named(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 1))
    rows.set_person(anna, born="2015", died="2016")
    assert attributes.set_birth(rows.library, "Anna", None).summary == f"Anna ({anna}): date of birth removed"
    assert attributes.set_death(rows.library, "Anna", None).summary == f"Anna ({anna}): date of death removed"


def test_strangers_are_groups_or_single_faces_and_can_be_taken_back(rows: FaceRows) -> None:
    first, second, third = rows.add_photos_of("a", 3)
    group = rows.add_person(None, [first, second], how=How.CLUSTER)
    before = decided(rows)
    done = attributes.ignore(rows.library, [str(group), f"f{third}"])
    assert {one.person.id for one in list_people(rows.library, Which.IGNORED).people} == {group, rows.people()[third]}
    assert rows.how(third) == "confirmed"
    with pytest.raises(UsageError, match=f"person {group} is ignored .*people ignore --off {group}"):
        changes.name(rows.library, str(group), "Anna")
    undo(rows.library, done.entry_id)
    assert decided(rows) == before
    attributes.ignore(rows.library, [f"f{third}"])
    stranger = rows.people()[third]
    done = attributes.ignore(rows.library, [f"f{third}"], on=False)
    assert done.summary == f"person {stranger} is no stranger"
    assert not list_people(rows.library, Which.IGNORED).people


def test_a_person_with_a_name_is_no_stranger(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 1))
    with pytest.raises(UsageError, match=f"photoindex people hide {anna}"):
        attributes.ignore(rows.library, ["Anna"])


def test_people_kept_apart_are_not_merged_until_that_is_taken_back(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 1))
    bea = rows.add_person("Bea", rows.add_photos_of("b", 1))
    attributes.keep_apart(rows.library, "Bea", "Anna")
    with pytest.raises(UsageError, match=f"people apart --off {anna} {bea}"):
        changes.merge(rows.library, "Anna", ["Bea"])
    attributes.keep_apart(rows.library, "Anna", "Bea", on=False)
    changes.merge(rows.library, "Anna", ["Bea"])


def test_the_cover_is_a_face_of_the_person_and_is_dropped_with_it(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 2)
    (other,) = rows.add_photos_of("b", 1)
    anna = rows.add_person("Anna", faces)
    with pytest.raises(UsageError, match=f"people confirm {anna} f{other}"):
        attributes.set_cover(rows.library, "Anna", f"f{other}")
    attributes.set_cover(rows.library, "Anna", f"f{faces[1]}")
    assert list_people(rows.library).people[0].cover_id == faces[1]
    done = changes.reject(rows.library, "Anna", [f"f{faces[1]}"])
    assert list_people(rows.library).people[0].person.cover_id is None
    undo(rows.library, done.entry_id)
    assert list_people(rows.library).people[0].cover_id == faces[1]


def test_a_collage_may_show_somebody_twice(rows: FaceRows) -> None:
    first, second = rows.add_face_photo("collage.jpg", "a", "a")
    rows.add_person("Anna", [first])
    with pytest.raises(CannotBe, match="people repeats"):
        changes.confirm(rows.library, "Anna", [f"f{second}"])
    attributes.set_repeats(rows.library, ["name:collage"])
    changes.confirm(rows.library, "Anna", [f"f{second}"])
    attributes.set_repeats(rows.library, ["name:collage"], on=False)
    assert {one.why for one in show_person(rows.library, "Anna").conflicts} == {"they are twice in this photo"}


def test_counts_are_right_after_a_change_and_after_its_undo(rows: FaceRows) -> None:
    rows.add_person("Anna", rows.add_photos_of("a", 2))
    rows.add_person(None, rows.add_photos_of("b", 3))

    def counted() -> dict[int, int]:
        return {one.person.id: one.summary.faces for one in list_people(rows.library).people}

    assert counted() == {1: 2, 2: 3}
    done = changes.merge(rows.library, "Anna", ["2"])
    assert counted() == {1: 5}
    undo(rows.library, done.entry_id)
    assert counted() == {1: 2, 2: 3}


def test_a_merged_number_is_answered_with_whom_it_was_merged_into(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("a", 1))
    group = rows.add_person(None, rows.add_photos_of("b", 1))
    changes.merge(rows.library, "Anna", [str(group)])
    with pytest.raises(NothingFound, match=rf"no person {group} any more: it was merged into Anna \({anna}\)"):
        changes.confirm(rows.library, str(group))


def test_pets_are_no_people_and_their_regions_no_faces(rows: FaceRows) -> None:
    first, second = rows.add_photos_of("a", 2)
    anna = rows.add_person("Anna", [first])
    rows.set_person(rows.add_person("Rex"), kind="pet")
    with rows.writing() as connection:
        connection.execute(update(region).where(region.c.id == second).values(kind="animal"))
    with pytest.raises(UsageError, match=f"f{second} is no face; it is of the kind animal"):
        changes.confirm(rows.library, "Anna", [f"f{second}"])
    with pytest.raises(UsageError, match="2 is no person; it is of the kind pet"):
        changes.merge(rows.library, str(anna), ["2"])
    with pytest.raises(UsageError, match=f"f{first} is a face; a person is wanted"):
        changes.merge(rows.library, str(anna), [f"f{first}"])


def test_ten_thousand_faces_in_one_photo_are_decided_about_at_once(rows: FaceRows) -> None:
    (face,) = rows.add_face_photo("crowd.jpg", "a")
    with rows.writing() as connection:
        asset_id = connection.execute(select(region.c.asset_id).where(region.c.id == face)).scalar_one()
        box = {"asset_id": asset_id, "kind": "face", "y": 0.5, "width": 0.0001, "height": 0.1}
        connection.execute(insert(region), [box | {"x": number / 10_000} for number in range(9_999)])
    written = [f"f{number}" for number in range(face, face + 10_000)]
    anna = rows.add_person("Anna")
    with pytest.raises(CannotBe, match=r"Anna .* would be twice in "):
        changes.confirm(rows.library, "Anna", written)
    assert rows.people() == {}
    attributes.ignore(rows.library, written[:1])
    changes.reject(rows.library, "Anna", written)
    assert len(rejections(rows)) == 10_000
    assert {person for _, person in rejections(rows)} == {anna}


def test_several_faces_are_decided_about_together_or_not_at_all(rows: FaceRows) -> None:
    first, second = rows.add_photos_of("a", 2)
    rows.add_person("Anna")
    before = decided(rows)
    for words in ([f"f{first}", "f99"], [f"f{first}", "12"], [f"f{second}", ""]):
        with pytest.raises(PhotoIndexError):
            changes.confirm(rows.library, "Anna", words)
        with pytest.raises(PhotoIndexError):
            attributes.ignore(rows.library, words)
    assert decided(rows) == before
    assert list(log(rows.library)) == []
