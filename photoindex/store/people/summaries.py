"""Counts and dates of individuals, kept so that a list of people need not read every face.

A summary is removed when anything that it depends on changes, and made again when it is next needed.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, select

from photoindex.store.schema.tables import assignment, individual_summary, region

_KEYS = 500

_of_asset = delete(individual_summary).where(
    individual_summary.c.individual_id.in_(
        select(assignment.c.individual_id)
        .join(region, region.c.id == assignment.c.region_id)
        .where(region.c.asset_id == bindparam("wanted_asset"))
    )
)


def forget(connection: Connection, individual_ids: Iterable[int]) -> None:
    """Remove the summaries of these individuals; call it whenever their faces change."""
    ids = sorted(set(individual_ids))
    for start in range(0, len(ids), _KEYS):
        chosen = individual_summary.c.individual_id.in_(ids[start : start + _KEYS])
        connection.execute(delete(individual_summary).where(chosen))


def forget_of_asset(connection: Connection, asset_id: int) -> None:
    """Remove the summaries of the individuals in a content; call it when its photo or its time changes."""
    connection.execute(_of_asset, {"wanted_asset": asset_id})
