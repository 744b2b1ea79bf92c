"""Photos with faces that can be looked at: rows without a model, and previews with a drawn face in each box."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import insert, select, update

from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import FACE, PERSON
from photoindex.library.handle import Library
from photoindex.pipeline.ingest.derived_files import preview_path, thumbnail_path
from photoindex.store.people import counts
from photoindex.store.schema.tables import asset, assignment, individual, photo, region
from tests.rows import ADDED_AT, VolumeRows

PREVIEW_PX = (512, 384)
Box = tuple[float, float, float, float]


class ShownFaces:
    """Adds persons, and photos that show them, each with its own colour of hair so that pages can be told apart."""

    def __init__(self, library: Library, originals: Path) -> None:
        self.library = library
        self.rows = VolumeRows(library, originals)
        self.photos = 0

    def person(self, name: str | None = None, **values: Any) -> int:
        """Add a person, or an unnamed group."""
        row = {"kind": PERSON, "name": name, "name_key": name and name_key(name), "created_at": ADDED_AT} | values
        with self.library.database.write() as connection:
            return int(connection.execute(insert(individual).values(**row)).inserted_primary_key[0])

    def photo(self, *persons: int | None, how: str = "cluster", score: float = 0.9, picture: bool = True) -> list[int]:
        """Add a photo that shows these persons side by side, None for a face of nobody; return the faces' ids."""
        self.photos += 1
        photo_id = self.rows.add_whole_photo(
            f"{self.photos:04}.jpg", taken_at=f"20{self.photos % 25:02}-06-15T10:30:00", width=2048, height=1536
        )
        faces = self.faces_in(photo_id, *persons, how=how, score=score)
        if picture:
            with self.library.database.read() as connection:
                digest = connection.execute(
                    select(asset.c.digest).where(asset.c.id == self.rows.asset_of(photo_id))
                ).scalar_one()
            for path in (preview_path, thumbnail_path):
                drawn(path(self.library.derived_folder, digest), boxes_of(len(persons)), persons)
        return faces

    def faces_in(self, photo_id: int, *persons: int | None, how: str = "cluster", score: float = 0.9) -> list[int]:
        """Add the faces of these persons to a photo, None for one of nobody; return their ids."""
        asset_id = self.rows.asset_of(photo_id)
        with self.library.database.write() as connection:
            faces = [self._face(connection, asset_id, box) for box in boxes_of(len(persons))]
            for face, person in zip(faces, persons, strict=True):
                if person is not None:
                    row = {"region_id": face, "individual_id": person, "how": how, "score": score, "at": ADDED_AT}
                    connection.execute(insert(assignment).values(**row))
            counts.refresh(connection, [asset_id])
        return faces

    def group(self, name: str | None = None, *, faces: int, **values: Any) -> tuple[int, list[int]]:
        """Add a person with this many photos of one face each; return the person and the faces."""
        person = self.person(name, **values)
        return person, [face for number in range(faces) for face in self.photo(person, score=0.95 - number / 100)]

    def confirm(self, faces: Sequence[int]) -> None:
        """Mark faces as confirmed by a person."""
        with self.library.database.write() as connection:
            connection.execute(update(assignment).where(assignment.c.region_id.in_(faces)).values(how="confirmed"))

    def photo_of(self, face: int) -> int:
        """Return the photo that a face is in."""
        statement = select(photo.c.id).join(region, region.c.asset_id == photo.c.primary_asset_id)
        with self.library.database.read() as connection:
            return int(connection.execute(statement.where(region.c.id == face)).scalar_one())

    def _face(self, connection: Any, asset_id: int, box: Box) -> int:
        x, y, width, height = box
        row = {"asset_id": asset_id, "kind": FACE, "frame": 0, "x": x, "y": y, "width": width, "height": height}
        row |= {"score": 0.99, "size_px": 300.0}
        return int(connection.execute(insert(region).values(**row)).inserted_primary_key[0])


def boxes_of(count: int) -> list[Box]:
    """Return boxes of faces side by side."""
    return [((number + 0.3) / count, 0.25, 0.4 / count, 0.5) for number in range(count)]


def drawn(path: Path, boxes: Sequence[Box], persons: Sequence[int | None]) -> None:
    """Write a picture with a face in each box."""
    picture = Image.new("RGB", PREVIEW_PX, (116, 132, 140))
    draw = ImageDraw.Draw(picture)
    for (x, y, width, height), person in zip(boxes, persons, strict=True):
        left, top = x * PREVIEW_PX[0], y * PREVIEW_PX[1]
        right, bottom = left + width * PREVIEW_PX[0], top + height * PREVIEW_PX[1]
        hair = tuple(int(255 * part) for part in colorsys.hsv_to_rgb(((person or 0) * 0.381966) % 1, 0.55, 0.62))
        side, down = right - left, bottom - top
        draw.ellipse((left - side * 0.12, top - down * 0.12, right + side * 0.12, bottom), fill=hair)
        draw.ellipse((left, top, right, bottom), fill=(222, 184, 158))
        for eye in (0.32, 0.68):
            middle = left + side * eye, top + down * 0.42
            draw.ellipse(
                (middle[0] - side * 0.06, middle[1] - down * 0.03, middle[0] + side * 0.06, middle[1] + down * 0.03),
                fill=(40, 34, 30),
            )
        draw.arc(
            (left + side * 0.3, top + down * 0.5, right - side * 0.3, bottom - down * 0.15), 20, 160, (120, 60, 56), 3
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, "JPEG", quality=88)
