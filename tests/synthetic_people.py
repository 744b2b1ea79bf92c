"""Faces and people for a large library without pictures: rows written straight into the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select, update

from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import FACE, PERSON, How
from photoindex.store.engine.database import Database
from photoindex.store.schema.tables import assignment, individual, photo, region, region_space

Numbers = NDArray[np.int64]

_BATCH = 20_000
_SHARE_CONFIRMED = 0.3
_SHARE_OF_NOBODY = 0.1
_NAMES = ("Anna", "Ben", "Clara", "Daniel", "Eva Maria", "Felix", "Greta", "Hannah", "Ivan", "Julia", "Karl", "Lena")


def add_people(database: Database, *, faces: int, named: int, groups: int, seed: int = 0) -> None:
    """Add about `faces` faces to the photos of a library, of `named` people and `groups` without a name.

    Sizes follow Zipf's law, and those with a name are the largest: a library has a few people in thousands of photos and
    thousands of strangers in one or two. No photo shows somebody twice; a tenth of the faces is of nobody. Ids of people
    go from 1 by size.
    """
    random = np.random.default_rng(seed)
    with database.write() as connection:
        photos = np.array(connection.execute(select(photo.c.primary_asset_id).order_by(photo.c.id)).scalars().all())
        values = {"kind": FACE, "model": "synthetic", "key": "{}", "dim": 128, "active": True, "created_at": 0.0}
        connection.execute(insert(region_space).values(id=1, **values))
        connection.execute(insert(individual), [_person(number, named) for number in range(named + groups)])
    per_photo = _faces_of_photos(len(photos), faces, random)
    assets = np.repeat(photos, per_photo)
    people = _people_of_faces(len(assets), named + groups, random)
    people[_is_repeated(assets, people)] = 0
    sizes = random.gamma(2.0, 60.0, len(assets))
    fixed = random.random(len(assets)) < _SHARE_CONFIRMED
    for start in range(0, len(assets), _BATCH):
        numbers = range(start, min(start + _BATCH, len(assets)))
        with database.write() as connection:
            connection.execute(insert(region), [_face(one, int(assets[one]), float(sizes[one])) for one in numbers])
            given = [_given(one, int(people[one]), named, fixed=bool(fixed[one])) for one in numbers if people[one]]
            connection.execute(insert(assignment), given)
    counted = select(func.count()).where(region.c.asset_id == photo.c.primary_asset_id).scalar_subquery()
    with database.write() as connection:
        connection.execute(update(photo).values(faces=counted))


def person_name(number: int) -> str:
    """Return the name of the person with this place in the order of sizes, from 0."""
    name = _NAMES[number % len(_NAMES)]
    return name if number < len(_NAMES) else f"{name} {_NAMES[number // len(_NAMES) % len(_NAMES)]} {number}"


def _person(number: int, named: int) -> dict[str, Any]:
    name = person_name(number) if number < named else None
    key = None if name is None else name_key(name)
    born = None if name is None else f"{1950 + number * 7 % 65}"
    return {"id": number + 1, "kind": PERSON, "name": name, "name_key": key, "born": born, "created_at": 0.0}


def _faces_of_photos(photos: int, faces: int, random: np.random.Generator) -> Numbers:
    """Return how many faces each photo has: none in most, in a few a whole school class."""
    mean = faces / photos
    drawn = random.negative_binomial(0.6, 0.6 / (0.6 + mean), photos)
    return np.minimum(drawn, 40).astype(np.int64)


def _people_of_faces(faces: int, people: int, random: np.random.Generator) -> Numbers:
    """Return the id of each face's person; 0 for nobody."""
    shares = 1.0 / np.arange(1, people + 1)
    drawn = np.searchsorted(np.cumsum(shares) / shares.sum(), random.random(faces)) + 1
    return np.where(random.random(faces) < _SHARE_OF_NOBODY, 0, np.minimum(drawn, people)).astype(np.int64)


def _is_repeated(assets: Numbers, people: Numbers) -> NDArray[np.bool_]:
    """Return which faces show somebody whom an earlier face of the same photo shows."""
    order = np.lexsort((people, assets))
    same = np.zeros(len(assets), bool)
    same[order[1:]] = (np.diff(assets[order]) == 0) & (np.diff(people[order]) == 0)
    return same


def _face(number: int, asset_id: int, size_px: float) -> dict[str, Any]:
    return {
        "id": number + 1, "asset_id": asset_id, "kind": FACE, "x": 0.3, "y": 0.2, "width": 0.1, "height": 0.15, "space_id": 1,
        "score": 0.9, "size_px": size_px, "sharpness": size_px, "yaw": size_px % 40, "roll": 1.0,
        "landmarks": b"\0" * 40,
    }  # fmt: skip


def _given(number: int, person: int, named: int, *, fixed: bool) -> dict[str, Any]:
    how = How.CONFIRMED if fixed and person <= named else How.CLUSTER
    return {"region_id": number + 1, "individual_id": person, "how": how, "score": 0.9, "at": 0.0}
