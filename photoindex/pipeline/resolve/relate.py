"""Relating the files of a folder: which sidecars belong to which photos, which contents are one photo, which are one burst."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection

from photoindex.domain import pairing
from photoindex.domain.pairing import Decision, Group, Link, Member
from photoindex.domain.sidecars.match import match_sidecars
from photoindex.domain.sidecars.names import MediaName, SidecarName
from photoindex.store.photos import pairs, sidecars
from photoindex.store.photos.pairs import SUPERSEDED, AssetPlace, MemberRow, NewPlace
from photoindex.store.tasks import stale
from photoindex.types import Kind, SidecarKind


def relate_folder(connection: Connection, folder_id: int) -> None:
    """Find the sidecars, pairs and bursts of one folder anew; photos whose facts may change wait to be resolved.

    Safe to repeat. To be called in a write transaction. The folder stays marked: the neighbours of its photos come later.
    """
    rows = pairs.members_in_folder(connection, folder_id)
    _link_sidecars(connection, folder_id, rows)
    changed = _link_contents(connection, folder_id, rows)
    if changed:
        regroup(connection, changed)
        rows = pairs.members_in_folder(connection, folder_id)
    _note_bursts(connection, folder_id, rows)


def _link_sidecars(connection: Connection, folder_id: int, rows: Iterable[MemberRow]) -> None:
    known = sidecars.in_folder(connection, folder_id)
    names = [SidecarName(row.file_id, row.name, SidecarKind(row.kind), row.title) for row in known]
    media = [MediaName(row.file_id, row.name, Kind(row.kind)) for row in rows] if names else []
    matches = {(match.sidecar_id, match.file_id): match.why for match in match_sidecars(names, media)} if media else {}
    touched = sidecars.replace_links(connection, folder_id, [(*key, why) for key, why in matches.items()])
    stale.resolve_later(connection, sidecars.photos_of_files(connection, touched))


def _link_contents(connection: Connection, folder_id: int, rows: list[MemberRow]) -> set[int]:
    """Write the links of a folder's contents, and of Live Photos of theirs across folders; return whose differ."""
    members = [member_of(row) for row in rows]
    links = pairing.links_in_folder(members)
    changed = pairs.replace_links(connection, folder_id, {_as_row(link) for link in links})
    # Contents that had no file for a while (forgotten, left out) have one again: they are part of their photo again.
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
    """Return a file as the rules of pairing take it."""
    camera = " ".join(part for part in (row.camera_make, row.camera_model) if part)
    return Member(
        asset_id=row.asset_id,
        file_id=row.file_id,
        folder_id=row.folder_id,
        name=row.name,
        kind=Kind(row.kind),
        format=row.format,
        taken_at=row.taken_at,
        taken_at_utc=_instant(row.created_utc) if (instant := _instant(row.taken_at)) is None else instant,
        camera=camera or None,
        serial=row.serial,
        content_identifier=row.content_identifier,
        burst_identifier=row.burst_identifier,
        width=row.width,
        height=row.height,
        duration_seconds=row.duration_seconds,
    )


def _instant(iso: str | None) -> float | None:
    """Return an ISO time as seconds since 1970 where it states its offset."""
    try:
        moment = datetime.fromisoformat(iso) if iso else None
        return moment.timestamp() if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None  # a leap second, a partial date, the edge of the calendar


def members_and_links(
    connection: Connection, asset_ids: Collection[int]
) -> tuple[list[Member], list[Link], list[Decision], dict[int, AssetPlace]]:
    """Return what grouping these contents takes: their files, the rules' links, a person's decisions, and where they stand.

    A decision about an earlier content of an edited file holds for the content that took its place.
    """
    places = pairs.places_of(connection, asset_ids)
    members = [member_of(row) for row in pairs.members_of_assets(connection, asset_ids)]
    links = [
        Link(one, other, "live" if kind == "live_across" else kind, why)  # type: ignore[arg-type]
        for one, other, kind, why in pairs.links_among(connection, asset_ids)
    ]
    decisions = []
    for row in pairs.decisions_among(connection, asset_ids):
        one, other = _current(places, row.asset_id), _current(places, row.other_asset_id)
        if one != other:
            decisions.append(Decision(one, other, row.together))
    return members, links, decisions, places


