"""Finds the mount of a path and whether it is a network share."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from photoindex.paths import is_within

MOUNT_TABLE = "/proc/self/mountinfo"
UUID_FOLDER = "/dev/disk/by-uuid"
_BTRFS_FOLDER = "/sys/fs/btrfs"

_NETWORK_FAMILY = {
    "nfs": "nfs",
    "nfs4": "nfs",
    "cifs": "cifs",
    "smb3": "cifs",
    "smbfs": "cifs",
    "ncpfs": "ncpfs",
    "afs": "afs",
    "afpfs": "afp",
    "webdav": "webdav",
    "davfs": "webdav",
    "fuse.davfs": "webdav",
    "fuse.davfs2": "webdav",
    "fuse.sshfs": "sshfs",
    "fuse.rclone": "rclone",
    "fuse.s3fs": "s3fs",
    "fuse.goofys": "goofys",
    "fuse.gcsfuse": "gcsfuse",
    "fuse.curlftpfs": "curlftpfs",
    "fuse.smbnetfs": "smbnetfs",
    "fuse.gvfsd-fuse": "gvfs",
    "ceph": "ceph",
    "fuse.ceph": "ceph",
    "fuse.ceph-fuse": "ceph",
    "glusterfs": "glusterfs",
    "fuse.glusterfs": "glusterfs",
    "fuse.juicefs": "juicefs",
    "fuse.moosefs": "moosefs",
    "fuse.mfs": "moosefs",
    "fuse.seaweedfs": "seaweedfs",
    "lustre": "lustre",
    "beegfs": "beegfs",
    "gpfs": "gpfs",
    "ocfs2": "ocfs2",
    "gfs2": "gfs2",
    "orangefs": "orangefs",
    # Folders that a virtual machine or WSL shares with its host: another kernel changes the same files, and shared
    # memory maps are not kept coherent. virtiofs is not here: within one guest its page cache serves every process, so
    # SQLite's WAL works as on a disk.
    "9p": "9p",
    "drvfs": "drvfs",
    "vboxsf": "vboxsf",
    "fuse.vmhgfs-fuse": "vmhgfs",
    "prl_fs": "prl_fs",
}
"""File system type -> prefix of its identity, the same for every protocol version."""

_NUMBER_IS_UUID = frozenset({"ext2", "ext3", "ext4", "btrfs"})
_OCTAL_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system.

    point: the absolute mount point. source: the device or share as mounted. identity: stable across remounts and mount
    points where the file system allows it (a UUID, a share). device: `st_dev` from the mount table, 0 if unknown.
    """

    point: bytes
    source: str
    file_system: str
    identity: str
    device: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the mount table (proc_pid_mountinfo(5)); `root` is the folder within the file system."""

    mount_id: int
    parent_id: int
    device: int
    root: str
    point: bytes
    file_system: str
    source: str


def mount_of(path: bytes, *, table: bytes | None = None, uuid_folder: str = UUID_FOLDER) -> Mount:
    """Return the mount of `path`; symbolic links are followed, and the path need not exist.

    `table` is the text of a mount table in the format of /proc/self/mountinfo, by default that of the running kernel;
    `uuid_folder` is udev's folder of links from file-system UUIDs to devices.
    """
    resolved = os.path.realpath(path)
    if table is None and not sys.platform.startswith("linux"):
        return _mount_from_psutil(resolved)
    found = _find(resolved, _kernel_table() if table is None else table)
    if table is None and found is not None and found.file_system == "autofs":
        # statfs(2), unlike stat(2), makes the kernel mount the file system behind an automount point.
        _trigger_automount(resolved)
        found = _find(resolved, _kernel_table())
    if found is None:
        return Mount(point=b"/", source="none", file_system="unknown", identity="unknown:none:/", device=0)
    return Mount(
        point=found.point,
        source=found.source,
        file_system=found.file_system,
        identity=_identity(found, uuid_folder, ask_kernel=table is None),
        device=found.device,
    )


def mount_with_identity(identity: str, *, near: bytes) -> Mount | None:
    """Return where the file system with this identity is mounted now: at `near` if it is there, else anywhere."""
    here = mount_of(near)
    if here.identity == identity:
        return here
    if not sys.platform.startswith("linux"):
        return None
    for line in _kernel_table().splitlines():
        fields = line.split(b" ")
        # Looking at an automount point would mount it; a mounted file system has a line of its own.
        if len(fields) > 4 and b" - autofs " not in line:
            mount = mount_of(_unescape(fields[4]))
            if mount.identity == identity:
                return mount
    return None


def is_network(mount: Mount) -> bool:
    """Tell whether `mount` is a network share or a host's folder, where WAL and file locks are not reliable."""
    if mount.file_system == "9p" and mount.point == b"/":
        # A sandbox such as gVisor presents its own root disk as 9p; nothing else writes to it.
        return False
    return mount.file_system in _NETWORK_FAMILY


def _kernel_table() -> bytes:
    with open(MOUNT_TABLE, "rb") as file:
        return file.read()


