"""Roots and volumes of a scan: which folders to scan, on which volume they are, and whether they are available."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from photoindex import file_access, paths
from photoindex.errors import UsageError, VolumeOffline
from photoindex.mounts import Mount, mount_of, mount_with_identity
from photoindex.pipeline.scan.changes import FolderLocation
from photoindex.pipeline.scan.exclusion import patterns_below
from photoindex.store.engine.database import Database
from photoindex.store.files import volumes
from photoindex.store.files.locations import Location, file_at, files_below, look_alikes
from photoindex.store.files.volumes import RootRow, VolumeRow

_SAMPLE_FILES = 200
_SAME_SHARE = 0.5
"""A volume whose identity changed (a new disk, a renamed server) is recognised if this share of sampled files matches."""

NOTHING_TO_SCAN = "there is nothing to scan yet; name a folder: photoindex scan PATH"


@dataclass(slots=True)
class Target:
    """One path to scan. `root` is the absolute path of the root it belongs to; `gone` means that it does not exist."""

    path: bytes
    location: FolderLocation
    root: bytes
    root_id: int | None = None
    excludes: tuple[str, ...] = ()
    follow_symlinks: bool = False
    is_file: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A root of the library with its absolute path at the current or last known mount point."""

    row: RootRow
    volume: VolumeRow
    path: bytes
    online: bool

    @property
    def mount_point(self) -> bytes:
        """The absolute mount point that the root's path is relative to."""
        return self.path[: len(self.path) - len(self.row.path)].rstrip(b"/") or b"/" if self.row.path else self.path


