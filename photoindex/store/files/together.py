"""Which files belong together: those of one photo, and the sidecars about them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, exists, select

from photoindex.store.engine.statements import numbers
from photoindex.store.files.files import join
from photoindex.store.photos.assets import SUPERSEDED
from photoindex.store.photos.sidecars import ALBUM_KINDS
from photoindex.store.schema.tables import asset, file, folder, pair_link, sidecar, sidecar_link, sidecar_part, volume


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """One present file of a photo."""

    id: int
    folder_id: int
    volume_id: int
    mount_point: bytes
    folder_path: bytes
    name: bytes
    size_bytes: int
    mtime_ns: int
    asset_id: int
    digest: bytes
    role: str
    photo_id: int

    @property
    def location(self) -> bytes:
        """The path relative to the mount point of the volume."""
        return join(b"", self.folder_path, self.name).lstrip(b"/")


_present = (
    select(
        file.c.id, file.c.folder_id, folder.c.volume_id, volume.c.mount_point, folder.c.path.label("folder_path"), file.c.name,
        file.c.size_bytes, file.c.mtime_ns, file.c.asset_id, asset.c.digest, asset.c.role, asset.c.photo_id,
    )
    .join(folder, folder.c.id == file.c.folder_id)
    .join(volume, volume.c.id == folder.c.volume_id)
    .join(asset, asset.c.id == file.c.asset_id)
    .where(file.c.state == "present", file.c.media.is_(True))
    .order_by(file.c.id)
)  # fmt: skip


def by_id(connection: Connection, file_id: int) -> PhotoFile | None:
    """Return a present file of a photo, None if it is missing, excluded or no photo."""
    row = connection.execute(_present.where(file.c.id == file_id)).mappings().first()
    return None if row is None else PhotoFile(**row)


def of_photo(connection: Connection, photo_id: int) -> list[PhotoFile]:
    """Return the present files of a photo's current contents."""
    chosen = _present.where(asset.c.photo_id == photo_id, asset.c.role != SUPERSEDED)
    return [PhotoFile(**row) for row in connection.execute(chosen).mappings()]


def of_photos(connection: Connection, photo_ids: Collection[int]) -> dict[int, list[PhotoFile]]:
    """Return photo -> the present files of its current contents; photos without one are omitted."""
    chosen = _present.where(asset.c.photo_id.in_(numbers(photo_ids)), asset.c.role != SUPERSEDED)
    found: dict[int, list[PhotoFile]] = {}
    for row in connection.execute(chosen).mappings():
        found.setdefault(row["photo_id"], []).append(PhotoFile(**row))
    return found


def are_across_folders(connection: Connection, photo_id: int) -> bool:
    """Tell whether files of a photo in different folders belong together, as those of a Live Photo in an export may."""
    contents = select(asset.c.id).where(asset.c.photo_id == photo_id)
    across = select(pair_link.c.asset_id).where(pair_link.c.kind == "live_across", pair_link.c.asset_id.in_(contents))
    return connection.execute(across.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class SidecarFile:
    """A present sidecar about files. location: as in `PhotoFile`. about: the present files that it is about."""

    id: int
    volume_id: int
    mount_point: bytes
    location: bytes
    size_bytes: int
    mtime_ns: int
    about: frozenset[int]


def sidecars_of(connection: Connection, file_ids: Collection[int]) -> list[SidecarFile]:
    """Return the sidecars about files, without those about a whole folder or an album."""
    linked = select(sidecar_link.c.sidecar_id).where(sidecar_link.c.file_id.in_(file_ids))
    of_several = exists().where(sidecar_part.c.sidecar_id == sidecar.c.file_id)
    rows = connection.execute(
        select(file, folder.c.path.label("folder_path"), folder.c.volume_id, volume.c.mount_point)
        .join(sidecar, sidecar.c.file_id == file.c.id)
        .join(folder, folder.c.id == file.c.folder_id)
        .join(volume, volume.c.id == folder.c.volume_id)
        .where(file.c.id.in_(linked), file.c.state == "present", sidecar.c.kind.not_in(ALBUM_KINDS), ~of_several)
        .order_by(file.c.id)
    ).all()
    about = select(sidecar_link.c.file_id).join(file, file.c.id == sidecar_link.c.file_id)
    return [
        SidecarFile(
            row.id, row.volume_id, row.mount_point, join(b"", row.folder_path, row.name).lstrip(b"/"), row.size_bytes,
            row.mtime_ns,
            frozenset(
                connection.execute(
                    about.where(sidecar_link.c.sidecar_id == row.id, file.c.state == "present")
                ).scalars()
            ),
        )
        for row in rows
    ]  # fmt: skip
