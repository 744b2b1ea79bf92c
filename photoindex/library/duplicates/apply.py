"""Applies a checked plan: words go over to the kept photos, and copies into the trash folder or behind a link.

Each unit of files is one step: its moves are written down, made, and then committed together with its words. A step that
fails, or was killed, is taken back; what was committed is one entry of the journal, which `undo` takes back as a whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sqlalchemy import Connection

from photoindex import file_access
from photoindex.domain.words.carried import Words, carried_text
from photoindex.errors import UsageError
from photoindex.library.duplicates import file_operations
from photoindex.library.duplicates.carrying import carry, words_to_carry
from photoindex.library.duplicates.check import Checked, MovedFile, Unit
from photoindex.library.duplicates.file_operations import Refused
from photoindex.library.duplicates.plan_reader import Problem
from photoindex.library.duplicates.trash import Trash, prepare
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.path_lookup import volumes_now
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.invalidation import invalidate_changed
from photoindex.library.scan.refresh import refresh
from photoindex.paths import display, relative_to
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.engine.database import Session
from photoindex.store.files import files, moves
from photoindex.store.files.moves import NewMove
from photoindex.store.journal import journal
from photoindex.store.journal.journal import Change
from photoindex.store.words import documents

COMMAND = "duplicates apply"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one unit: where each of its files goes, and the words that the kept photo receives."""

    unit: Unit
    targets: tuple[bytes, ...]
    words: Words

    @property
    def carried(self) -> str:
        """The words as one phrase, empty if there are none."""
        return carried_text(self.words)


@dataclass(frozen=True, slots=True)
class Applied:
    """The result. entry_id: in the journal, None if nothing was done. problems: lines that could not be applied."""

    entry_id: int | None
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]


def steps_of(library: Library, checked: Checked, trash: Trash) -> Iterator[Step]:
    """Yield what would be done with each unit; nothing is changed."""
    taken: set[bytes] = set()
    for unit in checked.units:
        targets = _targets(unit, trash, taken)
        taken.update(targets)
        with library.database.read() as connection:
            yield Step(unit, targets, words_to_carry(connection, unit, home_zone=library.config.time.home_zone))


def _targets(unit: Unit, trash: Trash, taken: set[bytes]) -> tuple[bytes, ...]:
    """Return where the files of a unit go: the same path below the trash folder, or below its folder `2`, `3`, … if that is taken."""
    top = trash.path
    for number in range(2, 1_000_000):
        targets = tuple(os.path.join(top, one.location) for one in unit.files)
        if not any(target in taken or file_access.exists(target) for target in targets):
            return targets
        top = os.path.join(trash.path, str(number).encode())
    raise UsageError(f"--trash {display(trash.path)} is full of copies; name another folder")


