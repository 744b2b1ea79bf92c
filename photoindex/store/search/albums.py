"""Find photos by the albums that they are in."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from photoindex.query.values import check_text, glob_pattern
from photoindex.store.engine.statements import glob
from photoindex.store.schema.tables import album, album_asset, asset, photo
from photoindex.store.search.conditions import matches
from photoindex.text import fold

Condition = ColumnElement[bool]


def check_album(value: str) -> None:
    """Raise ValueError for a value without a name."""
    check_text(value)
    if not fold(value).strip():
        raise ValueError("the name of an album is needed, whole or with * for anything")


def in_album(value: str) -> Condition:
    """It is in an album with this name; `*` matches anything."""
    return _in_albums(glob(album.c.name_key, glob_pattern(value.strip())))


def in_album_matching(pattern: str) -> Condition:
    """It is in an album whose name matches a regular expression."""
    return _in_albums(matches(album.c.name, pattern))


def _in_albums(condition: Condition) -> Condition:
    held = select(album_asset.c.asset_id).where(album_asset.c.album_id.in_(select(album.c.id).where(condition)))
    return photo.c.id.in_(select(asset.c.photo_id).where(asset.c.id.in_(held)))
