"""Sidecars: the facts in the small files next to photos, and which files they belong to."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import as_parameter, is_given, upsert
from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, sidecar, sidecar_link, sidecar_part, volume
from photoindex.types import FactValue, SidecarKind, SidecarPart, SidecarRead

_KEYS = 500


ALBUM_KINDS = (SidecarKind.TAKEOUT_ALBUM.value, SidecarKind.APPLE_ALBUM.value)
"""Kinds of sidecars that are about albums, and about no photo."""
_WITH_PARTS = (SidecarKind.PICASA, SidecarKind.APPLE_ALBUM)


@dataclass(frozen=True, slots=True)
class SidecarRow:
    """A present sidecar of one folder; `title` is the file name of the photo it refers to, `parts` those of several."""

    file_id: int
    name: bytes
    kind: str
    title: str | None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkedSidecar:
    """A sidecar that belongs to a photo's file, with its facts; `path` is absolute.

    of_file_id, of_name, of_asset_id: the file, its name and its content.
    """

    file_id: int
    path: bytes
    kind: str
    why: str
    of_file_id: int
    of_name: bytes
    of_asset_id: int
    facts: dict[str, FactValue]
    regions: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def store(connection: Connection, file_id: int, read: SidecarRead) -> set[str] | None:
    """Write the facts of a sidecar, replacing those of its earlier content.

    Returns the names of the parts that changed, None for a sidecar without parts.
    """
    values = {
        "kind": str(read.kind),
        "title": read.title,
        "facts": dict(read.facts),
        "regions": [asdict(region) for region in read.regions],
        "notes": list(read.notes),
        "read_at": time.time(),
    }
    row = upsert(sidecar).values(file_id=file_id, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["file_id"], set_=values))
    return _store_parts(connection, file_id, read.parts) if read.kind in _WITH_PARTS else None


def _store_parts(connection: Connection, file_id: int, parts: Mapping[str, SidecarPart]) -> set[str]:
    """Replace the parts of a sidecar and return the names of those that changed."""
    of_sidecar = sidecar_part.c.sidecar_id == file_id
    before = {
        row.name: (row.facts, row.regions)
        for row in connection.execute(
            select(sidecar_part.c.name, sidecar_part.c.facts, sidecar_part.c.regions).where(of_sidecar)
        )
    }
    now = {name: (dict(part.facts), [asdict(region) for region in part.regions]) for name, part in parts.items()}
    changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    gone = [name for name in changed if name in before]
    for some in chunks(gone, _KEYS):
        chosen = sidecar_part.c.name.in_(some)
        connection.execute(delete(sidecar_part).where(of_sidecar, chosen))
    rows = [
        {"sidecar_id": file_id, "name": name, "facts": now[name][0], "regions": now[name][1]}
        for name in sorted(changed)
        if name in now
    ]
    if rows:
        connection.execute(insert(sidecar_part), rows)
    return changed


def forget(connection: Connection, file_id: int) -> bool:
    """Remove the facts of a file that is no longer a sidecar; return whether it was one."""
    return connection.execute(delete(sidecar).where(sidecar.c.file_id == file_id)).rowcount > 0


def in_folder(connection: Connection, folder_id: int) -> list[SidecarRow]:
    """Return the present sidecars of a folder that are about photos, ordered by id."""
    rows = connection.execute(
        select(sidecar.c.file_id, file.c.name, sidecar.c.kind, sidecar.c.title)
        .join(file, file.c.id == sidecar.c.file_id)
        .where(file.c.folder_id == folder_id, file.c.state == "present", sidecar.c.kind.not_in(ALBUM_KINDS))
        .order_by(sidecar.c.file_id)
    )
    found = [SidecarRow(*row) for row in rows]
    return [
        replace(row, parts=_parts_of(connection, row.file_id)) if row.kind == SidecarKind.PICASA else row
        for row in found
    ]


def _parts_of(connection: Connection, file_id: int) -> tuple[str, ...]:
    names = select(sidecar_part.c.name).where(sidecar_part.c.sidecar_id == file_id)
    return tuple(connection.execute(names).scalars())


Link = tuple[int, int, str, str | None]
"""The file of a sidecar, a media file, why they belong together, and the part of the sidecar about it, if it has parts."""


def replace_links(connection: Connection, folder_id: int, links: Collection[Link]) -> set[int]:
    """Replace the links of a folder's sidecars.

    Returns the media files whose links changed.
    """
    of_folder = sidecar_link.c.sidecar_id.in_(select(file.c.id).where(file.c.folder_id == folder_id))
    known = connection.execute(select(sidecar_link).where(of_folder))
    before = {(row.sidecar_id, row.file_id, row.why, row.part) for row in known}
    wanted = set(links)
    if before == wanted:
        return set()
    connection.execute(delete(sidecar_link).where(of_folder))
    if wanted:
        rows = [
            {"sidecar_id": sidecar_id, "file_id": file_id, "why": why, "part": part}
            for sidecar_id, file_id, why, part in sorted(wanted, key=lambda link: link[:2])
        ]
        connection.execute(insert(sidecar_link), rows)
    return {file_id for _, file_id, _, _ in before ^ wanted}


def photos_of_files(connection: Connection, file_ids: Collection[int]) -> set[int]:
    """Return the photos that these files belong to."""
    statement = select(asset.c.photo_id).join(file, file.c.asset_id == asset.c.id).where(file.c.id.in_(file_ids))
    return set(connection.execute(statement).scalars())


def photos_of_sidecar(connection: Connection, file_id: int, *, parts: Collection[str] | None = None) -> set[int]:
    """Return the photos that a sidecar is linked to; with `parts`, only those that these parts are about."""
    linked = select(sidecar_link.c.file_id, sidecar_link.c.part).where(sidecar_link.c.sidecar_id == file_id)
    files = [row.file_id for row in connection.execute(linked) if parts is None or row.part in parts]
    found: set[int] = set()
    for some in chunks(files, _KEYS):
        found |= photos_of_files(connection, some)
    return found


def names_of(connection: Connection, file_id: int) -> list[tuple[bytes, str]] | None:
    """Return the names of the files that a sidecar refers to, each with the reason; None if the file is no sidecar."""
    if connection.execute(select(sidecar.c.file_id).where(sidecar.c.file_id == file_id)).first() is None:
        return None
    rows = connection.execute(
        select(file.c.name, sidecar_link.c.why)
        .join(file, file.c.id == sidecar_link.c.file_id)
        .where(sidecar_link.c.sidecar_id == file_id)
        .order_by(file.c.name)
    )
    return [(row.name, row.why) for row in rows]


_media_file = file.alias("media_file")
_of_photos = (
    select(
        asset.c.photo_id, sidecar, sidecar_link.c.why, sidecar_link.c.file_id.label("of_file_id"), _media_file.c.name.label("of_name"),
        _media_file.c.asset_id.label("of_asset_id"), file.c.name, sidecar_part.c.facts.label("part_facts"),
        sidecar_part.c.regions.label("part_regions"),
        folder.c.path.label("folder_path"), volume.c.mount_point,
    )
    .join(sidecar_link, sidecar_link.c.sidecar_id == sidecar.c.file_id)
    .join(_media_file, _media_file.c.id == sidecar_link.c.file_id)
    .outerjoin(
        sidecar_part,
        and_(sidecar_part.c.sidecar_id == sidecar.c.file_id, sidecar_part.c.name == sidecar_link.c.part),
    )
    .join(asset, asset.c.id == _media_file.c.asset_id)
    .join(file, file.c.id == sidecar.c.file_id)
    .join(folder, folder.c.id == file.c.folder_id)
    .join(volume, volume.c.id == folder.c.volume_id)
    .where(is_given(asset.c.photo_id, "photo_ids"))
    .order_by(sidecar.c.file_id)
)  # fmt: skip


def of_photos(connection: Connection, photo_ids: Collection[int]) -> dict[int, list[LinkedSidecar]]:
    """Return photo -> the sidecars of all its files; photos without are left out."""
    found: dict[int, list[LinkedSidecar]] = {}
    for row in connection.execute(_of_photos, {"photo_ids": as_parameter(photo_ids)}):
        found.setdefault(row.photo_id, []).append(
            LinkedSidecar(
                file_id=row.file_id,
                path=join(row.mount_point, row.folder_path, row.name),
                kind=row.kind,
                why=row.why,
                of_file_id=row.of_file_id,
                of_name=row.of_name,
                of_asset_id=row.of_asset_id,
                facts=row.facts if row.part_facts is None else row.part_facts,
                regions=tuple(row.regions if row.part_regions is None else row.part_regions),
                notes=tuple(row.notes),
            )
        )
    return found