def apply_plan(
    library: Library, checked: Checked, trash: Trash, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> Applied:
    """Do what was checked, unit by unit; after `stop` the rest is left as it is.

    A unit whose files have changed since they were checked is left alone and becomes a problem. Raises LibraryLocked,
    UsageError for an unsuitable trash folder, StorageFull.
    """
    if not checked.units:
        return Applied(None, (), ())
    with exclusive(library.folder, COMMAND):
        prepare(library, trash)
        with library.database.session() as session:
            run = _Run(library, session, trash)
            run.run(checked.units, emit, stop)
            refresh(library, session, Roots(library.database), emit)
    return Applied(run.entry_id, tuple(run.done), tuple(run.problems))


@dataclass
class _Run:
    library: Library
    session: Session
    trash: Trash
    entry_id: int | None = None
    done: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find where the volumes are mounted."""
        with self.session.read() as connection:
            self.volumes = volumes_now(connection)

    def run(self, units: Sequence[Unit], emit: EventSink, stop: Callable[[], bool]) -> None:
        """Apply the units in order."""
        started = time.monotonic()
        emit(PhaseStarted("move", len(units), "copies"))
        for number, unit in enumerate(units, 1):
            if stop():
                break
            try:
                self.done.append(self._apply(unit))
            except (Refused, OSError) as error:
                self.problems += [Problem(line, _words_of(error)) for line in unit.numbers]
            emit(PhaseAdvanced("move", number))
        emit(PhaseFinished("move", len(self.done), time.monotonic() - started))
        if self.entry_id is not None:
            with self.session.write() as connection:
                if self.done:
                    journal.summarize(connection, self.entry_id, _summary(self.done, self.trash))
                else:
                    self._drop_entry(connection)

    def _drop_entry(self, connection: Connection) -> None:
        assert self.entry_id is not None
        journal.keep_if_changed(connection, self.entry_id, "")
        self.entry_id = None

    def _apply(self, unit: Unit) -> Step:
        """Apply one unit, or leave everything as it was. Raises Refused, OSError."""
        _check_unchanged(unit)
        targets = _targets(unit, self.trash, set())
        with self.session.write() as connection:
            self._check_known(connection, unit)
            words = words_to_carry(connection, unit, home_zone=self.library.config.time.home_zone)
            if self.entry_id is None:
                text = f"copies moved to {display(self.trash.path)}"
                self.entry_id = journal.record(connection, command=COMMAND, summary=text, changes=())
            moves.plan(connection, self.entry_id, [self._move(unit, *each) for each in self._pairs(unit, targets)])
        try:
            for one, target in self._pairs(unit, targets):
                self._move_file(unit, one, target)
            with self.session.write() as connection:
                self._commit(connection, unit, words)
        except BaseException:
            # Also where the database fails: a file must not lie where nobody knows of it.
            self._take_back(unit, targets)
            raise
        return Step(unit, targets, words)

    @staticmethod
    def _pairs(unit: Unit, targets: tuple[bytes, ...]) -> Iterator[tuple[MovedFile, bytes]]:
        return zip(unit.files, targets, strict=True)

    def _move(self, unit: Unit, one: MovedFile, target: bytes) -> NewMove:
        mounted_at = self.volumes[one.volume_id].mounted_at or b"/"
        return NewMove(
            volume_id=one.volume_id,
            path=one.location,
            moved_to=relative_to(target, mounted_at),
            linked_to=unit.keeper.location if unit.link else None,
            size_bytes=one.signature.size_bytes,
            mtime_ns=one.signature.mtime_ns,
        )

    def _check_known(self, connection: Connection, unit: Unit) -> None:
        """Raise Refused where the library has changed since the check."""
        ids = [one.id for one in unit.files] + [one.file.id for one in unit.keepers]
        known = files.by_ids(connection, ids)
        if any(number not in known or known[number].state != "present" for number in ids):
            raise Refused("the library has changed since the plan was checked")

    def _move_file(self, unit: Unit, one: MovedFile, target: bytes) -> None:
        if file_operations.is_open_for_writing(one.path):
            raise Refused(f"{display(one.path)} is open for writing in another program; close it first")
        if not file_operations.signature(one.path).is_same(one.signature):
            raise Refused(f"{display(one.path)} has changed since it was checked")
        if unit.link and not file_operations.has_same_bytes(one.path, unit.keeper.path):
            raise Refused(f"{display(one.path)} does not have the bytes of the kept file any more")
        file_operations.move(one.path, target)
        if unit.link:
            file_operations.link(unit.keeper.path, one.path, target)

    def _commit(self, connection: Connection, unit: Unit, words: Words) -> None:
        """Write what was done, in one transaction with the words."""
        assert self.entry_id is not None
        changes: list[Change] = carry(connection, unit, words)
        if unit.link:
            (one,) = unit.files
            status = file_operations.signature(one.path)
            changes += moves.note_time(connection, one.id, status.mtime_ns)
        else:
            changes += moves.mark_gone(connection, [one.id for one in unit.files])
        journal.extend(connection, self.entry_id, changes)
        moves.set_state(connection, self.entry_id, before=moves.PLANNED, after=moves.MOVED)
        invalidate_changed(connection, changes)
        documents.refresh(connection, [unit.keeper.file.photo_id])

    def _take_back(self, unit: Unit, targets: tuple[bytes, ...]) -> None:
        linked_to = unit.keeper.path if unit.link else None
        for one, target in reversed(list(self._pairs(unit, targets))):
            try:
                if file_access.exists(target):
                    file_operations.put_back(target, one.path, linked_to=linked_to)
            except (OSError, Refused) as error:
                # The moves stay written down, and the next command takes them back.
                raise UsageError(
                    f"{display(target)} could not be put back: {_words_of(error)}; the next run puts it back, once that is put right"
                ) from error
        with self.session.write() as connection:
            assert self.entry_id is not None
            moves.forget_planned(connection, self.entry_id)


def _check_unchanged(unit: Unit) -> None:
    """Raise Refused where a file of a unit, or the kept one, has changed since it was checked."""
    for path, before in chain(
        ((one.path, one.signature) for one in unit.files), ((one.path, one.signature) for one in unit.keepers)
    ):
        try:
            now = file_operations.signature(path)
        except FileNotFoundError as error:
            raise Refused(f"{display(path)} is gone since it was checked") from error
        if not now.is_same(before):
            raise Refused(f"{display(path)} has changed since it was checked")


def _words_of(error: Refused | OSError) -> str:
    if isinstance(error, Refused):
        return str(error)
    name = f"{display(os.fsencode(error.filename))}: " if error.filename is not None else ""
    return f"{name}{error.strerror}"


def _summary(done: Sequence[Step], trash: Trash) -> str:
    linked = sum(len(one.unit.files) for one in done if one.unit.link)
    moved = sum(len(one.unit.files) for one in done) - linked
    parts = [
        *([f"{moved:,} {'file' if moved == 1 else 'files'} moved to {display(trash.path)}"] if moved else []),
        *([f"{linked:,} {'copy' if linked == 1 else 'copies'} replaced by links"] if linked else []),
    ]
    return ", ".join(parts)
