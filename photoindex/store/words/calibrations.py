"""How sure the tags of a variant are, measured on what a person said about them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, union_all, update

from photoindex.domain.words.confidence import Curve
from photoindex.store.schema.tables import asset, asset_tag, tag_calibration, tag_rejection, task

_of_primary = asset.c.role == "primary"
"""Contents that represent a photo; the others have the same verdicts, as they are written to all of them."""


class Verdict(NamedTuple):
    """A content, and whether a person said that a tag fits it."""

    asset_id: int
    fits: bool


def judged_tags(connection: Connection, *, least: int) -> dict[int, int]:
    """Return tag -> contents with a verdict, for tags that have at least so many."""
    both = union_all(
        *(
            select(table.c.tag_id, table.c.asset_id).join(asset, asset.c.id == table.c.asset_id).where(_of_primary)
            for table in (asset_tag, tag_rejection)
        )
    ).subquery()
    statement = select(both.c.tag_id, func.count()).group_by(both.c.tag_id).having(func.count() >= least)
    return {row[0]: row[1] for row in connection.execute(statement)}


def verdicts(connection: Connection, tag_id: int) -> list[Verdict]:
    """Return what a person said about a tag, for the contents that represent a photo."""
    found: dict[int, bool] = {}
    for table, fits in ((tag_rejection, False), (asset_tag, True)):
        statement = select(table.c.asset_id).join(asset, asset.c.id == table.c.asset_id)
        chosen = statement.where(table.c.tag_id == tag_id, _of_primary).order_by(table.c.asset_id)
        found |= dict.fromkeys(connection.execute(chosen).scalars(), fits)
    return [Verdict(asset_id, fits) for asset_id, fits in sorted(found.items())]


def curves(connection: Connection, variant_id: int) -> dict[int, Curve]:
    """Return tag -> its curve, for the tags of a variant that have one."""
    statement = select(tag_calibration).where(tag_calibration.c.variant_id == variant_id)
    return {row.tag_id: Curve(row.slope, row.intercept, row.verdicts) for row in connection.execute(statement)}


def replace_curves(connection: Connection, variant_id: int, found: Mapping[int, Curve]) -> None:
    """Store the curves of a variant, and let it label all pictures again."""
    connection.execute(delete(tag_calibration).where(tag_calibration.c.variant_id == variant_id))
    now = time.time()
    rows = [
        {
            "variant_id": variant_id, "tag_id": tag_id, "slope": curve.slope, "intercept": curve.intercept,
            "verdicts": curve.verdicts, "at": now,
        }
        for tag_id, curve in found.items()
    ]  # fmt: skip
    if rows:
        connection.execute(insert(tag_calibration), rows)
    connection.execute(
        update(task)
        .where(task.c.variant_id == variant_id, task.c.state == "done")
        .values(state="pending", attempts=0, updated_at=now)
    )
