"""Words in the full-text index, best matches first, and the texts that tell an exact match."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, column, func, literal_column, select, table

from photoindex.query.syntax import And, Node, Or, Words
from photoindex.store.schema.tables import photo, photo_text
from photoindex.store.search.compile import condition, functions
from photoindex.store.search.text_index import COLUMNS, TABLE
from photoindex.text import without_stray_bytes

BROAD = 20_000
"""Words that are in more photos than this say too little of each to weigh them all: the newest photos come first."""
_WEIGHTS = {"keywords": 4.0, "title": 3.0, "name": 3.0, "description": 2.0, "place": 2.0}
"""How much a column counts for bm25; the others count 1."""
_EXACT_COLUMNS = ("name", "keywords")

_index = table(TABLE, column("rowid"))


def photos_with_words(
    connection: Connection, words: Node, filters: Node, *, present_only: bool, limit: int | None
) -> list[tuple[int, float]]:
    """Return up to `limit` photos that hold the words and match the filters, with their bm25 (lower is better), best first.

    words: a tree of And, Or and Words. present_only: as in `search.condition`. Where more than BROAD photos hold the words, the
    newest come first, all with 0.
    """
    matches = _matches(match_expression(words))
    with functions(connection):
        broad = select(func.count()).select_from(select(_index.c.rowid).where(matches).limit(BROAD + 1).subquery())
        found = select(_index.c.rowid).where(matches, condition(filters, present_only=present_only)).limit(limit)
        found = found.join_from(_index, photo, photo.c.id == _index.c.rowid)
        if connection.execute(broad).scalar_one() > BROAD:
            rows = connection.execute(found.order_by(_index.c.rowid.desc())).scalars()
            return [(photo_id, 0.0) for photo_id in rows]
        weights = (_WEIGHTS.get(name, 1.0) for name in COLUMNS)
        rank = func.bm25(literal_column(TABLE), *weights).label("rank")
        ranked = connection.execute(found.add_columns(rank).order_by(rank, _index.c.rowid.desc()))
        return [(row.rowid, row.rank) for row in ranked]


class NamedPhoto(NamedTuple):
    """A photo whose names or keywords hold some words; each text has one name, or one keyword, a line."""

    photo_id: int
    names: str
    keywords: str


def named_photos(
    connection: Connection, words: Node, filters: Node, *, present_only: bool, limit: int
) -> list[NamedPhoto]:
    """Return up to `limit` photos, newest first, whose file names and keywords hold the words and that match the filters."""
    matches = _matches(f"{{{' '.join(_EXACT_COLUMNS)}}} : {match_expression(words)}")
    statement = (
        select(photo.c.id, photo_text.c.name, photo_text.c.keywords)
        .select_from(_index.join(photo, photo.c.id == _index.c.rowid).join(photo_text))
        .where(matches, condition(filters, present_only=present_only))
        .order_by(_index.c.rowid.desc())
        .limit(limit)
    )
    with functions(connection):
        return [NamedPhoto(*row) for row in connection.execute(statement)]


def match_expression(words: Node) -> str:
    """Return a tree of And, Or and Words in FTS5's own language."""
    if isinstance(words, Words):
        text = without_stray_bytes(words.text).replace("\0", " ").replace('"', '""')
        return f'"{text}"' + "*" * words.prefix
    assert isinstance(words, (And, Or))
    return "(" + (" AND " if isinstance(words, And) else " OR ").join(map(match_expression, words.parts)) + ")"


def _matches(expression: str) -> ColumnElement[bool]:
    return literal_column(TABLE).bool_op("MATCH")(expression)
