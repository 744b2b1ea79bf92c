"""Full-text search ranked by bm25, and the names and keywords that identify exact matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from photoindex.query.syntax import And, Node, Or, Words
from photoindex.store.engine import text_search
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.text_search import photo_id
from photoindex.store.schema.tables import photo, photo_text
from photoindex.store.search.compile import condition

BROAD = 20_000
"""Matches in more photos than this are not ranked, because rank means little there; the newest photos come first."""
COLUMN_WEIGHTS = {
    "keywords": 4.0,
    "tags": 4.0,
    "title": 3.0,
    "name": 3.0,
    "people": 3.0,
    "description": 2.0,
    "place": 2.0,
}
"""Column weights for bm25; 1 for the others."""
_EXACT_COLUMNS = ("name", "keywords", "tags", "people")


@dataclass(frozen=True, slots=True)
class WordsInTexts:
    """Words to find in texts. words: a tree of And, Or and Words. columns: of the full-text index; none for all."""

    words: Node
    columns: Sequence[str] = ()

    def expression(self) -> str:
        """Return the full-text expression."""
        words = match_expression(self.words)
        return text_search.in_columns(self.columns, words) if self.columns else words


def photos_with_words(
    connection: Connection, words: WordsInTexts, filters: Node, *, present_only: bool, limit: int | None
) -> list[tuple[int, float]]:
    """Return up to `limit` photos that match the words and filters, best first, with bm25 (lower is better).

    present_only: as in `compile.condition`. If more than BROAD photos contain the words, the newest come first, all with 0.
    """
    matches = text_search.matches(words.expression())
    with engine_of(connection).functions(connection):
        broad = select(func.count()).select_from(select(photo_id).where(matches).limit(BROAD + 1).subquery())
        found = select(photo_id).where(matches, condition(filters, present_only=present_only)).limit(limit)
        found = found.join_from(text_search.index, photo, photo.c.id == photo_id)
        if connection.execute(broad).scalar_one() > BROAD:
            rows = connection.execute(found.order_by(photo_id.desc())).scalars()
            return [(photo_id, 0.0) for photo_id in rows]
        weights = [COLUMN_WEIGHTS.get(name, 1.0) for name in text_search.COLUMNS]
        rank = text_search.rank(weights).label("rank")
        ranked = connection.execute(found.add_columns(rank).order_by(rank, photo_id.desc()))
        return [(row[0], row[1]) for row in ranked]


class NamedPhoto(NamedTuple):
    """A photo whose names, keywords or tags contain some words; all are one per line."""

    photo_id: int
    names: str
    keywords: str
    tags: str
    people: str


def named_photos(
    connection: Connection, words: Node, filters: Node, *, present_only: bool, limit: int
) -> list[NamedPhoto]:
    """Return up to `limit` photos, newest first, that match the filters and have the words in names, keywords or tags."""
    matches = text_search.matches(text_search.in_columns(_EXACT_COLUMNS, match_expression(words)))
    statement = (
        select(photo.c.id, *(photo_text.c[name] for name in _EXACT_COLUMNS))
        .select_from(text_search.index.join(photo, photo.c.id == photo_id).join(photo_text))
        .where(matches, condition(filters, present_only=present_only))
        .order_by(photo_id.desc())
        .limit(limit)
    )
    with engine_of(connection).functions(connection):
        return [NamedPhoto(*row) for row in connection.execute(statement)]


def match_expression(words: Node) -> str:
    """Return a tree of And, Or and Words as a full-text expression of the engine."""
    if isinstance(words, Words):
        return text_search.phrase(words.text, prefix=words.prefix)
    assert isinstance(words, (And, Or))
    combine = text_search.all_of if isinstance(words, And) else text_search.any_of
    return combine([match_expression(part) for part in words.parts])
