"""What all tables are made with: the metadata that collects them, and the type of a path."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect, LargeBinary, MetaData, TypeDecorator

# Constraints have names, so that a later migration can change them: Alembic's batch mode finds them by name alone.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


class PathBytes(TypeDecorator[bytes]):
    """A path: bytes in Python, TEXT where it is UTF-8, BLOB where it is not."""

    impl = LargeBinary
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ARG002
        """Replace LargeBinary's own processor: sqlite3 takes str and bytes as they are."""
        return _path_to_column

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
        """Return bytes whichever storage class the row has."""
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
