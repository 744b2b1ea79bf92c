"""Libraries with photos, faces and vectors of made-up people, so that no model is needed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select, update

from photoindex.domain.people.values import FACE, PERSON, How
from photoindex.library.handle import Library
from photoindex.store.people import counts, individuals, summaries
from photoindex.store.schema.tables import (
    asset,
    asset_with_repeats,
    assignment,
    individual,
    individuals_apart,
    photo,
    photo_text,
    region,
    region_space,
    region_vector,
    rejection,
)
from photoindex.store.words import documents
from tests.rows import ADDED_AT, VolumeRows

DIM = 64
COSINE = 0.75
"""The mean cosine of two faces of one made-up person; those of different people are around 0."""
GOOD = {"score": 0.95, "size_px": 220.0, "sharpness": 400.0, "yaw": 3.0, "roll": 1.0}
"""A large, sharp face from the front."""
POOR = {"score": 0.71, "size_px": 24.0, "sharpness": 6.0, "yaw": 55.0, "roll": 20.0}
"""A small, blurry face from the side."""

Vectors = NDArray[np.float16]


def faces_of(
    person: int | str, count: int, *, first: int = 0, cosine: float = COSINE, dim: int = DIM, drift: float = 0.0
) -> Vectors:
    """Return float16 [count, dim]: the faces number `first` and on of a made-up person; the same for the same arguments.

    cosine: of two faces of the person, on average. drift: how far (in radians) the person's look turns from one face to
    the next, as with children.
    """
    own = np.random.default_rng([_number(person), dim])
    centre, aside = _unit(own.normal(size=dim)), own.normal(size=dim)
    aside = _unit(aside - (aside @ centre) * centre)
    found = np.empty((count, dim), np.float16)
    for row in range(count):
        noise = np.random.default_rng([_number(person), dim, first + row + 1]).normal(size=dim) / np.sqrt(dim)
        angle = drift * (first + row)
        look = np.cos(angle) * centre + np.sin(angle) * aside
        found[row] = _unit(look + np.sqrt(1 / cosine - 1) * noise)
    return found


def _number(person: int | str) -> int:
    return person if isinstance(person, int) else int.from_bytes(person.encode(), "big")


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values / np.linalg.norm(values))


class FaceRows(VolumeRows):
    """A volume with rows, and a space of faces, `space_id`, which is the active one if it is new.

    `shots` counts the faces made of each person, so that every face is another one.
    """

    def __init__(self, library: Library, originals: Path, *, dim: int = DIM, model: str = "by-hand") -> None:
        super().__init__(library, originals)
        self.dim = dim
        self.shots: dict[int | str, int] = {}
        with library.database.read() as connection:
            known = select(region_space.c.id).where(region_space.c.model == model)
            space_id: int | None = connection.execute(known).scalar()
        self.space_id = space_id or self.add_space(model)

    def add_space(self, model: str, *, dim: int | None = None, active: bool = True) -> int:
        """Add a space of faces; with `active`, it replaces the active one."""
        with self.writing() as connection:
            if active:
                connection.execute(update(region_space).values(active=False))
            return self._insert(
                connection, region_space, kind=FACE, model=model, key=f'{{"model":"{model}"}}', dim=dim or self.dim,
                active=active, created_at=ADDED_AT,
            )  # fmt: skip

    def add_face_photo(self, name: str, *people: int | str, cosine: float = COSINE, **values: Any) -> list[int]:
        """Add a photo with one face of each of these made-up people, and return the ids of the faces.

        `face_*` values are set on the faces (GOOD by default), others on the photo, as taken_at="2019-05-01T10:00:00".
        """
        face = {key.removeprefix("face_"): values.pop(key) for key in list(values) if key.startswith("face_")}
        if "taken_at" in values:
            values.setdefault("taken_at_source", "exif")
        values = {"width": 4000, "height": 3000} | values
        asset_id = self.asset_of(self.add_whole_photo(name, **values))
        return [self.add_face(asset_id, self.next_face(one, cosine=cosine), **face) for one in people]

    def next_face(self, person: int | str, *, cosine: float = COSINE) -> Vectors:
        """Return the vector of another face of a made-up person."""
        shot = self.shots.get(person, 0)
        self.shots[person] = shot + 1
        return np.asarray(faces_of(person, 1, first=shot, cosine=cosine, dim=self.dim)[0])

    def add_face(self, asset_id: int, vector: Vectors | None, **values: Any) -> int:
        """Add a face to a content, beside those that it has; without a vector, as one marked in metadata."""
        with self.writing() as connection:
            of_asset = select(func.count()).where(region.c.asset_id == asset_id)
            place = 0.02 + 0.11 * (connection.execute(of_asset).scalar_one() % 8)
            box = {"x": place, "y": 0.2, "width": 0.1, "height": 0.15}
            found = GOOD | {"space_id": self.space_id} if vector is not None else {"schema": "mwg"}
            region_id = self._insert(
                connection, region, **({"asset_id": asset_id, "kind": FACE} | box | found | values)
            )
            if vector is not None:
                self._insert(connection, region_vector, region_id=region_id, data=vector.astype("<f2").tobytes())
            counts.refresh(connection, [asset_id], looked_through=True)
            summaries.forget_of_asset(connection, asset_id)
        return region_id

    def add_photos_of(self, person: int | str, count: int, *, folder: str = "photos", **values: Any) -> list[int]:
        """Add photos with one face each of a made-up person; return the ids of the faces."""
        first = self.shots.get(person, 0)
        made = (f"{folder}/{person}-{first + number}.jpg" for number in range(count))
        return [face for name in made for face in self.add_face_photo(name, person, **values)]

    def add_many(self, vectors: Vectors, *, first_photo: int = 1_000_000) -> NDArray[np.int64]:
        """Add photos without files, with one good face each, quickly; return the ids of the faces. vectors: [n, dim]."""
        made = range(first_photo, first_photo + len(vectors))
        photos = {"kind": "image", "format": "jpeg", "size_bytes": 7, "keywords": [], "sources": {}}
        photos |= {"added_at": ADDED_AT, "faces": 1, "width": 4000, "height": 3000}
        contents = {"size_bytes": 7, "kind": "image", "format": "jpeg", "facts": {}, "notes": [], "derived": True}
        contents |= {"variant_id": self.variant_id, "role": "primary", "added_at": ADDED_AT}
        texts = dict.fromkeys(("name", "folder", "camera", "keywords", "title", "description"), "")
        face = {"kind": FACE, "space_id": self.space_id, "x": 0.3, "y": 0.2, "width": 0.1, "height": 0.15} | GOOD
        with self.writing() as connection:
            connection.execute(insert(photo), [photos | {"id": one, "primary_asset_id": one} for one in made])
            connection.execute(insert(photo_text), [texts | {"photo_id": one} for one in made])
            digests = ({"id": one, "photo_id": one, "digest": one.to_bytes(32, "big")} for one in made)
            connection.execute(insert(asset), [contents | one for one in digests])
            connection.execute(insert(region), [face | {"asset_id": one} for one in made])
            ids = connection.execute(
                select(region.c.id)
                .where(region.c.asset_id.between(made.start, made.stop - 1))
                .order_by(region.c.asset_id)
            ).scalars()
            rows = zip(ids, np.ascontiguousarray(vectors, "<f2"), strict=True)
            stored = [{"region_id": one, "data": row.tobytes()} for one, row in rows]
            connection.execute(insert(region_vector), stored)
        return np.array([one["region_id"] for one in stored], np.int64)

    def add_person(self, name: str | None = None, faces: Sequence[int] = (), *, how: How = How.CONFIRMED) -> int:
        """Add a person with these faces; a name makes them a named one. Further values: `set_person`."""
        with self.writing() as connection:
            person_id = individuals.add(connection, name=name, kind=PERSON)
        self.assign(person_id, faces, how=how)
        return person_id

    def set_person(self, person_id: int, **values: Any) -> None:
        """Set columns of a person, such as born="2015-03"."""
        with self.writing() as connection:
            connection.execute(update(individual).where(individual.c.id == person_id).values(**values))

    def assign(self, person_id: int, faces: Sequence[int], *, how: How = How.CONFIRMED) -> None:
        """Give faces to a person, from whomever had them."""
        rows = [{"region_id": one, "individual_id": person_id, "how": how, "at": time.time()} for one in faces]
        with self.writing() as connection:
            had = assignment.c.region_id.in_(list(faces))
            before = connection.execute(select(assignment.c.individual_id).where(had)).scalars().all()
            connection.execute(assignment.delete().where(had))
            if rows:
                connection.execute(insert(assignment), rows)
            summaries.forget(connection, [person_id, *before])
            documents.refresh_assets(connection, self._assets(connection, faces))

    def _assets(self, connection: Connection, faces: Sequence[int]) -> list[int]:
        of_faces = select(region.c.asset_id).where(region.c.id.in_([int(one) for one in faces]))
        return list(connection.execute(of_faces).scalars())

    def names(self) -> dict[int, str]:
        """Return face -> the names in the document of its photo, which search by words reads; empty ones are left out."""
        with self.library.database.read() as connection:
            shown = photo.c.primary_asset_id == region.c.asset_id
            chosen = select(region.c.id, photo_text.c.people).join_from(region, photo, shown).join(photo_text)
            return {face: names for face, names in connection.execute(chosen) if names}

    def reject(self, person_id: int, faces: Sequence[int]) -> None:
        """Say for ever that these faces are not this person."""
        rows = [{"region_id": one, "individual_id": person_id, "at": time.time()} for one in faces]
        with self.writing() as connection:
            connection.execute(insert(rejection), rows)

    def keep_apart(self, one: int, other: int) -> None:
        """Say that two groups are not one person."""
        with self.writing() as connection:
            self._insert(
                connection, individuals_apart, individual_id=min(one, other), other_id=max(one, other), at=time.time()
            )

    def allow_repeats(self, face: int) -> None:
        """Say that the picture of a face may show somebody more than once."""
        with self.writing() as connection:
            asset_id = connection.execute(select(region.c.asset_id).where(region.c.id == face)).scalar_one()
            self._insert(connection, asset_with_repeats, asset_id=asset_id, at=time.time())

    def people(self) -> dict[int, int]:
        """Return face -> person, of all faces that have one."""
        with self.library.database.read() as connection:
            rows = connection.execute(select(assignment.c.region_id, assignment.c.individual_id))
            return {row.region_id: row.individual_id for row in rows}

    def groups(self) -> list[list[int]]:
        """Return the faces of each person, sorted."""
        found: dict[int, list[int]] = {}
        for face, person in sorted(self.people().items()):
            found.setdefault(person, []).append(face)
        return sorted(found.values())

    def how(self, face: int) -> str | None:
        """Return how a face got its person, None if it has none."""
        with self.library.database.read() as connection:
            found: str | None = connection.execute(
                select(assignment.c.how).where(assignment.c.region_id == face)
            ).scalar()
            return found
