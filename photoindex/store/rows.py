"""Small help with results of statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult


def new_id(result: CursorResult[Any]) -> int:
    """Return the integer primary key of the one row that an INSERT made."""
    key = result.inserted_primary_key
    if key is None:
        raise TypeError("the statement inserted no row")
    return int(key[0])
