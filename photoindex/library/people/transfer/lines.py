"""The lines of an export of people: what each says, read and checked line by line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from photoindex.domain.people.boxes import Box
from photoindex.domain.people.lifetimes import checked_date, is_before
from photoindex.domain.people.names import checked_name, name_key
from photoindex.domain.people.values import PERSON, How
from photoindex.errors import UsageError

SCHEMA = 1
_DIGEST_CHARACTERS = 64
_HOWS = (How.CONFIRMED.value, How.CLUSTER.value)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a face is: the digest of its content, the frame of a video (0: the poster frame), its box."""

    digest: bytes
    frame: int
    box: Box


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person of the other library. number: their id there. names: further names in metadata, folded."""

    line: int
    number: int
    kind: str
    name: str | None
    born: str | None
    died: str | None
    hidden: bool
    ignored: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaceLine:
    """A face of a person, or (type rejection) one that is not theirs, or (type cover) the one that shows them."""

    line: int
    type: str
    number: int
    place: Place
    how: str = How.CONFIRMED.value


@dataclass(frozen=True, slots=True)
class ApartLine:
    """Two people who are not the same."""

    line: int
    numbers: tuple[int, int]


@dataclass(frozen=True, slots=True)
class RepeatsLine:
    """A content that may show somebody more than once."""

    line: int
    digest: bytes


@dataclass(slots=True)
class Parsed:
    """All lines of an export; people by their number there."""

    people: dict[int, PersonLine] = field(default_factory=dict)
    faces: list[FaceLine] = field(default_factory=list)
    apart: list[ApartLine] = field(default_factory=list)
    repeats: list[RepeatsLine] = field(default_factory=list)


def parse(lines: Iterable[bytes], source: str) -> Parsed:
    """Read an export. source: the file, for messages. Raises UsageError, which names the line and what is wrong with it."""
    found = Parsed()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            _add(found, number, json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"{source}, line {number}: {what}; nothing was changed") from error
    _check_references(found, source)
    return found


def _add(found: Parsed, line: int, value: Any) -> None:
    if not isinstance(value, dict):
        raise TypeError("it is no JSON object")
    if value.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}: it is no export of people, or one of a newer version")
    kind = value["type"]
    if kind == "person":
        person = _person(line, value)
        if person.number in found.people:
            raise ValueError(f"person {person.number} is there twice")
        found.people[person.number] = person
    elif kind in ("face", "rejection", "cover"):
        found.faces.append(_face(line, kind, value))
    elif kind == "apart":
        pair = value["persons"]
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("persons are not two numbers")
        found.apart.append(ApartLine(line, (_number(pair[0]), _number(pair[1]))))
    elif kind == "repeats":
        found.repeats.append(RepeatsLine(line, _digest(value["digest"])))
    else:
        raise ValueError(f"'{kind}' is no type of line")


def _person(line: int, value: Mapping[str, Any]) -> PersonLine:
    name = value.get("name")
    names = value.get("names", [])
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ValueError("names is no list of texts")
    born, died = _date(value.get("born"), "born"), _date(value.get("died"), "died")
    if born is not None and died is not None and is_before(died, born):
        raise ValueError(f"the death ({died}) is before the birth ({born})")
    return PersonLine(
        line,
        _number(value["id"]),
        _kind(value.get("kind", PERSON)),
        None if name is None else checked_name(_text(name, "name")),
        born,
        died,
        _flag(value.get("hidden", False), "hidden"),
        _flag(value.get("ignored", False), "ignored"),
        tuple(name_key(one) for one in names),
    )


def _face(line: int, kind: str, value: Mapping[str, Any]) -> FaceLine:
    box = value["box"]
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_fraction, box)):
        raise ValueError("box is not four fractions of the picture: x, y, width, height")
    how = value.get("how", How.CONFIRMED.value)
    if how not in _HOWS:
        raise ValueError(f"how is neither {' nor '.join(_HOWS)}")
    place = Place(_digest(value["digest"]), _number(value.get("frame", 0)), Box(*map(float, box)))
    return FaceLine(line, kind, _number(value["person"]), place, how)


def _check_references(found: Parsed, source: str) -> None:
    named = [(one.line, one.number) for one in found.faces]
    named += [(one.line, number) for one in found.apart for number in one.numbers]
    for line, number in named:
        if number not in found.people:
            raise UsageError(f"{source}, line {line}: no line says who person {number} is; nothing was changed")
    keys: dict[tuple[str, str], PersonLine] = {}
    for person in found.people.values():
        if person.name is not None:
            other = keys.setdefault((person.kind, name_key(person.name)), person)
            if other is not person:
                raise UsageError(
                    f"{source}, line {person.line}: line {other.line} is another person with the name {person.name}; "
                    "nothing was changed"
                )


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"{value!r} is no number")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is no text")
    return value


def _kind(value: Any) -> str:
    if value != PERSON:
        raise ValueError(f"kind is not '{PERSON}'")
    return PERSON


def _flag(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{what} is neither true nor false")
    return value


def _date(value: Any, what: str) -> str | None:
    return None if value is None else checked_date(_text(value, what), datetime.now().astimezone().date())


def _digest(value: Any) -> bytes:
    text = _text(value, "digest")
    if len(text) != _DIGEST_CHARACTERS:
        raise ValueError("digest is not 64 hexadecimal digits")
    return bytes.fromhex(text)


def _is_fraction(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and -1 <= value <= 2
