"""Faces that people marked with other programs: they become regions, and their names assignments.

A region that only a file marks has no space, and is removed when the file no longer marks it. What a person confirmed or
rejected by command stays, whatever a file says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, or_, select, update

from photoindex.domain.people.boxes import Box
from photoindex.domain.people.marks import KnownFace, Mark, Marks, Picture, RegionSource, marks_of, matched_marks
from photoindex.domain.people.values import FACE, How
from photoindex.domain.sidecars.names import distance
from photoindex.paths import to_text
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.database import new_id
from photoindex.store.engine.statements import as_parameter, is_given, upsert
from photoindex.store.people import individuals, summaries
from photoindex.store.photos import assets, sidecars
from photoindex.store.photos.assets import PhotoContent
from photoindex.store.photos.sidecars import LinkedSidecar
from photoindex.store.schema.tables import (
    asset,
    assignment,
    file,
    photo,
    region,
    rejection,
    sidecar,
    sidecar_link,
    sidecar_part,
)

_KEYS = 500
_NO_MARKS = Marks()


def reconcile(connection: Connection, asset_ids: Sequence[int]) -> None:
    """Match the faces of these contents with those marked in their photos' files; call it after a model found them.

    Contents that do not represent a photo, and photos without marks, are left alone. The faces must be counted afterwards.
    """
    for wanted in chunks(asset_ids, _KEYS):
        photo_ids = connection.execute(_photos_with_marks(wanted)).scalars().all()
        contents = assets.current_contents(connection, photo_ids)
        linked = sidecars.of_photos(connection, photo_ids)
        for photo_id in photo_ids:
            write(connection, contents[photo_id], marks_in(contents[photo_id], linked.get(photo_id, ())))


def _photos_with_marks(asset_ids: Collection[int]) -> Any:
    """Select the photos that one of these contents represents, where a file or sidecar has regions."""
    content = asset.alias("content")
    of_content = exists().where(content.c.photo_id == photo.c.id, content.c.regions.is_not(None))
    of_sidecar = (
        select(sidecar.c.file_id)
        .join(sidecar_link, sidecar_link.c.sidecar_id == sidecar.c.file_id)
        .join(file, file.c.id == sidecar_link.c.file_id)
        .join(content, content.c.id == file.c.asset_id)
        .where(content.c.photo_id == photo.c.id, sidecar.c.regions != [])
        .exists()
    )
    of_part = (
        select(sidecar_part.c.name)
        .join(
            sidecar_link,
            and_(sidecar_link.c.sidecar_id == sidecar_part.c.sidecar_id, sidecar_link.c.part == sidecar_part.c.name),
        )
        .join(file, file.c.id == sidecar_link.c.file_id)
        .join(content, content.c.id == file.c.asset_id)
        .where(content.c.photo_id == photo.c.id, sidecar_part.c.regions != [])
        .exists()
    )
    return select(photo.c.id).where(photo.c.primary_asset_id.in_(asset_ids), or_(of_content, of_sidecar, of_part))


def marks_in(
    contents: Sequence[PhotoContent], linked: Sequence[LinkedSidecar], names: Mapping[int, str] | None = None
) -> Marks:
    """Return the faces marked in the contents of a photo, the primary one first, and in their sidecars, which come first.

    names: of the contents, for people.
    """
    sources = []
    pictures = {content.asset_id: _picture(content) for content in contents}
    rank = {asset_id: place for place, asset_id in enumerate(pictures)}
    with_regions = [each for each in linked if each.regions and each.of_asset_id in pictures]
    seen: set[int] = set()
    for each in sorted(with_regions, key=lambda each: (rank[each.of_asset_id], *_closeness(each))):
        if each.file_id not in seen:
            seen.add(each.file_id)
            label = to_text(os.path.basename(each.path))
            sources.append(RegionSource(label, pictures[each.of_asset_id], each.regions))
    for content in contents:
        if content.regions and content.role != "backup":
            label = (names or {}).get(content.asset_id, f"content {content.asset_id}")
            sources.append(RegionSource(label, pictures[content.asset_id], content.regions))
    return marks_of(sources, pictures[contents[0].asset_id]) if sources else _NO_MARKS


def _picture(content: PhotoContent) -> Picture:
    values = content.values
    return Picture(values["width"], values["height"], values["orientation"], values["kind"])


def _closeness(each: LinkedSidecar) -> tuple[int, bytes]:
    return distance(os.path.basename(each.path), each.of_name), each.path


@dataclass(frozen=True, slots=True)
class _Face:
    """A region with its assignment; decided: a person confirmed or rejected somebody."""

    id: int
    box: Box
    schema: str | None
    detected: bool
    decided: bool
    individual_id: int | None
    how: str | None


_of_asset = (
    select(
        region.c.id, region.c.x, region.c.y, region.c.width, region.c.height, region.c.schema, region.c.space_id,
        assignment.c.individual_id, assignment.c.how,
        exists().where(rejection.c.region_id == region.c.id).label("rejected"),
    )
    .outerjoin(assignment, assignment.c.region_id == region.c.id)
    .where(
        region.c.asset_id == bindparam("asset_id"), region.c.kind == FACE, region.c.frame == 0
    )
    .order_by(region.c.id)
)  # fmt: skip
_marked_before = or_(region.c.schema.is_not(None), assignment.c.how == How.METADATA)
_marked_of_asset = _of_asset.where(_marked_before)
_with_marked = (
    select(region.c.asset_id)
    .distinct()
    .outerjoin(assignment, assignment.c.region_id == region.c.id)
    .where(is_given(region.c.asset_id, "asset_ids"), region.c.kind == FACE, region.c.frame == 0, _marked_before)
)


def _faces(connection: Connection, statement: Any, asset_id: int) -> list[_Face]:
    return [
        _Face(
            id=row.id,
            box=Box(row.x, row.y, row.width, row.height),
            schema=row.schema,
            detected=row.space_id is not None,
            decided=row.how == How.CONFIRMED or bool(row.rejected),
            individual_id=row.individual_id,
            how=row.how,
        )
        for row in connection.execute(statement, {"asset_id": asset_id})
    ]


def by_face(connection: Connection, asset_id: int, marks: Marks) -> dict[int, Mark]:
    """Return region id -> what marks it in a file, for the faces of a content that represents a photo."""
    faces = _faces(connection, _of_asset, asset_id) if marks.faces else []
    matches = matched_marks(marks.faces, [KnownFace(each.box, each.detected, each.decided) for each in faces])
    return {faces[place].id: marks.faces[number] for number, place in matches.items()}


def write_all(connection: Connection, photos: Sequence[tuple[Sequence[PhotoContent], Marks]]) -> None:
    """Call `write` for the contents and marks of up to a few hundred photos, where there is something to do."""
    unmarked = [content.asset_id for contents, marks in photos if not marks.faces for content in contents]
    marked_before = set(connection.execute(_with_marked, {"asset_ids": as_parameter(unmarked)}).scalars())
    for contents, marks in photos:
        if marks.faces or not marked_before.isdisjoint(content.asset_id for content in contents):
            write(connection, contents, marks)


def write(connection: Connection, contents: Sequence[PhotoContent], marks: Marks) -> None:
    """Make the marked faces of a photo those of its primary content, the first of `contents`.

    Names that were marked in a picture of another shape stay with the faces that have them already.
    Idempotent. The number of faces of the photo must be counted afterwards.
    """
    primary, *others = contents
    if not marks.faces:
        for content in contents:
            if before := _faces(connection, _marked_of_asset, content.asset_id):
                _Writer(connection, primary).remove(before, unplaced=marks.unplaced)
        return
    faces = _faces(connection, _of_asset, primary.asset_id)
    matches = matched_marks(marks.faces, [KnownFace(each.box, each.detected, each.decided) for each in faces])
    writer = _Writer(connection, primary)
    for place, mark in enumerate(marks.faces):
        face = writer.update(faces[matches[place]], mark) if place in matches else writer.add(mark)
        writer.assign(face, mark.name)
    kept = set(matches.values())
    writer.remove([face for place, face in enumerate(faces) if place not in kept], unplaced=marks.unplaced)
    for content in others:
        writer.remove(_faces(connection, _marked_of_asset, content.asset_id))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Changes regions and assignments of the photo that a content represents."""

    connection: Connection
    content: PhotoContent

    def add(self, mark: Mark) -> _Face:
        """Insert a region that only a file marks."""
        values = {"asset_id": self.content.asset_id, "kind": FACE, "schema": mark.schema, **self._box(mark.box)}
        region_id = new_id(self.connection.execute(insert(region), values))
        return _Face(region_id, mark.box, mark.schema, detected=False, decided=False, individual_id=None, how=None)

    def update(self, face: _Face, mark: Mark) -> _Face:
        """Note what marks a known face; one that only a file marks is moved to where that marks it now."""
        values: dict[str, Any] = {} if face.schema == mark.schema else {"schema": mark.schema}
        if not face.detected and face.box != mark.box:
            values |= self._box(mark.box)
        if values:
            self.connection.execute(update(region).where(region.c.id == face.id).values(values))
        return face

    def assign(self, face: _Face, name: str | None) -> None:
        """Let the name in the file say who it is, unless a person said otherwise."""
        if face.how == How.CONFIRMED:
            return
        individual_id = None if name is None else individuals.for_name_in_metadata(self.connection, name)
        if individual_id is None or (face.decided and self._is_rejected(face.id, individual_id)):
            self._unassign(face)
        elif face.how != How.METADATA or face.individual_id != individual_id:
            values = {"individual_id": individual_id, "how": How.METADATA.value, "score": None, "at": time.time()}
            row = upsert(assignment).values(region_id=face.id, **values)
            self.connection.execute(row.on_conflict_do_update(index_elements=["region_id"], set_=values))
            summaries.forget(self.connection, {individual_id, *_known(face)})

    def remove(self, faces: Sequence[_Face], *, unplaced: Sequence[str] = ()) -> None:
        """Forget that files marked these faces; those that nothing else knows about are deleted.

        unplaced: names that the files still give to some face.
        """
        named = {individuals.known_in_metadata(self.connection, name) for name in unplaced}
        for face in faces:
            if face.how == How.METADATA and face.detected and face.individual_id in named:
                continue
            self._unassign(face)
            if face.schema is not None and not face.detected and not face.decided:
                self.connection.execute(delete(region).where(region.c.id == face.id))
                summaries.forget(self.connection, _known(face))
            elif face.schema is not None and face.detected:
                self.connection.execute(update(region).where(region.c.id == face.id).values(schema=None))

    def _unassign(self, face: _Face) -> None:
        if face.how == How.METADATA:
            self.connection.execute(delete(assignment).where(assignment.c.region_id == face.id))
            summaries.forget(self.connection, _known(face))

    def _is_rejected(self, region_id: int, individual_id: int) -> bool:
        rejected = select(rejection.c.region_id).where(
            rejection.c.region_id == region_id, rejection.c.individual_id == individual_id
        )
        return self.connection.execute(rejected).first() is not None

    def _box(self, box: Box) -> dict[str, Any]:
        width, height = self.content.values["width"], self.content.values["height"]
        size_px = min(box.width * width, box.height * height) if width and height else None
        return {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "size_px": size_px}


def _known(face: _Face) -> tuple[int, ...]:
    return () if face.individual_id is None else (face.individual_id,)
