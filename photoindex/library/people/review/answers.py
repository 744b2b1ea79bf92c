"""Applies a file of answers about people: all of them, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.domain.people.names import checked_name, name_key
from photoindex.domain.people.values import How
from photoindex.errors import NothingFound, UsageError
from photoindex.library.answer_lines import AnswersRefused, Problem
from photoindex.library.handle import Library
from photoindex.library.people.arguments import face_text, find_faces, find_person, person_text
from photoindex.library.people.decisions import decide
from photoindex.library.people.decisions.merge import merge
from photoindex.library.people.review.answers_file import Answer, Do, read_answers
from photoindex.query.people import number_of
from photoindex.store.people import faces, individuals
from photoindex.store.people.decisions import Decisions
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.people.merged import merged_into


@dataclass(frozen=True, slots=True)
class Applied:
    """The result.

    entry_id: in the journal, None if nothing was changed. answers: in the file. done: how many people were named, groups
    merged, faces confirmed and so on. summary: as in the journal. notes: what else a person should know.
    """

    entry_id: int | None
    answers: int
    done: Mapping[Do, int]
    summary: str
    notes: Sequence[str]


class _DoesNotApply(UsageError):
    """A line does not apply to the library as it is now."""

    meaning = ""


def apply_answers(library: Library, data: bytes, name: str, *, dry_run: bool = False) -> Applied:
    """Apply the answers in one transaction, with one entry in the journal; `name` is the file's, for messages.

    Answers that already hold change nothing, so a file may be applied again. Raises AnswersRefused, which lists every line
    that is no answer or does not apply to the library as it is now.
    """
    answers, problems = read_answers(data)
    lines = len(answers) + len(problems)
    with library.database.write() as connection:
        sitting = _Sitting(Decisions(connection))
        for answer in answers:
            try:
                sitting.apply(answer)
            except (UsageError, NothingFound) as error:
                problems.append(Problem(answer.line, str(error)))
        if problems:
            problems.sort(key=lambda one: one.line)
            raise AnswersRefused(name, problems, lines)
        summary = _summary(sitting.done)
        entry_id = sitting.decisions.record(command="people apply", summary=summary)
        if dry_run:
            connection.rollback()
    return Applied(None if dry_run else entry_id, len(answers), sitting.done, summary, sitting.notes)


def _summary(done: Mapping[Do, int]) -> str:
    texts = {
        Do.NAME: ("person named", "people named"),
        Do.MERGE: ("group merged", "groups merged"),
        Do.CONFIRM: ("face confirmed", "faces confirmed"),
        Do.REJECT: ("face rejected", "faces rejected"),
        Do.IGNORE: ("group ignored", "groups ignored"),
        Do.APART: ("pair kept apart", "pairs kept apart"),
    }
    return ", ".join(f"{done[do]:,} {one if done[do] == 1 else many}" for do, (one, many) in texts.items() if done[do])


class _Sitting:
    """The answers of one file, applied one after the other; each sees what those before it did."""

    def __init__(self, decisions: Decisions) -> None:
        self.decisions = decisions
        self.done: Counter[Do] = Counter()
        self.notes: list[str] = []

    @property
    def connection(self) -> Connection:
        return self.decisions.connection

    def apply(self, answer: Answer) -> None:
        """Apply one answer. Raises UsageError and NothingFound, after which the transaction must be rolled back."""
        work: Mapping[Do, Callable[[Answer], None]] = {
            Do.NAME: self._name if answer.person is not None else self._name_faces,
            Do.MERGE: self._merge,
            Do.CONFIRM: self._confirm,
            Do.REJECT: self._reject,
            Do.IGNORE: self._ignore,
            Do.APART: self._apart,
        }
        before = self.decisions.count
        work[answer.do](answer)
        if answer.do not in (Do.CONFIRM, Do.REJECT):
            self.done[answer.do] += self.decisions.count > before

    def _name(self, answer: Answer) -> None:
        person, gone = self._find(answer.person)
        given = find_faces(self.connection, answer.faces)
        wanted = _checked(answer.name)
        is_so = person.name is not None and name_key(person.name) == name_key(wanted)
        if gone is not None:
            if not (is_so and _all_of(given, person)):
                raise _DoesNotApply(gone)
            return
        if person.name is not None and not is_so:
            raise _DoesNotApply(f"person {person.id} is called {person.name} now")
        self._refuse_others(given, person)
        decide.name(self.decisions, person, wanted)
        self._give(person, given)

    def _name_faces(self, answer: Answer) -> None:
        given = find_faces(self.connection, answer.faces)
        wanted = _checked(answer.name)
        known = individuals.by_name(self.connection, wanted)
        if known is not None:
            if not _all_of(given, known):
                raise _DoesNotApply(
                    f"the name {known.name} is taken by person {known.id}; to give them the faces, write "
                    f'"do": "confirm", "person": {known.id}'
                )
            return
        self._refuse_others(given, self._find(answer.from_)[0])
        person = individuals.by_id(self.connection, self.decisions.add_individual(name=wanted))
        assert person is not None
        self._give(person, given)

    def _merge(self, answer: Answer) -> None:
        given = find_faces(self.connection, answer.faces)
        person, gone = self._find(answer.person)
        into, into_gone = self._find(answer.into)
        if gone is not None or into_gone is not None:
            if person.id != into.id or not _all_of(given, into):
                raise _DoesNotApply(gone or into_gone or "")
            return
        self._refuse_named(answer.person, person)
        self._refuse_others(given, person)
        done = merge(self.decisions, into, [person])
        if done.person.hidden and not into.hidden:
            self.notes.append(f"{person_text(done.person)} is hidden now, as person {person.id} was")
        self._note_let_go(done.let_go, done.person)
        self._give(done.person, find_faces(self.connection, answer.faces), before=given)

    def _confirm(self, answer: Answer) -> None:
        person, gone = self._find(answer.person)
        given = find_faces(self.connection, answer.faces)
        if gone is not None:
            if not given or not _all_of(given, person):
                raise _DoesNotApply(gone)
            return
        if answer.from_ is not None:
            others = [one for one in given if one.individual_id != person.id]
            if others:
                self._refuse_others(others, self._find(answer.from_)[0])
        self._give(person, given if answer.faces else faces.of_individual(self.connection, person.id))

    def _reject(self, answer: Answer) -> None:
        person, gone = self._find(answer.person)
        given = find_faces(self.connection, answer.faces)
        if gone is not None and not {one.id for one in given} <= faces.rejected_by(self.connection, person.id):
            raise _DoesNotApply(gone)
        self.done[Do.REJECT] += len({one.id for one in given} - faces.rejected_by(self.connection, person.id))
        decide.reject(self.decisions, person, given)

    def _ignore(self, answer: Answer) -> None:
        person, gone = self._find(answer.person)
        if gone is not None:
            raise _DoesNotApply(gone)
        decide.ignore(self.decisions, person)

    def _apart(self, answer: Answer) -> None:
        person, gone = self._find(answer.person)
        other, other_gone = self._find(answer.other)
        if gone is not None or other_gone is not None:
            raise _DoesNotApply(gone or other_gone or "")
        decide.keep_apart(self.decisions, person, other)

    def _find(self, written: str | None) -> tuple[IndividualRow, str | None]:
        """Return a person; of one that was merged, the person that it became, and a sentence that says so."""
        assert written is not None
        try:
            return find_person(self.connection, written), None
        except NothingFound:
            number = number_of(written)
            became = None if number is None else merged_into(self.connection, number)
            person = None if became is None else individuals.by_id(self.connection, became)
            if person is None:
                raise
            return person, f"person {written} was merged into {person_text(person)}"

    def _give(self, person: IndividualRow, given: Sequence[FaceRow], before: Sequence[FaceRow] | None = None) -> None:
        """Confirm faces. before: as they were before this answer, if it has changed them already."""
        if given:
            self.done[Do.CONFIRM] += sum(
                (one.individual_id, one.how) != (person.id, How.CONFIRMED) for one in (before or given)
            )
            self._note_let_go(decide.confirm(self.decisions, person, given), person)

    def _note_let_go(self, given: Sequence[FaceRow], person: IndividualRow) -> None:
        if given:
            named = " ".join(face_text(one.id) for one in given[:5])
            more = f" and {len(given) - 5:,} more" if len(given) > 5 else ""
            self.notes.append(f"{named}{more} cannot be {person_text(person)} too, and waits to be grouped")

    def _refuse_others(self, given: Sequence[FaceRow], person: IndividualRow) -> None:
        """Refuse faces that are no longer those of the group that the answer is about."""
        moved = [one for one in given if one.individual_id != person.id]
        if not moved:
            return
        first = moved[0]
        now = None if first.individual_id is None else individuals.by_id(self.connection, first.individual_id)
        more = f", and {len(moved) - 1:,} more are not either" if len(moved) > 1 else ""
        where = "nobody's" if now is None else f"a face of {person_text(now)}"
        raise _DoesNotApply(f"{face_text(first.id)} is no longer a face of {person_text(person)}, but {where}{more}")

    def _refuse_named(self, written: str | None, person: IndividualRow) -> None:
        """Refuse a person who is meant as a group without a name, by number, and has got a name."""
        if person.name is not None and written is not None and number_of(written) is not None:
            raise _DoesNotApply(
                f"person {person.id} is called {person.name} now; to merge them all the same, write the name"
            )


def _all_of(given: Sequence[FaceRow], person: IndividualRow) -> bool:
    return all(one.individual_id == person.id for one in given)


def _checked(name: str | None) -> str:
    assert name is not None
    try:
        return checked_name(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
