"""Parses queries, and resolves what they refer to: the current time, saved queries, names of places and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.query import parser
from photoindex.query.arguments import join_arguments
from photoindex.query.option_terms import option_nodes
from photoindex.query.printer import to_text
from photoindex.query.syntax import And, KnownPerson, Lookups, Node, OptionTerm, Or, leaves
from photoindex.query.value_syntax import MAX_TERMS, joined
from photoindex.store.search.fields import grammar


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query's tree, and an equivalent text in which saved queries and relative dates are not resolved."""

    tree: Node
    text: str


def parse(library: Library, text: str) -> Node:
    """Return the syntax tree of a query. Raises QuerySyntaxError, which points at the error."""
    return parser.parse(text, grammar(), lookups_of(library))


def parse_arguments(library: Library, arguments: Sequence[str]) -> Node:
    """Return the syntax tree of a query given as words of a command line; see `query.arguments`."""
    return parse_with_options(library, arguments).tree


def parse_with_options(
    library: Library, arguments: str | Sequence[str], terms: Sequence[OptionTerm] = ()
) -> ParsedQuery:
    """Return the query of the words of a command line, or a whole query, combined with the terms given as options.

    Raises QuerySyntaxError, which points at the error in the query or option.
    """
    fields, lookups = grammar(), lookups_of(library)
    words = arguments if isinstance(arguments, str) else join_arguments(arguments, fields)
    tree = parser.parse(words, fields, lookups)
    return _with_options(words, tree, option_nodes(terms, fields, lookups)) if terms else ParsedQuery(tree, words)


def _with_options(words: str, tree: Node, options: Sequence[Node]) -> ParsedQuery:
    whole = joined(And, [tree, *options])
    if sum(1 for _ in leaves(whole)) > MAX_TERMS:
        raise UsageError(f"a query has at most {MAX_TERMS} terms, including those of its options")
    shown = f"({words})" if isinstance(tree, Or) else words
    return ParsedQuery(whole, f"{shown} {to_text(And(tuple(options)))}".strip())


def lookups_of(library: Library) -> Lookups:
    """Return the look-ups of a library at this moment; they read nothing until a query needs it."""

    def saved() -> Mapping[str, str]:
        # Imports the journal, which most searches do not need.
        from photoindex.store.search.saved import saved_queries

        with library.database.read() as connection:
            return {one.name: one.query for one in saved_queries(connection)}

    def people(written: str) -> Sequence[KnownPerson]:
        from photoindex.library.people.queries.names import people_called

        return people_called(library, written)

    def face(written: str) -> KnownPerson:
        from photoindex.library.people.queries.find import person_in_picture

        return person_in_picture(library, written)

    # Local time, because `today` means the user's day.
    now = datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
    settings = library.config.search
    return Lookups(
        now=now,
        saved=saved,
        place=_position,
        people=people,
        face=face,
        southern=settings.hemisphere == "south",
        first_weekday=0 if settings.first_weekday == "monday" else 6,
    )


def _position(name: str) -> tuple[float, float, str]:
    from photoindex.geo.gazetteer import Gazetteer

    with Gazetteer() as gazetteer:
        place = gazetteer.find(name)
        if place is None:
            raise ValueError(gazetteer.refusal(name))
        names = dict.fromkeys(name for name in (place.city, place.region, place.country) if name)
        return place.latitude, place.longitude, ", ".join(names)
