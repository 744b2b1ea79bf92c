"""What can be decided about people's faces, with its rules, inside a transaction that may hold several decisions.

Each function writes through `Decisions`; if one raises, the transaction must be rolled back.
"""

from __future__ import annotations

from collections.abc import Sequence

from photoindex.domain.people.names import checked_name
from photoindex.domain.people.values import How
from photoindex.errors import UsageError
from photoindex.library.people import rules
from photoindex.library.people.arguments import face_text, person_text
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
    _remove_emptied(decisions, given, keep=person.id)
    return list(crowded.given_up)


def reject(decisions: Decisions, person: IndividualRow, given: Sequence[FaceRow]) -> None:
    """Say for ever that faces are not this person; those that they have become faces of nobody."""
    decisions.reject([one.id for one in given], person.id)


def split(decisions: Decisions, person: IndividualRow, given: Sequence[FaceRow], name: str | None = None) -> int:
    """Make faces of a person another one's, and say that they are not this person; return the id of the other one.

    name: of the other one, checked; a person of that name gets them, without a name a new person. Raises UsageError for
    faces of somebody else and for all faces; CannotBe.
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
    other = None if name is None else individuals.by_name(connection, name, kind=person.kind)
    if other is not None and other.id == person.id:
        raise UsageError(f"a person cannot be split into themselves: {person_text(person)}")
    if other is None:
        other = individuals.by_id(connection, decisions.add_individual(name=name, kind=person.kind))
    assert other is not None
    decisions.reject([one.id for one in given], person.id)
    confirm(decisions, other, given)
    return other.id


def name(decisions: Decisions, person: IndividualRow, wanted: str) -> None:
    """Give a person a name, or another one. Raises UsageError for a bad name, one that is taken, and a stranger."""
    try:
        checked = checked_name(wanted)
    except ValueError as error:
        raise UsageError(f"{person_text(person)} cannot be called that: {error}") from error
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


def _remove_emptied(decisions: Decisions, given: Sequence[FaceRow], *, keep: int) -> None:
    """Remove the unnamed people that had some of these faces, and now have none and nothing decided about them."""
    had = {one.individual_id for one in given if one.individual_id not in (None, keep)}
    for individual_id in sorted(one for one in had if one is not None):
        if is_idle(decisions.connection, individual_id):
            decisions.remove_individual(individual_id)
