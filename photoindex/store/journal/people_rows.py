"""Undo of decisions about people: what only the program changed since gives way to a person's word, and is no reason to refuse.

Grouping moves faces between individuals, and adds and removes groups without a name; reading metadata again does the same
with the faces that it names. None of that is in the journal.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, or_, select

from photoindex.domain.people.values import PERSON, How
from photoindex.store.journal.journal import Change, Row, changes_of_row, rows_as_changes, stored_row
from photoindex.store.schema.tables import (
    assignment,
    individual,
    individuals_apart,
    region,
    region_space,
    rejection,
    variant,
)

_BY_PROGRAM = (How.CLUSTER.value, How.METADATA.value)


def adapted(connection: Connection, batch: Sequence[Change]) -> list[Change]:
    """Return the changes of a batch (of one table) as they can be undone now, without those that no longer matter."""
    adapt = _ADAPTED.get(batch[0].table_name)
    return list(batch) if adapt is None else adapt(connection, batch)


def made_way(connection: Connection, batch: Sequence[Change]) -> Iterator[Change]:
    """Make room for the undo of a batch that `adapted` returned, and yield the changes that this took.

    Individuals that are about to be removed lose the regions that the program gave to them; removed groups that a person's
    word is about again are added again, with their ids.
    """
    name = batch[0].table_name
    if name == individual.name:
        yield from _released(connection, [change for change in batch if change.before is None])
    elif name in (assignment.name, rejection.name):
        wanted = {change.before["individual_id"] for change in batch if change.before is not None}
        for individual_id in sorted(_missing(connection, individual, wanted)):
            values = {"id": individual_id, "kind": PERSON, "created_at": time.time()}
            connection.execute(insert(individual).values(values))
            key: Row = {"id": individual_id}
            yield Change(individual.name, key, before=None, after=stored_row(connection, individual, key))


def decisions_left(connection: Connection, batch: Sequence[Change]) -> int | None:
    """Return an individual that a batch removes though a person decided something about it since, None if there is none."""
    removed = [change.key["id"] for change in batch if change.table_name == individual.name and change.before is None]
    for individual_id in removed:
        rejected = select(rejection.c.region_id).where(rejection.c.individual_id == individual_id)
        pair = or_(individuals_apart.c.individual_id == individual_id, individuals_apart.c.other_id == individual_id)
        apart = select(individuals_apart.c.other_id).where(pair)
        confirmed = select(assignment.c.region_id).where(
            assignment.c.individual_id == individual_id, assignment.c.how == How.CONFIRMED.value
        )
        if any(connection.execute(chosen.limit(1)).first() is not None for chosen in (rejected, apart, confirmed)):
            return int(str(individual_id))
    return None


def _assignments(connection: Connection, batch: Sequence[Change]) -> list[Change]:
    current = _current(connection, assignment, [change.key["region_id"] for change in batch])
    regions = [change.key["region_id"] for change in batch]
    lost = _missing(connection, region, regions)
    groups = {change.before["individual_id"] for change in batch if change.before is not None}
    gone = _missing(connection, individual, groups)
    found = []
    for change in batch:
        row = current.get(change.key["region_id"])
        by_program = row is None or row["how"] in _BY_PROGRAM
        changed_since = row is None or any(row[name] != value for name, value in (change.after or {}).items())
        was_grouped = change.before is not None and change.before["how"] == How.CLUSTER.value
        if change.after is not None and change.after["how"] in _BY_PROGRAM and by_program and changed_since:
            continue
        if was_grouped and change.key["region_id"] in lost:
            continue
        one = change if change.after is not None or row is None or not by_program else replace(change, after=row)
        if was_grouped and one.before is not None and one.before["individual_id"] in gone:
            # The next grouping finds a group for it.
            one = replace(one, before=None)
        if one.before is not None or one.after is not None:
            found.append(one)
    return found


def _regions(connection: Connection, batch: Sequence[Change]) -> list[Change]:
    """Restore regions without what found them, if that is gone; the next detection fills it in again."""
    found = list(batch)
    for column, table in (("space_id", region_space), ("variant_id", variant)):
        wanted = {change.before[column] for change in found if change.before and change.before[column] is not None}
        gone = _missing(connection, table, wanted)
        found = [
            replace(change, before={**change.before, column: None})
            if change.before and change.before[column] in gone
            else change
            for change in found
        ]
    return found


def _individuals(connection: Connection, batch: Sequence[Change]) -> list[Change]:
    current = _current(connection, individual, [change.key["id"] for change in batch])
    return [_with_current_cover(connection, change, current.get(change.key["id"])) for change in batch]


def _with_current_cover(connection: Connection, change: Change, row: Row | None) -> Change:
    """Return a change of an individual that leaves alone a cover which followed the edit of a file since."""
    before, after = change.before, change.after
    if row is None or not before or not after or row["cover_id"] == after["cover_id"]:
        return change
    cover = row["cover_id"]
    if any(one.after and one.after["cover_id"] == cover for one in changes_of_row(connection, change)):
        return change
    was = cover if before["cover_id"] == after["cover_id"] else before["cover_id"]
    return replace(change, before={**before, "cover_id": was}, after={**after, "cover_id": cover})


_ADAPTED = {assignment.name: _assignments, individual.name: _individuals, region.name: _regions}


def _released(connection: Connection, batch: Sequence[Change]) -> Iterator[Change]:
    for change in batch:
        chosen = (assignment.c.individual_id == change.key["id"], assignment.c.how.in_(_BY_PROGRAM))
        yield from list(rows_as_changes(connection, assignment, select(assignment).where(*chosen)))
        connection.execute(delete(assignment).where(*chosen))


def _current(connection: Connection, table: Table, ids: Sequence[Any]) -> dict[Any, Row]:
    key = next(iter(table.primary_key.columns))
    found = rows_as_changes(connection, table, select(table).where(key.in_(ids)))
    return {change.key[key.name]: change.before for change in found if change.before is not None}


def _missing(connection: Connection, table: Table, ids: Collection[Any]) -> set[Any]:
    wanted = set(ids)
    return wanted - set(connection.execute(select(table.c.id).where(table.c.id.in_(wanted))).scalars())
