"""Pairs: links found by the rules, decisions by a person, and which contents form one photo."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, bindparam, delete, exists, func, insert, or_, select, update

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import json_value, upsert
from photoindex.store.journal.journal import Change, Row, stored_row
from photoindex.store.schema.tables import (
    asset,
    file,
    pair_decision,
    pair_link,
    photo,
    photo_to_resolve,
    sidecar,
    sidecar_link,
)

SUPERSEDED = "superseded"
_CHUNK = 500

LinkRow = tuple[int, int, str, str]
"""asset_id, other_asset_id, kind, why."""


class MemberRow(NamedTuple):
    """One file, present or missing, with metadata of its content; texts unchanged.

    role: of the content in its photo; `superseded` if it had no file for a while and was not replaced. takeout_id: the first
    JSON of Google Takeout that belongs to the file.
    """

    asset_id: int
    photo_id: int
    file_id: int
    folder_id: int
    name: bytes
    kind: str
    format: str
    taken_at: str | None
    created_utc: str | None
    camera_make: str | None
    camera_model: str | None
    serial: str | None
    content_identifier: str | None
    burst_identifier: str | None
    width: int | None
    height: int | None
    duration_seconds: float | None
    role: str
    takeout_id: int | None


def _first_fact(*paths: str) -> Any:
    return func.coalesce(*(json_value(asset.c.facts, f"$.{path}") for path in paths))


_members = (
    select(
        asset.c.id,
        asset.c.photo_id,
        file.c.id,
        file.c.folder_id,
        file.c.name,
        asset.c.kind,
        asset.c.format,
        _first_fact("exif.taken_at", "xmp.taken_at", "container.taken_at"),
        json_value(asset.c.facts, "$.container.created_utc"),
        _first_fact("exif.camera_make", "xmp.camera_make", "container.camera_make"),
        _first_fact("exif.camera_model", "xmp.camera_model", "container.camera_model"),
        _first_fact("exif.camera_serial", "xmp.camera_serial", "container.camera_serial"),
        asset.c.content_identifier,
        asset.c.burst_identifier,
        asset.c.width,
        asset.c.height,
        asset.c.duration_seconds,
        asset.c.role,
        select(func.min(sidecar.c.file_id))
        .join(sidecar_link, sidecar_link.c.sidecar_id == sidecar.c.file_id)
        .where(sidecar_link.c.file_id == file.c.id, sidecar.c.kind == "takeout")
        .scalar_subquery(),
    )
    .join(asset, asset.c.id == file.c.asset_id)
    .where(file.c.state != "excluded", or_(asset.c.role != SUPERSEDED, asset.c.replaced_by.is_(None)))
    .order_by(file.c.id)
)


def members_in_folder(connection: Connection, folder_id: int) -> list[MemberRow]:
    """Return the photos and videos in a folder, by file id."""
    return [MemberRow._make(row) for row in connection.execute(_members.where(file.c.folder_id == folder_id))]


def members_of_assets(connection: Connection, asset_ids: Collection[int]) -> list[MemberRow]:
    """Return one file per content, the one with the lowest id; omits contents without files."""
    found: dict[int, MemberRow] = {}
    for chunk in chunks(sorted(asset_ids), _CHUNK):
        for row in connection.execute(_members.where(asset.c.id.in_(chunk))):
            found.setdefault(row[0], MemberRow._make(row))
    return list(found.values())


def members_with_identifiers(connection: Connection, identifiers: Collection[str]) -> list[MemberRow]:
    """Return all files whose content has one of these content identifiers."""
    rows: list[MemberRow] = []
    for chunk in chunks(sorted(identifiers), _CHUNK):
        rows += [
            MemberRow._make(row) for row in connection.execute(_members.where(asset.c.content_identifier.in_(chunk)))
        ]
    return rows


def without_file(connection: Connection, photo_ids: Select[tuple[int]]) -> set[int]:
    """Return current contents without a file (excluded ones do not count) in photos with other current contents."""
    other = asset.alias("other")
    others = exists().where(other.c.photo_id == asset.c.photo_id, other.c.id != asset.c.id, other.c.role != SUPERSEDED)
    has_file = exists().where(file.c.asset_id == asset.c.id, file.c.state != "excluded")
    statement = select(asset.c.id).where(
        asset.c.photo_id.in_(photo_ids), asset.c.role != SUPERSEDED, others.correlate(asset), ~has_file.correlate(asset)
    )
    return set(connection.execute(statement).scalars())


def left_out_in_folder(connection: Connection, folder_id: int) -> set[int]:
    """Return contents left without a file by an exclusion in this folder whose photos have other current contents."""
    left_out = select(asset.c.photo_id).join(file, file.c.asset_id == asset.c.id)
    return without_file(connection, left_out.where(file.c.folder_id == folder_id, file.c.state == "excluded"))


def replace_links(connection: Connection, folder_id: int, links: Iterable[LinkRow]) -> set[int]:
    """Replace the links found by the rules in a folder; return the contents whose links changed."""
    here = and_(pair_link.c.folder_id == folder_id, pair_link.c.kind != "live_across")
    return _replace(connection, here, {(folder_id, *link) for link in links})


def replace_links_across(
    connection: Connection, asset_ids: Collection[int], links: Iterable[tuple[int, LinkRow]]
) -> set[int]:
    """Replace the `live_across` links of these contents by (folder, link); return contents whose links changed."""
    changed: set[int] = set()
    wanted = {(folder_id, *link) for folder_id, link in links}
    for chunk in chunks(sorted(asset_ids), _CHUNK):
        here = and_(pair_link.c.kind == "live_across", pair_link.c.asset_id.in_(chunk))
        changed |= _replace(connection, here, {link for link in wanted if link[1] in set(chunk)})
    return changed


def _replace(connection: Connection, where: Any, wanted: set[tuple[Any, ...]]) -> set[int]:
    before = {tuple(row) for row in connection.execute(select(pair_link).where(where))}
    if before == wanted:
        return set()
    connection.execute(delete(pair_link).where(where))
    names = [column.name for column in pair_link.columns]
    if wanted:
        # After a movie was moved, the same two contents may still have a link of the other kind.
        rows = [dict(zip(names, link, strict=True)) for link in sorted(wanted)]
        statement = upsert(pair_link)
        values = {"kind": statement.excluded.kind, "why": statement.excluded.why}
        connection.execute(statement.on_conflict_do_update(index_elements=pair_link.primary_key, set_=values), rows)
    return {number for link in before ^ wanted for number in link[1:3]}


_replacement = asset.alias("replacement")
_emptied = photo.alias("emptied")


def connected(connection: Connection, asset_ids: Collection[int]) -> set[int]:
    """Return all contents connected to these, directly or not, by photo, replacement, link or decision to join."""
    found: set[int] = set()
    fresh = set(asset_ids)
    while fresh:
        found |= fresh
        reached: set[int] = set()
        for chunk in chunks(sorted(fresh), _CHUNK):
            photos = select(asset.c.photo_id).where(asset.c.id.in_(chunk))
            statements: tuple[Select[Any], ...] = (
                select(asset.c.id).where(asset.c.photo_id.in_(photos)),
                select(_replacement.c.id)
                .join(asset, asset.c.replaced_by == _replacement.c.id)
                .where(asset.c.id.in_(chunk)),
                select(pair_link.c.asset_id).where(pair_link.c.other_asset_id.in_(chunk)),
                select(pair_link.c.other_asset_id).where(pair_link.c.asset_id.in_(chunk)),
                select(pair_decision.c.asset_id).where(
                    pair_decision.c.other_asset_id.in_(chunk), pair_decision.c.together.is_(True)
                ),
                select(pair_decision.c.other_asset_id).where(
                    pair_decision.c.asset_id.in_(chunk), pair_decision.c.together.is_(True)
                ),
            )
            for statement in statements:
                reached.update(list(connection.execute(statement).scalars()))
        fresh = reached - found
    return found


@dataclass(frozen=True, slots=True)
class AssetRole:
    """A content's current photo and role, and the content that replaced it."""

    id: int
    photo_id: int
    role: str
    replaced_by: int | None


