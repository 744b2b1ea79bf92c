"""Relates the files of a folder: links sidecars to photos, pairs contents into photos, and detects bursts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from photoindex.domain import pairing
from photoindex.domain.pairing import Decision, Link, Member, PhotoGroup
from photoindex.domain.sidecars.match import match_sidecars
from photoindex.domain.sidecars.names import MediaName, SidecarName
from photoindex.domain.time.wall import is_clock_start, parse_wall
from photoindex.store.photos import pairs, sidecars
from photoindex.store.photos.pairs import SUPERSEDED, AssetRole, MemberRow, NewRole
from photoindex.store.tasks import stale
from photoindex.types import Kind, SidecarKind


def relate_folder(connection: Connection, folder_id: int) -> None:
    """Recompute the sidecars, pairs and bursts of one folder, and mark photos whose facts may change as stale.

    Idempotent. Call it in a write transaction. The folder stays marked until times are inferred from neighbours.
    """
    rows = pairs.members_in_folder(connection, folder_id)
    if _link_sidecars(connection, folder_id, rows):
        rows = pairs.members_in_folder(connection, folder_id)  # with their new sidecars
    changed = _link_contents(connection, folder_id, rows)
    if changed:
        regroup(connection, changed)
        rows = pairs.members_in_folder(connection, folder_id)
    _store_bursts(connection, folder_id, rows)


def _link_sidecars(connection: Connection, folder_id: int, rows: Iterable[MemberRow]) -> bool:
    """Write which sidecar is whose; return whether that has changed."""
    known = sidecars.in_folder(connection, folder_id)
    names = [SidecarName(row.file_id, row.name, SidecarKind(row.kind), row.title, row.parts) for row in known]
    media = [MediaName(row.file_id, row.name, Kind(row.kind)) for row in rows] if names else []
    found = match_sidecars(names, media) if media else []
    matches = {(match.sidecar_id, match.file_id): (match.why, match.part) for match in found}
    touched = sidecars.replace_links(connection, folder_id, [(*key, *link) for key, link in matches.items()])
    stale.resolve_later(connection, sidecars.photos_of_files(connection, touched))
    return bool(touched)


def _link_contents(connection: Connection, folder_id: int, rows: list[MemberRow]) -> set[int]:
    """Write the links between a folder's contents, and their Live Photo links across folders; return the changed contents."""
    members = [member_of(row) for row in rows]
    links = pairing.links_in_folder(members)
    changed = pairs.replace_links(connection, folder_id, {_as_row(link) for link in links})
    # Contents that lost their files (pruned, excluded) and have one again rejoin their photo.
    changed |= {row.asset_id for row in rows if row.role == SUPERSEDED}
    changed |= pairs.left_out_in_folder(connection, folder_id)
    identifiers = {row.content_identifier for row in rows if row.content_identifier}
    if identifiers:
        everywhere = pairs.members_with_identifiers(connection, identifiers)
        folder_of = {row.asset_id: row.folder_id for row in everywhere}
        across = pairing.live_across_folders([member_of(row) for row in everywhere])
        wanted = [
            (folder_of[link.other_asset_id], (link.asset_id, link.other_asset_id, "live_across", link.why))
            for link in across
        ]
        changed |= pairs.replace_links_across(connection, folder_of, wanted)
    return changed


def _as_row(link: Link) -> pairs.LinkRow:
    return link.asset_id, link.other_asset_id, link.kind, link.why


def member_of(row: MemberRow) -> Member:
    """Return a file as input for the pairing rules; a day alone and a clock that was never set are no time."""
    taken_at, created_utc = _time(row.taken_at), _time(row.created_utc)
    camera = " ".join(part for part in (row.camera_make, row.camera_model) if part)
    return Member(
        asset_id=row.asset_id,
        file_id=row.file_id,
        folder_id=row.folder_id,
        name=row.name,
        kind=Kind(row.kind),
        format=row.format,
        taken_at=taken_at,
        taken_at_utc=_instant(created_utc) if (instant := _instant(taken_at)) is None else instant,
        camera=camera or None,
        serial=row.serial,
        content_identifier=row.content_identifier,
        burst_identifier=row.burst_identifier,
        width=row.width,
        height=row.height,
        duration_seconds=row.duration_seconds,
        takeout_id=row.takeout_id,
    )


def _time(iso: str | None) -> str | None:
    wall = parse_wall(iso)
    return None if wall is None or is_clock_start(wall) or wall.precision not in ("minute", "second") else iso


def _instant(iso: str | None) -> float | None:
    """Return an ISO time as seconds since 1970, None if it has no offset."""
    try:
        moment = datetime.fromisoformat(iso) if iso else None
        return moment.timestamp() if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None  # a leap second, a partial date, the edge of the calendar


