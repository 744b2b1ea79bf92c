"""What a person decides about people, row by row for the journal.

The rules (who may be given which face) are in `library.people`; here are the rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, select, tuple_, update

from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import PERSON, How
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import upsert
from photoindex.store.journal.journal import Change, Row, Stored, record, rows_as_changes
from photoindex.store.people import individuals
from photoindex.store.schema.tables import (
    asset_with_repeats,
    assignment,
    individual,
    individual_alias,
    individuals_apart,
    region,
    rejection,
)
from photoindex.store.words.people import of_changes, people_changed

_KEYS = 500

_Key = tuple[Stored, ...]
_Values = Mapping[str, Any]


class Decisions:
    """The decisions of one command, in the caller's write transaction; `record` ends it with one entry in the journal.

    Every method writes at once and remembers the rows as they were and as they are. Rows that already are as wanted are
    left alone.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._at = time.time()
        self._changes: list[Change] = []
        self._touched: set[int] = set()

    @property
    def count(self) -> int:
        """How many changes of rows were made so far."""
        return len(self._changes)

    def record(self, *, command: str, summary: str) -> int | None:
        """Write the entry of the journal and return its id, None if nothing was changed; forget what was counted."""
        changes = self.finish()
        return record(self.connection, command=command, summary=summary, changes=changes) if changes else None

    def finish(self) -> list[Change]:
        """Bring up to date what follows from the decisions, and return the changes, for an entry with others."""
        if self._changes:
            self._drop_covers()
            people_changed(self.connection, self._touched, of_changes(self._changes))
        return self._changes

    def assign(self, region_ids: Sequence[int], individual_id: int, how: How = How.CONFIRMED) -> None:
        """Give regions to an individual, from whichever had them; with CONFIRMED, rejections of it are taken back."""
        if how is How.CONFIRMED:
            self._delete(rejection, [(region_id, individual_id) for region_id in region_ids])
        rows = [
            {"region_id": region_id, "individual_id": individual_id, "how": how.value, "score": None, "at": self._at}
            for region_id in region_ids
        ]
        self._write(assignment, rows, same=("individual_id", "how"))
        self._touched.add(individual_id)

    def move(self, region_ids: Sequence[int], individual_id: int) -> None:
        """Give regions to another individual, and keep how they were assigned and how surely."""
        for some in chunks(region_ids, _KEYS):
            before = self._stored(assignment, [(region_id,) for region_id in some])
            chosen = assignment.c.region_id.in_(some)
            self.connection.execute(update(assignment).where(chosen).values(individual_id=individual_id))
            self._changed(assignment, before)
        self._touched.add(individual_id)

    def release(self, region_ids: Sequence[int]) -> None:
        """Take regions from whichever individual has them."""
        self._delete(assignment, [(region_id,) for region_id in region_ids])

    def reject(self, region_ids: Sequence[int], individual_id: int) -> None:
        """Say for ever that regions are not this individual; those that it has are taken from it."""
        rows = [{"region_id": one, "individual_id": individual_id, "at": self._at} for one in region_ids]
        self._write(rejection, rows, same=())
        had = select(assignment.c.region_id).where(assignment.c.individual_id == individual_id)
        theirs: list[int] = []
        for some in chunks(region_ids, _KEYS):
            theirs += self.connection.execute(had.where(assignment.c.region_id.in_(some))).scalars()
        self.release(theirs)

    def take_back_rejections(self, region_ids: Sequence[int], individual_id: int) -> None:
        """Forget that regions are not this individual."""
        self._delete(rejection, [(region_id, individual_id) for region_id in region_ids])

    def add_individual(self, *, name: str | None = None, kind: str = PERSON) -> int:
        """Add an individual and return its id. name: checked and free."""
        individual_id = individuals.add(self.connection, name=name, kind=kind)
        self._touched.add(individual_id)
        self._changes += (
            Change(one.table_name, one.key, before=None, after=one.before)
            for one in rows_as_changes(
                self.connection, individual, select(individual).where(individual.c.id == individual_id)
            )
        )
        return individual_id

    def rename(self, individual_id: int, name: str) -> None:
        """Give an individual a name. name: checked and free."""
        self.set_values(individual_id, name=name, name_key=name_key(name))

    def set_values(self, individual_id: int, **values: Any) -> None:
        """Set columns of an individual."""
        before = self._stored(individual, [(individual_id,)])
        self.connection.execute(update(individual).where(individual.c.id == individual_id).values(**values))
        self._changed(individual, before)
        self._touched.add(individual_id)

    def remove_individual(self, individual_id: int) -> None:
        """Remove an individual that has no regions left, with all that was decided about it; its id is never used again."""
        for table, column in _OF_INDIVIDUAL:
            keys = select(table).where(table.c[column] == individual_id)
            rows = list(rows_as_changes(self.connection, table, keys))
            self._delete(table, [tuple(one.key.values()) for one in rows])
        self._delete(individual, [(individual_id,)])

    def keep_apart(self, one: int, other: int) -> None:
        """Say that two individuals are not the same."""
        row = {"individual_id": min(one, other), "other_id": max(one, other), "at": self._at}
        self._write(individuals_apart, [row], same=())

    def let_join(self, one: int, other: int) -> None:
        """Forget that two individuals are not the same."""
        self._delete(individuals_apart, [(min(one, other), max(one, other))])

    def add_alias(self, folded_name: str, individual_id: int, *, kind: str = PERSON) -> None:
        """Say which person a folded name in metadata means."""
        row = {"kind": kind, "name_key": folded_name, "individual_id": individual_id}
        self._write(individual_alias, [row], same=("individual_id",))

    def allow_repeats(self, asset_ids: Sequence[int]) -> None:
        """Say that contents may show somebody more than once."""
        self._write(asset_with_repeats, [{"asset_id": one, "at": self._at} for one in asset_ids], same=())

    def forbid_repeats(self, asset_ids: Sequence[int]) -> None:
        """Say that contents show everybody at most once, as usual."""
        self._delete(asset_with_repeats, [(one,) for one in asset_ids])

    def _drop_covers(self) -> None:
        """Take from individuals the covers that now show somebody else, or nobody."""
        for some in chunks(sorted(self._touched), _KEYS):
            chosen = (
                select(individual.c.id)
                .join(region, region.c.id == individual.c.cover_id)
                .outerjoin(assignment, assignment.c.region_id == region.c.id)
                .where(individual.c.id.in_(some), assignment.c.individual_id.is_distinct_from(individual.c.id))
            )
            for individual_id in self.connection.execute(chosen).scalars().all():
                self.set_values(individual_id, cover_id=None)

    def _write(self, table: Table, rows: Sequence[_Values], *, same: Sequence[str]) -> None:
        """Insert or replace rows; those whose columns `same` are already as wanted stay as they are."""
        names = [column.name for column in table.primary_key.columns]
        for some in chunks(rows, _KEYS):
            keyed = {tuple(row[name] for name in names): row for row in some}
            before = self._stored(table, list(keyed))
            wanted = {
                key: row
                for key, row in keyed.items()
                if key not in before or any(before[key][name] != row[name] for name in same)
            }
            if wanted:
                adding = upsert(table)
                others = {
                    column.name: adding.excluded[column.name] for column in table.columns if not column.primary_key
                }
                self.connection.execute(
                    adding.on_conflict_do_update(index_elements=names, set_=others), list(wanted.values())
                )
            self._changed(table, {key: before.get(key) for key in wanted})

    def _delete(self, table: Table, keys: Sequence[_Key]) -> None:
        for some in chunks(keys, _KEYS):
            before = self._stored(table, some)
            if before:
                self.connection.execute(delete(table).where(_has_key(table, list(before))))
            self._changed(table, before)

    def _stored(self, table: Table, keys: Sequence[_Key]) -> dict[_Key, Row]:
        """Return the rows with these keys that exist, as SQLite stores them."""
        if not keys:
            return {}
        chosen = select(table).where(_has_key(table, keys))
        found = rows_as_changes(self.connection, table, chosen)
        return {tuple(one.key.values()): one.before for one in found if one.before is not None}

    def _changed(self, table: Table, before: Mapping[_Key, Row | None]) -> None:
        """Remember what became of these rows."""
        names = [column.name for column in table.primary_key.columns]
        after = self._stored(table, list(before))
        for key, row in before.items():
            if after.get(key) != row:
                change = Change(table.name, dict(zip(names, key, strict=True)), before=row, after=after.get(key))
                self._changes.append(change)
        self._remember([row for row in before.values() if row is not None])

    def _remember(self, rows: Iterable[Row]) -> None:
        """Remember whose regions these rows were."""
        found = (row.get("individual_id") for row in rows)
        self._touched.update(one for one in found if isinstance(one, int))


def is_idle(connection: Connection, individual_id: int) -> bool:
    """Tell whether an individual has no regions and no name, and nothing was decided about it."""
    return connection.execute(idle().where(individual.c.id == individual_id)).first() is not None


def idle() -> Select[tuple[int]]:
    """Return the query for the individuals of which `is_idle` is true."""
    plain = (
        individual.c.name.is_(None), individual.c.born.is_(None), individual.c.died.is_(None),
        individual.c.cover_id.is_(None), individual.c.ignored.is_(False), individual.c.hidden.is_(False),
    )  # fmt: skip
    chosen = select(individual.c.id).where(*plain)
    for table, column in ((assignment, "individual_id"), *_OF_INDIVIDUAL):
        chosen = chosen.where(~select(table.c[column]).where(table.c[column] == individual.c.id).exists())
    return chosen


_OF_INDIVIDUAL = (
    (rejection, "individual_id"),
    (individuals_apart, "individual_id"),
    (individuals_apart, "other_id"),
    (individual_alias, "individual_id"),
)
"""The rows about an individual, besides its regions."""


def _has_key(table: Table, keys: Sequence[_Key]) -> Any:
    columns = list(table.primary_key.columns)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)
