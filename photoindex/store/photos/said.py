"""Writes facts of many photos at once, without the rest of their rows: what people state of them, and keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, select, update

from photoindex.domain.facts.resolve import SAID, Said
from photoindex.store.engine.statements import numbers
from photoindex.store.schema.tables import photo, photo_text
from photoindex.text import fold

_COLUMNS = (*SAID, "sources")
_update = (
    update(photo)
    .where(photo.c.id == bindparam("wanted"))
    .values({photo.c[name]: bindparam(f"new_{name}") for name in _COLUMNS})
)
_update_keywords = update(photo).where(photo.c.id == bindparam("wanted")).values(keywords=bindparam("new"))
_update_text = (
    update(photo_text).where(photo_text.c.photo_id == bindparam("wanted")).values(description=bindparam("new"))
)


def store(connection: Connection, found: Mapping[int, tuple[Said, Mapping[str, str]]]) -> list[int]:
    """Write photo -> (facts, their sources) of up to a few hundred photos, like `store_resolutions`; only what changes.

    Returns the photos whose description is another, or comes from elsewhere: which captions are searched follows from it.
    """
    rows, texts, described = [], [], []
    chosen = photo.c.id.in_(numbers(list(found)))
    for row in connection.execute(select(photo.c.id, *(photo.c[name] for name in _COLUMNS)).where(chosen)).mappings():
        said, stated_by = found[row["id"]]
        others = {fact: source for fact, source in row["sources"].items() if fact not in SAID}
        new = {**asdict(said), "sources": {**others, **stated_by}}
        if new != {name: row[name] for name in _COLUMNS}:
            rows.append({"wanted": row["id"]} | {f"new_{name}": value for name, value in new.items()})
        if (said.description, stated_by.get("description")) != (row["description"], row["sources"].get("description")):
            described.append(row["id"])
        if said.description != row["description"]:
            texts.append({"wanted": row["id"], "new": fold(said.description or "")})
    if rows:
        connection.execute(_update, rows)
    if texts:
        connection.execute(_update_text, texts)
    return described


def store_keywords(connection: Connection, found: Mapping[int, Sequence[str]]) -> None:
    """Write photo -> keywords of its files; `resolved.follow` must be called after."""
    if found:
        rows = [{"wanted": photo_id, "new": list(keywords)} for photo_id, keywords in found.items()]
        connection.execute(_update_keywords, rows)
