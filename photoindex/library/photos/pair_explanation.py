"""Explains why files are, or are not, one photo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from photoindex.domain import pairing
from photoindex.domain.pairing import Candidate, Member, PairExplanation
from photoindex.domain.pairing.names import parse_name
from photoindex.library.handle import Library
from photoindex.library.photos.pairs import paths_of
from photoindex.pipeline.resolve.relate import current_content, members_and_links
from photoindex.store.photos import pairs, sidecars
from photoindex.store.photos.details import assets_of_photo, photo_by_id, photos_of_burst
from photoindex.store.photos.pairs import DecisionRow
from photoindex.store.photos.sidecars import LinkedSidecar
from photoindex.store.search import targets
from photoindex.types import Facts

_KEPT_FOLDERS = 8


@dataclass(frozen=True, slots=True)
class EmbeddedVideo:
    """The short video embedded in a motion photo's file. kind: the vendor's format. offset, length: bytes in the file."""

    kind: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ExplainedContent:
    """One content of a photo, its role, and why; paths: of all its files, present ones first."""

    asset_id: int
    paths: tuple[bytes, ...]
    role: str
    why: str | None
    motion: EmbeddedVideo | None = None


@dataclass(frozen=True, slots=True)
class ExplainedCandidate:
    """A file of another photo that was a candidate for pairing with a file of this one, and why it was not paired."""

    of: bytes
    path: bytes
    photo_id: int
    why: str


@dataclass(frozen=True, slots=True)
class PairDecision:
    """A user's decision on two contents, each given by a path (empty: no file left); at: UTC seconds since 1970."""

    path: bytes
    other_path: bytes
    together: bool
    at: float


@dataclass(frozen=True, slots=True)
class ExplainedPhoto:
    """A photo with the reasons of its links; burst: the other photos of its burst."""

    photo_id: int
    contents: tuple[ExplainedContent, ...]
    candidates: tuple[ExplainedCandidate, ...]
    decisions: tuple[PairDecision, ...]
    sidecars: tuple[LinkedSidecar, ...]
    burst: tuple[int, ...]


def explain_pairs(library: Library, photo_ids: Sequence[int]) -> Iterator[ExplainedPhoto]:
    """Yield an explanation for each photo; photos that no longer exist are skipped."""
    folders = _Folders()
    for photo_id in photo_ids:
        with library.database.read() as connection:
            found = _explain(connection, photo_id, folders)
        if found is not None:
            yield found


class _Folders:
    """A cache of the files of recent folders, by the shot in their names: asset, file, folder, name."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, list[tuple[int, int, int, bytes]]]] = {}

    def of_shot(self, connection: Connection, folder_id: int, shot: str) -> list[tuple[int, int, int, bytes]]:
        """Return the files of a folder whose names have this shot."""
        if folder_id not in self._known:
            if len(self._known) >= _KEPT_FOLDERS:
                self._known.pop(next(iter(self._known)))
            by_shot: defaultdict[str, list[tuple[int, int, int, bytes]]] = defaultdict(list)
            for file in targets.files_in_folder(connection, folder_id):
                by_shot[parse_name(file.name).shot].append((file.asset_id, file.file_id, folder_id, file.name))
            self._known[folder_id] = by_shot
        return self._known[folder_id].get(shot, [])


def _explain(connection: Connection, photo_id: int, folders: _Folders) -> ExplainedPhoto | None:
    photo = photo_by_id(connection, photo_id)
    contents = targets.contents_of(connection, [photo_id])
    if photo is None or not contents:
        return None
    mine = {one.asset_id for one in contents}
    files = targets.files_of_contents(connection, sorted(mine))
    same_shot = {
        row for file in files for row in folders.of_shot(connection, file.folder_id, parse_name(file.name).shot)
    }
    everything = pairs.connected(connection, mine | {row[0] for row in same_shot})
    members, links, decisions, roles = members_and_links(connection, everything)
    groups = pairing.group(members, links, decisions)
    explained = [
        one
        for one in pairing.explain(_with_all_names(members, same_shot), links, decisions, groups)
        if one.member.asset_id in mine
    ]
    reasons = {one.member.asset_id: one.reason for one in explained}
    known = targets.files_of_contents(connection, sorted(everything))
    paths: defaultdict[int, list[bytes]] = defaultdict(list)
    path_of_file: dict[int, bytes] = {}
    for file in known:
        paths[file.asset_id].append(file.path)
        path_of_file[file.file_id] = file.path
    candidates = {
        (one.member.asset_id, candidate.member.asset_id): ExplainedCandidate(
            path_of_file.get(one.member.file_id, b""),
            path_of_file.get(candidate.member.file_id, b""),
            roles[candidate.member.asset_id].photo_id,
            candidate.why,
        )
        for one, candidate in _not_joined(explained, mine)
    }
    videos = {one.id: _embedded_video(one.facts) for one in assets_of_photo(connection, photo_id)}
    burst = () if photo.burst is None else tuple(photos_of_burst(connection, photo.burst))
    return ExplainedPhoto(
        photo_id,
        tuple(
            ExplainedContent(
                one.asset_id, tuple(paths[one.asset_id]), one.role, reasons.get(one.asset_id), videos.get(one.asset_id)
            )
            for one in contents
        ),
        tuple(candidates.values()),
        tuple(_decisions(connection, mine, everything)),
        tuple(sidecars.of_photos(connection, [photo_id]).get(photo_id, ())),
        tuple(other for other in burst if other != photo_id),
    )


def _embedded_video(facts: Facts) -> EmbeddedVideo | None:
    found = facts.get("container", {})
    kind, offset, length = found.get("motion_kind"), found.get("motion_offset"), found.get("motion_bytes")
    if isinstance(offset, int) and isinstance(length, int):
        return EmbeddedVideo(str(kind), offset, length)
    return None


def _with_all_names(members: Sequence[Member], same_shot: set[tuple[int, int, int, bytes]]) -> list[Member]:
    """Return the members; those in the given folders once for each of their files there."""
    by_asset = {member.asset_id: member for member in members}
    named = [
        replace(by_asset[asset_id], file_id=file_id, folder_id=folder_id, name=name)
        for asset_id, file_id, folder_id, name in sorted(same_shot)
        if asset_id in by_asset
    ]
    seen = {member.file_id for member in named}
    return [*named, *(member for member in members if member.file_id not in seen)]


def _not_joined(explained: Sequence[PairExplanation], mine: set[int]) -> Iterator[tuple[PairExplanation, Candidate]]:
    for one in explained:
        for candidate in one.candidates:
            if not candidate.joined and candidate.member.asset_id not in mine:
                yield one, candidate


def _decisions(connection: Connection, mine: set[int], everything: set[int]) -> Iterator[PairDecision]:
    """Yield the user's decisions on these contents; those on earlier contents of edited files apply to their replacements."""
    rows = pairs.decisions_among(connection, everything)
    # Separated contents are not connected to anything here.
    known = everything | pairs.connected(
        connection, {row.other_asset_id for row in rows} | {row.asset_id for row in rows}
    )
    roles = pairs.roles_of(connection, known)
    newest: dict[tuple[int, int], DecisionRow] = {}
    for row in rows:
        one, other = sorted((current_content(roles, row.asset_id), current_content(roles, row.other_asset_id)))
        if one != other and {one, other} & mine:
            newest[one, other] = row
    paths = paths_of(connection, {asset_id for pair in newest for asset_id in pair})
    for (one, other), row in newest.items():
        yield PairDecision(paths.get(one, b""), paths.get(other, b""), row.together, row.at)
