"""Writes a new grouping, in transactions that each leave everything sound."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from photoindex.domain.people.groups.regrouping import NOBODY, Regrouping
from photoindex.domain.people.values import FACE, PERSON, How
from photoindex.store.engine.database import new_id
from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.people.decisions import idle
from photoindex.store.people.spaces import RegionSpace
from photoindex.store.schema.tables import (
    asset_with_repeats,
    assignment,
    individual,
    region,
    region_space,
    rejection,
)
from photoindex.store.words.people import ChangedFaces, people_changed, with_names


@dataclass(slots=True)
class Written:
    """What one transaction did.

    made: number of a new group -> its individual. outdated: faces that were left as they are, because something that
    concerns them has changed since they were read. removed: individuals without faces.
    """

    written: int = 0
    outdated: int = 0
    removed: int = 0
    made: dict[int, int] = field(default_factory=dict)


class NotSound(Exception):
    """A named person would be left without a face."""


def write(connection: Connection, part: Regrouping) -> Written:
    """Give faces their new persons. part: everything that concerns these persons, see `regrouping.batches`.

    What a person said meanwhile wins: faces that they assigned, rejected or removed since are left alone. Raises NotSound
    where that leaves a named person without a face; nothing must be committed then.
    """
    result = Written()
    wanted = _still_valid(connection, part)
    result.outdated = len(part) - len(wanted)
    for number in sorted({int(one) for one in wanted.after if one < NOBODY}, reverse=True):
        values = {"kind": PERSON, "created_at": time.time()}
        result.made[number] = new_id(connection.execute(insert(individual), values))
    _assign(connection, wanted, result.made)
    doubled = _doubled(connection, wanted.faces.tolist())
    connection.execute(delete(assignment).where(assignment.c.region_id.in_(numbers(doubled))))
    result.outdated += len(doubled)
    result.written = len(wanted) - len(doubled)
    touched = {int(one) for one in np.concatenate([wanted.before, wanted.after]) if one > NOBODY}
    _check_named(connection, touched)
    people_changed(connection, touched, _faces_of_named(connection, wanted, touched))
    result.removed = _remove_empty(connection, touched | set(result.made.values()))
    return result


def _still_valid(connection: Connection, part: Regrouping) -> Regrouping:
    """Return the changes whose faces, persons and rejections are as they were when the faces were read."""
    faces = numbers(part.faces.tolist())
    now = connection.execute(
        select(region.c.id, assignment.c.individual_id, assignment.c.how)
        .select_from(region)
        .outerjoin(assignment, assignment.c.region_id == region.c.id)
        .where(region.c.id.in_(faces))
    )
    there = {row.id: (row.individual_id or NOBODY, row.how in (None, How.CLUSTER)) for row in now}
    after = sorted({int(one) for one in part.after if one > NOBODY})
    persons = set(connection.execute(select(individual.c.id).where(individual.c.id.in_(numbers(after)))).scalars())
    of_faces = select(rejection.c.region_id, rejection.c.individual_id).where(rejection.c.region_id.in_(faces))
    rejected = {(row[0], row[1]) for row in connection.execute(of_faces)}
    rows = zip(part.faces.tolist(), part.before.tolist(), part.after.tolist(), strict=True)
    valid = [
        there.get(face) == (before, True) and (after <= NOBODY or after in persons) and (face, after) not in rejected
        for face, before, after in rows
    ]
    return part.some(np.array(valid, np.bool_))


def _assign(connection: Connection, wanted: Regrouping, made: Mapping[int, int]) -> None:
    now = time.time()
    rows = list(zip(wanted.faces.tolist(), wanted.after.tolist(), wanted.scores.tolist(), strict=True))
    waiting = [face for face, after, _ in rows if after == NOBODY]
    connection.execute(delete(assignment).where(assignment.c.region_id.in_(numbers(waiting))))
    given = [
        {"region_id": face, "individual_id": made.get(after, after), "how": How.CLUSTER, "score": score, "at": now}
        for face, after, score in rows
        if after != NOBODY
    ]
    if given:
        changed = upsert(assignment)
        names = ("individual_id", "how", "score", "at")
        connection.execute(
            changed.on_conflict_do_update(
                index_elements=["region_id"], set_={name: changed.excluded[name] for name in names}
            ),
            given,
        )


def _doubled(connection: Connection, faces: list[int]) -> list[int]:
    """Return which of these faces give somebody a second face in a photo: somebody else's change came first."""
    assets = select(region.c.asset_id).where(region.c.id.in_(numbers(faces)))
    statement = (
        select(region.c.asset_id, assignment.c.individual_id, region.c.id, assignment.c.how)
        .join(assignment, assignment.c.region_id == region.c.id)
        .where(
            region.c.asset_id.in_(assets),
            region.c.kind == FACE,
            region.c.asset_id.not_in(select(asset_with_repeats.c.asset_id)),
        )
        .order_by(region.c.id)
    )
    seen: dict[tuple[int, int], int] = {}
    mine = set(faces)
    doubled = []
    rows = connection.execute(statement).all()
    for asset_id, person, face, how in sorted(rows, key=lambda row: (row.id in mine, row.how == How.CLUSTER, row.id)):
        if (asset_id, person) in seen and face in mine and how == How.CLUSTER:
            doubled.append(face)
        seen[asset_id, person] = face
    return doubled


def _faces_of_named(connection: Connection, wanted: Regrouping, touched: set[int]) -> ChangedFaces:
    """Return the faces that a person with a name got or lost; only these are found by a name."""
    named = sorted(with_names(connection, touched))
    concerned = np.isin(wanted.before, named) | np.isin(wanted.after, named)
    return ChangedFaces(regions=set(wanted.faces[concerned].tolist()))


def _check_named(connection: Connection, persons: Iterable[int]) -> None:
    empty = (
        select(individual.c.name)
        .where(individual.c.id.in_(numbers(sorted(persons))), individual.c.name.is_not(None))
        .where(~exists().where(assignment.c.individual_id == individual.c.id))
    )
    name = connection.execute(empty).scalar()
    if name is not None:
        raise NotSound(name)


def _remove_empty(connection: Connection, persons: Iterable[int]) -> int:
    """Remove those without faces, unless a person has said anything about them."""
    empty = individual.c.id.in_(numbers(sorted(persons)))
    removed = connection.execute(delete(individual).where(empty, individual.c.id.in_(idle())))
    return int(removed.rowcount)


def mark_grouped(connection: Connection, space: RegionSpace, up_to: int, *, whole: bool) -> None:
    """Remember that all faces up to the id `up_to` were grouped, together with the earlier ones (`whole`) or joined to them."""
    values: dict[str, object] = {"joined_up_to": up_to}
    if whole:
        values |= {"clustered_at": time.time(), "clustered_up_to": up_to}
    connection.execute(
        update(region_space).where(region_space.c.id == bindparam("space")).values(values), {"space": space.id}
    )