def members_and_links(
    connection: Connection, asset_ids: Collection[int]
) -> tuple[list[Member], list[Link], list[Decision], dict[int, AssetRole]]:
    """Return the input for grouping these contents: their files, links, the user's decisions, and their current photos.

    A decision about an earlier content of an edited file applies to the content that replaced it.
    """
    roles = pairs.roles_of(connection, asset_ids)
    members = [member_of(row) for row in pairs.members_of_assets(connection, asset_ids)]
    links = [
        Link(one, other, "live" if kind == "live_across" else kind, why)  # type: ignore[arg-type]
        for one, other, kind, why in pairs.links_among(connection, asset_ids)
    ]
    decisions = []
    for row in pairs.decisions_among(connection, asset_ids):
        one, other = current_content(roles, row.asset_id), current_content(roles, row.other_asset_id)
        if one != other:
            decisions.append(Decision(one, other, row.together))
    return members, links, decisions, roles


def current_content(roles: Mapping[int, AssetRole], asset_id: int) -> int:
    """Return the content that replaced an earlier one, or the content itself if it was not replaced."""
    seen: set[int] = set()
    while asset_id in roles and asset_id not in seen:
        seen.add(asset_id)
        replacement = roles[asset_id].replaced_by
        if replacement is None or roles[asset_id].role != SUPERSEDED:
            break
        asset_id = replacement
    return asset_id


def regroup(connection: Connection, asset_ids: Collection[int]) -> set[int]:
    """Regroup these contents, and all contents linked to them, into photos according to links and decisions.

    Return the resulting photos, which are marked as stale. A photo id stays with the photo's primary content; merged photos
    keep the lowest id.
    """
    everything = pairs.connected(connection, asset_ids)
    members, links, decisions, roles = members_and_links(connection, everything)
    groups = pairing.group(members, links, decisions)
    photo_ids = _photo_ids(connection, groups, roles)
    into: dict[int, int] = {}
    new_roles: list[NewRole] = []
    for group, photo_id in zip(groups, photo_ids, strict=True):
        for asset_id, role in group.roles.items():
            into.setdefault(roles[asset_id].photo_id, photo_id)
            new_roles.append(NewRole(asset_id, photo_id, role, group.reasons.get(asset_id)))
    placed = {asset_id: photo_id for group, photo_id in zip(groups, photo_ids, strict=True) for asset_id in group.roles}
    for asset_id in sorted(everything - placed.keys()):
        old = roles[asset_id]
        head = current_content(roles, asset_id)
        photo = placed.get(head) or (old.photo_id if old.photo_id in photo_ids else into.get(old.photo_id))
        if photo is not None and (photo, SUPERSEDED) != (old.photo_id, old.role):
            new_roles.append(NewRole(asset_id, photo, SUPERSEDED, None))
    pairs.set_roles(connection, new_roles)
    pairs.remove_empty_photos(connection, {one.photo_id for one in roles.values()} - set(photo_ids), into=into)
    stale.resolve_later(connection, photo_ids)
    return set(photo_ids)


def _photo_ids(connection: Connection, groups: list[PhotoGroup], roles: dict[int, AssetRole]) -> list[int]:
    """Return a photo id for each group: one that its contents already have, else a new one."""
    claims: list[tuple[bool, int, int]] = []
    for index, group in enumerate(groups):
        for asset_id in group.roles:
            role = roles[asset_id]
            claims.append((role.role != "primary", role.photo_id, index))
    assigned: dict[int, int] = {}
    taken: set[int] = set()
    # The group with a photo's primary content keeps the photo's id; a group with several such ids keeps the lowest.
    for _, photo_id, index in sorted(claims):
        if index not in assigned and photo_id not in taken:
            assigned[index] = photo_id
            taken.add(photo_id)
    for index, group in enumerate(groups):
        if index not in assigned:
            assigned[index] = pairs.copy_photo(connection, roles[group.primary_asset_id].photo_id)
    return [assigned[index] for index in range(len(groups))]


def _store_bursts(connection: Connection, folder_id: int, rows: list[MemberRow]) -> None:
    """Store which photos of a folder belong to one burst; they stay separate photos."""
    found = pairing.bursts([member_of(row) for row in rows])
    of_photo: dict[int, str] = {}
    for row in rows:
        if (burst := found.get(row.asset_id)) is not None:
            of_photo.setdefault(row.photo_id, burst)
    known = pairs.bursts_of_photos(connection, {row.photo_id for row in rows})
    changed: dict[int, str | None] = {}
    for photo_id, burst_before in known.items():
        burst = of_photo.get(photo_id)
        if burst == burst_before:
            continue
        stated = burst is not None and burst.startswith("id:")
        # If copies are in several folders, the folder that set the burst first keeps setting it.
        if stated or burst_before is None or not _is_set_elsewhere(connection, photo_id, folder_id, burst_before):
            changed[photo_id] = burst
    pairs.set_bursts(connection, changed)


def _is_set_elsewhere(connection: Connection, photo_id: int, folder_id: int, burst: str) -> bool:
    """Tell whether a photo's burst comes from its files in another folder, or from the identifier in a content."""
    evidence, _, rest = burst.partition(":")
    if evidence == "id":
        return pairs.has_burst_identifier(connection, photo_id)
    set_by = rest.partition(":")[0]
    return set_by != str(folder_id) and pairs.has_file_in(connection, photo_id, int(set_by))
