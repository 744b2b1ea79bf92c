"""Finding the mount of a path, in fake mount tables and in the running kernel's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from photoindex.mounts import Mount, is_network, mount_of

TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 8:17 / /mnt/photos rw,relatime shared:5 - ext4 /dev/sdb1 rw
41 27 0:50 / /mnt/nas rw,relatime - nfs4 nas:/export/photos/ rw,vers=4.2
42 41 0:51 / /mnt/nas/inner rw - tmpfs tmpfs rw
43 27 0:52 / /mnt/win\040share rw - cifs //NAS/Photos rw
44 27 8:17 /2019 /srv/bind rw,relatime - ext4 /dev/sdb1 rw
45 27 0:53 / /mnt/\303\244\134x\012 rw - fuse.sshfs me@nas:/photos rw
46 27 0:54 /@photos /mnt/pool rw - btrfs /dev/sdc1 rw
47 27 0:55 / /mnt/covered rw - tmpfs first rw
48 47 0:56 / /mnt/covered rw - tmpfs second rw
49 27 0:57 / /mnt/tank rw - zfs tank/photos rw
"""


@pytest.fixture
def uuids(tmp_path: Path) -> str:
    devices = tmp_path / "by-uuid"
    devices.mkdir()
    (devices / "1111-AAAA").symlink_to("/dev/sdb1")
    (devices / "2222-bbbb").symlink_to("/dev/sdc1")
    return str(devices)


def test_the_longest_matching_mount_point_is_a_paths_mount() -> None:
    assert mount_of(b"/mnt/nas/2019/a.jpg", table=TABLE).point == b"/mnt/nas"
    assert mount_of(b"/mnt/nas/inner/a.jpg", table=TABLE).file_system == "tmpfs"
    assert mount_of(b"/mnt/nas2/a.jpg", table=TABLE).point == b"/"
    assert mount_of(b"/mnt/nas", table=TABLE).point == b"/mnt/nas"


def test_the_last_mount_at_a_point_wins() -> None:
    assert mount_of(b"/mnt/covered/a.jpg", table=TABLE).source == "second"


def test_a_mount_over_a_parent_folder_hides_what_was_mounted_below_it() -> None:
    hidden = TABLE + b"60 27 0:60 / /mnt rw - tmpfs over rw\n"
    moved = hidden.replace(b"40 27 ", b"40 60 ")

    assert mount_of(b"/mnt/photos/a.jpg", table=hidden).source == "over"
    assert mount_of(b"/mnt/photos/a.jpg", table=moved).source == "/dev/sdb1"


def test_octal_escapes_in_the_table_are_bytes_of_the_path() -> None:
    assert mount_of(b"/mnt/win share/a.jpg", table=TABLE).point == b"/mnt/win share"
    assert mount_of("/mnt/ä\\x\n/a.jpg".encode(), table=TABLE).point == "/mnt/ä\\x\n".encode()


def test_names_that_are_not_utf8_are_available_as_bytes_and_storable_text() -> None:
    table = TABLE + b"70 27 0:70 / /mnt/\\377 rw - tmpfs b\\377d rw\n"
    found = mount_of(b"/mnt/\xff/a.jpg", table=table)
    assert found.point == b"/mnt/\xff"
    assert found.identity.encode("utf-8")


def test_a_block_device_is_identified_by_its_uuid_wherever_it_is_mounted(uuids: str) -> None:
    elsewhere = TABLE.replace(b"/mnt/photos", b"/media/me/photos")
    here = mount_of(b"/mnt/photos/a.jpg", table=TABLE, uuid_folder=uuids)
    there = mount_of(b"/media/me/photos/a.jpg", table=elsewhere, uuid_folder=uuids)
    assert here.identity == there.identity == "uuid:1111-AAAA"
    assert here.device == os.makedev(8, 17)


