"""Saves, lists and removes named queries."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from photoindex.errors import NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.parse import lookups_of
from photoindex.query import parser
from photoindex.query.lexer import NAME_RULE, TokenKind, is_saved_name, tokenize
from photoindex.store.search import saved
from photoindex.store.search.fields import grammar
from photoindex.store.search.saved import SavedQuery
from photoindex.text import composed


def save(library: Library, name: str, query: str) -> str | None:
    """Save the text of a query for use as `@NAME`; return the text that it replaces, None for a new name.

    Saved queries in the text are kept as names, because they may change. Raises UsageError for an invalid name,
    QuerySyntaxError for a query that cannot be parsed or would use itself.
    """
    name = composed(name.removeprefix("@"))
    if not is_saved_name(name):
        raise UsageError(f"'{name}' cannot be the name of a saved query: {NAME_RULE}")
    parser.parse(query, grammar(), lookups_of(library), saving=name)
    with library.database.write() as connection:
        return saved.save(connection, name.lower(), query)


def saved_queries(library: Library) -> list[SavedQuery]:
    """Return all saved queries by name."""
    with library.database.read() as connection:
        return saved.saved_queries(connection)


def remove(library: Library, names: Sequence[str]) -> list[str]:
    """Remove saved queries, all or none; return the names of queries that used them and no longer work.

    Raises NothingFound for an unknown name.
    """
    wanted = {composed(name.removeprefix("@")).lower() for name in names}
    with library.database.write() as connection:
        known = {one.name: one.query for one in saved.saved_queries(connection)}
        for name in sorted(wanted - set(known)):
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "to see all: photoindex saved"
            raise NothingFound(f"there is no saved query '{name}'; {hint}")
        saved.remove(connection, sorted(wanted))
    return sorted(name for name in set(known) - wanted if _used_by(known[name]) & wanted)


def _used_by(query: str) -> set[str]:
    """Return the saved queries that a saved query uses directly."""
    return {token.text.lower() for token in tokenize(query, grammar()) if token.kind is TokenKind.SAVED}
