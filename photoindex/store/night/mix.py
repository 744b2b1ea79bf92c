"""What a library is made of, in the figures that its size is planned by."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from photoindex.store.schema.tables import asset, photo


@dataclass(frozen=True, slots=True)
class Mix:
    """Contents and their bytes, RAW files and videos among them; photos looked through for faces, with faces, faces in all."""

    contents: int
    content_bytes: int
    raw: int
    videos: int
    derived: int
    looked_through: int
    with_faces: int
    faces: int


def mix(connection: Connection) -> Mix:
    """Return the mix of a library; two passes over its contents and photos."""
    of_kind = {kind: func.count().filter(asset.c.kind == kind) for kind in ("raw", "video")}
    derived = func.count().filter(asset.c.derived.is_(True))
    of_contents = select(
        func.count(), func.coalesce(func.sum(asset.c.size_bytes), 0), of_kind["raw"], of_kind["video"], derived
    ).select_from(asset)
    of_photos = select(
        func.count(photo.c.faces),
        func.count().filter(photo.c.faces > 0),
        func.coalesce(func.sum(photo.c.faces), 0),
    ).select_from(photo)
    return Mix(*connection.execute(of_contents).one(), *connection.execute(of_photos).one())
