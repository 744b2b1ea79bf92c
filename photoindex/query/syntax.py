"""The syntax tree of a query, produced by the parser and compiled to SQL by the store.

A query is a tree of `And`, `Or` and `Not` with two kinds of leaves: `Words` (full text) and `Compare` (a field compared
with one value or a range). Values separated by commas become an `Or` of `Compare`. Leaves have the position they were
read from, so that a later error can point to it; comparing trees ignores positions. A saved query (`@NAME`) has no
node: it is replaced by its tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Literal, Union


class Operator(StrEnum):
    """How a field is compared with its value; `RANGE` includes both ends, and an open end is None."""

    IS = ":"
    GREATER = ":>"
    GREATER_EQUAL = ":>="
    LESS = ":<"
    LESS_EQUAL = ":<="
    RANGE = ".."
    REGEX = "::"


@dataclass(frozen=True, slots=True)
class Words:
    """Full text: one word (`prefix` for `word*`) or one quoted phrase, as the user spelled it.

    weight: relative to the other words, when searching by meaning (`beach^0.5`).
    """

    text: str
    phrase: bool = False
    prefix: bool = False
    weight: float = 1.0
    position: int = dataclass_field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """One field compared with a value as written; for RANGE, `value` is the lower end and `until` the upper.

    context: what the value depends on, looked up once when the query was parsed: the current time (ISO 8601, local) for
    `last-30d`, `LATITUDE,LONGITUDE NAME` for a place; None for other values.
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
    """A term that was given as an option: `--camera canon` means `camera:canon`.

    option: its name with the dashes, for messages. values: one for each use of the option; one of them must match.
    bound: the value is the lower (`from`) or upper (`to`) end of a range. negated: no value may match.
    """

    option: str
    field: str
    values: tuple[str, ...]
    bound: Literal["from", "to"] | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person that a query names. name: None for a group of faces without one. born: YYYY, YYYY-MM or YYYY-MM-DD."""

    id: int
    name: str | None = None
    born: str | None = None

    @property
    def shown(self) -> str:
        """The name, or `person 12`."""
        return self.name or f"person {self.id}"


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a query may depend on beyond its own text.

    now: the time that `today` and `last-30d` are relative to, ISO 8601 local time without an offset. southern: seasons are
    those of the southern hemisphere. first_weekday: of a week, 0 is Monday. saved: returns the saved queries, name (lower-case) -> text. place: returns a place's latitude and longitude in degrees and its full
    name (city, region, country). people: returns those that a name, a pattern with `*` or a number means, at least one.
    face: returns the person in a picture file with one face. These three raise ValueError with a message for the
    user if there is no such place, person or face. All functions are called only for queries that need them.
    """

    now: str
    saved: Callable[[], Mapping[str, str]]
    place: Callable[[str], tuple[float, float, str]]
    people: Callable[[str], Sequence[KnownPerson]]
    face: Callable[[str], KnownPerson]
    southern: bool = False
    first_weekday: int = 0


@dataclass(frozen=True, slots=True)
class FieldGrammar:
    """What the parser needs to know about a field; `store.search.fields` makes one from each row of its table.

    name: the field's own name, even if an alias was used. help: what it contains, with examples. ordered: supports `:>`
    and `a..b`. free_text: values may contain spaces. check: returns the context of a value, None if it needs none;
    raises ValueError with a message for the user if the value is invalid. backwards: returns whether the lower end of a
    range is after the upper one, given valid ends and their context. regex_error: returns what is wrong with a regular
    expression and at which character, None if it is valid; None itself if the field does not support `::`. listed:
    commas separate values. elsewhere: returns the field and the ends of a range that a value means instead, as month:12 for
    date:december; None for others. subject: an example of what stands before a comparison, as Anna in `age:Anna<6`; None for fields
    whose values are compared themselves. may_be_saved: a value also means the saved query of this name.
    """

    name: str
    help: str
    ordered: bool
    free_text: bool
    check: Callable[[str, Lookups], str | None]
    backwards: Callable[[str, str, str | None], bool]
    regex_error: Callable[[str], tuple[str, int] | None] | None = None
    listed: bool = True
    subject: str | None = None
    elsewhere: Callable[[str, Lookups], tuple[str, str, str] | None] | None = None
    may_be_saved: bool = False
