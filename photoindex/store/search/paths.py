"""Find photos by their files: start or end of the path, pattern, name, extension."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, exists, func, literal, or_, select

from photoindex.paths import from_text, to_text
from photoindex.query.values import check_text, glob_pattern
from photoindex.store.engine.path_columns import ends_with, path_bytes, starts_with, stored_text
from photoindex.store.engine.statements import folded, folds_to, glob, materialized, position_of
from photoindex.store.schema.tables import asset, file, folder, photo, volume
from photoindex.text import fold


def any_file(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that one of the photo's files, present or not, meets `condition`."""
    files = select(asset.c.photo_id).join_from(asset, file, file.c.asset_id == asset.c.id)
    return photo.c.id.in_(files.where(condition))


def contains(expression: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Return the condition that a text contains `value`, both folded; `*` matches anything."""
    return glob(folded(expression), f"*{glob_pattern(value)}*")


def by_name(value: str) -> ColumnElement[bool]:
    """Match file names that contain `value`."""
    return any_file(contains(stored_text(file.c.name), value))


def by_extension(value: str) -> ColumnElement[bool]:
    """Match file names by extension."""
    return any_file(glob(_folded_text(file.c.name), f"*.{glob_pattern(value.removeprefix('.'))}"))


def by_path(value: str) -> ColumnElement[bool]:
    """Match files at or below an absolute path or the end of a path, folded; `*` matches anything, including `/`.

    An absolute path that is in the library in exactly these bytes is only that one.
    """
    wanted = _normalised(value)
    if b"*" in wanted:
        return any_file(_by_pattern(wanted))
    anyhow = _at_or_below(_FOLDED, wanted)
    if not wanted.startswith(b"/"):
        return any_file(or_(*anyhow))
    exactly = _at_or_below(_EXACT, wanted)
    unknown = ~exists(select(file.c.id).where(or_(*exactly))).correlate(None)
    # Each alternative names the folder, so that SQLite uses the index on it for each.
    return any_file(or_(*exactly, *(and_(one, unknown) for one in anyhow)))


def at_path(value: str, *, exactly: bool) -> ColumnElement[bool]:
    """Match files at an absolute path or the end of a path, not below a folder; `*` is an ordinary character."""
    return any_file(_at_path(_EXACT if exactly else _FOLDED, _normalised(value)))


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


def _normalised(value: str) -> bytes:
    path = from_text(value)
    if path.startswith(b"~/"):
        path = os.path.expanduser(path)
    if b"*" in path:
        return path
    return b"/" + os.path.normpath(path).lstrip(b"/") if path.startswith(b"/") else path.strip(b"/")


def folder_text(part: Callable[[ColumnElement[Any]], ColumnElement[str]] = stored_text) -> ColumnElement[str]:
    """Return the SQL for a folder's absolute path with a trailing `/`; part: how its columns are read."""
    path = part(folder.c.path)
    below = case((func.length(path) == 0, "/"), else_="/" + path + "/")
    return func.rtrim(part(volume.c.mount_point), "/", type_=Text) + below


def _folded_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    return folded(stored_text(column))


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How paths are compared: folded, or byte by byte. folder: absolute, with a trailing `/`."""

    folder: ColumnElement[Any]
    of: Callable[[bytes], bytes | str]
    is_named: Callable[[bytes], ColumnElement[bool]]


def _fold_bytes(path: bytes) -> str:
    return fold(to_text(path))


_EXACT = _Spelling(path_bytes(folder_text()), of=lambda path: path, is_named=lambda name: file.c.name == name)
_FOLDED = _Spelling(
    folder_text(_folded_text), _fold_bytes, lambda name: folds_to(stored_text(file.c.name), _fold_bytes(name))
)


def _at_or_below(spelling: _Spelling, wanted: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    # Folders end in '/' here, so that /a/b does not match /a/bc.
    if wanted.startswith(b"/"):
        below = starts_with(spelling.folder, spelling.of(wanted.rstrip(b"/") + b"/"))
    else:
        below = position_of(spelling.folder, spelling.of(b"/" + wanted + b"/")) > 0
    return _in_folder(below), _at_path(spelling, wanted)


def _at_path(spelling: _Spelling, wanted: bytes) -> ColumnElement[bool]:
    parent, _, name = wanted.rpartition(b"/")
    if wanted.startswith(b"/"):
        return and_(_in_folder(spelling.folder == literal(spelling.of(parent + b"/"))), spelling.is_named(name))
    if parent:
        inside = ends_with(spelling.folder, spelling.of(b"/" + parent + b"/"))
        return and_(_in_folder(inside), spelling.is_named(name))
    return spelling.is_named(name)


def _in_folder(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return file.c.folder_id.in_(select(folder.c.id).join_from(folder, volume).where(condition))


def _by_pattern(wanted: bytes) -> ColumnElement[bool]:
    """Match whole paths; a pattern that matches a folder also matches everything below it."""
    pattern = to_text(wanted if wanted.startswith((b"/", b"*")) else b"*/" + wanted)
    # Materialized, so that a folder's path is put together once and not for each of its files.
    folders = select(folder.c.id, _FOLDED.folder.label("path")).join_from(folder, volume)
    below = materialized(folders, "folders", nesting=True)
    own = file.alias("own")
    whole = select(own.c.id).join_from(below, own, own.c.folder_id == below.c.id)
    whole = whole.where(glob(below.c.path + _folded_text(own.c.name), glob_pattern(pattern)))
    return or_(file.c.id.in_(whole), _in_folder(glob(_FOLDED.folder, glob_pattern(pattern.rstrip("/") + "/*"))))
