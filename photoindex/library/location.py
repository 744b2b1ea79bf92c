"""Checks that a library is on a local disk, because SQLite's WAL mode shares memory between processes."""

from __future__ import annotations

import os
from pathlib import Path

from photoindex.errors import UnsuitableLocation
from photoindex.mounts import is_network, mount_of


def check_location(folder: Path, *, table: bytes | None = None) -> None:
    """Raise UnsuitableLocation if `folder` (which need not exist) is on a network mount; takes less than a millisecond.

    `table` is a mount table in the format of /proc/self/mountinfo, by default the running system's.
    """
    mount = mount_of(os.fsencode(folder), table=table)
    if is_network(mount):
        raise UnsuitableLocation(
            f"the library cannot be stored in {folder}, which is on a network mount ({mount.file_system} {mount.source}): "
            "its database needs shared memory, which only a local disk supports. Choose a folder on a local disk with "
            "--library FOLDER; previews and thumbnails may be on the network mount: set DERIVED_PATH"
        )
