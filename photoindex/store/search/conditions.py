"""Conditions of query fields that need more than one column of `photo`.

Conditions on files and contents have the form `photo.id IN (…)`: SQLite evaluates the list once per query, using the
indexes of those tables, and not once per photo.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    true,
)

from photoindex.query.values import glob_pattern
from photoindex.store.engine import predicates
from photoindex.store.engine.path_columns import path_bytes, stored_text
from photoindex.store.engine.statements import (
    folded,
    folds_to,
    glob,
    json_elements,
    json_length,
    json_value,
    materialized,
    position_of,
    regex_found,
)
from photoindex.store.schema.tables import (
    asset,
    event,
    file,
    folder,
    photo,
    sidecar,
    sidecar_link,
    sidecar_part,
    task,
    volume,
)
from photoindex.store.search.paths import any_file, contains, folder_text
from photoindex.text import fold, without_stray_bytes

Condition = ColumnElement[bool]

_BETWEEN_LEVELS = re.compile(r"\s*[|/]\s*")
_EDITS = ("edit", "original")
_FIRST = "0001-01-01T00:00:00"
_LAST = "9999-12-31T23:59:59"


def matches(expression: ColumnElement[Any], pattern: str) -> Condition:
    """Return the condition that a regular expression matches in a text."""
    # The function compares texts without stray bytes; SQLite would reject these in a parameter.
    return regex_found(without_stray_bytes(pattern), expression)


def present() -> Condition:
    """Return the condition that at least one file of the photo is present."""
    of_primary = select(file.c.id).where(file.c.asset_id == photo.c.primary_asset_id, file.c.state == "present")
    files = select(file.c.id).join_from(asset, file, file.c.asset_id == asset.c.id)
    of_any = files.where(asset.c.photo_id == photo.c.id, file.c.state == "present")
    # Nearly every photo has a file of its primary content, and that is one lookup in an index.
    return or_(exists(of_primary.correlate(photo)), exists(of_any.correlate(photo)))


def photos_of(contents: Select[Any]) -> Condition:
    """Return the condition that a photo's id is among the photo ids selected by `contents`."""
    return photo.c.id.in_(contents)


def has_role(*roles: str) -> Condition:
    """Return the condition that a content of the photo has one of these roles."""
    return photos_of(select(asset.c.photo_id).where(predicates.is_secondary(), asset.c.role.in_(roles)))


def has_raw_of(name: str) -> Condition:
    """The photo has a RAW file of this format next to the image."""
    of_raw = (predicates.is_secondary(), asset.c.role == "raw", asset.c.format == name)
    return photos_of(select(asset.c.photo_id).where(*of_raw))


def is_paired() -> Condition:
    """The photo has more than one content, not counting superseded ones."""
    return photos_of(select(asset.c.photo_id).where(predicates.is_secondary()))


def is_raw() -> Condition:
    """The photo has a RAW file, alone or paired with a camera JPEG."""
    return or_(photo.c.kind == "raw", has_role("raw"))


def is_duplicate() -> Condition:
    """One of its contents is in two or more present files."""
    twice = select(file.c.asset_id).where(file.c.state == "present", file.c.asset_id.is_not(None))
    twice = twice.group_by(file.c.asset_id).having(func.count() > 1)
    return photos_of(select(asset.c.photo_id).where(asset.c.id.in_(twice)))


def is_quarantined() -> Condition:
    """A task of one of its files or contents is quarantined."""
    quarantined = select(task.c.subject_id).where(predicates.has_state("quarantined"))
    files = select(file.c.asset_id).where(file.c.id.in_(quarantined.where(task.c.subject_kind == "file")))
    contents = or_(asset.c.id.in_(files), asset.c.id.in_(quarantined.where(task.c.subject_kind == "asset")))
    return photos_of(select(asset.c.photo_id).where(contents))


def has_sidecar(kind: str | None = None) -> Condition:
    """A sidecar, of this kind if given, is linked to one of its files."""
    linked = select(sidecar_link.c.file_id)
    if kind is not None:
        linked = linked.join(sidecar, sidecar.c.file_id == sidecar_link.c.sidecar_id).where(sidecar.c.kind == kind)
    files = select(asset.c.photo_id).join_from(file, asset, asset.c.id == file.c.asset_id).where(file.c.id.in_(linked))
    return photos_of(files)


def has_edit() -> Condition:
    """It has an edited and an original version, or an AAE sidecar with edits."""
    return or_(has_role(*_EDITS), has_sidecar("aae"))


