"""Reads files of answers: JSON lines, each one decision about people; docs/people-review.md describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from photoindex.library.answer_lines import SCHEMA, NotAnAnswer, Problem, read_lines


class Do(StrEnum):
    """What an answer decides."""

    NAME = "name"
    MERGE = "merge"
    CONFIRM = "confirm"
    REJECT = "reject"
    IGNORE = "ignore"
    APART = "apart"


_KEYS: Mapping[Do, tuple[frozenset[str], frozenset[str]]] = {
    Do.NAME: (frozenset({"name"}), frozenset({"person", "faces", "from"})),
    Do.MERGE: (frozenset({"person", "into"}), frozenset({"faces"})),
    Do.CONFIRM: (frozenset({"person"}), frozenset({"faces", "from"})),
    Do.REJECT: (frozenset({"person", "faces"}), frozenset()),
    Do.IGNORE: (frozenset({"person"}), frozenset()),
    Do.APART: (frozenset({"person", "other"}), frozenset()),
}
"""What an answer has -> keys that it must have, keys that it may have; besides `schema` and `do`."""
_PERSONS = ("person", "into", "from", "other")


@dataclass(frozen=True, slots=True)
class Answer:
    """One line. person, into, from_, other: persons by number or name. faces: f123. line: counted from 1."""

    line: int
    do: Do
    person: str | None = None
    name: str | None = None
    into: str | None = None
    from_: str | None = None
    other: str | None = None
    faces: Sequence[str] = ()


def read_answers(data: bytes) -> tuple[list[Answer], list[Problem]]:
    """Return the answers of a file, and the lines that are none; empty lines are skipped."""
    return read_lines(data, _answer)


def _answer(number: int, found: object) -> Answer:
    if not isinstance(found, dict):
        raise NotAnAnswer('it is no JSON object, such as {"schema": 1, "do": "name", "person": 12, "name": "Anna"}')
    if found.get("schema") != SCHEMA:
        raise NotAnAnswer(f'it needs "schema": {SCHEMA}, the only schema there is')
    if found.get("do") not in list(Do):
        raise NotAnAnswer(f'"do" must be one of {", ".join(Do)}')
    do = Do(found["do"])
    given = {name: value for name, value in found.items() if name not in ("schema", "do") and value is not None}
    if "face" in given and "faces" not in given:
        given["faces"] = [given.pop("face")]
    needed, possible = _KEYS[do]
    if missing := sorted(needed - set(given)):
        raise NotAnAnswer(f'"{do}" needs {_listed(missing)}')
    if unknown := sorted(set(given) - needed - possible):
        raise NotAnAnswer(f'"{do}" does not take {_listed(unknown)}')
    if do is Do.NAME and ("person" in given) == ("from" in given):
        raise NotAnAnswer(
            '"name" needs either "person", the group to name, or "faces" and "from", the group that they are in'
        )
    if do is Do.NAME and "from" in given and "faces" not in given:
        raise NotAnAnswer('"name" with "from" needs "faces"')
    if "from" in given and "faces" not in given:
        raise NotAnAnswer('"from" goes with "faces"')
    persons = {name: _person(name, given[name]) for name in _PERSONS if name in given}
    return Answer(
        number,
        do,
        person=persons.get("person"),
        name=_name(given["name"]) if "name" in given else None,
        into=persons.get("into"),
        from_=persons.get("from"),
        other=persons.get("other"),
        faces=_faces(given["faces"]) if "faces" in given else (),
    )


def _person(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise NotAnAnswer(f'"{key}" must be a person, by number or name')
    return str(value)


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise NotAnAnswer('"name" must be a text')
    return value


def _faces(value: Any) -> Sequence[str]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise NotAnAnswer('"faces" must be a list of faces, such as ["f123", "f124"]')
    return tuple(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
