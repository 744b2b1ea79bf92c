"""The tags of photos by source: given by a person, keywords of files, labels of models; and what a person rejected."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, literal, select, union_all

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.journal.journal import Change, Row, rows_as_changes
from photoindex.store.photos.assets import SUPERSEDED
from photoindex.store.schema.tables import (
    asset,
    asset_tag,
    label,
    photo,
    photo_keyword,
    tag,
    tag_rejection,
    variant,
)
from photoindex.store.words.labels import surest_is_calibrated
from photoindex.store.words.tags import TagRow

PERSON, FILE = "person", "file"
"""Sources of a tag; a label's source is the stage that gave it."""
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class PhotoTag:
    """A tag of a photo. source: person, file, or the stage of the model. confidence: of a model, 0 to 1.

    calibrated: that was measured on what a person said about the tag; None without a confidence. rejected: a person said that
    it does not fit. shown: as confident as the settings ask for.
    """

    tag: TagRow
    source: str
    confidence: float | None = None
    calibrated: bool | None = None
    rejected: bool = False
    shown: bool = True


@dataclass(slots=True)
class TagChange:
    """Photos whose tags a person changed, and those in which they rejected some or took that back.

    Both fill while the changes are consumed.
    """

    photos: set[int] = field(default_factory=set)
    judged: set[int] = field(default_factory=set)

    def add(self, table: Table, photo_ids: Collection[int]) -> None:
        """Note photos that gained or lost rows of a table."""
        self.photos.update(photo_ids)
        if table is tag_rejection:
            self.judged.update(photo_ids)


def own_of(connection: Connection, photo_ids: Sequence[int]) -> dict[int, list[TagRow]]:
    """Return photo -> the tags that a person gave it, over all its contents, by name; photos without are left out."""
    return _by_photo(connection, photo_ids, asset_tag)


def rejected_of(connection: Connection, photo_ids: Sequence[int]) -> dict[int, list[TagRow]]:
    """Return photo -> the tags that a person rejected, over all its contents, by name; photos without are left out."""
    return _by_photo(connection, photo_ids, tag_rejection)


def _by_photo(connection: Connection, photo_ids: Sequence[int], table: Table) -> dict[int, list[TagRow]]:
    found: dict[int, list[TagRow]] = {}
    for some in chunks(photo_ids, _CHUNK):
        statement = (
            select(asset.c.photo_id, tag.c.id, tag.c.name)
            .distinct()
            .select_from(table.join(tag, tag.c.id == table.c.tag_id).join(asset, asset.c.id == table.c.asset_id))
            .where(asset.c.photo_id.in_(numbers(some)))
            .order_by(asset.c.photo_id, tag.c.name_key)
        )
        for row in connection.execute(statement):
            found.setdefault(row.photo_id, []).append(TagRow(row.id, row.name))
    return found


def tags_of(connection: Connection, photo_id: int) -> list[PhotoTag]:
    """Return all tags of a photo by name and source, also rejected ones and those that are not shown."""
    contents = select(asset.c.id).where(asset.c.photo_id == photo_id)
    primary = select(photo.c.primary_asset_id).where(photo.c.id == photo_id).scalar_subquery()
    own = select(asset_tag.c.tag_id, literal(PERSON), literal(None), literal(None), literal(1)).distinct()
    in_files = select(photo_keyword.c.tag_id, literal(FILE), literal(None), literal(None), literal(1))
    confidence_of_models = func.max(label.c.confidence), surest_is_calibrated()
    of_models = (
        select(label.c.tag_id, variant.c.stage, *confidence_of_models, func.max(label.c.shown))
        .join(variant, variant.c.id == label.c.variant_id)
        .where(label.c.asset_id == primary)
        .group_by(label.c.tag_id, variant.c.stage)
    )
    found = union_all(
        own.where(asset_tag.c.asset_id.in_(contents)), in_files.where(photo_keyword.c.photo_id == photo_id), of_models
    ).subquery()
    tag_id, source, confidence, calibrated, shown = found.c
    rejected = select(tag_rejection.c.tag_id).where(tag_rejection.c.asset_id.in_(contents))
    statement = (
        select(tag.c.id, tag.c.name, source, confidence, calibrated, tag_id.in_(rejected), shown)
        .join(tag, tag.c.id == tag_id)
        .order_by(tag.c.name_key, source != PERSON, source != FILE, source)
    )
    return [
        PhotoTag(
            TagRow(row[0], row[1]),
            row[2],
            row[3],
            None if row[3] is None else bool(row[4]),
            rejected=bool(row[5]) and row[2] != PERSON,
            shown=bool(row[6]),
        )
        for row in connection.execute(statement)
    ]


