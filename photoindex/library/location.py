"""Where a library may live: on a local disk, because SQLite's WAL mode shares memory between processes."""

from __future__ import annotations

import os
from pathlib import Path

from photoindex.errors import UnsuitableLocation
from photoindex.mounts import is_network, mount_of


def check_location(folder: Path, *, table: bytes | None = None) -> None:
    """Make sure that `folder` (which need not exist) is not on a network mount; costs less than a millisecond.

    `table` is a mount table as /proc/self/mountinfo has it, by default the running system's. Raises UnsuitableLocation.
    """
    mount = mount_of(os.fsencode(folder), table=table)
    if is_network(mount):
        raise UnsuitableLocation(
            f"the library cannot live in {folder}, which is on a network mount ({mount.file_system} {mount.source}): "
            "its database needs shared memory, which only a local disk has. Choose a folder on a local disk with "
            "--library FOLDER; previews and thumbnails may lie on the network mount: set DERIVED_PATH"
        )
