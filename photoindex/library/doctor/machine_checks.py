"""Checks that need no library: versions, SQLite, GPU, clock, where the library is or will be, the schedule."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from photoindex import __version__
from photoindex.library.doctor.examination import Finding, fail, ok, warn
from photoindex.library.night.gpu import find_gpus
from photoindex.library.night.schedule import unit_folder
from photoindex.mounts import is_network, mount_of
from photoindex.paths import display
from photoindex.store.engine import features

_COMMAND_SECONDS = 10.0
_EARLIEST = 1_767_225_600.0
"""2026-01-01: this program is younger, so an earlier clock is wrong."""
_VOLATILE = ("tmpfs", "ramfs")
_WITHOUT_PERMISSIONS = ("vfat", "msdos", "exfat")
_SCHEDULED = re.compile(r"[^#].*(# photoindex|photoindex['\"]?\s+(scan|run|embed|backup|verify)\b)")
"""A line of a crontab that runs photoindex, or that says so; not one that is commented out."""


def versions(_folder: Path) -> Iterator[Finding]:
    """Compare installed packages with what this version asks for."""
    running = f"version {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    wrong = list(_unsuitable_packages())
    if wrong:
        names = " ".join(name for name, _ in wrong)
        yield fail(
            f"{running}; {', '.join(why for _, why in wrong)}", f"install what it needs: pip install --upgrade {names}"
        )
    else:
        yield ok(running)


def _unsuitable_packages() -> Iterator[tuple[str, str]]:
    """Yield requirements of the base that are not met: name, and why."""
    from packaging.requirements import Requirement

    try:
        wanted = metadata.requires("photoindex") or []
    except metadata.PackageNotFoundError:
        return  # run from its source
    for one in map(Requirement, wanted):
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            yield one.name, f"{one.name} is not installed"
            continue
        if not one.specifier.contains(found, prereleases=True):
            yield one.name, f"{one.name} is {found} where {one.specifier} is needed"


def sqlite(_folder: Path) -> Iterator[Finding]:
    """Check what SQLite was built with."""
    version, missing = features.version(), features.missing()
    if missing:
        yield fail(
            f"SQLite {version} lacks {', '.join(missing)}", "use a Python whose sqlite3 has them, of 3.35 or newer"
        )
    else:
        yield ok(f"SQLite {version} with full-text search")


def gpu(_folder: Path) -> Iterator[Finding]:
    """Look for GPUs, their driver, and a torch that can use them."""
    found = find_gpus()
    names = [] if found is None else found.names()
    if not names:
        tool = shutil.which("nvidia-smi")
        if tool is None:
            yield ok("no GPU; models run on the processor")
            return
        names = _lines_of([tool, "--query-gpu=name,driver_version", "--format=csv,noheader"])
        if not names:
            yield warn("nvidia-smi is installed and finds no GPU", "restart the computer if the driver was updated")
            return
    text = "; ".join(names)
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        yield warn(f"{text}; torch is not installed, so models run on the processor", "pip install 'photoindex[ml]'")
        return
    if "+cpu" in torch:
        yield warn(f"{text}; torch {torch} cannot use it", "install the build of torch for CUDA: https://pytorch.org")
    else:
        yield ok(f"{text}; torch {torch}")


def clock(_folder: Path) -> Iterator[Finding]:
    """Check that the clock is set, and kept by the network where the system says."""
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(now))
    tool = shutil.which("timedatectl")
    synchronised = _lines_of([tool, "show", "--property=NTPSynchronized", "--value"]) if tool is not None else []
    if now < _EARLIEST:
        yield fail(f"the clock says {shown}", "set the clock; ages of backups and proofs are wrong until then")
    elif synchronised == ["no"]:
        yield warn(f"{shown}, not kept by the network", "timedatectl set-ntp true")
    else:
        yield ok(shown)


def file_system(folder: Path) -> Iterator[Finding]:
    """Check that the library is, or will be, on a local disk that lasts."""
    mount = mount_of(os.fsencode(folder))
    where = f"{folder} on {mount.file_system} ({display(mount.point)})"
    if is_network(mount):
        yield fail(f"{where}, a network mount", "choose a folder on a local disk with --library FOLDER")
    elif mount.file_system in _VOLATILE:
        yield warn(f"{where}, in memory: gone after a restart", "choose a folder on a disk with --library FOLDER")
    elif mount.file_system in _WITHOUT_PERMISSIONS:
        yield warn(
            f"{where}, which has no permissions: others may read it", "choose another disk with --library FOLDER"
        )
    else:
        yield ok(where)


def schedule(_folder: Path) -> Iterator[Finding]:
    """Look for a timer or a crontab that runs photoindex."""
    found = installed_schedule()
    if found is None:
        yield warn("no timer and no line of a crontab runs it", "photoindex schedule install")
    else:
        yield ok(found)


def installed_schedule() -> str | None:
    """Return what runs photoindex regularly, None if nothing does: a user's systemd timer or a line of their crontab."""
    timer = next(iter(sorted(unit_folder().glob("photoindex-*.timer"))), None)
    if timer is not None:
        return f"the timer {timer.name}"
    tool = shutil.which("crontab")
    lines = [] if tool is None else _lines_of([tool, "-l"])
    return "a line of the crontab" if any(map(_SCHEDULED.match, lines)) else None


def _lines_of(command: list[str]) -> list[str]:
    """Return the lines that a command prints, none if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_COMMAND_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
