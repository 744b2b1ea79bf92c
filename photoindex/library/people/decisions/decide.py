"""What can be decided about people's faces, with its rules, inside a transaction that may hold several decisions.

Each function writes through `Decisions`; if one raises, the transaction must be rolled back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from photoindex.domain.people.lifetimes import is_before
from photoindex.domain.people.names import checked_name
from photoindex.domain.people.values import How
from photoindex.errors import UsageError
from photoindex.library.people.arguments import face_text, find_person, person_text
from photoindex.library.people.decisions import rules
from photoindex.query.people import number_of
from photoindex.store.people import faces, individuals
from photoindex.store.people.decisions import Decisions, is_idle
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow


def confirm(decisions: Decisions, person: IndividualRow, given: Sequence[FaceRow]) -> list[FaceRow]:
    """Say that faces show a person; return those that the program had given to them in the same photos, and now do not.

    A face of somebody else is moved, and an earlier "not this person" is taken back. An unnamed person who loses the
    last face is removed. Raises CannotBe for a face in a photo taken before the person's birth or after their death, and
    for two faces in one photo.
    """
    connection = decisions.connection
    rules.refuse_outside_life(connection, person, given)
    around = faces.of_assets(connection, [one.asset_id for one in given])
    crowded = rules.in_one_photo(connection, person.id, given, around)
    rules.refuse_twice(connection, person, crowded.twice)
    decisions.release([one.id for one in crowded.given_up])
    decisions.assign([one.id for one in given], person.id, How.CONFIRMED)
    remove_emptied(decisions, given, keep=person.id)
    return list(crowded.given_up)


def reject(decisions: Decisions, person: IndividualRow, given: Sequence[FaceRow]) -> None:
    """Say for ever that faces are not this person; those that they have become faces of nobody."""
    decisions.reject([one.id for one in given], person.id)


def split(decisions: Decisions, person: IndividualRow, given: Sequence[FaceRow], to: str | None = None) -> int:
    """Make faces of a person another one's, and say that they are not this person; return the id of the other one.

    to: number or name of the other one; an unknown name, or none, makes a new person. Raises UsageError for faces of
    somebody else and for all faces; NothingFound for an unknown number; CannotBe.
    """
    connection = decisions.connection
    for one in given:
        if one.individual_id != person.id:
            raise UsageError(
                f"{face_text(one.id)} is no face of {person_text(person)}; see: photoindex people show {person.id}"
            )
    if len(faces.of_individual(connection, person.id)) == len(given):
        raise UsageError(
            f"these are all faces of {person_text(person)}: nothing would be left; to call all of them otherwise: photoindex "
            f"people name {person.id} NAME"
        )
    other, checked = None, None
    if to is not None and number_of(to) is not None:
        other = find_person(connection, to)
    elif to is not None:
        checked = _checked(to, "the other person")
        other = individuals.by_name(connection, checked, kind=person.kind)
    if other is not None and other.id == person.id:
        raise UsageError(f"a person cannot be split into themselves: {person_text(person)}")
    if other is None:
        other = individuals.by_id(connection, decisions.add_individual(name=checked, kind=person.kind))
    assert other is not None
    decisions.reject([one.id for one in given], person.id)
    confirm(decisions, other, given)
    return other.id


def name(decisions: Decisions, person: IndividualRow, wanted: str) -> None:
    """Give a person a name, or another one. Raises UsageError for a bad name, one that is taken, and a stranger."""
    checked = _checked(wanted, person_text(person))
    if person.ignored:
        raise UsageError(
            f"{person_text(person)} is ignored as a stranger; first run: photoindex people ignore --off {person.id}"
        )
    other = individuals.by_name(decisions.connection, checked, kind=person.kind)
    if other is not None and other.id != person.id:
        raise UsageError(
            f"the name {checked} is taken by person {other.id}; if both are the same person, run: photoindex people merge "
            f"{other.id} {person.id}"
        )
    decisions.rename(person.id, checked)


def ignore(decisions: Decisions, person: IndividualRow, *, on: bool = True) -> None:
    """Say that a person is a stranger, or is none. Raises UsageError for a person with a name."""
    if on and person.name is not None:
        raise UsageError(
            f"{person_text(person)} has a name, and strangers have none; to leave out their photos, run: "
            f"photoindex people hide {person.id}"
        )
    if person.ignored != on:
        decisions.set_values(person.id, ignored=on)


def ignore_face(decisions: Decisions, face: FaceRow) -> int:
    """Say that a face is a stranger's; return the stranger, a person of its own."""
    if face.individual_id is not None:
        has = individuals.by_id(decisions.connection, face.individual_id)
        if has is not None and has.ignored and rules.is_fixed(face):
            return has.id
    stranger = decisions.add_individual()
    decisions.set_values(stranger, ignored=True)
    decisions.assign([face.id], stranger, How.CONFIRMED)
    remove_emptied(decisions, [face], keep=stranger)
    return stranger


