"""Compares the walk with the library, folder by folder; differences are staged, not applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from photoindex import paths
from photoindex.pipeline.scan.walk import Listing
from photoindex.store.engine.database import Session
from photoindex.store.scan import staging
from photoindex.store.scan.staging import KnownFile


@dataclass(frozen=True, slots=True)
class FolderLocation:
    """Where a folder is: its volume and the volume's mount point (absolute)."""

    volume_id: int
    mount_point: bytes


@dataclass(slots=True)
class WalkCounts:
    """Counts of the walk.

    candidates: directory entries. excluded: those left out of the file table. same, same_not_media: those unchanged since
    the last scan.
    """

    candidates: int = 0
    same: int = 0
    same_not_media: int = 0
    excluded: int = 0
    excluded_folders: int = 0
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)
    unreadable_files: list[tuple[bytes, str]] = field(default_factory=list)
    bad_patterns: list[tuple[bytes, str]] = field(default_factory=list)


class ChangeFinder:
    """Takes listings one by one and stages their differences from the library.

    Each listing gets its own read transaction: one over the whole walk would keep SQLite from reusing its WAL, which
    would then grow with every commit of a concurrent writer.
    """

    def __init__(self, session: Session, location_of: Callable[[bytes, int], FolderLocation]) -> None:
        self._session = session
        self._location_of = location_of
        self._folders: dict[int, dict[bytes, int]] = {}
        self._tops: set[tuple[int, bytes]] = set()
        self._visited: set[int] = set()
        self._unknown: set[tuple[int, bytes]] = set()
        self._pruned: set[tuple[int, bytes]] = set()
        self._staged = False
        self.counts = WalkCounts()

    @property
    def found_work(self) -> bool:
        """Whether a file has to be read."""
        return self._staged

    def add_excluded(self) -> None:
        """Count one excluded candidate."""
        self.counts.candidates += 1
        self.counts.excluded += 1

    def add_unreadable(self, path: bytes, location: FolderLocation, reason: str) -> None:
        """Count a single file that cannot be examined; if it is known, it is neither present nor missing."""
        self.counts.candidates += 1
        self.counts.unreadable_files.append((path, reason))
        self._unknown.add((location.volume_id, paths.relative_to(path, location.mount_point)))

    def begin_top(self, path: bytes, location: FolderLocation) -> None:
        """Announce that everything at and below `path` (absolute) will be listed."""
        self._tops.add((location.volume_id, paths.relative_to(path, location.mount_point)))
        with self._session.read() as connection:
            self._folders_of(connection, location.volume_id)

    def forget_top(self, path: bytes, location: FolderLocation) -> None:
        """Withdraw a top in which nothing was found: it is unavailable, and none of its files may be marked as missing."""
        top = (location.volume_id, paths.relative_to(path, location.mount_point))
        self._tops.discard(top)
        self._unknown.add(top)
        with self._session.read() as connection:
            folders = self._folders_of(connection, top[0])
            below = {each for known, each in folders.items() if paths.is_within(known, top[1])}
            self._visited -= below
            staging.unstage_gone(connection, below)

    def add(self, listing: Listing) -> None:
        """Compare one whole folder."""
        location = self._location_of(listing.path, listing.device)
        relative = paths.relative_to(listing.path, location.mount_point)
        if relative == b"":
            self._tops.add((location.volume_id, b""))  # a volume mounted below the root: all of it is in scope
        for unknown in listing.unknown_below:
            self._unknown.add((location.volume_id, paths.relative_to(unknown, location.mount_point)))
        for pruned in listing.pruned:
            self._pruned.add((location.volume_id, paths.relative_to(pruned, location.mount_point)))
        self.counts.excluded_folders += len(listing.pruned)
        self.counts.bad_patterns.extend((listing.path, line) for line in listing.bad_patterns)
        if listing.error is not None:
            self.counts.unreadable.append((listing.path, listing.error.strerror or str(listing.error)))
            return
        self.counts.unreadable_files.extend((path, error.strerror or str(error)) for path, error in listing.failed)
        with self._session.read() as connection:
            self._compare(connection, listing, location, relative)

    def _compare(self, connection: Connection, listing: Listing, location: FolderLocation, relative: bytes) -> None:
        folder_id = self._folders_of(connection, location.volume_id).get(relative)
        known = staging.known_files(connection, folder_id) if folder_id is not None else {}
        if folder_id is not None:
            self._visited.add(folder_id)
        rows = []
        not_media = 0
        differing = 0
        for name, stat in listing.entries.items():
            row = known.get(name)
            # The hot path of a rescan, taken for nearly every file: columns by position, no function call.
            if row is None or row[2] != stat[0] or row[3] != stat[1]:
                differing += 1
                known_row = None if row is None else KnownFile._make(row)
                rows.append(_staged_row(location.volume_id, relative, name, stat, known_row))
                continue
            if row[5] == 0:
                not_media += 1
            if row[4] != "present":
                rows.append(_staged_row(location.volume_id, relative, name, stat, KnownFile._make(row)))
        self.counts.same += len(listing.entries) - differing - not_media
        self.counts.same_not_media += not_media
        self._stage(connection, rows)
        self.counts.candidates += listing.candidates
        self.counts.excluded += len(listing.excluded) + listing.links + listing.special
        if not known.keys() <= listing.entries.keys():
            self._find_absent(connection, listing, location, known)

    def _find_absent(
        self, connection: Connection, listing: Listing, location: FolderLocation, known: dict[bytes, tuple[Any, ...]]
    ) -> None:
        unknown = {path.rpartition(b"/")[2] for path in listing.unknown_below}
        absent: list[int] = []
        left_out: list[int] = []
        unseen: list[int] = []
        for name, row in ((name, KnownFile._make(each)) for name, each in known.items()):
            if row.state == "missing" or name in listing.entries:
                continue
            if name in unknown:
                unseen.append(row.id)
            elif name in listing.excluded:
                left_out.append(row.id)
            else:
                absent.append(row.id)
        staging.stage_gone(connection, location.volume_id, absent)
        staging.stage_left_out(connection, left_out)
        staging.stage_unseen(connection, unseen)

    def add_single(self, path: bytes, location: FolderLocation, stat: tuple[int, int] | None) -> int | None:
        """Compare a single file (stat None: it does not exist); return its id if it is known."""
        with self._session.read() as connection:
            return self._compare_single(connection, path, location, stat)

    def _compare_single(
        self, connection: Connection, path: bytes, location: FolderLocation, stat: tuple[int, int] | None
    ) -> int | None:
        parent, name = path.rsplit(b"/", 1)
        relative = paths.relative_to(parent or b"/", location.mount_point)
        folder_id = self._folders_of(connection, location.volume_id).get(relative)
        row = staging.known_file(connection, folder_id, name) if folder_id is not None else None
        if stat is None:
            if row is not None and row.state != "missing":
                staging.stage_gone(connection, location.volume_id, [row.id])
            return row.id if row else None
        self.counts.candidates += 1
        is_same = row is not None and (row.size_bytes, row.mtime_ns) == stat
        if row is not None and is_same:
            self.counts.same_not_media += row.media is False
            self.counts.same += row.media is not False
        if row is None or not is_same or row.state != "present":
            self._stage(connection, [_staged_row(location.volume_id, relative, name, stat, row)])
        return row.id if row else None

    def _stage(self, connection: Connection, rows: list[dict[str, object]]) -> None:
        self._staged = self._staged or bool(rows)
        staging.stage(connection, rows)

    def finish(self, single_files: Iterable[int] = ()) -> None:
        """Stage the files of folders that no longer exist, and set the scan's scope."""
        with self._session.read() as connection:
            self._finish(connection, single_files)

    def _finish(self, connection: Connection, single_files: Iterable[int]) -> None:
        in_scope: set[int] = set()
        for volume_id, folders in self._folders.items():
            tops = [path for volume, path in self._tops if volume == volume_id]
            inside = {path: each for path, each in folders.items() if any(paths.is_within(path, top) for top in tops)}
            in_scope.update(inside.values())
            absent: list[int] = []
            left_out: list[int] = []
            for path, each in inside.items():
                if each in self._visited or _has_ancestor(self._unknown, volume_id, path):
                    continue
                (left_out if _has_ancestor(self._pruned, volume_id, path) else absent).append(each)
            staging.stage_folders_gone(connection, volume_id, absent)
            staging.stage_folders_left_out(connection, left_out)
        staging.set_scope(connection, listed=self._visited, others=in_scope - self._visited, file_ids=single_files)

    def _folders_of(self, connection: Connection, volume_id: int) -> dict[bytes, int]:
        if volume_id not in self._folders:
            self._folders[volume_id] = staging.folders_of(connection, volume_id)
        return self._folders[volume_id]


def _has_ancestor(among: set[tuple[int, bytes]], volume_id: int, path: bytes) -> bool:
    if not among:
        return False
    while True:
        if (volume_id, path) in among:
            return True
        if not path:
            return False
        path = path.rpartition(b"/")[0]


def _staged_row(
    volume_id: int, relative: bytes, name: bytes, stat: tuple[int, int], row: KnownFile | None
) -> dict[str, object]:
    unchanged = row is not None and (row.size_bytes, row.mtime_ns) == stat
    what = "new" if row is None else "back" if unchanged else "changed"
    return {
        "volume_id": volume_id,
        "folder_path": relative,
        "name": name,
        "size_bytes": stat[0],
        "mtime_ns": stat[1],
        "file_id": row.id if row else None,
        "what": what,
    }
