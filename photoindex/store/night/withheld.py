"""Which contents no service may see, and why: what they show, what a query says of them, or that nobody has looked yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, or_, select, true

from photoindex.domain.people.values import FACE
from photoindex.query.syntax import Node
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import json_value, numbers
from photoindex.store.people.grouping import was_grouped
from photoindex.store.schema.tables import asset, photo, region, task, variant
from photoindex.store.search import compile as queries
from photoindex.store.search import people, tags

FACES, SENSITIVE, NEVER_SEND = "shows faces", "is sensitive", "found by never_send"
"""Reasons to keep a photo back."""
NOT_DONE = "not done yet: "
"""The beginning of a reason that ends with the name of a stage."""
CLUSTER = "cluster"
"""The stage of the whole library that groups faces."""

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is kept back. never_send: a query for such photos, None without one. stages: which must be done, in order."""

    never_send: Node | None
    stages: Sequence[str]


def withheld(connection: Connection, asset_ids: Collection[int], rules: Rules) -> dict[int, str]:
    """Return content -> why its photo is kept back, for those of the contents that no service may see.

    A photo is kept back for what any of its contents shows, and while a stage is not done for one of them.
    """
    found: dict[int, str] = {}
    checks: list[tuple[str, Condition]] = [(FACES, _shows_faces()), (SENSITIVE, _is_sensitive())]
    if rules.never_send is not None:
        checks.append((NEVER_SEND, queries.condition(rules.never_send, present_only=False)))
    checks += [(NOT_DONE + stage, _lacks(connection, stage)) for stage in rules.stages]
    for reason, condition in checks:
        rest = [one for one in asset_ids if one not in found]
        statement = select(asset.c.id).join(photo, photo.c.id == asset.c.photo_id)
        with engine_of(connection).functions(connection):
            ids = connection.execute(statement.where(asset.c.id.in_(numbers(rest)), condition)).scalars()
            found.update(dict.fromkeys(ids, reason))
    return found


def _shows_faces() -> Condition:
    content = asset.alias("content")
    detected = select(region.c.id).join(content, content.c.id == region.c.asset_id)
    return or_(people.has_faces(), exists(detected.where(content.c.photo_id == photo.c.id, region.c.kind == FACE)))


def _is_sensitive() -> Condition:
    return or_(tags.is_sensitive(), tags.is_labelled_sensitive())


def _lacks(connection: Connection, stage: str) -> Condition:
    """A model of this computer has not done a stage for one of the photo's contents."""
    if stage == CLUSTER:
        return ~true() if was_grouped(connection) else true()
    content = asset.alias("content")
    # What a service found is no reason to send a photo to one.
    by_local = select(variant.c.id).where(variant.c.stage == stage, json_value(variant.c.key, "$.provider").is_(None))
    done = exists().where(
        task.c.subject_kind == "asset",
        task.c.subject_id == content.c.id,
        task.c.stage == stage,
        task.c.state == "done",
        task.c.variant_id.in_(by_local),
    )
    current = (content.c.photo_id == photo.c.id, content.c.derived.is_(True), content.c.role != "superseded")
    return exists(select(content.c.id).where(*current, ~done))
