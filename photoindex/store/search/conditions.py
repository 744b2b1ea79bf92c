"""What fields that are more than one column of a photo ask of the other tables.

Conditions over files and contents are `photo.id IN (…)`: SQLite works such a list out once a query, along the indexes of
the rows that are asked for, and not once a photo.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    true,
    type_coerce,
)

from photoindex.paths import from_text
from photoindex.query.values import glob_pattern
from photoindex.store.engine import predicates
from photoindex.store.engine.statements import (
    folded,
    glob,
    json_elements,
    json_length,
    json_value,
    materialized,
    position_of,
    regex_found,
)
from photoindex.store.schema.tables import asset, event, file, folder, photo, sidecar, sidecar_link, task, volume
from photoindex.text import fold, without_stray_bytes

Condition = ColumnElement[bool]

_EDITS = ("edit", "original")
_ALONE = ("primary", "superseded")
_FIRST = "0001-01-01T00:00:00"
_LAST = "9999-12-31T23:59:59"


def contains(expression: ColumnElement[Any], value: str) -> Condition:
    """Return the condition that a text holds `value`, whatever its case and accents; `*` stands for anything."""
    return glob(folded(expression), f"*{glob_pattern(fold(value))}*")


def matches(expression: ColumnElement[Any], pattern: str) -> Condition:
    """Return the condition that a regular expression is found in a text."""
    # The function compares texts without stray bytes, which SQLite would refuse in a parameter.
    return regex_found(without_stray_bytes(pattern), expression)


def present() -> Condition:
    """Return the condition that at least one file of the photo is present."""
    files = select(file.c.id).join_from(asset, file, file.c.asset_id == asset.c.id)
    return exists(files.where(asset.c.photo_id == photo.c.id, file.c.state == "present").correlate(photo))


def photos_of(contents: Select[Any]) -> Condition:
    """Return the condition that a photo's number is among those that `contents` selects."""
    return photo.c.id.in_(contents)


def has_role(*roles: str) -> Condition:
    """Return the condition that one content of the photo has one of these roles in it."""
    return photos_of(select(asset.c.photo_id).where(predicates.is_secondary(), asset.c.role.in_(roles)))


def has_raw_of(name: str) -> Condition:
    """A RAW file of this format stands beside the picture."""
    of_raw = (predicates.is_secondary(), asset.c.role == "raw", asset.c.format == name)
    return photos_of(select(asset.c.photo_id).where(*of_raw))


def is_paired() -> Condition:
    """More than one content makes the photo, not counting earlier ones of an edited file."""
    return photos_of(select(asset.c.photo_id).where(predicates.is_secondary()))


def is_raw() -> Condition:
    """A RAW file, alone or beside the picture that the camera made of it."""
    return or_(photo.c.kind == "raw", has_role("raw"))


def is_duplicate() -> Condition:
    """One of its contents lies in two present files or more."""
    twice = select(file.c.asset_id).where(file.c.state == "present", file.c.asset_id.is_not(None))
    twice = twice.group_by(file.c.asset_id).having(func.count() > 1)
    return photos_of(select(asset.c.photo_id).where(asset.c.id.in_(twice)))


def is_quarantined() -> Condition:
    """A file or content of it was given up by a stage of the work."""
    given_up = select(task.c.subject_id).where(predicates.has_state("quarantined"))
    files = select(file.c.asset_id).where(file.c.id.in_(given_up.where(task.c.subject_kind == "file")))
    contents = or_(asset.c.id.in_(files), asset.c.id.in_(given_up.where(task.c.subject_kind == "asset")))
    return photos_of(select(asset.c.photo_id).where(contents))


def has_sidecar(kind: str | None = None) -> Condition:
    """A sidecar speaks of one of its files."""
    linked = select(sidecar_link.c.file_id)
    if kind is not None:
        linked = linked.join(sidecar, sidecar.c.file_id == sidecar_link.c.sidecar_id).where(sidecar.c.kind == kind)
    files = select(asset.c.photo_id).join_from(file, asset, asset.c.id == file.c.asset_id).where(file.c.id.in_(linked))
    return photos_of(files)


def has_edit() -> Condition:
    """It is there in an edited and an original form, or an AAE file tells how it was edited."""
    return or_(has_role(*_EDITS), has_sidecar("aae"))


def has_faces() -> Condition:
    """A person or program marked a face in it, in the file itself or in a sidecar."""
    embedded = select(asset.c.photo_id).where(asset.c.regions.is_not(None), _holds_face(asset.c.regions))
    speaking = select(sidecar_link.c.file_id).join(sidecar, sidecar.c.file_id == sidecar_link.c.sidecar_id)
    speaking = speaking.where(_holds_face(sidecar.c.regions))
    files = select(asset.c.photo_id).join_from(file, asset, asset.c.id == file.c.asset_id)
    return or_(photos_of(embedded), photos_of(files.where(file.c.id.in_(speaking))))


def _holds_face(regions: ColumnElement[Any]) -> Condition:
    region = json_elements(regions)
    return exists(select(region.c.value).where(json_value(region.c.value, "$.kind") == "face"))


def has_keywords() -> Condition:
    """It has at least one keyword."""
    return json_length(photo.c.keywords) > 0


def keyword_like(value: str) -> Condition:
    """One whole keyword is `value`, in which `*` stands for anything."""
    keyword = json_elements(photo.c.keywords)
    return exists(select(keyword.c.value).where(glob(folded(keyword.c.value), glob_pattern(fold(value)))))


def keyword_matches(pattern: str) -> Condition:
    """One keyword holds what a regular expression describes."""
    keyword = json_elements(photo.c.keywords)
    return exists(select(keyword.c.value).where(matches(keyword.c.value, pattern)))


