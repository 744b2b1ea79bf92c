"""Find photos by their files: start or end of the path, pattern, name, extension.

Paths are stored as TEXT if they are UTF-8, else as BLOB, and the two never compare equal in SQLite. So this module
casts everything it compares to BLOB and binds bytes.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Text, and_, case, cast, func, literal, or_, select, type_coerce

from photoindex.paths import from_text
from photoindex.query.values import check_text, glob_pattern
from photoindex.store.engine.statements import folded, glob, position_of
from photoindex.store.schema.tables import asset, file, folder, photo, volume
from photoindex.text import fold


def any_file(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that one of the photo's files, present or not, meets `condition`."""
    files = select(asset.c.photo_id).join_from(asset, file, file.c.asset_id == asset.c.id)
    return photo.c.id.in_(files.where(condition))


def by_name(value: str) -> ColumnElement[bool]:
    """Match file names that contain `value`, ignoring case and accents."""
    return any_file(glob(folded(type_coerce(file.c.name, Text)), f"*{glob_pattern(fold(value))}*"))


def by_extension(value: str) -> ColumnElement[bool]:
    """Match file names by extension, ignoring ASCII case."""
    ending = "." + value.removeprefix(".").lower()
    length = len(from_text(ending))
    tail = func.substr(cast(type_coerce(file.c.name, Text), LargeBinary), -length)
    return any_file(func.lower(cast(tail, Text)) == cast(_blob(ending), Text))


def by_path(value: str) -> ColumnElement[bool]:
    """Match files at or below an absolute path or the end of a path; `*` matches anything, including `/`."""
    wanted = _normalised(value)
    if b"*" in wanted:
        return any_file(_by_pattern(wanted))
    # Folders end in '/' here, so that /a/b does not match /a/bc.
    if wanted.startswith(b"/"):
        inside = _starts_with(wanted.rstrip(b"/") + b"/")
    else:
        inside = position_of(_folder_bytes, _blob(b"/" + wanted + b"/")) > 0
    return any_file(or_(_in_folder(inside), _at_path(wanted)))


def at_path(value: str) -> ColumnElement[bool]:
    """Match files at an absolute path or the end of a path, not below a folder; `*` is an ordinary character."""
    return any_file(_at_path(_normalised(value)))


def _at_path(wanted: bytes) -> ColumnElement[bool]:
    parent, _, name = wanted.rpartition(b"/")
    if wanted.startswith(b"/"):
        return and_(file.c.name == name, _in_folder(_folder_bytes == _blob(parent + b"/")))
    if parent:
        return and_(file.c.name == name, _in_folder(_ends_with(b"/" + parent + b"/")))
    return file.c.name == name


def check_path(value: str) -> None:
    """Raise ValueError for an invalid path."""
    if len(value) > 4096:
        raise ValueError("a path has at most 4096 characters")
    if "*" in value:
        check_text(value)
    if "\0" in value:
        raise ValueError("a path cannot contain a NUL character")
    if {".", ".."} & set(value.split("/")) and not value.startswith("/"):
        raise ValueError("'.' and '..' are not resolved; write the absolute path, or the end of a path such as 2019/06")


def check_extension(value: str) -> None:
    """Raise ValueError for an invalid extension."""
    check_text(value)
    if not value.strip(".") or "/" in value or "*" in value:
        raise ValueError("an extension is needed, such as jpg")


def _blob(value: bytes | str) -> ColumnElement[bytes]:
    return literal(value if isinstance(value, bytes) else from_text(value), LargeBinary)


def _normalised(value: str) -> bytes:
    path = from_text(value)
    if path.startswith(b"~/"):
        path = os.path.expanduser(path)
    if b"*" in path:
        return path
    return b"/" + os.path.normpath(path).lstrip(b"/") if path.startswith(b"/") else path.strip(b"/")


def folder_text() -> ColumnElement[str]:
    """Return the SQL for a folder's absolute path with a trailing `/`."""
    path = type_coerce(folder.c.path, Text)
    below = case((func.length(path) == 0, "/"), else_="/" + path + "/")
    return func.rtrim(type_coerce(volume.c.mount_point, Text), "/", type_=Text) + below


_folder_bytes: ColumnElement[Any] = cast(folder_text(), LargeBinary)


def _in_folder(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    folders = select(folder.c.id).join_from(folder, volume, volume.c.id == folder.c.volume_id)
    return file.c.folder_id.in_(folders.where(condition))


def _starts_with(start: bytes) -> ColumnElement[bool]:
    return func.substr(_folder_bytes, 1, len(start)) == _blob(start)


def _ends_with(end: bytes) -> ColumnElement[bool]:
    return func.substr(_folder_bytes, -len(end)) == _blob(end)


def _by_pattern(wanted: bytes) -> ColumnElement[bool]:
    """Match whole paths; a pattern that matches a folder also matches everything below it."""
    anchored = wanted if wanted.startswith((b"/", b"*")) else b"*/" + wanted
    pattern = glob_pattern(anchored.decode("latin-1")).encode("latin-1")
    path = folder_text() + type_coerce(file.c.name, Text)
    folders = folder.join(volume, volume.c.id == folder.c.volume_id)
    whole = (
        select(literal(1))
        .select_from(folders)
        .where(folder.c.id == file.c.folder_id)
        .where(or_(*(glob(path, cast(_blob(one), Text)) for one in (pattern, pattern.rstrip(b"/") + b"/*"))))
    )
    return whole.correlate(file).exists()