def has_marked_faces() -> Condition:
    """A face region is marked in its metadata, embedded or in a sidecar."""
    embedded = select(asset.c.photo_id).where(asset.c.regions.is_not(None), _contains_face(asset.c.regions))
    linked = select(sidecar_link.c.file_id).join(sidecar, sidecar.c.file_id == sidecar_link.c.sidecar_id)
    linked = linked.where(_contains_face(sidecar.c.regions))
    of_part = and_(sidecar_part.c.sidecar_id == sidecar_link.c.sidecar_id, sidecar_part.c.name == sidecar_link.c.part)
    parts = select(sidecar_link.c.file_id).join(sidecar_part, of_part).where(_contains_face(sidecar_part.c.regions))
    files = select(asset.c.photo_id).join_from(file, asset, asset.c.id == file.c.asset_id)
    return or_(photos_of(embedded), photos_of(files.where(or_(file.c.id.in_(linked), file.c.id.in_(parts)))))


def _contains_face(regions: ColumnElement[Any]) -> Condition:
    region = json_elements(regions)
    return exists(select(region.c.value).where(json_value(region.c.value, "$.kind") == "face"))


def has_keywords() -> Condition:
    """It has at least one keyword."""
    return json_length(photo.c.keywords) > 0


def keyword_like(value: str) -> Condition:
    """A whole keyword, or levels of a hierarchical one (`animals`, `animals/dog`), equal `value`; `*` matches anything."""
    keyword = json_elements(photo.c.keywords)
    levels = [glob_pattern(level) for level in _BETWEEN_LEVELS.split(value.strip("/|"))]
    whole = "[/|]".join(["*", *levels, "*"])
    return exists(select(keyword.c.value).where(glob("/" + folded(keyword.c.value) + "/", whole)))


def keyword_matches(pattern: str) -> Condition:
    """A regular expression matches in a keyword."""
    keyword = json_elements(photo.c.keywords)
    return exists(select(keyword.c.value).where(matches(keyword.c.value, pattern)))


def camera_contains(value: str) -> Condition:
    """Make and model, as one text, contain `value`."""
    return _for_cameras(lambda make, model: contains(make + " " + model, value))


def camera_matches(pattern: str) -> Condition:
    """A regular expression matches in make and model as shown, without repeating the make."""
    return _for_cameras(lambda make, model: matches(_shown(make, model), pattern))


def _for_cameras(condition: Callable[[ColumnElement[str], ColumnElement[str]], Condition]) -> Condition:
    """Return a condition on make and model that is evaluated once per camera, not once per photo."""
    distinct = select(photo.c.camera_make, photo.c.camera_model).distinct()
    # Materialized, or SQLite would push the condition down and evaluate it for each photo.
    cameras = materialized(distinct, "cameras", nesting=True)
    make, model = (func.coalesce(column, "") for column in cameras.c)
    own = func.coalesce(photo.c.camera_make, "") + "\n" + func.coalesce(photo.c.camera_model, "")
    return own.in_(select(make + "\n" + model).where(condition(make, model)))


def _shown(make: ColumnElement[str], model: ColumnElement[str]) -> ColumnElement[str]:
    same = func.lower(_first_word(make)) == func.lower(_first_word(model))
    return case((same, model), else_=func.trim(make + " " + model))


def _first_word(text: ColumnElement[str]) -> ColumnElement[str]:
    return func.substr(text, 1, position_of(text + " ", " ") - 1)


def time_of_day() -> ColumnElement[str | None]:
    """Return HH:MM:SS of the local wall time, NULL if the minute is unknown."""
    known = photo.c.taken_at_precision.in_(["second", "minute"])
    return case((known, func.substr(photo.c.taken_at, 12, 8)), else_=None)


def day_of_year() -> ColumnElement[str | None]:
    """Return MM-DD of the local date, MM if the day is unknown, NULL if the month is."""
    return case((func.length(photo.c.taken_at) >= len("2019-06"), func.substr(photo.c.taken_at, 6, 5)), else_=None)


def on_volume(value: str) -> Condition:
    """One of its files is on a volume with this id, mount point, or label (or part of it)."""
    if value.isascii() and value.isdigit():
        return _on_volumes(or_(volume.c.id == int(value[:18]), volume.c.label == value))
    if value.startswith("/"):
        return _on_volumes(folds_to(stored_text(volume.c.mount_point), fold(value).rstrip("/") or "/"))
    return _on_volumes(contains(volume.c.label, value))