def camera_contains(value: str) -> Condition:
    """Maker and model as one text hold `value`."""
    return _of_cameras(lambda make, model: contains(make + " " + model, value))


def camera_matches(pattern: str) -> Condition:
    """Maker and model as they are shown, the maker once, hold what a regular expression describes."""
    return _of_cameras(lambda make, model: matches(_shown(make, model), pattern))


def _of_cameras(condition: Callable[[ColumnElement[str], ColumnElement[str]], Condition]) -> Condition:
    """Return a condition on maker and model that is worked out once a camera, not once a photo."""
    distinct = select(photo.c.camera_make, photo.c.camera_model).distinct()
    # Otherwise SQLite would put the condition inside, where it holds for each photo again.
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
    """Return HH:MM:SS of the local wall time, NULL where the minute is not known."""
    known = photo.c.taken_at_precision.in_(["second", "minute"])
    return case((known, func.substr(photo.c.taken_at, 12, 8)), else_=None)


def on_volume(value: str) -> Condition:
    """A file of it lies on a volume of this number, mount point, or label (part of it)."""
    if value.isascii() and value.isdigit():
        return _on_volumes(or_(volume.c.id == int(value[:18]), volume.c.label == value))
    if value.startswith("/"):
        return _on_volumes(volume.c.mount_point == (from_text(value).rstrip(b"/") or b"/"))
    return _on_volumes(contains(volume.c.label, value))


def on_volume_matching(pattern: str) -> Condition:
    """A file of it lies on a volume whose label holds what a regular expression describes."""
    return _on_volumes(matches(volume.c.label, pattern))


def _on_volumes(condition: Condition) -> Condition:
    folders = select(folder.c.id).where(folder.c.volume_id.in_(select(volume.c.id).where(condition)))
    files = select(asset.c.photo_id).join_from(file, asset, asset.c.id == file.c.asset_id)
    return photos_of(files.where(file.c.folder_id.in_(folders)))


def in_event(value: str) -> Condition:
    """It was taken during an event of this key, or whose title and places hold these words."""
    return _in_events(is_event(value))


def is_event(value: str) -> Condition:
    """An event has this key, or these words in its title and places."""
    return or_(event.c.key == without_stray_bytes(value), contains(event.c.words, value))


def in_event_matching(pattern: str) -> Condition:
    """It was taken during an event whose title holds what a regular expression describes."""
    return _in_events(matches(event.c.title, pattern))


def _in_events(condition: Condition) -> Condition:
    taken = photo.alias("taken")
    # '~' sorts behind the fraction and the offset that a time may go on with.
    during = and_(taken.c.taken_at >= event.c.first_at, taken.c.taken_at <= event.c.last_at + "~")
    # A month or a year alone is its first moment, which says nothing of a day.
    vague = func.coalesce(taken.c.taken_at_precision, "second").in_(["month", "year"])
    return photos_of(select(taken.c.id).join_from(event, taken, during).where(condition, ~vague))


def path_matches(pattern: str) -> Condition:
    """The whole path of one of its files holds what a regular expression describes."""
    # Imported here because field_paths needs nothing of what stands above.
    from photoindex.store.search.paths import folder_text

    # As bytes: SQLite joins a name that is no UTF-8 to TEXT, which Python's sqlite3 cannot hand to a function.
    path = cast(folder_text() + type_coerce(file.c.name, Text), LargeBinary)
    places = asset.join(file, file.c.asset_id == asset.c.id).join(folder, folder.c.id == file.c.folder_id)
    files = select(asset.c.photo_id).select_from(places.join(volume, volume.c.id == folder.c.volume_id))
    return photos_of(files.where(matches(path, pattern)))


def name_matches(pattern: str) -> Condition:
    """The name of one of its files holds what a regular expression describes."""
    from photoindex.store.search.paths import any_file

    return any_file(matches(type_coerce(file.c.name, Text), pattern))


def ends_by(bound: str) -> list[Condition]:
    """Return the conditions that a photo's period does not go on behind `bound`, for photos that begin before it.

    bound: a date, ISO 8601 from YYYY to seconds; with `~` behind it, its whole period still belongs to what is asked for.
    A time of which a part alone is known is kept as the first moment of its period. So only photos of the very first
    moment of the day, month or year in which the bound lies can go on behind it, and the index on the time stays enough
    for all others. A bound that is a whole year needs no condition.
    """
    text = bound.removesuffix("~")
    if len(text) == len("1974"):
        return []
    end = text + (_LAST[len(text) :] if bound.endswith("~") else _FIRST[len(text) :])
    if bound.endswith("~") and len(text) == len("1974-05"):
        end = f"{text}-{_days(text)}{_LAST[10:]}"
    return [_is_not(first, precision) for first, last, precision in _periods(end) if end < last]


def _periods(moment: str) -> Iterator[tuple[str, str, str]]:
    """Yield the first and last second of the year, month and day that a moment lies in, and what they are."""
    year, month, day = moment[:4], moment[:7], moment[:10]
    yield f"{year}{_FIRST[4:]}", f"{year}{_LAST[4:]}", "year"
    yield f"{month}{_FIRST[7:]}", f"{month}-{_days(month)}{_LAST[10:]}", "month"
    yield f"{day}{_FIRST[10:]}", f"{day}{_LAST[10:]}", "day"


def _days(month: str) -> int:
    return monthrange(int(month[:4]), int(month[5:7]))[1]


def _is_not(first: str, precision: str) -> Condition:
    # CASE, because the precision, which is not in the index, is then looked up for photos of this one moment alone.
    starts = photo.c.taken_at.between(first, first + "~")
    return case((starts, photo.c.taken_at_precision.is_distinct_from(precision)), else_=true())
