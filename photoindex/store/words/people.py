"""What becomes stale when people change: what was counted of them, and their names in full-text documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from photoindex.store.engine.statements import numbers
from photoindex.store.journal.journal import Change
from photoindex.store.people import summaries
from photoindex.store.schema.tables import assignment, individual, region
from photoindex.store.words import documents


@dataclass(slots=True)
class ChangedFaces:
    """The faces that somebody else, or nobody, has now. assets: contents that gained or lost faces.

    renamed: individuals that have another name, or none any more.
    """

    regions: set[int] = field(default_factory=set)
    assets: set[int] = field(default_factory=set)
    renamed: set[int] = field(default_factory=set)

    def add(self, change: Change) -> None:
        """Look at one change of a row."""
        if change.table_name == assignment.name:
            self.regions.add(int(str(change.key["region_id"])))
        elif change.table_name == region.name:
            self.assets.update(int(str(row["asset_id"])) for row in (change.before, change.after) if row is not None)
        elif change.table_name == individual.name:
            before, after = (None if row is None else row["name"] for row in (change.before, change.after))
            if before != after:
                self.renamed.add(int(str(change.key["id"])))


def of_changes(changes: Iterable[Change]) -> ChangedFaces:
    """Return the faces that changes of rows concern."""
    found = ChangedFaces()
    for change in changes:
        found.add(change)
    return found


def people_changed(connection: Connection, individual_ids: Collection[int], faces: ChangedFaces) -> None:
    """Forget what was counted of individuals, and bring their names in documents up to date; call it after any change.

    Where none of them has or had a name, as with most groups, no document is read.
    """
    summaries.forget(connection, individual_ids)
    if not faces.renamed and not faces.assets and not with_names(connection, individual_ids):
        return
    theirs = select(assignment.c.region_id).where(assignment.c.individual_id.in_(numbers(sorted(faces.renamed))))
    assets = set(faces.assets)
    for chosen in (numbers(sorted(faces.regions)), theirs):
        assets.update(connection.execute(select(region.c.asset_id).where(region.c.id.in_(chosen))).scalars())
    documents.refresh_assets(connection, assets)


def with_names(connection: Connection, individual_ids: Collection[int]) -> set[int]:
    """Return those of some individuals that have a name."""
    chosen = select(individual.c.id).where(individual.c.id.in_(numbers(sorted(individual_ids))))
    return set(connection.execute(chosen.where(individual.c.name.is_not(None))).scalars())
