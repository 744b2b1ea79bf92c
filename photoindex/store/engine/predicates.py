"""The conditions of the partial indexes, verbatim: SQLite uses such an index only if the condition is identical."""

from __future__ import annotations

from sqlalchemy import ColumnElement, TextClause, and_, text

from photoindex.store.engine.statements import verbatim
from photoindex.store.schema.tables import asset, file, task

_IN_TROUBLE = ("failed", "quarantined")


def without_preview() -> TextClause:
    """Contents without a preview."""
    return text("asset.derived = 0")


def is_superseded() -> ColumnElement[bool]:
    """Contents that were replaced by a newer one."""
    return asset.c.role == verbatim("superseded")


def needs_pairing() -> TextClause:
    """Folders whose pairs and sidecars are out of date."""
    return text("folder.unrelated = 1")


def has_position() -> TextClause:
    """Photos with a position."""
    return text("photo.latitude IS NOT NULL")


def not_present() -> ColumnElement[bool]:
    """Files that are missing or excluded."""
    return file.c.state != verbatim("present")


def is_secondary() -> ColumnElement[bool]:
    """Current contents that are not the primary content of their photo."""
    return asset.c.role.not_in(verbatim("primary", "superseded"))


def has_state(state: str) -> ColumnElement[bool]:
    """Tasks in a state."""
    is_state = task.c.state == verbatim(state)
    return is_state if state not in _IN_TROUBLE else and_(task.c.state.in_(verbatim(*_IN_TROUBLE)), is_state)
