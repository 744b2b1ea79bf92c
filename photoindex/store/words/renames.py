"""Renaming and merging tags, with all levels below them; the old names stay as aliases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    insert,
    literal,
    select,
    update,
)

from photoindex.domain.words.names import tag_key
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.journal.journal import Change, Row, rows_as_changes, stored_row, updates_as_changes
from photoindex.store.schema.tables import (
    asset_tag,
    label,
    photo_keyword,
    tag,
    tag_alias,
    tag_calibration,
    tag_rejection,
)
from photoindex.store.words.tags import TagRow, below

_CHUNK = 5_000


def renamed_rows(connection: Connection, row: TagRow, name: str) -> dict[TagRow, str]:
    """Return the tag and all below it -> their names once the tag is called `name`."""
    depth = row.name.count("/") + 1
    inside = below(connection, tag_key(row.name))
    return {one: "/".join([name, *one.name.split("/")[depth:]]) for one in (row, *inside)}


def taken(connection: Connection, wanted: Mapping[TagRow, str]) -> list[tuple[TagRow, TagRow]]:
    """Return (tag, other tag that has the name it is to get) for names that are taken."""
    moved = {one.id for one in wanted}
    by_key = {tag_key(name): one for one, name in wanted.items()}
    rows = connection.execute(select(tag.c.id, tag.c.name, tag.c.name_key).where(tag.c.name_key.in_(list(by_key))))
    return [(by_key[row.name_key], TagRow(row.id, row.name)) for row in rows if row.id not in moved]


def rename(connection: Connection, wanted: Mapping[TagRow, str]) -> Iterator[Change]:
    """Give tags other names, none of which is taken by another tag; the old ones become aliases."""
    # A name must be free when it is given: animals/all to animals/all/all before animals to animals/all.
    longer = any(len(name) > len(one.name) for one, name in wanted.items())
    ordered = sorted(wanted.items(), key=lambda item: item[0].name.count("/"), reverse=longer)
    new_keys = {tag_key(name) for name in wanted.values()}
    for one, name in ordered:
        values: dict[str, str] = {"name": name, "name_key": tag_key(name)}
        chosen = select(tag).where(tag.c.id == one.id)
        yield from list(updates_as_changes(connection, tag, chosen, values))
        connection.execute(update(tag).where(tag.c.id == one.id).values(values))
    yield from _removed(connection, tag_alias, tag_alias.c.name_key.in_(new_keys))
    for one in wanted:
        if tag_key(one.name) not in new_keys:
            yield _alias(connection, tag_key(one.name), one.id)


def merge(connection: Connection, into: TagRow, gone: TagRow) -> Iterator[Change]:
    """Make a tag another one: what has it gets the other, and its name becomes an alias of the other.

    Where a person gave one of them and rejected the other, the photo keeps the tag.
    """
    both = [into.id, gone.id]
    given = exists().where(asset_tag.c.asset_id == tag_rejection.c.asset_id, asset_tag.c.tag_id.in_(both))
    yield from _removed(connection, tag_rejection, tag_rejection.c.tag_id.in_(both) & given.correlate(tag_rejection))
    for table in (asset_tag, tag_rejection, label):
        yield from _moved(connection, table, gone.id, into.id)
    kept = select(photo_keyword.c.photo_id, literal(into.id)).where(photo_keyword.c.tag_id == gone.id)
    connection.execute(upsert(photo_keyword).from_select(["photo_id", "tag_id"], kept).on_conflict_do_nothing())
    for table in (photo_keyword, tag_calibration):
        connection.execute(delete(table).where(table.c.tag_id == gone.id))
    aliases = tag_alias.c.tag_id == gone.id
    yield from list(updates_as_changes(connection, tag_alias, select(tag_alias).where(aliases), {"tag_id": into.id}))
    connection.execute(update(tag_alias).where(aliases).values(tag_id=into.id))
    yield from _removed(connection, tag, tag.c.id == gone.id)
    yield _alias(connection, tag_key(gone.name), into.id)


def _moved(connection: Connection, table: Table, source: int, target: int) -> Iterator[Change]:
    """Give the rows of a tag to another one; where that has the row already, it stays as it is."""
    keys = [column.name for column in table.primary_key.columns]
    while True:
        some: Select[tuple[int]] = select(table).where(table.c.tag_id == source).limit(_CHUNK)
        changes = list(rows_as_changes(connection, table, some))
        if not changes:
            return
        rows: list[Row] = [{**(change.before or {}), "tag_id": target} for change in changes]
        known = _known(connection, table, rows)
        added = [row for row in rows if tuple(row[name] for name in keys) not in known]
        this_row = [table.c[name] == bindparam(f"key_{name}") for name in keys]
        old_keys = [{f"key_{name}": value for name, value in change.key.items()} for change in changes]
        connection.execute(delete(table).where(*this_row), old_keys)
        if added:
            connection.execute(insert(table), added)
        yield from changes
        yield from (Change(table.name, {name: row[name] for name in keys}, before=None, after=row) for row in added)


def _known(connection: Connection, table: Table, rows: list[Row]) -> set[tuple[object, ...]]:
    contents = sorted({int(str(row["asset_id"])) for row in rows})
    keys = list(table.primary_key.columns)
    found: set[tuple[object, ...]] = set()
    for some in chunks(contents, _CHUNK):
        chosen = table.c.asset_id.in_(numbers(some)), table.c.tag_id == rows[0]["tag_id"]
        found.update(tuple(row) for row in connection.execute(select(*keys).where(*chosen)))
    return found


def _removed(connection: Connection, table: Table, condition: ColumnElement[bool]) -> Iterator[Change]:
    changes = list(rows_as_changes(connection, table, select(table).where(condition)))
    connection.execute(delete(table).where(condition))
    yield from changes


def _alias(connection: Connection, key: str, tag_id: int) -> Change:
    where: Row = {"name_key": key}
    before = stored_row(connection, tag_alias, where)
    row = upsert(tag_alias).values(name_key=key, tag_id=tag_id)
    connection.execute(row.on_conflict_do_update(index_elements=["name_key"], set_={"tag_id": tag_id}))
    return Change(tag_alias.name, where, before=before, after=stored_row(connection, tag_alias, where))
