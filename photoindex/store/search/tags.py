"""Find photos by their tags: given by a person, keywords of their files, and labels of models that nobody rejected."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from photoindex.query.values import check_text, glob_pattern
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import glob
from photoindex.store.schema.tables import (
    asset,
    asset_tag,
    label,
    photo,
    photo_keyword,
    tag,
    tag_alias,
    variant,
)
from photoindex.store.search.conditions import matches
from photoindex.store.words.said import is_rejected

Condition = ColumnElement[bool]

SENSITIVE = "sensitive"
"""The folded name of the tag whose photos are not shown unless asked for."""
_KEYS = 500

_CONFIDENCE = re.compile(r"(.*[^@])@(\d{1,3})%?")
_BETWEEN_LEVELS = re.compile(r"\s*[/|]\s*")


def check_tag(value: str) -> None:
    """Raise ValueError for a value without a level."""
    check_text(value)
    name, sure = _at_least(value)
    if not any(_BETWEEN_LEVELS.split(name.strip())):
        raise ValueError("a tag is needed, such as dog, animals/dog or animals/")
    if sure is not None and sure > 1:
        raise ValueError("a confidence is a number of percent from 0 to 100: dog@80")


def tagged(value: str) -> Condition:
    """It has a tag with this name, or with these consecutive levels: `dog`, `animals/dog`; `*` matches anything.

    `animals/` is everything below that level. `dog@80`: of a model's, those that are at least 80 % sure, shown or not.
    """
    return tagged_any([value])


def tagged_any(values: Sequence[str]) -> Condition:
    """It has one of these tags, as for `tagged`."""
    by_confidence: dict[float | None, list[str]] = {}
    for value in values:
        name, sure = _at_least(value)
        by_confidence.setdefault(sure, []).append(name)
    return or_(*(_has_effective(_is_or_was_called(names), sure) for sure, names in by_confidence.items()))


def labelled_by(stage: str) -> Condition:
    """It has a tag that this stage gave it, shown, and that nobody rejected."""
    return _labelled(_labels().where(label.c.variant_id.in_(select(variant.c.id).where(variant.c.stage == stage))))


def is_sensitive() -> Condition:
    """It has the tag `sensitive`, or what a person renamed that to, and nobody rejected it."""
    return _has_effective(_is_called_sensitive())


def is_labelled_sensitive() -> Condition:
    """A model gave one of its contents, also one that does not represent it, the tag `sensitive`, and nobody rejected it."""
    wanted = select(tag.c.id).where(_is_called_sensitive())
    return _owns(_labels().where(label.c.tag_id.in_(wanted)))


def _is_called_sensitive() -> Condition:
    renamed = select(tag_alias.c.tag_id).where(tag_alias.c.name_key == SENSITIVE)
    return or_(tag.c.name_key == SENSITIVE, tag.c.id.in_(renamed))


def sensitive_among(connection: Connection, photo_ids: Sequence[int]) -> set[int]:
    """Return those of the photos that are sensitive."""
    found: set[int] = set()
    for some in chunks(photo_ids, _KEYS):
        chosen = photo.c.id.in_(some)
        found.update(connection.execute(select(photo.c.id).where(chosen, is_sensitive())).scalars())
    return found


def tagged_by_person() -> Condition:
    """It has a tag that a person gave it."""
    return _owns(select(asset_tag.c.asset_id))


def tagged_by_file() -> Condition:
    """It has a keyword of its files that nobody rejected."""
    return _in_files(_keywords())


def tagged_matching(pattern: str) -> Condition:
    """It has a tag whose name matches a regular expression."""
    return _has_effective(matches(tag.c.name, pattern))


def has_tag() -> Condition:
    """It has a tag that nobody rejected."""
    return or_(_owns(select(asset_tag.c.asset_id)), _in_files(_keywords()), _labelled(_labels()))


def _has_effective(condition: Condition, sure: float | None = None) -> Condition:
    wanted = select(tag.c.id).where(condition)
    return or_(
        _owns(select(asset_tag.c.asset_id).where(asset_tag.c.tag_id.in_(wanted))),
        _in_files(_keywords().where(photo_keyword.c.tag_id.in_(wanted))),
        _labelled(_labels(sure).where(label.c.tag_id.in_(wanted))),
    )


def _at_least(value: str) -> tuple[str, float | None]:
    """Return the name, and the least confidence, 0 to 1, that a value such as `dog@80` asks for."""
    found = _CONFIDENCE.fullmatch(value.strip())
    return (value, None) if found is None else (found[1], int(found[2]) / 100)


def _is_or_was_called(names: Sequence[str]) -> Condition:
    """It has one of these names now, or had one before a person renamed it, or a level above it."""
    above, renamed = tag.alias(), tag.alias()
    earlier = tag_alias.c.name_key + func.substr(renamed.c.name_key, func.length(above.c.name_key) + 1)
    within = and_(renamed.c.name_key > above.c.name_key + "/", renamed.c.name_key < above.c.name_key + "0")
    was_called = (
        select(renamed.c.id)
        .select_from(tag_alias)
        .join(above, above.c.id == tag_alias.c.tag_id)
        .join(renamed, or_(renamed.c.id == above.c.id, within))
        .where(or_(*(_is_called(name, earlier) for name in names)))
    )
    return or_(*(_is_called(name, tag.c.name_key) for name in names), tag.c.id.in_(was_called))


def _is_called(value: str, key: ColumnElement[str]) -> Condition:
    """The folded name of a tag is what a query's value means."""
    written = value.strip()
    levels = [glob_pattern(level) for level in _BETWEEN_LEVELS.split(written.strip("/| "))]
    below = "?*/" if written.endswith(("/", "|")) else ""
    return glob("/" + key + "/", "/".join(["*", *levels, ""]) + (below or "*"))


def _owns(contents: Select[tuple[int]]) -> Condition:
    return photo.c.id.in_(select(asset.c.photo_id).where(asset.c.id.in_(contents)))


def _in_files(photos: Select[tuple[int]]) -> Condition:
    return photo.c.id.in_(photos)


def _labelled(contents: Select[tuple[int]]) -> Condition:
    return photo.c.primary_asset_id.in_(contents)


def _keywords() -> Select[tuple[int]]:
    """Return the query for the photos with keywords of their files that nobody rejected."""
    return select(photo_keyword.c.photo_id).where(~is_rejected(photo_keyword.c.photo_id, photo_keyword.c.tag_id))


def _labels(sure: float | None = None) -> Select[tuple[int]]:
    """Return the query for the contents with labels that nobody rejected in their photos.

    sure: least confidence, 0 to 1; None: those that are shown.
    """
    labelled = select(asset.c.photo_id).where(asset.c.id == label.c.asset_id).correlate(label).scalar_subquery()
    enough = label.c.shown.is_(True) if sure is None else label.c.confidence >= sure
    return select(label.c.asset_id).where(enough, ~is_rejected(labelled, label.c.tag_id))
