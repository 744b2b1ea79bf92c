"""People and faces as commands name them: 12 or Anna, and f123."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from photoindex.domain.people.values import FACE, PERSON
from photoindex.errors import NothingFound, UsageError
from photoindex.library.people.queries.names import nearest_names
from photoindex.store.people import faces, individuals
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.people.merged import merged_into

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_FACE = re.compile(r"[fF]([0-9]{1,18})", re.ASCII)


def face_text(region_id: int) -> str:
    """Return a face as commands write it: f123."""
    return f"f{region_id}"


def person_text(person: IndividualRow) -> str:
    """Return a person as messages name it: Anna (7), or person 12."""
    return f"person {person.id}" if person.name is None else f"{person.name} ({person.id})"


def face_number(written: str) -> int | None:
    """Return the number of a face written as f123, None for any other text."""
    match = _FACE.fullmatch(written)
    return None if match is None else int(match[1])


def find_person(connection: Connection, written: str, *, kind: str = PERSON) -> IndividualRow:
    """Return the person with a number or a name; case and accents of a name are ignored.

    Raises NothingFound, which names the nearest names; UsageError for an individual of another kind, and for a face.
    """
    if _NUMBER.fullmatch(written):
        found = individuals.by_id(connection, int(written))
        if found is None:
            into = merged_into(connection, int(written))
            now = None if into is None else individuals.by_id(connection, into)
            if now is not None:
                raise NothingFound(f"there is no person {int(written)} any more: it was merged into {person_text(now)}")
            raise NothingFound(f"there is no person {int(written)}; see: photoindex people list --all")
        if found.kind != kind:
            raise UsageError(f"{int(written)} is no {kind}; it is of the kind {found.kind}")
        return found
    found = individuals.by_name(connection, written.strip(), kind=kind)
    if found is not None:
        return found
    if face_number(written) is not None:
        raise UsageError(f"{written} is a face; a {kind} is wanted here, by number or name")
    near = nearest_names(written, individuals.named(connection, kind=kind))
    hint = f"did you mean {' or '.join(near)}?" if near else "see: photoindex people list"
    raise NothingFound(f"there is no person '{written}'; {hint}")


def find_faces(connection: Connection, written: Sequence[str], *, kind: str = FACE) -> list[FaceRow]:
    """Return the faces written as f123, in their order, each once.

    Raises UsageError for another text and for a region that is no face; NothingFound for a number that no face has.
    """
    numbers: dict[int, str] = {}
    for word in written:
        number = face_number(word)
        if number is None:
            raise UsageError(f"'{word}' is no {kind}: a {kind} is written f123; see: photoindex people show PERSON")
        numbers.setdefault(number, word)
    found = faces.by_ids(connection, list(numbers))
    for number in numbers:
        if number not in found:
            raise NothingFound(
                f"there is no {kind} {face_text(number)}; another run over its picture may have replaced it"
            )
        if found[number].kind != kind:
            raise UsageError(f"{face_text(number)} is no {kind}; it is of the kind {found[number].kind}")
    return [found[number] for number in numbers]
