"""Writes exported files atomically, never among the originals, and pages and sheets never over a file of somebody else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from photoindex.atomic_files import atomic_file
from photoindex.errors import UsageError
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import find_file
from photoindex.library.originals.roots import Roots
from photoindex.paths import display

_START_BYTES = 4096
SHEET_MARK = "contact sheet by photoindex"
"""Comment in the file of every contact sheet."""
PICTURE_MARK = "plots by photoindex"
"""Comment in every picture of plots."""
_MARKS = (b'<meta name="generator" content="photoindex ', SHEET_MARK.encode(), PICTURE_MARK.encode())
"""What is near the start of every page, see the templates, of every sheet and of every picture of plots."""
_STARTS = (b"<!doctype html>", b"\xff\xd8\xff", b"\x89png", b"<svg")


def check_target(library: Library, target: Path) -> None:
    """Raise UsageError if `target` must not or cannot be written: in a root, an original, a folder, or without its folder."""
    shown = display(os.fsencode(target))
    folder = os.path.realpath(target.parent)
    if not os.path.isdir(folder):
        raise UsageError(f"{shown}: there is no folder {display(os.fsencode(folder))}; create it first")
    if os.path.isdir(target):
        raise UsageError(f"{shown} is a folder; name a file in it")
    roots = Roots(library.database)
    for place in (os.path.join(folder, target.name), os.path.realpath(target)):
        root = roots.containing(os.fsencode(place))
        if root is not None:
            raise UsageError(
                f"{shown} is among the originals in {display(root.path)}, where photoindex never writes; name another folder"
            )
    with library.database.read() as connection:
        # A file that was scanned on its own is in no root.
        is_original = os.path.lexists(target) and find_file(connection, os.fsencode(target)) is not None
    if is_original:
        raise UsageError(f"{shown} is an original, which photoindex never changes; name another file")


def check_replaceable(target: Path) -> None:
    """Raise UsageError if `target` is a file with a content that is no page or sheet of photoindex; a link is followed.

    Devices and pipes are written to as they are.
    """
    if not target.is_file():
        return
    shown = display(os.fsencode(target))
    with disk_errors(f"reading {shown}"), open(target, "rb") as stream:
        start = stream.read(_START_BYTES)
    if start and not (start.lstrip().lower().startswith(_STARTS) and any(mark in start for mark in _MARKS)):
        raise UsageError(
            f"{shown} was not made by photoindex, which replaces only files of its own; name another file, or move this one away"
        )


def write_whole(target: Path, parts: Iterable[bytes]) -> int:
    """Write `parts` to a temporary file and rename it to `target`; return the number of bytes.

    A device or pipe (/dev/stdout, /dev/fd/63) is written to directly. Raises StorageFull, UsageError.
    """
    with disk_errors(f"writing {display(os.fsencode(target))}"):
        if target.exists() and not target.is_file():
            with open(target, "wb") as stream:
                return sum(map(stream.write, parts))
        # If the target is a link, replace the file it points to, so that the link stays.
        final = Path(os.path.realpath(target))
        with atomic_file(final, asked_for=True) as stream:
            return sum(map(stream.write, parts))
