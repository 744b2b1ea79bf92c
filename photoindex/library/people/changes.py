"""Changes people and their faces for commands: each in one short transaction, with one entry in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from photoindex.library.handle import Library
from photoindex.library.people import decide
from photoindex.library.people.arguments import face_text, find_faces, find_person, person_text
from photoindex.library.people.merge import merge as merge_people
from photoindex.store.people import faces, individuals
from photoindex.store.people.decisions import Decisions
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow


@dataclass(frozen=True, slots=True)
class PeopleChanged:
    """The result of a change. entry_id: in the journal, None if nothing was changed. person_id: whom it is about.

    summary: as in the journal. notes: what else a person should know.
    """

    entry_id: int | None
    person_id: int | None
    summary: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Done:
    person_id: int | None
    summary: str
    notes: tuple[str, ...] = ()


def name(library: Library, person: str, wanted: str) -> PeopleChanged:
    """Give a person a name, or another one. Raises UsageError for a bad or taken name and a stranger; NothingFound."""

    def work(decisions: Decisions) -> _Done:
        found = find_person(decisions.connection, person)
        decide.name(decisions, found, wanted)
        now = individuals.by_id(decisions.connection, found.id)
        assert now is not None
        return _Done(found.id, f"named {_with_faces(decisions, found)} {now.name}")

    return _change(library, "people name", work)


def merge(library: Library, into: str, others: Sequence[str]) -> PeopleChanged:
    """Make people one, who keeps the number of `into`; see `merge.merge`. Raises UsageError, CannotBe, NothingFound."""

    def work(decisions: Decisions) -> _Done:
        person = find_person(decisions.connection, into)
        gone = [find_person(decisions.connection, one) for one in others]
        named = ", ".join(_with_faces(decisions, one) for one in gone)
        done = merge_people(decisions, person, gone)
        notes = []
        if done.person.hidden and not person.hidden:
            notes.append(f"{person_text(done.person)} is hidden now, as one of them was")
        return _Done(
            person.id, f"merged {named} into {person_text(done.person)}", (*notes, *_let_go(done.let_go, done.person))
        )

    return _change(library, "people merge", work)


def confirm(library: Library, person: str, written: Sequence[str] = ()) -> PeopleChanged:
    """Say that faces show a person, by default all that they have; see `decide.confirm`.

    Raises UsageError, CannotBe, NothingFound.
    """

    def work(decisions: Decisions) -> _Done:
        found = find_person(decisions.connection, person)
        given = _faces(decisions, found, written)
        let_go = decide.confirm(decisions, found, given)
        return _Done(found.id, f"confirmed {_count(given)} of {person_text(found)}", _let_go(let_go, found))

    return _change(library, "people confirm", work)


def reject(library: Library, person: str, written: Sequence[str]) -> PeopleChanged:
    """Say for ever that faces are not a person. Raises UsageError, NothingFound."""

    def work(decisions: Decisions) -> _Done:
        found = find_person(decisions.connection, person)
        given = find_faces(decisions.connection, written)
        decide.reject(decisions, found, given)
        return _Done(found.id, f"{_list(given)} {'is' if len(given) == 1 else 'are'} not {person_text(found)}")

    return _change(library, "people reject", work)


def _change(library: Library, command: str, work: Callable[[Decisions], _Done]) -> PeopleChanged:
    with library.database.write() as connection:
        decisions = Decisions(connection)
        done = work(decisions)
        entry_id = decisions.record(command=command, summary=done.summary)
    return PeopleChanged(entry_id, done.person_id, done.summary, done.notes)


def _faces(decisions: Decisions, person: IndividualRow, written: Sequence[str]) -> list[FaceRow]:
    if written:
        return find_faces(decisions.connection, written)
    return faces.of_individual(decisions.connection, person.id)


def _with_faces(decisions: Decisions, person: IndividualRow) -> str:
    """Return a person with the number of their faces, as the journal names them: 12 (38 faces), Anna (7, 12 faces)."""
    count = _count([one for one in faces.of_individual(decisions.connection, person.id) if one.counted])
    return f"{person.id} ({count})" if person.name is None else f"{person.name} ({person.id}, {count})"


def _let_go(given: Sequence[FaceRow], person: IndividualRow) -> tuple[str, ...]:
    if not given:
        return ()
    return (
        f"{_list(given)} cannot be {person_text(person)} too, and {'waits' if len(given) == 1 else 'wait'} to be grouped",
    )


def _list(given: Sequence[FaceRow]) -> str:
    return " ".join(face_text(one.id) for one in given) if len(given) <= 5 else _count(given)


def _count(given: Sequence[FaceRow]) -> str:
    return f"{len(given):,} {'face' if len(given) == 1 else 'faces'}"
