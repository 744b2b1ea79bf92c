"""Changes people and their faces for commands: each in one short transaction, with one entry in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from photoindex.library.handle import Library
from photoindex.library.people.arguments import face_text, find_faces, find_person, person_text
from photoindex.library.people.decisions import decide
from photoindex.library.people.decisions.merge import merge as merge_people
from photoindex.store.people import faces, individuals
from photoindex.store.people.decisions import Decisions
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow

_NAMED = 5


@dataclass(frozen=True, slots=True)
class PeopleChanged:
    """The result of a change. entry_id: in the journal, None if nothing was changed. person_id: the person it is about.

    summary: as in the journal. notes: what else a person should know.
    """

    entry_id: int | None
    person_id: int | None
    summary: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What was decided: the person it is about, the journal's summary, and what else a person should know."""

    person_id: int | None
    summary: str
    notes: tuple[str, ...] = ()


def change(library: Library, command: str, work: Callable[[Decisions], Done]) -> PeopleChanged:
    """Do some work in one write transaction, and record what it decided; nothing stays done if it raises."""
    with library.database.write() as connection:
        decisions = Decisions(connection)
        done = work(decisions)
        entry_id = decisions.record(command=command, summary=done.summary)
    return PeopleChanged(entry_id, done.person_id, done.summary, done.notes)


def name(library: Library, person: str, wanted: str) -> PeopleChanged:
    """Give a person a name, or another one. Raises UsageError for a bad or taken name and a stranger; NothingFound."""

    def work(decisions: Decisions) -> Done:
        found = find_person(decisions.connection, person)
        decide.name(decisions, found, wanted)
        now = individuals.by_id(decisions.connection, found.id)
        assert now is not None
        return Done(found.id, f"named {_with_faces(decisions, found)} {now.name}")

    return change(library, "people name", work)


def merge(library: Library, into: str, others: Sequence[str]) -> PeopleChanged:
    """Make people one, who keeps the number of `into`; see `merge.merge`. Raises UsageError, CannotBe, NothingFound."""

    def work(decisions: Decisions) -> Done:
        person = find_person(decisions.connection, into)
        gone = [find_person(decisions.connection, one) for one in others]
        named = ", ".join(_with_faces(decisions, one) for one in gone)
        done = merge_people(decisions, person, gone)
        notes = []
        if done.person.hidden and not person.hidden:
            notes.append(f"{person_text(done.person)} is hidden now, as one of them was")
        return Done(
            person.id, f"merged {named} into {person_text(done.person)}", (*notes, *_let_go(done.let_go, done.person))
        )

    return change(library, "people merge", work)


def confirm(library: Library, person: str, written: Sequence[str] = ()) -> PeopleChanged:
    """Say that faces show a person, by default all that they have; see `decide.confirm`.

    Raises UsageError, CannotBe, NothingFound.
    """

    def work(decisions: Decisions) -> Done:
        found = find_person(decisions.connection, person)
        given = _faces(decisions, found, written)
        let_go = decide.confirm(decisions, found, given)
        return Done(found.id, f"confirmed {count_text(given)} of {person_text(found)}", _let_go(let_go, found))

    return change(library, "people confirm", work)


def reject(library: Library, person: str, written: Sequence[str]) -> PeopleChanged:
    """Say for ever that faces are not a person. Raises UsageError, NothingFound."""

    def work(decisions: Decisions) -> Done:
        found = find_person(decisions.connection, person)
        given = find_faces(decisions.connection, written)
        decide.reject(decisions, found, given)
        return Done(found.id, f"{faces_text(given)} {'is' if len(given) == 1 else 'are'} not {person_text(found)}")

    return change(library, "people reject", work)


def split(library: Library, person: str, written: Sequence[str], *, to: str | None = None) -> PeopleChanged:
    """Make faces of a person another one's, by default those of a new one; see `decide.split`. The result is about that one.

    to: a number or name. Raises UsageError, CannotBe, NothingFound.
    """

    def work(decisions: Decisions) -> Done:
        found = find_person(decisions.connection, person)
        given = find_faces(decisions.connection, written)
        other_id = decide.split(decisions, found, given, to)
        other = individuals.by_id(decisions.connection, other_id)
        assert other is not None
        return Done(other_id, f"split {faces_text(given)} of {person_text(found)} off to {person_text(other)}")

    return change(library, "people split", work)


def _faces(decisions: Decisions, person: IndividualRow, written: Sequence[str]) -> list[FaceRow]:
    if written:
        return find_faces(decisions.connection, written)
    return faces.of_individual(decisions.connection, person.id)


def _with_faces(decisions: Decisions, person: IndividualRow) -> str:
    """Return a person with the number of their faces, as the journal names them: 12 (38 faces), Anna (7, 12 faces)."""
    count = count_text([one for one in faces.of_individual(decisions.connection, person.id) if one.counted])
    return f"{person.id} ({count})" if person.name is None else f"{person.name} ({person.id}, {count})"


def _let_go(given: Sequence[FaceRow], person: IndividualRow) -> tuple[str, ...]:
    if not given:
        return ()
    return (
        f"{faces_text(given)} cannot be {person_text(person)} too, and {'waits' if len(given) == 1 else 'wait'} to be grouped",
    )


def faces_text(given: Sequence[FaceRow]) -> str:
    """Return faces as the journal names them: some by their numbers, many by how many they are."""
    return " ".join(face_text(one.id) for one in given) if len(given) <= _NAMED else count_text(given)


def count_text(given: Sequence[FaceRow]) -> str:
    """Return how many faces these are: 1 face, 1,234 faces."""
    return f"{len(given):,} {'face' if len(given) == 1 else 'faces'}"
