"""Path columns: bytes that may not be valid text, and conditions on them.

SQLite stores a path as TEXT if it is UTF-8, else as BLOB, and the two never compare equal there. So what is compared byte
by byte is cast to BLOB, and bytes are bound.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    LargeBinary,
    Text,
    TypeDecorator,
    and_,
    cast,
    func,
    literal,
    or_,
    type_coerce,
)


class PathBytes(TypeDecorator[bytes]):
    """A path: bytes in Python, stored as TEXT if it is valid UTF-8, else as BLOB."""

    impl = LargeBinary
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ARG002
        """Replace LargeBinary's own processor: sqlite3 accepts str and bytes as they are."""
        return _path_to_column

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
        """Return bytes for either storage class."""
        return _path_from_column


def _path_to_column(value: bytes | None) -> str | bytes | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def _path_from_column(value: str | bytes | None) -> bytes | None:
    return value.encode("utf-8") if isinstance(value, str) else value


def is_below(column: ColumnElement[Any], path: bytes) -> ColumnElement[bool]:
    """Return the condition that a path column equals `path` or is below it; uses an index on the column.

    SQLite sorts every TEXT before every BLOB, so paths that are not UTF-8 need a separate range.
    """
    first, past_last = path + b"/", path + b"0"
    as_blob = type_coerce(column, LargeBinary)
    ranges = [and_(as_blob >= literal(first, LargeBinary), as_blob < literal(past_last, LargeBinary))]
    if isinstance(_path_to_column(path), str):
        ranges.append(and_(column >= first, column < past_last))
    return or_(column == path, *ranges)


def stored_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return a path column as text, to compare with text or to join with other parts of a path."""
    return type_coerce(column, Text)


def path_bytes(path: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a path, joined from parts or not, as bytes."""
    return cast(path, LargeBinary)


def starts_with(path: ColumnElement[Any], start: bytes | str) -> ColumnElement[bool]:
    """Return the condition that a path (as `path_bytes`, or as text) starts with these bytes, or this text."""
    return func.substr(path, 1, len(start)) == literal(start)


def ends_with(path: ColumnElement[Any], end: bytes | str) -> ColumnElement[bool]:
    """Return the condition that a path (as `path_bytes`, or as text) ends with these bytes, or this text."""
    return func.substr(path, -len(end)) == literal(end)