def set_cover(decisions: Decisions, person: IndividualRow, face: FaceRow) -> None:
    """Choose the face that shows a person. Raises UsageError for a face of somebody else."""
    if face.individual_id != person.id:
        raise UsageError(
            f"{face_text(face.id)} is no face of {person_text(person)}; if it is, first run: "
            f"photoindex people confirm {person.id} {face_text(face.id)}"
        )
    if person.cover_id != face.id:
        decisions.set_values(person.id, cover_id=face.id)


@dataclass(frozen=True, slots=True)
class Dated:
    """A person with new dates. let_go: faces that only the program gave to them. doubtful: confirmed ones that cannot be theirs."""

    person: IndividualRow
    let_go: tuple[FaceRow, ...]
    doubtful: tuple[FaceRow, ...]


def set_dates(decisions: Decisions, person: IndividualRow, *, born: str | None, died: str | None) -> Dated:
    """Say when a person was born and died, as `lifetimes.checked_date` returns dates; None for unknown.

    Faces in photos outside of that time that only the program gave to the person are let go. Raises UsageError for a death
    before the birth.
    """
    if born is not None and died is not None and is_before(died, born):
        raise UsageError(f"{person_text(person)} cannot have died ({died}) before the birth ({born})")
    dated = replace(person, born=born, died=died)
    has = faces.of_individual(decisions.connection, person.id)
    outside = rules.outside_life(dated, has)
    let_go = [one for one in has if one.id in outside and not rules.is_fixed(one)]
    decisions.release([one.id for one in let_go])
    if (born, died) != (person.born, person.died):
        decisions.set_values(person.id, born=born, died=died)
    doubtful = [one for one in has if one.id in outside and rules.is_fixed(one)]
    return Dated(dated, tuple(let_go), tuple(doubtful))


def keep_apart(decisions: Decisions, one: IndividualRow, other: IndividualRow, *, on: bool = True) -> None:
    """Say that two people are not the same, or take that back. Raises UsageError for one and the same."""
    if one.id == other.id:
        raise UsageError(f"{person_text(one)} cannot be kept apart from themselves")
    if on:
        decisions.keep_apart(one.id, other.id)
    else:
        decisions.let_join(one.id, other.id)


def _checked(wanted: str, who: str) -> str:
    try:
        return checked_name(wanted)
    except ValueError as error:
        raise UsageError(f"{who} cannot be called that: {error}") from error


def remove_emptied(decisions: Decisions, given: Sequence[FaceRow], *, keep: int) -> None:
    """Remove the unnamed people that had some of these faces, and now have none and nothing decided about them."""
    had = {one.individual_id for one in given if one.individual_id not in (None, keep)}
    for individual_id in sorted(one for one in had if one is not None):
        if is_idle(decisions.connection, individual_id):
            decisions.remove_individual(individual_id)