@dataclass(slots=True)
class Roots:
    """The roots and volumes of a library, for one scan."""

    database: Database
    known: list[KnownRoot] = field(default_factory=list)
    away: list[bytes] = field(default_factory=list)
    _volumes: dict[int, VolumeRow] = field(default_factory=dict)
    _by_device: dict[int, FolderLocation] = field(default_factory=dict)
    _by_mount: dict[tuple[str, bytes], FolderLocation] = field(default_factory=dict)
    _online: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the tables and find the current mount point of each volume."""
        self.reload()

    def reload(self) -> None:
        """Read volumes and roots from the library again."""
        with self.database.read() as connection:
            self._volumes = {row.id: row for row in volumes.all_volumes(connection)}
            rows = volumes.all_roots(connection)
        self.known = []
        self._online = {}
        mounts = {each.id: mount_with_identity(each.identity, near=each.mount_point) for each in self._volumes.values()}
        for row in rows:
            volume = self._volumes[row.volume_id]
            mount = mounts[row.volume_id]
            mount_point = mount.point if mount is not None else volume.mount_point
            self.known.append(KnownRoot(row, volume, _join(mount_point, row.path), online=mount is not None))

    def targets(self, tops: Sequence[bytes], *, originals: Path | None, accept_missing: bool = False) -> list[Target]:
        """Return what to scan: `tops`, else every known root, else the configured originals.

        Raises UsageError for a path that does not exist, VolumeOffline for a known path that is unavailable; with
        `accept_missing` an unavailable path becomes a target that is gone.
        """
        if tops:
            wanted = [self._target(self.real_path(top), accept_missing=accept_missing) for top in tops]
        elif self.known:
            wanted = self._known_targets(accept_missing=accept_missing)
        elif originals is not None:
            wanted = [self._target(self.real_path(os.fsencode(originals)), accept_missing=accept_missing)]
        else:
            raise UsageError(NOTHING_TO_SCAN)
        return _without_nested(wanted)

    def _known_targets(self, *, accept_missing: bool) -> list[Target]:
        """Return every available root; unavailable ones are recorded in `away` and the others are still scanned.

        Raises VolumeOffline if none is available. A root without any present file is not unavailable but finished.
        """
        found: list[Target] = []
        for root in self.known:
            away = None if accept_missing else self._reason_away(root)
            if away is not None and len(self.known) == 1:
                raise VolumeOffline(away)
            if away is not None:
                self.away.append(root.path)
            elif file_access.is_folder(root.path) or self._files_known(root):
                found.append(self._target(root.path, accept_missing=accept_missing))
        if not found and self.away:
            names = ", ".join(paths.display(path) for path in self.away)
            raise VolumeOffline(f"no root is available: {names}. No file was marked; mount them and scan again")
        return found

    def _files_known(self, root: KnownRoot) -> bool:
        with self.database.read() as connection:
            return volumes.has_present_file_below(connection, root.volume.id, root.row.path)

    def real_path(self, path: bytes) -> bytes:
        """Return the absolute path with links resolved; a file that is itself a link keeps its name.

        Raises UsageError for an empty path, which would otherwise mean the current folder when a script's variable is unset.
        """
        if not path:
            raise UsageError("an empty path; name a folder, `.` for the current one")
        absolute = file_access.as_on_disk(paths.absolute(path))
        if file_access.is_folder(absolute):
            return os.path.realpath(absolute)
        folder, name = os.path.split(absolute)
        return os.path.join(os.path.realpath(folder), name)

    def containing(self, path: bytes) -> KnownRoot | None:
        """Return the innermost known root that contains an absolute path; roots on mounted volumes come first."""
        around = [root for root in self.known if paths.is_within(path, root.path)]
        return max(around, key=lambda root: (root.online, len(root.path)), default=None)

    def _target(self, path: bytes, *, accept_missing: bool) -> Target:
        root = self.containing(path)
        if root is not None:
            away = self._reason_away(root)
            if away is not None and not accept_missing:
                raise VolumeOffline(away)
            root = self.containing(path)  # a volume that was just recognised is mounted now
        there = file_access.exists(path)
        gone = not there or (accept_missing and root is not None and self._reason_away(root) is not None)
        if root is not None and gone:
            return self._gone_target(root, path)
        if not there:
            raise UsageError(f"no such file or folder: {paths.display(path)}")
        if not file_access.is_folder(path):
            return Target(path, self.location_of(os.path.dirname(path), -1), path, is_file=True)
        location = self.location_of(path, -1)
        if root is None or root.volume.id != location.volume_id:
            return Target(path, location, path, excludes=self._patterns_of_inner_roots(path, location))
        return Target(path, location, root.path, root.row.id, root.row.excludes, root.row.follow_symlinks)

    def _gone_target(self, root: KnownRoot, path: bytes) -> Target:
        """Return the known file or folder at a path that does not exist. Raises UsageError if there is neither."""
        location = FolderLocation(root.volume.id, root.mount_point)
        with self.database.read() as connection:
            path = self._as_known(connection, location, path)
            relative = paths.relative_to(path, location.mount_point)
            is_file = file_at(connection, Location(location.volume_id, relative)) is not None
            below = volumes.has_present_file_below(connection, location.volume_id, relative)
        if not is_file and not below:
            raise UsageError(f"no such file or folder: {paths.display(path)}")
        return Target(path, location, root.path, root.row.id, is_file=is_file, gone=True)

    def _as_known(self, connection: Connection, location: FolderLocation, path: bytes) -> bytes:
        """Return `path`, or one of the library that looks the same if it has nothing in these bytes."""
        wanted = Location(location.volume_id, paths.relative_to(path, location.mount_point))
        if file_at(connection, wanted) is None and not files_below(connection, wanted):
            others = look_alikes(connection, wanted)
            return _join(location.mount_point, others[0].path) if others else path
        return path

    def _reason_away(self, root: KnownRoot) -> str | None:
        """Return why a known root is unavailable, None if it is available or has no present file."""
        if not self._files_known(root):
            return None
        name = paths.display(root.path)
        really_removed = (
            f"if its photos were really removed: photoindex scan --accept-missing {paths.shell_word(root.path)}"
        )
        not_mounted = (
            f"{name} is unavailable: its volume {root.volume.label} is not mounted. No file was marked; mount it and scan "
            f"again, or {really_removed}"
        )
        if not file_access.is_folder(root.path):
            if self.is_online(root.volume.id):
                return f"the folder {name} is gone. No file was marked; {really_removed}"
            return not_mounted
        mount = mount_of(root.path)
        if mount.identity == root.volume.identity or self._recognise(root, mount):
            return None
        if len(mount.point) < len(root.volume.mount_point):
            return not_mounted  # files in the unmounted mount point do not show that the disk is there
        another_known = any(other.online and other.path == root.path for other in self.known)
        return not_mounted if not another_known and file_access.is_empty(root.path) else None

    def is_emptied(self, target: Target, *, alone: bool) -> bool:
        """Tell whether a target in which nothing was found has known files: then it is unavailable, not empty.

        Raises VolumeOffline if it is the only target, else records it in `away`.
        """
        relative = paths.relative_to(target.path, target.location.mount_point)
        with self.database.read() as connection:
            known = volumes.count_present_files_below(connection, target.location.volume_id, relative)
        if known and alone:
            name = paths.display(target.path)
            raise VolumeOffline(
                f"{name} is empty, but the library has {known} files there: is it mounted? No file was marked; if they were "
                f"really removed: photoindex scan --accept-missing {paths.shell_word(target.path)}"
            )
        if known:
            self.away.append(target.path)
        return known > 0

    def _recognise(self, root: KnownRoot, mount: Mount) -> bool:
        """Give the volume its new identity if sampled files are at the same paths; tell whether it did."""
        if any(row.identity == mount.identity for row in self._volumes.values()):
            return False
        with self.database.read() as connection:
            sample = volumes.sample_files(connection, root.volume.id, _SAMPLE_FILES)
        same = sum(_has_stat(_join(mount.point, path), size, mtime_ns) for path, size, mtime_ns in sample)
        if not sample or same < _SAME_SHARE * len(sample):
            return False
        with self.database.write() as connection:
            volumes.rebind_volume(
                connection,
                root.volume.id,
                identity=mount.identity,
                mount_point=mount.point,
                file_system=mount.file_system,
            )
        self.reload()
        return True

    def location_of(self, path: bytes, device: int) -> FolderLocation:
        """Return the volume of the folder `path` (absolute); `device` is its st_dev, -1 if unknown.

        A new volume is added to the library, and the current mount point is stored.
        """
        location = self._by_device.get(device)
        if location is not None and paths.is_within(path, location.mount_point):
            return location
        mount = mount_of(path)
        if not paths.is_within(path, mount.point):
            # A followed link leads to another mount; its files are stored under the path that was walked.
            return max(
                (each for each in self._by_mount.values() if paths.is_within(path, each.mount_point)),
                key=lambda each: len(each.mount_point),
            )
        key = (mount.identity, mount.point)
        if key not in self._by_mount:
            with self.database.write() as connection:
                volume_id = volumes.ensure_volume(
                    connection, identity=mount.identity, label=_label(mount), mount_point=mount.point,
                    file_system=mount.file_system,
                )  # fmt: skip
                self._volumes = {row.id: row for row in volumes.all_volumes(connection)}
            self._by_mount[key] = FolderLocation(volume_id, mount.point)
        location = self._by_mount[key]
        if device != -1:
            self._by_device[device] = location
        return location

    def keep(
        self, connection: Connection, targets: Sequence[Target], excludes: Sequence[str] | None, *, follow: bool | None
    ) -> None:
        """Add the folders among `targets` as new roots, and store options given for a whole root."""
        for target in targets:
            if target.is_file:
                continue
            if target.root_id is None:
                relative = paths.relative_to(target.path, target.location.mount_point)
                target.root_id = volumes.add_root(
                    connection, volume_id=target.location.volume_id, path=relative,
                    excludes=[*target.excludes, *(excludes or ())], follow_symlinks=bool(follow),
                )  # fmt: skip
            elif target.path == target.root:
                volumes.change_root(connection, target.root_id, excludes=excludes, follow_symlinks=follow)

    def _patterns_of_inner_roots(self, path: bytes, location: FolderLocation) -> tuple[str, ...]:
        """Return the exclude patterns of existing roots inside a new, larger one, as patterns of the larger one."""
        return tuple(
            pattern
            for root in self.known
            if root.volume.id == location.volume_id and paths.is_within(root.path, path)
            for pattern in patterns_below(paths.relative_to(root.path, path), root.row.excludes)
        )

    def mount_point(self, volume_id: int) -> bytes:
        """Return the last known mount point of a volume."""
        return self._volumes[volume_id].mount_point

    def is_online(self, volume_id: int) -> bool:
        """Tell whether a volume is mounted at its mount point now."""
        if volume_id not in self._online:
            row = self._volumes.get(volume_id)
            self._online[volume_id] = row is not None and mount_of(row.mount_point).identity == row.identity
        return self._online[volume_id]

    def searchable(self, volume_id: int, folder_path: bytes) -> bytes:
        """Return the part of a folder's path that is worth searching for: from its root's own name down."""
        inside = [
            root.row.path
            for root in self.known
            if root.row.volume_id == volume_id and paths.is_within(folder_path, root.row.path)
        ]
        if not inside:
            return folder_path.rpartition(b"/")[2]
        above = max(inside, key=len).rpartition(b"/")[0]
        return paths.relative_to(folder_path, above)


def _join(mount_point: bytes, relative: bytes) -> bytes:
    return mount_point.rstrip(b"/") + b"/" + relative if relative else mount_point


def _label(mount: Mount) -> str:
    name = paths.display(mount.point.rpartition(b"/")[2]) or "/"
    return f"{name} ({mount.source})" if mount.source else name


def _has_stat(path: bytes, size: int, mtime_ns: int) -> bool:
    try:
        status = file_access.status(path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (size, mtime_ns)


def _without_nested(targets: Sequence[Target]) -> list[Target]:
    kept: list[Target] = []
    for target in sorted(targets, key=lambda each: len(each.path)):
        inside = any(not other.is_file and paths.is_within(target.path, other.path) for other in kept)
        if not inside and all(target.path != other.path for other in kept):
            kept.append(target)
    return kept
