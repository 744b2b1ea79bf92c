"""Puts files back that `duplicates apply` moved: all that an entry of the journal moved, or what a killed command left."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from photoindex import file_access
from photoindex.errors import VolumeOffline
from photoindex.library.duplicates import file_operations
from photoindex.library.duplicates.file_operations import Refused
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.path_lookup import KnownVolume, volumes_now
from photoindex.paths import display
from photoindex.store.files import moves
from photoindex.store.files.moves import Move
from photoindex.store.journal import journal
from photoindex.store.journal.undo import CannotUndo, Undone

_NAMED = 5
_OF_ENTRY = (moves.MOVED, moves.RETURNING)


class Restore(Protocol):
    """Undoes the rows of an entry."""

    def __call__(self, *, dry_run: bool) -> Undone:
        """Undo them, or only check whether that is possible."""
        ...


@dataclass(frozen=True, slots=True)
class _Return:
    """A move with its absolute paths of now."""

    moved_to: bytes
    path: bytes
    linked_to: bytes | None
    size_bytes: int
    mtime_ns: int

    def problem(self) -> str | None:
        """Return why the file cannot be put back, None if it can, or is back already."""
        if not self._is_at(self.moved_to):
            return None if self._is_at(self.path) else f"{display(self.moved_to)} is gone, or has changed"
        if not file_access.exists(self.path):
            return None
        if self.linked_to is not None and file_operations.is_link_of(self.path, self.linked_to):
            return None
        try:
            if self.linked_to is not None and file_operations.has_same_bytes(self.path, self.moved_to):
                return None
        except OSError as error:
            return f"{display(self.path)}: {error.strerror}"
        return f"another file is at {display(self.path)}"

    def make(self) -> None:
        """Put the file back, if it is not. Raises OSError, Refused."""
        if self._is_at(self.moved_to):
            file_operations.put_back(self.moved_to, self.path, linked_to=self.linked_to)

    def _is_at(self, path: bytes) -> bool:
        try:
            found = file_operations.signature(path)
        except (OSError, Refused):
            return False
        return (found.size_bytes, found.mtime_ns) == (self.size_bytes, self.mtime_ns)


def undo_with_files(library: Library, entry_id: int, restore: Restore, *, dry_run: bool) -> Undone | None:
    """Undo an entry with its moves; None if it has none. The caller holds the library's lock.

    First everything is checked, so that nothing is half done; a killed undo is completed by the next one. Raises CannotUndo,
    VolumeOffline.
    """
    with library.database.read() as connection:
        found = moves.of_entry(connection, entry_id, _OF_ENTRY)
        undone = journal.undone_entry(connection, entry_id)
        if undone is not None and moves.has_moves(connection, undone):
            raise CannotUndo(f"entry {entry_id} put files back; to move them again, apply the plan again")
    if not found:
        return None
    returns = _returns(library, found)
    problems = [text for one in returns if (text := one.problem()) is not None]
    if problems:
        more = f"; and {len(problems) - _NAMED:,} more" if len(problems) > _NAMED else ""
        raise CannotUndo(
            f"entry {entry_id} cannot be undone: {'; '.join(problems[:_NAMED])}{more}; nothing was changed"
        )
    checked = restore(dry_run=True)
    if dry_run:
        return replace(checked, files=len(found))
    with library.database.write() as connection:
        moves.set_state(connection, entry_id, before=moves.MOVED, after=moves.RETURNING)
    try:
        for one in reversed(returns):
            one.make()
    except (OSError, Refused) as error:
        raise CannotUndo(
            f"entry {entry_id} is undone in part: {error}; the files that are left are still in the trash, and undoing it again "
            "goes on"
        ) from error
    return replace(restore(dry_run=False), files=len(found))


def is_unfinished(library: Library) -> bool:
    """Tell whether a killed `duplicates apply`, or its undo, left something half done."""
    with library.database.read() as connection:
        return bool(moves.unfinished_entries(connection))


def recover(library: Library) -> None:
    """Put back what a killed `duplicates apply` left half done, before files are checked. Raises LibraryLocked, CannotUndo."""
    if not is_unfinished(library):
        return
    with exclusive(library.folder, "duplicates apply"):
        for entry_id in take_back_unfinished(library):
            with library.database.write() as connection:
                if not moves.has_moves(connection, entry_id):
                    journal.keep_if_changed(connection, entry_id, "")


def take_back_unfinished(library: Library) -> dict[int, int]:
    """Put back the files of steps that a killed `duplicates apply` had begun; return entry -> how many.

    The caller holds the library's lock. Raises CannotUndo where a file is in the way.
    """
    counts: dict[int, int] = {}
    with library.database.read() as connection:
        entries = moves.unfinished_entries(connection)
    for entry_id in entries:
        with library.database.read() as connection:
            found = moves.of_entry(connection, entry_id, [moves.PLANNED])
        for one in reversed(_returns(library, found)):
            if (problem := one.problem()) is not None:
                raise CannotUndo(f"a killed run left a file in the trash: {problem}")
            try:
                one.make()
            except (OSError, Refused) as error:
                raise CannotUndo(f"a killed run left a file in the trash: {error}") from error
        with library.database.write() as connection:
            moves.forget_planned(connection, entry_id)
        counts[entry_id] = len(found)
    return counts


def _returns(library: Library, found: list[Move]) -> list[_Return]:
    if not found:
        return []
    with library.database.read() as connection:
        volumes = volumes_now(connection)
    return [
        _Return(
            _path(volumes, one, one.moved_to),
            _path(volumes, one, one.path),
            None if one.linked_to is None else _path(volumes, one, one.linked_to),
            one.size_bytes,
            one.mtime_ns,
        )
        for one in found
    ]


def _path(volumes: Mapping[int, KnownVolume], one: Move, location: bytes) -> bytes:
    volume = volumes[one.volume_id]
    if volume.mounted_at is None:
        raise VolumeOffline(f"the volume {volume.row.label} is not mounted")
    return os.path.join(volume.mounted_at, location)