def add(
    connection: Connection, tag_ids: Collection[int], photo_ids: Sequence[int], done: TagChange
) -> Iterator[Change]:
    """Give photos tags, and take back that a person rejected them; yields the changes for the journal.

    A tag is written to all current contents of a photo. Each chunk is written when its first change is consumed.
    """
    now = time.time()
    for some in chunks(photo_ids, _CHUNK):
        rejected = tag_rejection.c.asset_id.in_(_contents(some)), tag_rejection.c.tag_id.in_(tag_ids)
        yield from _removed(connection, tag_rejection, rejected, done)
        for tag_id in tag_ids:
            yield from _added(connection, asset_tag, tag_id, _current(some), done, now)


def remove(
    connection: Connection, tag_ids: Collection[int], photo_ids: Sequence[int], done: TagChange
) -> Iterator[Change]:
    """Take tags from photos; where a file or a model gives one too, it is rejected. Yields changes like `add`."""
    now = time.time()
    for some in chunks(photo_ids, _CHUNK):
        own = asset_tag.c.asset_id.in_(_contents(some)), asset_tag.c.tag_id.in_(tag_ids)
        yield from _removed(connection, asset_tag, own, done)
        for tag_id in tag_ids:
            given = union_all(
                select(photo_keyword.c.photo_id).where(
                    photo_keyword.c.photo_id.in_(numbers(some)), photo_keyword.c.tag_id == tag_id
                ),
                select(asset.c.photo_id)
                .join(label, label.c.asset_id == asset.c.id)
                .where(asset.c.photo_id.in_(numbers(some)), label.c.tag_id == tag_id),
            )
            contents = _current(some).where(asset.c.photo_id.in_(given))
            yield from _added(connection, tag_rejection, tag_id, contents, done, now)


def reject(
    connection: Connection, tag_ids: Collection[int], photo_ids: Sequence[int], done: TagChange
) -> Iterator[Change]:
    """Say that tags do not fit photos, whoever gave them; no model's tag returns. Yields changes like `add`."""
    now = time.time()
    for some in chunks(photo_ids, _CHUNK):
        own = asset_tag.c.asset_id.in_(_contents(some)), asset_tag.c.tag_id.in_(tag_ids)
        yield from _removed(connection, asset_tag, own, done)
        for tag_id in tag_ids:
            yield from _added(connection, tag_rejection, tag_id, _current(some), done, now)


def labelled(connection: Connection, tag_ids: Collection[int], photo_ids: Sequence[int]) -> list[int]:
    """Return those of the photos that a model gave one of the tags, shown or not."""
    found: list[int] = []
    for some in chunks(photo_ids, _CHUNK):
        statement = select(photo.c.id).where(
            photo.c.id.in_(numbers(some)),
            photo.c.primary_asset_id.in_(select(label.c.asset_id).where(label.c.tag_id.in_(tag_ids))),
        )
        found += connection.execute(statement.order_by(photo.c.id)).scalars()
    return found


def _added(
    connection: Connection, table: Table, tag_id: int, contents: Select[tuple[int, int]], done: TagChange, now: float
) -> Iterator[Change]:
    has = select(table.c.asset_id).where(table.c.tag_id == tag_id)
    rows = connection.execute(contents.where(asset.c.id.not_in(has))).all()
    if not rows:
        return
    values: list[Row] = [{"asset_id": row.id, "tag_id": tag_id, "at": now} for row in rows]
    connection.execute(table.insert(), values)
    done.add(table, [row.photo_id for row in rows])
    for value in values:
        yield Change(table.name, {"asset_id": value["asset_id"], "tag_id": tag_id}, before=None, after=value)


def _removed(
    connection: Connection, table: Table, chosen: Collection[ColumnElement[bool]], done: TagChange
) -> Iterator[Change]:
    changes = list(rows_as_changes(connection, table, select(table).where(*chosen)))
    if not changes:
        return
    contents = select(table.c.asset_id).where(*chosen)
    done.add(table, connection.execute(select(asset.c.photo_id).where(asset.c.id.in_(contents))).scalars().all())
    connection.execute(delete(table).where(*chosen))
    yield from changes


def _contents(photo_ids: Sequence[int]) -> Select[tuple[int]]:
    return select(asset.c.id).where(asset.c.photo_id.in_(numbers(photo_ids)))


def _current(photo_ids: Sequence[int]) -> Select[tuple[int, int]]:
    current = asset.c.photo_id.in_(numbers(photo_ids)), asset.c.role != SUPERSEDED
    return select(asset.c.id, asset.c.photo_id).where(*current).order_by(asset.c.id)


def copy(connection: Connection, *, source: int, target: int) -> None:
    """Copy what a person said about the tags of a content to the one that replaced it in a file."""
    for table in (asset_tag, tag_rejection):
        rows = select(literal(target), table.c.tag_id, table.c.at).where(table.c.asset_id == source)
        connection.execute(upsert(table).from_select(["asset_id", "tag_id", "at"], rows).on_conflict_do_nothing())
