"""One cache of compiled statements for all tests: without it, making SQL takes a third of the time of a small scan.

SQLAlchemy keeps compiled statements by dialect, and each engine has a dialect of its own. Here all dialects are equal, which is
right for one process with one SQLite.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(2_000)


class SharingDialect(SQLiteDialect_pysqlite):
    """SQLite's dialect; all are equal."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharingDialect)

    def __hash__(self) -> int:
        return hash(SharingDialect)


registry.register("sqlite.sharing", __name__, SharingDialect.__name__)


def create_sharing_engine(_url: str, **options: Any) -> Any:
    """Return an engine as `create_engine("sqlite://", …)` does, with the common cache."""
    return create_engine("sqlite+sharing://", execution_options={"compiled_cache": _COMPILED}, **options)
