"""Says of people when they lived, whether they are strangers or hidden, and who is not the same; and which photos repeat them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from photoindex.domain.people.lifetimes import checked_date
from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.people.arguments import face_number, face_text, find_faces, find_person, person_text
from photoindex.library.people.decisions import decide
from photoindex.library.people.decisions.changes import Done, PeopleChanged, change, faces_text
from photoindex.library.search.targets import choose_targets
from photoindex.store.people import faces, individuals
from photoindex.store.people.decisions import Decisions


def ignore(library: Library, written: Sequence[str], *, on: bool = True) -> PeopleChanged:
    """Say that people or faces are strangers, or that they are none; a face becomes a stranger of its own.

    Raises UsageError for a person with a name; NothingFound.
    """

    def work(decisions: Decisions) -> Done:
        connection = decisions.connection
        given = find_faces(connection, [one for one in written if face_number(one) is not None])
        people = [find_person(connection, one) for one in written if face_number(one) is None]
        if on:
            for face in given:
                decide.ignore_face(decisions, face)
        else:
            holders = individuals.by_ids(
                connection, [one.individual_id for one in given if one.individual_id is not None]
            )
            for face in given:
                if face.individual_id is None or not holders[face.individual_id].ignored:
                    raise UsageError(f"{face_text(face.id)} is no stranger's; see: photoindex people list --ignored")
            people += holders.values()
        for person in people:
            decide.ignore(decisions, person, on=on)
        shown = given if on else ()
        named = ", ".join([*map(person_text, people), *([faces_text(shown)] if shown else [])])
        one = len(people) + len(shown) == 1
        stranger = ("a stranger" if one else "strangers") if on else ("no stranger" if one else "no strangers")
        return Done(people[0].id if people else None, f"{named} {'is' if one else 'are'} {stranger}")

    return change(library, "people ignore", work)


def hide(library: Library, written: Sequence[str], *, on: bool = True) -> PeopleChanged:
    """Leave photos of people out of galleries, sheets, previews and suggestions, or show them again. Raises NothingFound."""

    def work(decisions: Decisions) -> Done:
        people = [find_person(decisions.connection, one) for one in written]
        for person in people:
            if person.hidden != on:
                decisions.set_values(person.id, hidden=on)
        named = ", ".join(map(person_text, people))
        return Done(people[0].id, f"{named} {'is' if len(people) == 1 else 'are'} {'hidden' if on else 'not hidden'}")

    return change(library, "people hide", work)


def set_cover(library: Library, person: str, face: str) -> PeopleChanged:
    """Choose the face that shows a person. Raises UsageError for a face of somebody else; NothingFound."""

    def work(decisions: Decisions) -> Done:
        found = find_person(decisions.connection, person)
        (chosen,) = find_faces(decisions.connection, [face])
        decide.set_cover(decisions, found, chosen)
        return Done(found.id, f"{face_text(chosen.id)} shows {person_text(found)}")

    return change(library, "people cover", work)


def set_birth(library: Library, person: str, date: str | None) -> PeopleChanged:
    """Say when a person was born, None for unknown; see `decide.set_dates`. Raises UsageError, NothingFound."""
    return _set_date(library, person, date, field="born")


def set_death(library: Library, person: str, date: str | None) -> PeopleChanged:
    """Say when a person died, None for unknown; see `decide.set_dates`. Raises UsageError, NothingFound."""
    return _set_date(library, person, date, field="died")


def _set_date(library: Library, person: str, date: str | None, *, field: str) -> PeopleChanged:
    try:
        checked = None if date is None else checked_date(date, datetime.now().astimezone().date())
    except ValueError as error:
        raise UsageError(str(error)) from error

    def work(decisions: Decisions) -> Done:
        found = find_person(decisions.connection, person)
        wanted = replace(found, born=checked) if field == "born" else replace(found, died=checked)
        done = decide.set_dates(decisions, found, born=wanted.born, died=wanted.died)
        notes = []
        if done.let_go:
            notes.append(f"{faces_text(done.let_go)} cannot be {person_text(found)}, and will be grouped again")
        if done.doubtful:
            notes.append(
                f"{faces_text(done.doubtful)} confirmed, but by this date not {person_text(found)}; see: "
                f"photoindex people show {found.id}"
            )
        what = "birth" if field == "born" else "death"
        said = f" {field} {checked}" if checked is not None else f": date of {what} removed"
        return Done(found.id, f"{person_text(found)}{said}", tuple(notes))

    return change(library, f"people {field}", work)


def keep_apart(library: Library, one: str, other: str, *, on: bool = True) -> PeopleChanged:
    """Say that two people are not the same, or take that back. Raises UsageError, NothingFound."""

    def work(decisions: Decisions) -> Done:
        first, second = (find_person(decisions.connection, written) for written in (one, other))
        decide.keep_apart(decisions, first, second, on=on)
        said = "are not the same" if on else "may be the same"
        return Done(first.id, f"{person_text(first)} and {person_text(second)} {said}")

    return change(library, "people apart", work)


def set_repeats(library: Library, arguments: Sequence[str], *, on: bool = True) -> PeopleChanged:
    """Say that photos may show somebody more than once (collages, mirrors, photos of photos), or take that back.

    arguments: paths, or the words of a query. Raises UsageError, NothingFound.
    """
    chosen = choose_targets(library, arguments)

    def work(decisions: Decisions) -> Done:
        contents = faces.primary_assets(decisions.connection, chosen.photo_ids)
        if on:
            decisions.allow_repeats(sorted(contents.values()))
        else:
            decisions.forbid_repeats(sorted(contents.values()))
        photos = f"{len(contents):,} {'photo' if len(contents) == 1 else 'photos'}"
        verb = "shows" if len(contents) == 1 else "show"
        return Done(
            None, f"{photos} {'may show' if on else verb} somebody {'more than once' if on else 'at most once'}"
        )

    return change(library, "people repeats", work)
