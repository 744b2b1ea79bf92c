"""The first photos by path or by name, found without making the paths of all photos and sorting them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from sqlalchemy import ColumnElement, Connection, func, select, true

from photoindex.store.engine.path_columns import path_bytes, stored_text
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import numbers
from photoindex.store.schema.tables import asset, file, folder, photo, volume
from photoindex.store.search.found_photos import FirstFile, first_files
from photoindex.store.search.paths import folder_text

_FOLDERS = (32, 128, 512)
"""How many folders are looked through at a time."""
_NAMES = (5_000, 20_000, 80_000)
"""How many files are looked at by their names at a time."""

Key = Callable[[FirstFile], bytes]


def first_ids(connection: Connection, wanted: ColumnElement[bool], sort: str, count: int) -> list[int] | None:
    """Return the first `count` photos that meet a condition, None if sorting them all is as well.

    sort: "path" or "name", with `-` for descending; the order is that of the whole sort, with its ties.
    """
    find = _by_path if sort.removeprefix("-") == "path" else _by_name
    return find(connection, wanted, count, descending=sort.startswith("-"))


def _by_path(connection: Connection, wanted: ColumnElement[bool], count: int, *, descending: bool) -> list[int] | None:
    """Look through the folders in the order of their paths.

    All paths of a folder start with its own; thus no later folder has one that comes before the start of the next.
    """
    statement = select(folder.c.id, path_bytes(folder_text())).join(volume, volume.c.id == folder.c.volume_id)
    folders = connection.execute(statement).all()
    # In the other direction a folder starts behind all that may be below it: 0 is the character behind the slash.
    starts = [(path[:-1] + b"0" if descending else path, folder_id) for folder_id, path in folders]
    starts.sort(reverse=descending)
    keys: dict[int, bytes] = {}
    remaining = iter(starts)
    seen = 0
    for size in _FOLDERS:
        chosen = [folder_id for _start, folder_id in islice(remaining, size)]
        seen += len(chosen)
        contents = select(asset.c.photo_id).join_from(file, asset, asset.c.id == file.c.asset_id)
        in_folders = photo.c.id.in_(contents.where(file.c.folder_id.in_(numbers(chosen))))
        keys |= _keys(connection, wanted & in_folders, lambda first: first.path)
        found = _sorted(keys, count, descending=descending)
        if len(found) == count and (
            seen == len(starts) or _is_before(keys[found[-1]], starts[seen][0], descending=descending)
        ):
            return found
    return None


def _by_name(connection: Connection, wanted: ColumnElement[bool], count: int, *, descending: bool) -> list[int] | None:
    """Look at the photos of the first files: those of all names before the last one of these are complete.

    More than once, because many of them may be copies, and a photo goes by the name of its first file.
    """
    name = func.lower(stored_text(file.c.name))
    order = name.desc() if descending else name.asc()
    statement = select(path_bytes(name), file.c.asset_id).where(file.c.asset_id.is_not(None)).order_by(order)
    keys: dict[int, bytes] = {}
    last: bytes | None = None
    for files in _NAMES:
        beyond = true() if last is None else path_bytes(name) <= last if descending else path_bytes(name) >= last
        rows = connection.execute(statement.where(beyond).limit(files + count)).all()
        contents = select(asset.c.photo_id).where(asset.c.id.in_(numbers({asset_id for _name, asset_id in rows})))
        keys |= _keys(connection, wanted & photo.c.id.in_(contents), lambda first: first.name.lower())
        found = _sorted(keys, count, descending=descending)
        if not rows:
            return None
        last = rows[-1][0]
        if len(found) == count and _is_before(keys[found[-1]], last, descending=descending):
            return found
    return None


def _keys(connection: Connection, wanted: ColumnElement[bool], key: Key) -> dict[int, bytes]:
    with engine_of(connection).functions(connection):
        ids = connection.execute(select(photo.c.id).where(wanted)).scalars().all()
    return {photo_id: key(first) for photo_id, first in first_files(connection, ids).items()}


def _sorted(keys: dict[int, bytes], count: int, *, descending: bool) -> list[int]:
    in_order = sorted(keys, key=lambda photo_id: (keys[photo_id], photo_id), reverse=descending)
    return in_order[:count]


def _is_before(key: bytes, other: bytes, *, descending: bool) -> bool:
    return key > other if descending else key < other
