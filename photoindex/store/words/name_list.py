"""The names of tags and albums for completion in a shell; light on imports."""

from __future__ import annotations

from pathlib import Path

from photoindex.store.engine.quick_read import quick_rows

_TAGS = """SELECT name FROM tag WHERE EXISTS (SELECT 1 FROM asset_tag WHERE asset_tag.tag_id = tag.id)
    OR EXISTS (SELECT 1 FROM photo_keyword WHERE photo_keyword.tag_id = tag.id AND NOT EXISTS (
        SELECT 1 FROM tag_rejection JOIN asset ON asset.id = tag_rejection.asset_id
        WHERE tag_rejection.tag_id = tag.id AND asset.photo_id = photo_keyword.photo_id))
    OR EXISTS (SELECT 1 FROM label JOIN photo ON photo.primary_asset_id = label.asset_id
        WHERE label.tag_id = tag.id AND label.shown AND NOT EXISTS (
            SELECT 1 FROM tag_rejection JOIN asset ON asset.id = tag_rejection.asset_id
            WHERE tag_rejection.tag_id = tag.id AND asset.photo_id = photo.id)) ORDER BY name_key"""
_ALBUMS = "SELECT DISTINCT name FROM album UNION SELECT name FROM saved_query ORDER BY name"


def quick_tags(database: Path) -> list[str]:
    """Return the tags that photos have in a database file, by folded name; none if it cannot be read now."""
    return [str(row[0]) for row in quick_rows(database, _TAGS)]


def quick_albums(database: Path) -> list[str]:
    """Return the names of albums and saved queries in a database file; none if it cannot be read now."""
    return [str(row[0]) for row in quick_rows(database, _ALBUMS)]
