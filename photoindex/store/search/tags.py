"""Find photos by their tags: given by a person, keywords of their files, and labels of models that nobody rejected."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, or_, select

from photoindex.query.values import check_text, glob_pattern
from photoindex.store.engine.statements import glob
from photoindex.store.schema.tables import asset, asset_tag, label, photo, photo_keyword, tag, tag_rejection
from photoindex.store.search.conditions import matches

Condition = ColumnElement[bool]

_BETWEEN_LEVELS = re.compile(r"\s*[/|]\s*")


def check_tag(value: str) -> None:
    """Raise ValueError for a value without a level."""
    check_text(value)
    if not any(_BETWEEN_LEVELS.split(value.strip())):
        raise ValueError("a tag is needed, such as dog, animals/dog or animals/")


def tagged(value: str) -> Condition:
    """It has a tag with this name, or with these consecutive levels: `dog`, `animals/dog`; `*` matches anything.

    `animals/` is everything below that level.
    """
    return tagged_any([value])


def tagged_any(values: Sequence[str]) -> Condition:
    """It has one of these tags, as for `tagged`."""
    return _has_effective(or_(*map(_is_called, values)))


def tagged_matching(pattern: str) -> Condition:
    """It has a tag whose name matches a regular expression."""
    return _has_effective(matches(tag.c.name, pattern))


def has_tag() -> Condition:
    """It has a tag that nobody rejected."""
    return or_(_owns(select(asset_tag.c.asset_id)), _in_files(_keywords()), _labelled(_labels()))


def _has_effective(condition: Condition) -> Condition:
    wanted = select(tag.c.id).where(condition)
    return or_(
        _owns(select(asset_tag.c.asset_id).where(asset_tag.c.tag_id.in_(wanted))),
        _in_files(_keywords().where(photo_keyword.c.tag_id.in_(wanted))),
        _labelled(_labels().where(label.c.tag_id.in_(wanted))),
    )


def _is_called(value: str) -> Condition:
    written = value.strip()
    levels = [glob_pattern(level) for level in _BETWEEN_LEVELS.split(written.strip("/| "))]
    below = "?*/" if written.endswith(("/", "|")) else ""
    return glob("/" + tag.c.name_key + "/", "/".join(["*", *levels, ""]) + (below or "*"))


def _owns(contents: Select[tuple[int]]) -> Condition:
    return photo.c.id.in_(select(asset.c.photo_id).where(asset.c.id.in_(contents)))


def _in_files(photos: Select[tuple[int]]) -> Condition:
    return photo.c.id.in_(photos)


def _labelled(contents: Select[tuple[int]]) -> Condition:
    return photo.c.primary_asset_id.in_(contents)


def _keywords() -> Select[tuple[int]]:
    """Return the query for the photos with keywords of their files that nobody rejected."""
    content = asset.alias("content_with_keyword")
    rejected = (
        exists()
        .where(content.c.photo_id == photo_keyword.c.photo_id, tag_rejection.c.asset_id == content.c.id)
        .where(tag_rejection.c.tag_id == photo_keyword.c.tag_id)
        .correlate(photo_keyword)
    )
    return select(photo_keyword.c.photo_id).where(~rejected)


def _labels() -> Select[tuple[int]]:
    """Return the query for the contents with labels that are shown and that nobody rejected in their photos."""
    labelled, other = asset.alias("labelled"), asset.alias("content_with_label")
    rejected = (
        exists()
        .where(labelled.c.id == label.c.asset_id, other.c.photo_id == labelled.c.photo_id)
        .where(tag_rejection.c.asset_id == other.c.id, tag_rejection.c.tag_id == label.c.tag_id)
        .correlate(label)
    )
    return select(label.c.asset_id).where(label.c.shown.is_(True), ~rejected)