def roles_of(connection: Connection, asset_ids: Collection[int]) -> dict[int, AssetRole]:
    """Return the current photo and role of these contents."""
    return {
        row.id: AssetRole(*row)
        for chunk in chunks(sorted(asset_ids), _CHUNK)
        for row in connection.execute(
            select(asset.c.id, asset.c.photo_id, asset.c.role, asset.c.replaced_by).where(asset.c.id.in_(chunk))
        )
    }


def links_among(connection: Connection, asset_ids: Collection[int]) -> list[LinkRow]:
    """Return the links found by the rules that start at one of these contents, each once."""
    return [
        (row.asset_id, row.other_asset_id, row.kind, row.why)
        for chunk in chunks(sorted(asset_ids), _CHUNK)
        for row in connection.execute(
            select(pair_link)
            .where(pair_link.c.asset_id.in_(chunk))
            .order_by(pair_link.c.folder_id, pair_link.c.asset_id)
        )
    ]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A person's decision to join or separate two contents; at: UTC seconds since 1970."""

    asset_id: int
    other_asset_id: int
    together: bool
    at: float


def decisions_among(connection: Connection, asset_ids: Collection[int]) -> list[DecisionRow]:
    """Return the decisions about these contents, oldest first."""
    rows = {
        (row.asset_id, row.other_asset_id): DecisionRow(*row)
        for chunk in chunks(sorted(asset_ids), _CHUNK)
        for row in connection.execute(
            select(pair_decision).where(
                or_(pair_decision.c.asset_id.in_(chunk), pair_decision.c.other_asset_id.in_(chunk))
            )
        )
    }
    return sorted(rows.values(), key=lambda row: (row.at, row.asset_id, row.other_asset_id))


