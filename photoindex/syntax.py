"""The syntax tree of a query, which the parser makes and the store compiles to SQL.

A query is a tree of `And`, `Or`, `Not` over three leaves: `Words` (full text), `Compare` (a field against one value or a
range) and, for commas inside a value, an `Or` of `Compare`. The nodes carry the character range they were read from, so
that a later error can still point at its place; positions do not count when trees are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Union


class Operator(StrEnum):
    """How a field is held against its value; `RANGE` is inclusive at both ends, an open end is None."""

    IS = ":"
    GREATER = ":>"
    GREATER_EQUAL = ":>="
    LESS = ":<"
    LESS_EQUAL = ":<="
    RANGE = ".."
    REGEX = "::"


@dataclass(frozen=True, slots=True)
class Words:
    """Full text: one word (`prefix` for `word*`) or one quoted phrase, in the user's own spelling."""

    text: str
    phrase: bool = False
    prefix: bool = False
    position: int = dataclass_field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """One field against a value as written; `until` is the upper end for RANGE, where `value` is the lower."""

    field: str
    operator: Operator
    value: str | None
    until: str | None = None
    position: int = dataclass_field(default=0, compare=False)


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
class FieldGrammar:
    """What the parser must know of a field; `store.fields` makes one from each row of its table.

    name: the field's own name, also where an alias was written. help: what it holds, with examples. ordered: it takes
    `:>` and `a..b`. free_text: its values may hold spaces. refusal: returns why a value is impossible, None where it is
    fine. backwards: tells whether the lower end of a range, both ends being fine, lies behind the upper one. regex: it
    takes `::`.
    """

    name: str
    help: str
    ordered: bool
    free_text: bool
    refusal: Callable[[str], str | None]
    backwards: Callable[[str, str], bool]
    regex: bool = False
