"""Photos by the words that they have: those of contents, of tags and of keywords."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import Connection, Executable, Select, select, union

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import json_length, numbers
from photoindex.store.schema.tables import asset, asset_tag, label, photo, photo_keyword, tag_rejection

_CHUNK = 5_000


def photos_of_contents(connection: Connection, asset_ids: Collection[int]) -> set[int]:
    """Return the photos of contents."""
    return _found(connection, asset_ids, lambda some: select(asset.c.photo_id).where(asset.c.id.in_(some)))


def photos_of_tags(connection: Connection, tag_ids: Collection[int]) -> set[int]:
    """Return the photos whose full-text documents name a tag: given by a person, or shown of a model."""
    own = select(asset.c.photo_id).join(asset_tag, asset_tag.c.asset_id == asset.c.id)
    labelled = select(photo.c.id).join(label, label.c.asset_id == photo.c.primary_asset_id)

    def both(some: _Numbers) -> Executable:
        of_models = labelled.where(label.c.tag_id.in_(some), label.c.shown.is_(True))
        return union(own.where(asset_tag.c.tag_id.in_(some)), of_models)

    return _found(connection, tag_ids, both)


def photos_with_keywords_of(connection: Connection, tag_ids: Collection[int]) -> set[int]:
    """Return the photos that have these tags in their files."""
    return _found(connection, tag_ids, lambda some: _in_files.where(photo_keyword.c.tag_id.in_(some)))


def photos_that_reject(connection: Connection, tag_ids: Collection[int]) -> set[int]:
    """Return the photos for which a person rejected one of these tags."""
    rejecting = select(asset.c.photo_id).join(tag_rejection, tag_rejection.c.asset_id == asset.c.id)
    return _found(connection, tag_ids, lambda some: rejecting.where(tag_rejection.c.tag_id.in_(some)))


def with_tags_in_files(connection: Connection, photo_ids: Collection[int]) -> set[int]:
    """Return those of some photos whose files have keywords that are tags."""
    return _found(connection, photo_ids, lambda some: _in_files.where(photo_keyword.c.photo_id.in_(some)))


def photos_with_keywords(connection: Connection, asset_ids: Collection[int]) -> set[int]:
    """Return the photos of contents that have keywords."""
    of_contents = select(photo.c.id).join(asset, asset.c.photo_id == photo.c.id)
    with_keywords = of_contents.where(json_length(photo.c.keywords) > 0)
    return _found(connection, asset_ids, lambda some: with_keywords.where(asset.c.id.in_(some)))


_in_files = select(photo_keyword.c.photo_id)
_Numbers = Select[tuple[int]]


def _found(
    connection: Connection,
    ids: Collection[int],
    photos: Callable[[_Numbers], Executable],
) -> set[int]:
    """Return the photos that a query finds for some ids at a time."""
    found: set[int] = set()
    for some in chunks(sorted(set(ids)), _CHUNK):
        found.update(connection.execute(photos(numbers(some))).scalars())
    return found
