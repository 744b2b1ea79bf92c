"""What describes a documented view."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """One view: its SELECT, and the meaning of each column, in order."""

    name: str
    help: str
    columns: dict[str, str]
    sql: str
