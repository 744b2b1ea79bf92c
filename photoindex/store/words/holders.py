"""Photos by the words that they have: those of contents, of tags and of keywords."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select, union

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import json_length, numbers
from photoindex.store.schema.tables import asset, asset_tag, label, photo, photo_keyword, tag_rejection

_CHUNK = 5_000


def photos_of_contents(connection: Connection, asset_ids: Collection[int]) -> set[int]:
    """Return the photos of contents."""
    found: set[int] = set()
    for some in chunks(sorted(set(asset_ids)), _CHUNK):
        found.update(connection.execute(select(asset.c.photo_id).where(asset.c.id.in_(numbers(some)))).scalars())
    return found


def photos_of_tags(connection: Connection, tag_ids: Collection[int]) -> set[int]:
    """Return the photos whose full-text documents name a tag: given by a person, or shown of a model."""
    found: set[int] = set()
    for some in chunks(sorted(set(tag_ids)), _CHUNK):
        own = select(asset.c.photo_id).join(asset_tag, asset_tag.c.asset_id == asset.c.id)
        labelled = select(photo.c.id).join(label, label.c.asset_id == photo.c.primary_asset_id)
        both = union(
            own.where(asset_tag.c.tag_id.in_(numbers(some))),
            labelled.where(label.c.tag_id.in_(numbers(some)), label.c.shown.is_(True)),
        )
        found.update(connection.execute(both).scalars())
    return found


def photos_with_keywords_of(connection: Connection, tag_ids: Collection[int]) -> set[int]:
    """Return the photos that have these tags in their files."""
    found: set[int] = set()
    for some in chunks(sorted(set(tag_ids)), _CHUNK):
        chosen = select(photo_keyword.c.photo_id).where(photo_keyword.c.tag_id.in_(numbers(some)))
        found.update(connection.execute(chosen).scalars())
    return found


def photos_that_reject(connection: Connection, tag_ids: Collection[int]) -> set[int]:
    """Return the photos of which a person said that one of these tags does not fit."""
    found: set[int] = set()
    for some in chunks(sorted(set(tag_ids)), _CHUNK):
        chosen = select(asset.c.photo_id).join(tag_rejection, tag_rejection.c.asset_id == asset.c.id)
        found.update(connection.execute(chosen.where(tag_rejection.c.tag_id.in_(numbers(some)))).scalars())
    return found


def with_tags_in_files(connection: Connection, photo_ids: Collection[int]) -> set[int]:
    """Return those of some photos whose files have keywords that are tags."""
    found: set[int] = set()
    for some in chunks(sorted(set(photo_ids)), _CHUNK):
        chosen = select(photo_keyword.c.photo_id).where(photo_keyword.c.photo_id.in_(numbers(some)))
        found.update(connection.execute(chosen).scalars())
    return found


def photos_with_keywords(connection: Connection, asset_ids: Collection[int]) -> set[int]:
    """Return the photos of contents that have keywords."""
    found: set[int] = set()
    for some in chunks(sorted(set(asset_ids)), _CHUNK):
        chosen = select(photo.c.id).join(asset, asset.c.photo_id == photo.c.id).where(asset.c.id.in_(numbers(some)))
        found.update(connection.execute(chosen.where(json_length(photo.c.keywords) > 0)).scalars())
    return found
