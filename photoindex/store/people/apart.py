"""What is known of individuals besides their regions: who is not the same person, and their names in metadata."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from photoindex.store.schema.tables import individual_alias, individuals_apart


def of_individual(connection: Connection, individual_id: int) -> set[int]:
    """Return the individuals that were said not to be the same as this one."""
    ones = select(individuals_apart.c.other_id).where(individuals_apart.c.individual_id == individual_id)
    others = select(individuals_apart.c.individual_id).where(individuals_apart.c.other_id == individual_id)
    return {*connection.execute(ones).scalars(), *connection.execute(others).scalars()}


def among(connection: Connection, individual_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of some individuals that were said not to be the same."""
    return sorted(
        (one, other)
        for one in individual_ids
        for other in of_individual(connection, one)
        if one < other and other in individual_ids
    )


def aliases_of(connection: Connection, individual_id: int) -> set[str]:
    """Return the folded names in metadata that mean an individual."""
    chosen = select(individual_alias.c.name_key).where(individual_alias.c.individual_id == individual_id)
    return set(connection.execute(chosen).scalars())


def individual_of_alias(connection: Connection, folded_name: str, kind: str) -> int | None:
    """Return the individual that a folded name in metadata means, None if it is unknown."""
    chosen = select(individual_alias.c.individual_id)
    found: int | None = connection.execute(
        chosen.where(individual_alias.c.kind == kind, individual_alias.c.name_key == folded_name)
    ).scalar()
    return found
