"""Reads files of answers: JSON lines, each one decision about people; docs/people-review.md describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = 1


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


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be applied."""

    line: int
    reason: str


class _Wrong(Exception):
    """A line is no answer."""


def read_answers(data: bytes) -> tuple[list[Answer], list[Problem]]:
    """Return the answers of a file, and the lines that are none; empty lines are skipped."""
    answers: list[Answer] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            answers.append(_answer(number, line))
        except _Wrong as error:
            problems.append(Problem(number, str(error)))
    return answers, problems


def _answer(number: int, line: bytes) -> Answer:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _Wrong('it is no JSON object, such as {"schema": 1, "do": "name", "person": 12, "name": "Anna"}')
    if found.get("schema") != SCHEMA:
        raise _Wrong(f'it needs "schema": {SCHEMA}, the only schema there is')
    if found.get("do") not in list(Do):
        raise _Wrong(f'"do" must be one of {", ".join(Do)}')
    do = Do(found["do"])
    given = {name: value for name, value in found.items() if name not in ("schema", "do") and value is not None}
    if "face" in given and "faces" not in given:
        given["faces"] = [given.pop("face")]
    needed, possible = _KEYS[do]
    if missing := sorted(needed - set(given)):
        raise _Wrong(f'"{do}" needs {_listed(missing)}')
    if unknown := sorted(set(given) - needed - possible):
        raise _Wrong(f'"{do}" does not take {_listed(unknown)}')
    if do is Do.NAME and ("person" in given) == ("from" in given):
        raise _Wrong(
            '"name" needs either "person", the group to name, or "faces" and "from", the group that they are in'
        )
    if do is Do.NAME and "from" in given and "faces" not in given:
        raise _Wrong('"name" with "from" needs "faces"')
    if "from" in given and "faces" not in given:
        raise _Wrong('"from" goes with "faces"')
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
        raise _Wrong(f'"{key}" must be a person, by number or name')
    return str(value)


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong('"name" must be a text')
    return value


def _faces(value: Any) -> Sequence[str]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise _Wrong('"faces" must be a list of faces, such as ["f123", "f124"]')
    return tuple(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
