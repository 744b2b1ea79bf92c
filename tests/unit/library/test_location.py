"""Where a library may be stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from photoindex.errors import UnsuitableLocation
from photoindex.library.location import check_location

TABLE = rb"""27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
41 27 0:50 / /mnt/nas rw,relatime - nfs4 nas:/export/photos rw,vers=4.2
"""


def test_a_library_on_a_network_mount_is_refused_with_the_reason_and_the_remedy() -> None:
    with pytest.raises(UnsuitableLocation) as refusal:
        check_location(Path("/mnt/nas/library"), table=TABLE)
    message = str(refusal.value)
    assert "nfs4 nas:/export/photos" in message
    assert "shared memory" in message
    assert "--library FOLDER" in message
    assert "DERIVED_PATH" in message


def test_a_link_to_a_network_mount_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "library").symlink_to("/mnt/nas/library")
    with pytest.raises(UnsuitableLocation):
        check_location(tmp_path / "library", table=TABLE)


def test_a_folder_on_a_local_disk_may_hold_a_library_before_it_exists() -> None:
    check_location(Path("/home/me/library"), table=TABLE)


def test_the_folder_for_tests_passes_on_the_running_system(tmp_path: Path) -> None:
    check_location(tmp_path / "library")
