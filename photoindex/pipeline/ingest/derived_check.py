"""Finds derived files that the database lists and the disk no longer has.

Only folders are read: a million previews are 4,096 folders. Whether a file is whole is found out by whoever reads it.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from photoindex.atomic_files import atomic_file

MARKER_NAME = "photoindex-derived.json"
_DAY_SECONDS = 86_400.0
_PREFIX_DIGITS = 3
FOLDERS = 16**_PREFIX_DIGITS
"""How many subfolders there can be."""
_KINDS = (".preview.jpg", ".thumb.jpg")

DerivedBetween = Callable[[bytes, bytes | None], dict[bytes, int]]
"""Returns digest -> asset id of the contents that should have derived files, from a first digest to before a last one."""


@dataclass(frozen=True, slots=True)
class DerivedMarker:
    """What the derived folder looked like. checked_at: UTC seconds since 1970; folders: names of its subfolders."""

    checked_at: float
    folders: frozenset[str]


def is_due(folder: Path, *, now: float | None = None) -> bool:
    """Tell whether to check: a day after the last time, or at once if the folder, its marker or a subfolder is gone."""
    marker = read_marker(folder)
    if marker is None:
        return True
    age = (time.time() if now is None else now) - marker.checked_at
    return not 0 <= age < _DAY_SECONDS or not marker.folders <= _folders(folder)


def lost_contents(folder: Path, derived_between: DerivedBetween, advance: Callable[[int], None]) -> Iterator[list[int]]:
    """Yield lists of ids of contents that lack a derived file. advance: subfolders looked at so far."""
    for byte in range(256):
        wanted = derived_between(bytes([byte]), bytes([byte + 1]) if byte < 255 else None)
        by_folder: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for digest, asset_id in wanted.items():
            name = digest.hex()
            by_folder[name[:_PREFIX_DIGITS]].append((name, asset_id))
        lost = []
        for name_of_folder, contents in by_folder.items():
            names = _names_of_files(folder / name_of_folder)
            lost += [id_ for name, id_ in contents if any(name + kind not in names for kind in _KINDS)]
        if lost:
            yield lost
        advance(FOLDERS * (byte + 1) // 256)


def write_marker(folder: Path, *, checked_at: float) -> None:
    """Remember the subfolders and when they were checked. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / MARKER_NAME, durable=False) as file:
        note = {"schema": 1, "checked_at": checked_at, "folders": sorted(_folders(folder))}
        file.write(json.dumps(note).encode("ascii") + b"\n")


def has_files(folder: Path) -> bool:
    """Tell whether the derived folder has its marker or any subfolder."""
    return (folder / MARKER_NAME).exists() or bool(_folders(folder))


def read_marker(folder: Path) -> DerivedMarker | None:
    """Return what the marker says, None if it is missing or unreadable."""
    try:
        value = json.loads((folder / MARKER_NAME).read_bytes())
        return DerivedMarker(float(value["checked_at"]), frozenset(map(str, value["folders"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _folders(folder: Path) -> frozenset[str]:
    try:  # names alone: this runs in every scan
        return frozenset(name for name in os.listdir(folder) if len(name) == _PREFIX_DIGITS)
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def _names_of_files(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
