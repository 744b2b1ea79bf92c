"""Find photos by their files: start or end of the path, pattern, name, extension."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, func, literal, or_, select

from photoindex.paths import from_text
from photoindex.query.values import check_text, glob_pattern
from photoindex.store.engine.path_columns import (
    bytes_as_text,
    bytes_literal,
    ends_with,
    ends_with_ignoring_case,
    path_bytes,
    starts_with,
    stored_text,
)
from photoindex.store.engine.statements import folded, glob, position_of
from photoindex.store.schema.tables import asset, file, folder, photo, volume
from photoindex.text import fold


def any_file(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that one of the photo's files, present or not, meets `condition`."""
    files = select(asset.c.photo_id).join_from(asset, file, file.c.asset_id == asset.c.id)
    return photo.c.id.in_(files.where(condition))


def by_name(value: str) -> ColumnElement[bool]:
    """Match file names that contain `value`, ignoring case and accents."""
    return any_file(glob(folded(stored_text(file.c.name)), f"*{glob_pattern(fold(value))}*"))


def by_extension(value: str) -> ColumnElement[bool]:
    """Match file names by extension, ignoring ASCII case."""
    ending = "." + value.removeprefix(".").lower()
    return any_file(ends_with_ignoring_case(path_bytes(stored_text(file.c.name)), from_text(ending)))


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
    return bytes_literal(value if isinstance(value, bytes) else from_text(value))


def _normalised(value: str) -> bytes:
    path = from_text(value)
    if path.startswith(b"~/"):
        path = os.path.expanduser(path)
    if b"*" in path:
        return path
    return b"/" + os.path.normpath(path).lstrip(b"/") if path.startswith(b"/") else path.strip(b"/")


def folder_text() -> ColumnElement[str]:
    """Return the SQL for a folder's absolute path with a trailing `/`."""
    path = stored_text(folder.c.path)
    below = case((func.length(path) == 0, "/"), else_="/" + path + "/")
    return func.rtrim(stored_text(volume.c.mount_point), "/", type_=Text) + below


_folder_bytes: ColumnElement[Any] = path_bytes(folder_text())


def _in_folder(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    folders = select(folder.c.id).join_from(folder, volume, volume.c.id == folder.c.volume_id)
    return file.c.folder_id.in_(folders.where(condition))


def _starts_with(start: bytes) -> ColumnElement[bool]:
    return starts_with(_folder_bytes, start)


def _ends_with(end: bytes) -> ColumnElement[bool]:
    return ends_with(_folder_bytes, end)


def _by_pattern(wanted: bytes) -> ColumnElement[bool]:
    """Match whole paths; a pattern that matches a folder also matches everything below it."""
    anchored = wanted if wanted.startswith((b"/", b"*")) else b"*/" + wanted
    pattern = glob_pattern(anchored.decode("latin-1")).encode("latin-1")
    path = folder_text() + stored_text(file.c.name)
    folders = folder.join(volume, volume.c.id == folder.c.volume_id)
    whole = (
        select(literal(1))
        .select_from(folders)
        .where(folder.c.id == file.c.folder_id)
        .where(or_(*(glob(path, bytes_as_text(one)) for one in (pattern, pattern.rstrip(b"/") + b"/*"))))
    )
    return whole.correlate(file).exists()