def decide(connection: Connection, wanted: Iterable[tuple[int, int, bool | None]]) -> Iterator[Change]:
    """Store decisions on pairs of contents; None removes a decision. Yields the changes for the journal."""
    now = time.time()
    for one, other, together in wanted:
        key: Row = {"asset_id": min(one, other), "other_asset_id": max(one, other)}
        here = and_(
            pair_decision.c.asset_id == key["asset_id"], pair_decision.c.other_asset_id == key["other_asset_id"]
        )
        before = stored_row(connection, pair_decision, key)
        if (before is None and together is None) or (before is not None and before["together"] == together):
            continue
        connection.execute(delete(pair_decision).where(here))
        if together is not None:
            connection.execute(insert(pair_decision).values(**key, together=together, at=now))
        yield Change(pair_decision.name, key, before=before, after=stored_row(connection, pair_decision, key))


def copy_decisions(connection: Connection, *, source: int, target: int) -> bool:
    """Copy the decisions on a content to the one that replaced it in a file; return whether there were any."""
    rows = [
        {"asset_id": min(target, other), "other_asset_id": max(target, other), "together": row.together, "at": row.at}
        for row in decisions_among(connection, [source])
        if (other := row.other_asset_id if row.asset_id == source else row.asset_id) != target
    ]
    if rows:
        connection.execute(upsert(pair_decision).on_conflict_do_nothing(), rows)
    return bool(rows)


class NewRole(NamedTuple):
    """A content's new photo and role, and the reason."""

    asset_id: int
    photo_id: int
    role: str
    reason: str | None


_set_place = (
    update(asset)
    .where(asset.c.id == bindparam("wanted_id"))
    .values(photo_id=bindparam("new_photo"), role=bindparam("new_role"), pair_reason=bindparam("new_reason"))
)


def set_roles(connection: Connection, roles: Iterable[NewRole]) -> None:
    """Store the new photos and roles of contents."""
    names = ("wanted_id", "new_photo", "new_role", "new_reason")
    if rows := [dict(zip(names, role, strict=True)) for role in roles]:
        connection.execute(_set_place, rows)


def copy_photo(connection: Connection, photo_id: int) -> int:
    """Create a photo for contents split off from another, with the same `added_at`; the resolver fills in the rest."""
    names = ["kind", "format", "size_bytes", "keywords", "sources", "added_at"]
    row = connection.execute(
        insert(photo)
        .from_select(names, select(*(photo.c[name] for name in names)).where(photo.c.id == photo_id))
        .returning(photo.c.id)
    )
    return int(row.scalar_one())


_inherit_added_at = (
    update(photo)
    .where(photo.c.id == bindparam("heir"))
    .values(
        added_at=func.min(
            photo.c.added_at,
            select(_emptied.c.added_at).where(_emptied.c.id == bindparam("emptied")).scalar_subquery(),
        )
    )
)


def remove_empty_photos(connection: Connection, photo_ids: Collection[int], *, into: Mapping[int, int]) -> None:
    """Delete those of these photos without contents; into: photo -> photo that inherits an earlier `added_at`."""
    for chunk in chunks(sorted(photo_ids), _CHUNK):
        held = set(connection.execute(select(asset.c.photo_id).where(asset.c.photo_id.in_(chunk))).scalars())
        empty = [photo_id for photo_id in chunk if photo_id not in held]
        if heirs := [{"heir": into[photo_id], "emptied": photo_id} for photo_id in empty if photo_id in into]:
            connection.execute(_inherit_added_at, heirs)
        connection.execute(delete(photo_to_resolve).where(photo_to_resolve.c.photo_id.in_(empty)))
        connection.execute(delete(photo).where(photo.c.id.in_(empty)))


def bursts_of_photos(connection: Connection, photo_ids: Collection[int]) -> dict[int, str | None]:
    """Return photo id -> burst, None if it belongs to none."""
    found: dict[int, str | None] = {}
    for chunk in chunks(sorted(photo_ids), _CHUNK):
        found.update(
            (row.id, row.burst)
            for row in connection.execute(select(photo.c.id, photo.c.burst).where(photo.c.id.in_(chunk)))
        )
    return found


def has_file_in(connection: Connection, photo_id: int, folder_id: int) -> bool:
    """Return whether a current content of a photo has a file in a folder."""
    files = select(file.c.id).join(asset, asset.c.id == file.c.asset_id)
    here = files.where(asset.c.photo_id == photo_id, asset.c.role != SUPERSEDED, file.c.folder_id == folder_id)
    return connection.execute(here.where(file.c.state != "excluded").limit(1)).first() is not None


def has_burst_identifier(connection: Connection, photo_id: int) -> bool:
    """Return whether a current content of a photo has a burst identifier."""
    contents = select(asset.c.id).where(asset.c.photo_id == photo_id, asset.c.role != SUPERSEDED)
    return connection.execute(contents.where(asset.c.burst_identifier.is_not(None)).limit(1)).first() is not None


def set_bursts(connection: Connection, bursts: Mapping[int, str | None]) -> None:
    """Store the burst of each photo."""
    for photo_id, burst in bursts.items():
        connection.execute(update(photo).where(photo.c.id == photo_id).values(burst=burst))
