"""SQL for the columns of the documented views."""
# ruff: noqa: S608  column names come only from `schema.views`

from __future__ import annotations


def path_text(column: str) -> str:
    """Return the SQL for a path column as text; invalid UTF-8 is replaced, because Python's sqlite3 fails on it."""
    return f"""CASE typeof({column}) WHEN 'blob' THEN (
        WITH RECURSIVE step(rest, mended) AS (
            SELECT CAST({column} AS TEXT), ''
            UNION ALL SELECT substr(rest, 2), mended || char(unicode(rest)) FROM step WHERE rest <> ''
        ) SELECT mended FROM step WHERE rest = '')
    ELSE {column} END"""


def hex_text(column: str) -> str:
    """Return the SQL for bytes in lower-case hexadecimal; of a column that may be null: `hex_text_or_null`."""
    return f"lower(hex({column}))"


def hex_text_or_null(column: str) -> str:
    """Return the SQL for bytes in lower-case hexadecimal, null for null."""
    return f"lower(nullif(hex({column}), ''))"


def utc_text(column: str) -> str:
    """Return the SQL for seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column}, 'unixepoch')"
