"""Saved queries say `mo` for months: `last-6m`, which is refused now, becomes `last-6mo`. The tables stay as they are."""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What follows is the query language of revision 0003, as far as dates need it. It stays as it is when the language changes.
_QUOTES = '"\u201c\u201d\u201e\u201f\uff02'
_FIELD = re.compile(r"([^\W\d][\w-]*)::?")
_SAVED = re.compile(r"@[\w.-]*")
_BEHIND_PHRASE = re.compile(r"\*?(?:\^-?[0-9]*\.?[0-9]+(?=[\s()]|\Z))?")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_DATE_FIELDS = ("date", "taken", "added")
_MONTHS = re.compile(r"last-[0-9]{1,5}m", re.IGNORECASE)


def _value_end(query: str, at: int) -> tuple[list[int], int]:
    """Return where the characters of a field's value stand, those inside quotes too but not the quotes, and its end."""
    positions: list[int] = []
    open_parentheses = 0
    while at < len(query) and not query[at].isspace():
        if query[at] in _QUOTES:
            inside, at = _quoted(query, at)
            positions += inside
            continue
        open_parentheses += (query[at] == "(") - (query[at] == ")")
        if open_parentheses < 0:
            break
        positions.append(at)
        at += 1
    return positions, at


def _quoted(query: str, at: int) -> tuple[list[int], int]:
    positions: list[int] = []
    at += 1
    while at < len(query) and query[at] not in _QUOTES:
        at += query[at] == "\\" and query[at + 1 : at + 2] in (*_QUOTES, "\\")
        positions.append(at)
        at += 1
    return positions, at + 1


def _word_end(query: str, at: int) -> int:
    open_parentheses = 0
    while at < len(query) and not query[at].isspace() and query[at] not in _QUOTES:
        open_parentheses += (query[at] == "(") - (query[at] == ")")
        if open_parentheses < 0:
            break
        at += 1
    return at


def months_written_as_mo(query: str) -> str:
    """Return a query with `last-6mo` for `last-6m` in the values of date fields; words, phrases and other fields stay."""
    ends_of_m: list[int] = []
    at = 0
    while at < len(query):
        field = _FIELD.match(query, at)
        if query[at].isspace() or query[at] in "()-":
            at += 1
        elif query[at] in _QUOTES:
            behind = _BEHIND_PHRASE.match(query, _quoted(query, at)[1])
            at = behind.end() if behind else len(query)
        elif query[at] == "@":
            at = _SAVED.match(query, at).end()  # type: ignore[union-attr]  # it begins with @
        elif field and not _DRIVE.match(query, at) and not query.startswith("//", field.end()):
            positions, at = _value_end(query, field.end())
            if field[1].lower() in _DATE_FIELDS:
                value = "".join(query[position] for position in positions)
                ends_of_m += [positions[found.end() - 1] + 1 for found in _MONTHS.finditer(value)]
        else:
            at = max(_word_end(query, at), at + 1)
    for end in reversed(ends_of_m):
        query = query[:end] + "o" + query[end:]
    return query


def _rewrite_saved_queries(connection: sa.Connection) -> None:
    for name, query in connection.execute(sa.text("SELECT name, query FROM saved_query")).all():
        if (rewritten := months_written_as_mo(query)) != query:
            connection.execute(
                sa.text("UPDATE saved_query SET query = :query WHERE name = :name"), {"query": rewritten, "name": name}
            )


def _rewrite_journal(connection: sa.Connection) -> None:
    """Rewrite what the journal keeps of saved queries: undoing compares it with the rows, and puts it back."""
    chosen = "SELECT id, before, after FROM journal_change WHERE table_name = 'saved_query'"
    for number, *rows in connection.execute(sa.text(chosen)).all():
        before, after = (_rewritten_row(row) for row in rows)
        if [before, after] != rows:
            connection.execute(
                sa.text("UPDATE journal_change SET before = :before, after = :after WHERE id = :id"),
                {"before": before, "after": after, "id": number},
            )


def _rewritten_row(stored: str | None) -> str | None:
    row = json.loads(stored) if stored else None
    if not isinstance(row, dict) or not isinstance(row.get("query"), str):
        return stored
    query = months_written_as_mo(row["query"])
    return stored if query == row["query"] else json.dumps(row | {"query": query}, ensure_ascii=False)


def upgrade() -> None:
    connection = op.get_bind()
    _rewrite_saved_queries(connection)
    _rewrite_journal(connection)
