"""Explains how a query was parsed, and how many photos match each part of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.search.semantic_query import within
from photoindex.query.printer import to_text
from photoindex.query.syntax import EVERYTHING, And, Compare, Node, Not, Or, Words
from photoindex.query.value_syntax import joined
from photoindex.store.search import compile as store
from photoindex.store.search.fields import LIKE, meaning


@dataclass(frozen=True, slots=True)
class ExplainedPart:
    """One node of the tree.

    kind: all (of the parts), any (of them), not, words, field. text: the node as a query. meaning: the resolved value
    of a relative date or place name. alone: number of photos that match it alone. left: number of photos that match it
    and the parts before it, if all parts must match, else None.
    """

    kind: str
    text: str
    meaning: str | None
    alone: int
    left: int | None
    parts: tuple[ExplainedPart, ...]


@dataclass(frozen=True, slots=True)
class QueryExplanation:
    """A query's tree with counts. photos: how many were searched, including missing ones unless `present_only`."""

    tree: ExplainedPart
    photos: int
    present_only: bool


def explain(library: Library, query: Node, scope: Node = EVERYTHING) -> QueryExplanation:
    """Count the photos in a scope that match each part of a query, in one snapshot of the library.

    Words are matched in texts, and `like:` is left out; `score_explanation` explains semantic search.
    """
    query = _without_likes(query)
    with library.database.read() as connection:
        counter = _Counter(connection, scope, store.is_present_only(query))
        return QueryExplanation(counter.part(query), counter.count(EVERYTHING), counter.present_only)


def _without_likes(query: Node) -> Node:
    parts = query.parts if isinstance(query, And) else (query,)
    kept = [part for part in parts if not (isinstance(part, Compare) and part.field == LIKE)]
    return query if len(kept) == len(parts) else joined(And, kept) if kept else EVERYTHING


@dataclass(frozen=True, slots=True)
class _Counter:
    connection: Connection
    scope: Node
    present_only: bool

    def count(self, node: Node) -> int:
        return store.count(self.connection, within(self.scope, node), present_only=self.present_only)

    def part(self, node: Node, left: int | None = None) -> ExplainedPart:
        alone = self.count(node)
        known = meaning(node) if isinstance(node, Compare) else None
        return ExplainedPart(_kind(node), to_text(node), known, alone, left, self._parts(node, alone))

    def _parts(self, node: Node, alone: int) -> tuple[ExplainedPart, ...]:
        if isinstance(node, (Words, Compare)):
            return ()
        if isinstance(node, Not):
            return (self.part(node.part),)
        if isinstance(node, Or):
            return tuple(self.part(part) for part in node.parts)
        steps = [self.count(And(node.parts[:number])) for number in range(1, len(node.parts))]
        return tuple(self.part(part, left) for part, left in zip(node.parts, [*steps, alone], strict=False))


def _kind(node: Node) -> str:
    if isinstance(node, Words):
        return "words"
    if isinstance(node, Compare):
        return "field"
    if isinstance(node, Not):
        return "not"
    return "all" if isinstance(node, And) else "any"