def _trigger_automount(path: bytes) -> None:
    try:
        os.statvfs(path)
    except OSError:
        return  # the mount failed or the path does not exist: use the table as it is


def _find(path: bytes, table: bytes) -> _Row | None:
    """Walk the tree of mounts as a path lookup does: into the shallowest mount below; the last mount on a point hides others."""
    rows = [row for line in table.splitlines() if (row := _parse(line, path)) is not None]
    known = {row.mount_id for row in rows}
    current: _Row | None = None
    remaining = rows
    while True:
        below = [row for row in remaining if _is_child(row, current, known)]
        if not below:
            return current
        shallowest = min(len(row.point) for row in below)
        current = [row for row in below if len(row.point) == shallowest][-1]
        remaining = [row for row in remaining if row is not current and len(row.point) >= shallowest]


def _is_child(row: _Row, current: _Row | None, known: set[int]) -> bool:
    # In a chroot, and for the root itself, the parent is not in the table.
    return (
        row.parent_id not in known
        or row.parent_id == row.mount_id
        or (current is not None and row.parent_id == current.mount_id)
    )


def _parse(line: bytes, path: bytes) -> _Row | None:
    """Return the row of `line`, None if its mount point is not above `path` or the line is malformed."""
    left, separator, right = line.partition(b" - ")
    fields = left.split(b" ")
    kind = right.split(b" ")
    if not separator or len(fields) < 6 or len(kind) < 2:
        return None
    point = _unescape(fields[4])
    if not is_within(path, point):
        return None
    major, _, minor = fields[2].partition(b":")
    return _Row(
        mount_id=int(fields[0]),
        parent_id=int(fields[1]),
        device=os.makedev(int(major), int(minor)),
        root=_text(fields[3]),
        point=point,
        file_system=_text(kind[0]),
        source=_text(kind[1]),
    )


def _unescape(field: bytes) -> bytes:
    return _OCTAL_ESCAPE.sub(lambda found: bytes((int(found[1], 8) & 0xFF,)), field)


def _text(field: bytes) -> str:
    # No surrogates: identities are stored in TEXT columns, which reject them.
    return _unescape(field).decode("utf-8", "backslashreplace")


def _identity(row: _Row, uuid_folder: str, *, ask_kernel: bool) -> str:
    within = "" if row.root == "/" else f":{row.root}"
    family = _NETWORK_FAMILY.get(row.file_system)
    if family is not None:
        return _network_identity(family, row.source) + within
    if row.file_system == "zfs":
        return f"zfs:{row.source}{within}"
    uuid = _uuid_of(row, uuid_folder)
    if uuid is not None:
        return f"uuid:{uuid}{within}"
    number = _number_of(row) if ask_kernel else 0
    if number:
        return f"fsid:{row.file_system}:{number:x}{within}"
    return f"{row.file_system}:{row.source}:{_text(row.point)}"


def _number_of(row: _Row) -> int:
    """Return statfs(2)'s file-system id for the types that derive it from the UUID; 0 for others.

    A container sees its host's disks, but not udev's links to their UUIDs.
    """
    if row.file_system not in _NUMBER_IS_UUID:
        return 0
    try:
        return os.statvfs(row.point).f_fsid
    except OSError:
        return 0


def _network_identity(family: str, source: str) -> str:
    # SMB names are not case-sensitive; a trailing slash means nothing in either protocol.
    source = source.rstrip("/") or source
    return f"{family}:{source.lower() if family == 'cifs' else source}"


def _uuid_of(row: _Row, uuid_folder: str) -> str | None:
    """Return the file system's UUID, looked up by device name, by device number, or by the devices of a btrfs."""
    if not row.source.startswith("/"):
        return None
    device = os.path.realpath(row.source)
    links = _links(uuid_folder)
    for uuid, target in links.items():
        if target == device:
            return uuid
    if os.major(row.device) != 0:
        for uuid, target in links.items():
            if _device_number(target) == row.device:
                return uuid
    if row.file_system == "btrfs":
        name = os.path.basename(device)
        for uuid in _names(_BTRFS_FOLDER):
            if name in _names(f"{_BTRFS_FOLDER}/{uuid}/devices"):
                return uuid
    return None


def _links(folder: str) -> Mapping[str, str]:
    return {name: os.path.realpath(f"{folder}/{name}") for name in _names(folder)}


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []  # no udev (a container), or no btrfs


def _device_number(device: str) -> int | None:
    try:
        return os.stat(device).st_rdev
    except OSError:
        return None


def _mount_from_psutil(path: bytes) -> Mount:
    import psutil

    best: Mount | None = None
    for partition in psutil.disk_partitions(all=True):
        point = os.fsencode(partition.mountpoint)
        if is_within(path, point) and (best is None or len(point) >= len(best.point)):
            family = _NETWORK_FAMILY.get(partition.fstype)
            identity = (
                _network_identity(family, partition.device)
                if family is not None
                else f"{partition.fstype}:{partition.device}:{partition.mountpoint}"
            )
            best = Mount(point, partition.device, partition.fstype, identity, 0)
    return best or Mount(point=b"/", source="none", file_system="unknown", identity="unknown:none:/", device=0)
