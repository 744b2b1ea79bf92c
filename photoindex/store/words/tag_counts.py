"""How many photos have each tag, by source."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, union_all

from photoindex.store.schema.tables import asset, asset_tag, label, photo, photo_keyword, tag
from photoindex.store.words.said import is_rejected


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and the photos that have it: altogether, and given by a person, in files and by models.

    key: the folded name.
    """

    id: int
    name: str
    key: str
    photos: int
    own: int
    files: int
    models: int


def counts(connection: Connection) -> list[TagCount]:
    """Return the tags that photos have; what a person rejected does not count."""
    own = (
        select(asset_tag.c.tag_id.label("tag_id"), asset.c.photo_id.label("photo_id"), literal(1).label("kind"))
        .distinct()
        .join(asset, asset.c.id == asset_tag.c.asset_id)
    )
    in_files = select(photo_keyword.c.tag_id, photo_keyword.c.photo_id, literal(2)).where(
        ~is_rejected(photo_keyword.c.photo_id, photo_keyword.c.tag_id)
    )
    by_models = (
        select(label.c.tag_id, photo.c.id, literal(4))
        .distinct()
        .join(photo, photo.c.primary_asset_id == label.c.asset_id)
        .where(label.c.shown.is_(True), ~is_rejected(photo.c.id, label.c.tag_id))
    )
    found = union_all(own, in_files, by_models).subquery()
    of_kind = [func.sum(found.c.kind == kind) for kind in (1, 2, 4)]
    statement = (
        select(tag.c.id, tag.c.name, tag.c.name_key, func.count(found.c.photo_id.distinct()), *of_kind)
        .join(found, found.c.tag_id == tag.c.id)
        .group_by(tag.c.id)
    )
    return [TagCount(*row) for row in connection.execute(statement)]
