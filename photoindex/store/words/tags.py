"""Tags by name: their ids, what they are called now, and the tags of photos.

A name that a person changed lives on as an alias: files and models go on using it, and mean the tag it became.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import Connection, Select, bindparam, select

from photoindex.domain.words.names import tag_key, tag_of_keyword
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.schema.tables import asset, photo, photo_keyword, tag, tag_alias, tag_rejection

_CHUNK = 500
_STEPS_MAX = 10
"""Times that an alias may lead to a name with an alias."""


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag: its id, and its name as it is shown."""

    id: int
    name: str


def ensure(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Return name -> id of the tag that is called so now, adding tags that do not exist.

    names: as `checked_tag` or `tag_of_keyword` return them. A name that a person changed means the tag it became.
    """
    current = current_names(connection, names)
    by_key: dict[str, str] = {}
    for name in current.values():
        by_key.setdefault(tag_key(name), name)
    ids = _ids(connection, list(by_key))
    missing = [key for key in by_key if key not in ids]
    if missing:
        now = time.time()
        rows = [{"name": by_key[key], "name_key": key, "created_at": now} for key in missing]
        connection.execute(upsert(tag).on_conflict_do_nothing(), rows)
        ids |= _ids(connection, missing)
    return {name: ids[tag_key(now_called)] for name, now_called in current.items()}


def find(connection: Connection, names: Collection[str]) -> dict[str, TagRow]:
    """Return name -> tag that is called so now; names without a tag are left out."""
    current = current_names(connection, names)
    keys = {tag_key(name) for name in current.values()}
    rows = {row.name_key: TagRow(row.id, row.name) for row in connection.execute(_by_keys(list(keys)))}
    return {name: rows[tag_key(now)] for name, now in current.items() if tag_key(now) in rows}


def by_ids(connection: Connection, tag_ids: Collection[int]) -> dict[int, TagRow]:
    """Return id -> tag of up to a few hundred tags."""
    rows = connection.execute(select(tag.c.id, tag.c.name).where(tag.c.id.in_(tag_ids)))
    return {row.id: TagRow(row.id, row.name) for row in rows}


def current_names(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """Return name -> what it is called now: itself, or what a person renamed it to, or a level above it."""
    found = {name: name for name in names}
    for _ in range(_STEPS_MAX):
        aliases, known = _of_levels(connection, found.values())
        renamed = {name: _renamed(now, aliases, known) for name, now in found.items()}
        if renamed == found:
            break
        found = renamed
    return found


def below(connection: Connection, key: str) -> list[TagRow]:
    """Return the tags of the levels below the tag with this folded name, by name."""
    start = key + "/"
    # All that begins with the name and a slash: "0" comes after "/".
    within = select(tag.c.id, tag.c.name).where(tag.c.name_key >= start, tag.c.name_key < key + "0")
    return [TagRow(row.id, row.name) for row in connection.execute(within.order_by(tag.c.name_key))]


def store_keywords(connection: Connection, photo_ids: Collection[int]) -> None:
    """Make the keywords of photos, as they were resolved in this transaction, their tags in files; only what changes is written.

    Keywords that a person rejected are the photo's no more; that its files have them stays known.
    """
    chosen = numbers(sorted(photo_ids))
    keywords = connection.execute(
        select(photo.c.id, photo.c.keywords).where(photo.c.id.in_(chosen)).order_by(photo.c.id)
    )
    names = {row.id: {keyword: tag_of_keyword(keyword) for keyword in row.keywords} for row in keywords}
    ids = ensure(connection, list(dict.fromkeys(name for found in names.values() for name in found.values() if name)))
    wanted = {(photo_id, ids[name]) for photo_id, found in names.items() for name in found.values() if name}
    stored = select(photo_keyword.c.photo_id, photo_keyword.c.tag_id).where(photo_keyword.c.photo_id.in_(chosen))
    known = {(row.photo_id, row.tag_id) for row in connection.execute(stored)}
    if gone := known - wanted:
        this_row = photo_keyword.c.photo_id == bindparam("of_photo"), photo_keyword.c.tag_id == bindparam("of_tag")
        connection.execute(
            photo_keyword.delete().where(*this_row),
            [{"of_photo": one, "of_tag": tag_id} for one, tag_id in sorted(gone)],
        )
    if new := wanted - known:
        connection.execute(photo_keyword.insert(), [{"photo_id": one, "tag_id": tag_id} for one, tag_id in sorted(new)])
    if rejected := wanted & _rejected(connection, chosen):
        left = {
            photo_id: [
                keyword for keyword, name in names[photo_id].items() if (photo_id, ids.get(name or "")) not in rejected
            ]
            for photo_id, _ in sorted(rejected)
        }
        connection.execute(_keep_keywords, [{"of_photo": one, "kept": keywords} for one, keywords in left.items()])


_keep_keywords = photo.update().where(photo.c.id == bindparam("of_photo")).values(keywords=bindparam("kept"))


def _rejected(connection: Connection, chosen: Select[tuple[int]]) -> set[tuple[int, int]]:
    """Return (photo, tag) of what a person rejected in photos."""
    statement = select(asset.c.photo_id, tag_rejection.c.tag_id).join(asset, asset.c.id == tag_rejection.c.asset_id)
    return {(row.photo_id, row.tag_id) for row in connection.execute(statement.where(asset.c.photo_id.in_(chosen)))}


def _renamed(name: str, aliases: Mapping[str, str], known: Collection[str]) -> str:
    """Return what a name is called by the alias of its longest level that has one, unless a deeper level is a tag."""
    levels = name.split("/")
    for count in range(len(levels), 0, -1):
        key = tag_key("/".join(levels[:count]))
        if key in aliases:
            return "/".join([aliases[key], *levels[count:]])
        if key in known:
            break
    return name


def _of_levels(connection: Connection, names: Collection[str]) -> tuple[dict[str, str], set[str]]:
    """Return alias -> name of its tag, and the names of tags, among the levels of names; all folded but the tag's name."""
    keys = {
        level for name in names for level in accumulate(tag_key(name).split("/"), lambda one, next_: f"{one}/{next_}")
    }
    aliases: dict[str, str] = {}
    known: set[str] = set()
    for some in chunks(sorted(keys), _CHUNK):
        of_alias = select(tag_alias.c.name_key, tag.c.name).join(tag, tag.c.id == tag_alias.c.tag_id)
        aliases |= {
            row.name_key: row.name for row in connection.execute(of_alias.where(tag_alias.c.name_key.in_(some)))
        }
        known.update(connection.execute(select(tag.c.name_key).where(tag.c.name_key.in_(some))).scalars())
    return aliases, known


def _ids(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    return {row.name_key: row.id for some in chunks(keys, _CHUNK) for row in connection.execute(_by_keys(some))}


def _by_keys(keys: Sequence[str]) -> Select[tuple[int, str, str]]:
    return select(tag.c.id, tag.c.name, tag.c.name_key).where(tag.c.name_key.in_(keys))
