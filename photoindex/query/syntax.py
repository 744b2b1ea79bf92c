"""The syntax tree of a query, which the parser makes and the store compiles to SQL.

A query is a tree of `And`, `Or`, `Not` over three leaves: `Words` (full text), `Compare` (a field against one value or a
range) and, for commas inside a value, an `Or` of `Compare`. The nodes carry the character range they were read from, so
that a later error can still point at its place; positions do not count when trees are compared. A saved query (`@NAME`)
has no node: its own tree stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Literal, Union


class Operator(StrEnum):
    """How a field is compared with its value; `RANGE` includes both ends, an open end is None."""

    IS = ":"
    GREATER = ":>"
    GREATER_EQUAL = ":>="
    LESS = ":<"
    LESS_EQUAL = ":<="
    RANGE = ".."
    REGEX = "::"


@dataclass(frozen=True, slots=True)
class Words:
    """Full text: one word (`prefix` for `word*`) or one quoted phrase, in the user's own spelling.

    weight: of its meaning against that of the other words, where it is searched by meaning (`beach^0.5`).
    """

    text: str
    phrase: bool = False
    prefix: bool = False
    weight: float = 1.0
    position: int = dataclass_field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """One field against a value as written; `until` is the upper end for RANGE, where `value` is the lower.

    context: what the value depends on, looked up once when the query was read: for `last-30d` the moment
    (ISO 8601, local), for the name of a place `LATITUDE,LONGITUDE` and, behind a space, its full name; None where the value
    depends on nothing.
    """

    field: str
    operator: Operator
    value: str | None
    until: str | None = None
    position: int = dataclass_field(default=0, compare=False)
    context: str | None = dataclass_field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Everything that `part` does not match."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """Every part matches; an empty tuple matches all photos."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part matches."""

    parts: tuple[Node, ...]


Node = Union[Words, Compare, Not, And, Or]
EVERYTHING = And(())


def leaves(node: Node) -> Iterator[Words | Compare]:
    """Yield every leaf below `node`, from left to right."""
    if isinstance(node, (Words, Compare)):
        yield node
    elif isinstance(node, Not):
        yield from leaves(node.part)
    else:
        for part in node.parts:
            yield from leaves(part)


@dataclass(frozen=True, slots=True)
class OptionTerm:
    """A term that was given as an option: `--camera canon` is the field `camera` against `canon`.

    option: its name with the dashes, for messages. values: one for each time it was given; one of them must match. bound:
    the value is the lower (`from`) or upper end (`to`) of a range. negated: no value may match.
    """

    option: str
    field: str
    values: tuple[str, ...]
    bound: Literal["from", "to"] | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a query may refer to beyond its own text.

    now: the moment that `today` and `last-30d` are counted from, ISO 8601 local time without an offset. saved: returns the
    saved queries, name (lower-case) -> text. place: returns a named place's latitude and longitude in degrees and its full
    name (city, region, country), and raises ValueError, with a sentence for the user, for an unknown name. Both are called only for a query that needs them.
    """

    now: str
    saved: Callable[[], Mapping[str, str]]
    place: Callable[[str], tuple[float, float, str]]


@dataclass(frozen=True, slots=True)
class FieldGrammar:
    """What the parser must know of a field; `store.fields` makes one from each row of its table.

    name: the field's own name, also where an alias was written. help: what it holds, with examples. ordered: it takes
    `:>` and `a..b`. free_text: its values may hold spaces. check: returns the context of a value, None where it needs
    none, and raises ValueError with a sentence for the user where the value is impossible. backwards: tells whether the
    lower end of a range, both ends being fine, lies behind the upper one, in their context. mistake_in_regex: returns what
    is wrong with a regular expression and at which character, None where it is fine; None itself where the field takes
    no `::`. listed: a comma separates values.
    """

    name: str
    help: str
    ordered: bool
    free_text: bool
    check: Callable[[str, Lookups], str | None]
    backwards: Callable[[str, str, str | None], bool]
    mistake_in_regex: Callable[[str], tuple[str, int] | None] | None = None
    listed: bool = True
