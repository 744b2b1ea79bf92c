"""Remembers in the library where its snapshots were written last: nothing else knows what is away."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from photoindex.atomic_files import atomic_file
from photoindex.library.handle import Library

NOTE_NAME = "backups.json"
_KEPT = 20


@dataclass(frozen=True, slots=True)
class BackupNote:
    """The last snapshot in one destination, and when it was made (UTC seconds since 1970)."""

    destination: Path
    snapshot: Path
    at: float


def backup_notes(library: Library) -> list[BackupNote]:
    """Return the last backup to each destination, newest first; none where the note is missing or unreadable."""
    try:
        entries = json.loads((library.folder / NOTE_NAME).read_bytes())["destinations"]
        notes = [BackupNote(Path(name), Path(one["snapshot"]), float(one["at"])) for name, one in entries.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return sorted(notes, key=lambda one: one.at, reverse=True)


def note_backup(library: Library, destination: Path, snapshot: Path) -> None:
    """Remember a snapshot; nothing happens where the library cannot be written."""
    notes = [one for one in backup_notes(library) if one.destination != destination]
    kept = [BackupNote(destination, snapshot, time.time()), *notes][:_KEPT]
    entries: Mapping[str, object] = {
        str(one.destination): {"snapshot": str(one.snapshot), "at": one.at} for one in kept
    }
    with suppress(OSError), atomic_file(library.folder / NOTE_NAME) as file:
        file.write(json.dumps({"schema": 1, "destinations": entries}).encode("ascii") + b"\n")
