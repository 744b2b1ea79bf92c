"""The names of people for completion in a shell; light on imports."""

from __future__ import annotations

from pathlib import Path

from photoindex.store.engine.quick_read import quick_rows

_NAMES = "SELECT name FROM individual WHERE kind = 'person' AND name IS NOT NULL ORDER BY name_key"


def quick_names(database: Path) -> list[str]:
    """Return the names of people in a database file, by folded name; none if it cannot be read now."""
    return [str(row[0]) for row in quick_rows(database, _NAMES)]
