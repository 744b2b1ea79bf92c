"""Labels that nobody judged yet, by tag, for the page that asks about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from photoindex.store.people.hidden import Also, shows_hidden
from photoindex.store.schema.tables import asset, asset_tag, label, photo, tag, tag_rejection
from photoindex.store.search.tags import is_sensitive
from photoindex.store.words.labels import surest_is_calibrated
from photoindex.store.words.said import is_in


class JudgedTag(NamedTuple):
    """A tag. open: photos that a model gave it and nobody judged; judged: contents for which a person said whether it fits."""

    id: int
    name: str
    open: int
    judged: int


class OpenLabel(NamedTuple):
    """A photo that a model gave a tag. digest: BLAKE3 of the content that represents it. confidence: 0 to 1.

    calibrated: the confidence was measured on what a person said about the tag.
    """

    photo_id: int
    digest: bytes
    confidence: float
    shown: bool
    calibrated: bool


def open_tags(connection: Connection, also: Also) -> list[JudgedTag]:
    """Return the tags with labels that nobody judged: first those with the fewest verdicts, then the most frequent ones."""
    accepted, rejected = (
        select(func.count()).select_from(table).where(table.c.tag_id == tag.c.id).scalar_subquery()
        for table in (asset_tag, tag_rejection)
    )
    judged = accepted + rejected
    count = func.count(label.c.asset_id.distinct())
    statement = (
        select(tag.c.id, tag.c.name, count, judged)
        .join(label, label.c.tag_id == tag.c.id)
        .join(photo, photo.c.primary_asset_id == label.c.asset_id)
        .where(*_open(also))
        .group_by(tag.c.id)
        .order_by(judged, count.desc(), tag.c.name_key)
    )
    return [JudgedTag(*row) for row in connection.execute(statement)]


def open_labels(connection: Connection, tag_id: int, also: Also, *, near: float, limit: int) -> list[OpenLabel]:
    """Return photos that a model gave a tag and nobody judged: those whose confidence is nearest to `near`, surest first."""
    sure = func.max(label.c.confidence)
    statement: Select[Any] = (
        select(photo.c.id, asset.c.digest, sure, func.max(label.c.shown), surest_is_calibrated())
        .join(label, label.c.asset_id == photo.c.primary_asset_id)
        .join(asset, asset.c.id == photo.c.primary_asset_id)
        .join(tag, tag.c.id == label.c.tag_id)
        .where(label.c.tag_id == tag_id, *_open(also))
        .group_by(photo.c.id)
        .order_by(func.abs(sure - near), photo.c.id)
        .limit(limit)
    )
    found = [OpenLabel(row[0], row[1], row[2], bool(row[3]), bool(row[4])) for row in connection.execute(statement)]
    return sorted(found, key=lambda one: (-one.confidence, one.photo_id))


def _open(also: Also) -> Sequence[ColumnElement[bool]]:
    judged = [is_in(table, photo.c.id, label.c.tag_id) for table in (asset_tag, tag_rejection)]
    conditions = [~or_(*judged)]
    if not also.hidden:
        conditions.append(~shows_hidden(photo.c.primary_asset_id))
    if not also.sensitive:
        conditions.append(~is_sensitive())
    return conditions
