"""The conditions that a person gave a photo a tag, or said that one does not fit, in whichever of its contents."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, exists

from photoindex.store.schema.tables import asset, tag_rejection


def is_rejected(photo_id: ColumnElement[int], tag_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a person said of a photo that a tag does not fit it."""
    return is_in(tag_rejection, photo_id, tag_id)


def is_in(table: Table, photo_id: ColumnElement[int], tag_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that `asset_tag` or `tag_rejection` has a tag of a photo."""
    content, row = asset.alias(), table.alias()
    return exists().where(content.c.photo_id == photo_id, row.c.asset_id == content.c.id, row.c.tag_id == tag_id)