def test_a_bind_mount_and_a_subvolume_are_separate_volumes(uuids: str) -> None:
    assert mount_of(b"/srv/bind/a.jpg", table=TABLE, uuid_folder=uuids).identity == "uuid:1111-AAAA:/2019"
    assert mount_of(b"/mnt/pool/a.jpg", table=TABLE, uuid_folder=uuids).identity == "uuid:2222-bbbb:/@photos"


def test_a_network_share_is_identified_by_its_source_not_its_protocol_version() -> None:
    older = TABLE.replace(b"nfs4 nas:/export/photos/", b"nfs nas:/export/photos")
    assert mount_of(b"/mnt/nas/a.jpg", table=TABLE).identity == "nfs:nas:/export/photos"
    assert mount_of(b"/mnt/nas/a.jpg", table=older).identity == "nfs:nas:/export/photos"
    assert mount_of(b"/mnt/win share/a.jpg", table=TABLE).identity == "cifs://nas/photos"
    assert mount_of("/mnt/ä\\x\n/a.jpg".encode(), table=TABLE).identity == "sshfs:me@nas:/photos"
    assert mount_of(b"/mnt/tank/a.jpg", table=TABLE).identity == "zfs:tank/photos"


def test_a_device_without_a_uuid_is_identified_by_type_source_and_mount_point(tmp_path: Path) -> None:
    found = mount_of(b"/mnt/photos/a.jpg", table=TABLE, uuid_folder=str(tmp_path / "none"))
    assert found.identity == "ext4:/dev/sdb1:/mnt/photos"


def test_symbolic_links_lead_to_the_mount_of_their_target(tmp_path: Path) -> None:
    (tmp_path / "photos").symlink_to("/mnt/nas/photos")
    assert mount_of(os.fsencode(tmp_path / "photos"), table=TABLE).file_system == "nfs4"


@pytest.mark.parametrize("file_system", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.rclone", "ceph", "9p"])
def test_network_file_systems_are_recognised(file_system: str) -> None:
    assert is_network(Mount(b"/mnt/x", "nas:/x", file_system, "x", 0))


@pytest.mark.parametrize("file_system", ["ext4", "btrfs", "xfs", "zfs", "tmpfs", "overlay", "virtiofs", "fuseblk"])
def test_local_file_systems_are_not_network_file_systems(file_system: str) -> None:
    assert not is_network(Mount(b"/mnt/x", "/dev/sda", file_system, "x", 0))


def test_a_sandbox_whose_own_root_is_9p_counts_as_local() -> None:
    assert not is_network(Mount(b"/", "none", "9p", "9p:none:/", 0))


def test_a_path_without_a_mount_is_on_an_unknown_file_system() -> None:
    assert mount_of(b"/somewhere", table=b"not a mount table\n").file_system == "unknown"


def test_the_running_system_has_a_mount_that_contains_the_path(tmp_path: Path) -> None:
    found = mount_of(os.fsencode(tmp_path))
    assert os.path.ismount(found.point)
    assert os.path.realpath(os.fsencode(tmp_path)).startswith(found.point.rstrip(b"/"))
    assert found.identity


def test_a_disk_without_udev_links_is_identified_by_its_device_number_wherever_it_is_mounted(tmp_path: Path) -> None:
    image, one, two = tmp_path / "disk.img", tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mkfs.ext4 (Debian package e2fsprogs)")
    image.write_bytes(b"")
    os.truncate(image, 4 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    found = []
    for point in (one, two):
        done = subprocess.run(["mount", "-o", "loop", image, point], check=False, capture_output=True)
        if done.returncode != 0:
            pytest.skip(f"mounting is not permitted: {done.stderr.decode().strip()}")
        try:
            found.append(mount_of(os.fsencode(point), uuid_folder=str(tmp_path / "no udev")).identity)
        finally:
            subprocess.run(["umount", point], check=True)
    assert found[0] == found[1]
    assert str(one) not in found[0]