def _current(places: dict[int, AssetPlace], asset_id: int) -> int:
    seen: set[int] = set()
    while asset_id in places and asset_id not in seen:
        seen.add(asset_id)
        following = places[asset_id].replaced_by
        if following is None or places[asset_id].role != SUPERSEDED:
            break
        asset_id = following
    return asset_id


def regroup(connection: Connection, asset_ids: Collection[int]) -> set[int]:
    """Make the photos of these contents, and of all that is connected to them, what links and decisions say.

    Returns the photos that they are now; these wait to be resolved. A photo keeps its number with the content that stands
    for it; of photos that become one the longest known number stays.
    """
    everything = pairs.connected(connection, asset_ids)
    members, links, decisions, places = members_and_links(connection, everything)
    groups = pairing.group(members, links, decisions)
    homes = _homes(connection, groups, places)
    into: dict[int, int] = {}
    stand: list[NewPlace] = []
    for group, photo_id in zip(groups, homes, strict=True):
        for asset_id, role in group.roles.items():
            into.setdefault(places[asset_id].photo_id, photo_id)
            stand.append(NewPlace(asset_id, photo_id, role, group.reasons.get(asset_id)))
    placed = {asset_id: photo_id for group, photo_id in zip(groups, homes, strict=True) for asset_id in group.roles}
    for asset_id in sorted(everything - placed.keys()):
        place = places[asset_id]
        head = _current(places, asset_id)
        home = placed.get(head) or (place.photo_id if place.photo_id in homes else into.get(place.photo_id))
        if home is not None and (home, SUPERSEDED) != (place.photo_id, place.role):
            stand.append(NewPlace(asset_id, home, SUPERSEDED, None))
    pairs.set_places(connection, stand)
    pairs.remove_empty_photos(connection, {place.photo_id for place in places.values()} - set(homes), into=into)
    stale.resolve_later(connection, homes)
    return set(homes)


def _homes(connection: Connection, groups: list[Group], places: dict[int, AssetPlace]) -> list[int]:
    """Return a photo for each group: one that its contents have already, else a new one."""
    wishes: list[tuple[bool, int, int]] = []
    for index, group in enumerate(groups):
        for asset_id in group.roles:
            place = places[asset_id]
            wishes.append((place.role != "primary", place.photo_id, index))
    homes: dict[int, int] = {}
    taken: set[int] = set()
    # The group that holds a photo's standing content has the first claim to its number; among several the smallest.
    for _, photo_id, index in sorted(wishes):
        if index not in homes and photo_id not in taken:
            homes[index] = photo_id
            taken.add(photo_id)
    for index, group in enumerate(groups):
        if index not in homes:
            homes[index] = pairs.copy_photo(connection, places[group.primary_asset_id].photo_id)
    return [homes[index] for index in range(len(groups))]


def _note_bursts(connection: Connection, folder_id: int, rows: list[MemberRow]) -> None:
    """Write which photos of a folder are shots of one burst; they stay photos of their own."""
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
        # Of copies in several folders, the folder that told first goes on telling.
        if stated or burst_before is None or not _is_told_elsewhere(connection, photo_id, folder_id, burst_before):
            changed[photo_id] = burst
    pairs.set_bursts(connection, changed)


def _is_told_elsewhere(connection: Connection, photo_id: int, folder_id: int, burst: str) -> bool:
    """Tell whether a photo's burst follows from its files in another folder, or from the identifier in a content."""
    evidence, _, rest = burst.partition(":")
    if evidence == "id":
        return pairs.has_burst_identifier(connection, photo_id)
    told_by = rest.partition(":")[0]
    return told_by != str(folder_id) and pairs.has_file_in(connection, photo_id, int(told_by))