def on_volume_matching(pattern: str) -> Condition:
    """One of its files is on a volume whose label matches a regular expression."""
    return _on_volumes(matches(volume.c.label, pattern))


def _on_volumes(condition: Condition) -> Condition:
    folders = select(folder.c.id).where(folder.c.volume_id.in_(select(volume.c.id).where(condition)))
    files = select(asset.c.photo_id).join_from(file, asset, asset.c.id == file.c.asset_id)
    return photos_of(files.where(file.c.folder_id.in_(folders)))


def in_event(value: str) -> Condition:
    """It was taken during an event with this key, or with these words in its title or places."""
    return _in_events(is_event(value))


def is_event(value: str) -> Condition:
    """The event has this key, or these words in its title or places."""
    return or_(event.c.key == fold(value), contains(event.c.words, value))


def in_event_matching(pattern: str) -> Condition:
    """It was taken during an event whose title matches a regular expression."""
    return _in_events(matches(event.c.title, pattern))


def _in_events(condition: Condition) -> Condition:
    taken = photo.alias("taken")
    # '~' sorts after any fraction or offset that may follow in a time.
    during = and_(taken.c.taken_at >= event.c.first_at, taken.c.taken_at <= event.c.last_at + "~")
    # A time known only to the month or year is stored as its first moment, which does not imply a day.
    imprecise = func.coalesce(taken.c.taken_at_precision, "second").in_(["month", "year"])
    # A file's time counts only in events that were made of such times.
    of_file = func.coalesce(taken.c.taken_at_source, "") == "mtime"
    other = photo.alias("other")
    others = (
        exists()
        .where(other.c.taken_at >= event.c.first_at, other.c.taken_at <= event.c.last_at + "~")
        .where(func.coalesce(other.c.taken_at_source, "") != "mtime")
        .correlate(event)
    )
    belongs = or_(~of_file, ~others)
    return photos_of(select(taken.c.id).join_from(event, taken, during).where(condition, ~imprecise, belongs))


def path_matches(pattern: str) -> Condition:
    """A regular expression matches in the full path of one of its files."""
    # As bytes: a name that is not UTF-8 would make invalid TEXT, which Python's sqlite3 cannot pass to a function.
    path = path_bytes(folder_text() + stored_text(file.c.name))
    folders = asset.join(file, file.c.asset_id == asset.c.id).join(folder, folder.c.id == file.c.folder_id)
    files = select(asset.c.photo_id).select_from(folders.join(volume, volume.c.id == folder.c.volume_id))
    return photos_of(files.where(matches(path, pattern)))


def name_matches(pattern: str) -> Condition:
    """A regular expression matches in the name of one of its files."""
    return any_file(matches(stored_text(file.c.name), pattern))


def ends_by(bound: str) -> list[Condition]:
    """Return the conditions that the period of a photo ends by `bound`, for photos whose period starts before it.

    bound: a date, ISO 8601 from YYYY to seconds; with a trailing `~`, its whole period is included. A time known only
    in part is stored as the first moment of its period. So only photos at the first moment of the day, month or year
    that contains the bound can extend past it; for all others the index on the time is sufficient. A bound that is a
    whole year needs no condition.
    """
    text = bound.removesuffix("~")
    if len(text) == len("1974"):
        return []
    end = text + (_LAST[len(text) :] if bound.endswith("~") else _FIRST[len(text) :])
    if bound.endswith("~") and len(text) == len("1974-05"):
        end = f"{text}-{_days(text)}{_LAST[10:]}"
    return [_differs_in_precision(first, precision) for first, last, precision in _periods(end) if end < last]


def _periods(moment: str) -> Iterator[tuple[str, str, str]]:
    """Yield first second, last second and precision of the year, month and day that contain a moment."""
    year, month, day = moment[:4], moment[:7], moment[:10]
    yield f"{year}{_FIRST[4:]}", f"{year}{_LAST[4:]}", "year"
    yield f"{month}{_FIRST[7:]}", f"{month}-{_days(month)}{_LAST[10:]}", "month"
    yield f"{day}{_FIRST[10:]}", f"{day}{_LAST[10:]}", "day"


def _days(month: str) -> int:
    return monthrange(int(month[:4]), int(month[5:7]))[1]


def _differs_in_precision(first: str, precision: str) -> Condition:
    # CASE, so that the precision, which is not in the index, is read only for photos at this one moment.
    starts = photo.c.taken_at.between(first, first + "~")
    return case((starts, photo.c.taken_at_precision.is_distinct_from(precision)), else_=true())
