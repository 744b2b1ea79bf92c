"""Checks each line of a plan against the library and the files as they are now; nothing is changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from photoindex import file_access
from photoindex.library.duplicates import file_operations
from photoindex.library.duplicates.file_operations import Refused, Signature
from photoindex.library.duplicates.plan_reader import PlanGroup, PlanLine, Problem
from photoindex.library.duplicates.trash import Trash
from photoindex.library.duplicates.verdicts import GO_ALONG, KEEP, REMOVE
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume, find_file, locations_of, volumes_now
from photoindex.paths import display, is_within
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.engine.database import Database
from photoindex.store.files import moves, together
from photoindex.store.files.together import PhotoFile

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")


class LineRefused(Exception):
    """A line cannot be applied. number: of the line, None for the line that is looked at."""

    def __init__(self, text: str, number: int | None = None) -> None:
        super().__init__(text)
        self.number = number


@dataclass(frozen=True, slots=True)
class MovedFile:
    """A file to move. path: where it is. location: relative to the mount point. line: of the plan, None if it goes along."""

    id: int
    path: bytes
    volume_id: int
    location: bytes
    signature: Signature
    line: int | None


@dataclass(frozen=True, slots=True)
class Keeper:
    """The file that is kept in place of others."""

    path: bytes
    location: bytes
    file: PhotoFile
    signature: Signature


@dataclass(frozen=True, slots=True)
class Unit:
    """Files that go together or not at all: those of one photo in one folder, and their sidecars; or one that becomes a link.

    numbers: the lines of the plan. photo_id: whose files they are. keepers: what is kept for them. files: those with a line
    first.
    """

    numbers: tuple[int, ...]
    photo_id: int
    keepers: tuple[Keeper, ...]
    files: tuple[MovedFile, ...]
    link: bool

    @property
    def keeper(self) -> Keeper:
        """The file whose photo receives the words."""
        return self.keepers[0]


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be done of a plan, and the lines that cannot be applied. done: how many lines were applied before."""

    units: tuple[Unit, ...]
    problems: tuple[Problem, ...]
    done: int = 0

    @property
    def bytes(self) -> int:
        """What the moved files take on the disk; files that have further links free nothing."""
        inodes: dict[tuple[int, int], list[Signature]] = {}
        for unit in self.units:
            for one in unit.files:
                inodes.setdefault((one.signature.device, one.signature.inode), []).append(one.signature)
        return sum(found[0].size_bytes for found in inodes.values() if found[0].links <= len(found))


def check(
    library: Library, groups: Sequence[PlanGroup], trash: Trash, emit: EventSink, *, link: bool = False
) -> Checked:
    """Check groups of a plan; reads each file to remove, and the one that is kept for it, as a whole.

    link: files with the same bytes as the kept one become links to it, and stay where they are.
    """
    checker = _Checker(library.database, groups, trash, link=link)
    started = time.monotonic()
    emit(PhaseStarted("check", len(groups), "groups"))
    units: list[Unit] = []
    for number, group in enumerate(groups, 1):
        units += checker.units_of(group)
        emit(PhaseAdvanced("check", number))
    emit(PhaseFinished("check", len(groups), time.monotonic() - started))
    return Checked(tuple(units), tuple(sorted(checker.problems, key=lambda one: one.number)), len(checker.done))


@dataclass
class _Checker:
    """Checks group by group. done: the numbers of lines that an earlier run applied."""

    database: Database
    groups: Sequence[PlanGroup]
    trash: Trash
    link: bool
    problems: list[Problem] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    _volumes: Mapping[int, KnownVolume] = field(default_factory=dict)
    _files: dict[int, PhotoFile | None] = field(default_factory=dict)
    _listed: dict[int, PlanLine] = field(default_factory=dict)
    _checked: dict[int, Keeper] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the files of all lines."""
        with self.database.read() as connection:
            self._volumes = volumes_now(connection)
            for group in self.groups:
                for line in group.lines:
                    file_id = find_file(connection, line.path)
                    found = None if file_id is None else together.by_id(connection, file_id)
                    self._files[line.number] = found
                    if line.action == REMOVE and self._is_done(connection, line.path):
                        self.done.add(line.number)
                    if found is not None:
                        self._listed.setdefault(found.id, line)

    def _is_done(self, connection: Connection, path: bytes) -> bool:
        """Tell whether a file was moved away or became a link, by an earlier run that was stopped or killed."""
        rows = [volume.row for volume in self._volumes.values()]
        for location in locations_of(path, rows):
            before = moves.moved_from(connection, location)
            if before is not None and before.linked_to is None:
                return not file_access.exists(path)
            if before is not None and before.linked_to is not None:
                mounted_at = self._volumes[before.volume_id].mounted_at or b"/"
                return file_operations.is_link_of(path, os.path.join(mounted_at, before.linked_to))
        return False

    def _ask(self, question: Callable[[Connection, Subject], Answer], about: Subject) -> Answer:
        """Read from the database; no transaction stays open while files are read."""
        with self.database.read() as connection:
            return question(connection, about)

    def units_of(self, group: PlanGroup) -> Iterator[Unit]:
        """Yield what can be done of a group; lines that cannot be applied become problems."""
        removed = [line for line in group.with_action(REMOVE) if line.number not in self.done]
        keepers: dict[int, PhotoFile] = {}
        self._checked.clear()
        for line in group.with_action(KEEP):
            if (found := self._files[line.number]) is not None:
                keepers[line.number] = found
        units: dict[tuple[int, ...], list[tuple[PlanLine, PhotoFile, Keeper]]] = {}
        for line in removed:
            try:
                copy = self._known(line)
                keeper = self._keeper_of(copy, group, keepers)
                links = self.link and copy.digest == keeper.file.digest
                key: tuple[int, ...] = (line.number,) if links else (copy.photo_id, *self._place(copy))
                units.setdefault((links, *key), []).append((line, copy, keeper))
            except (LineRefused, OSError) as error:
                self._refuse([line], error)
        for key, members in units.items():
            lines = [line for line, _, _ in members]
            try:
                yield self._unit(members, links=bool(key[0]))
            except (LineRefused, OSError) as error:
                self._refuse(lines, error)

    def _refuse(self, lines: Sequence[PlanLine], error: LineRefused | OSError) -> None:
        if isinstance(error, OSError):
            name = display(os.fsencode(error.filename)) if error.filename is not None else "a file"
            text, number = f"{name}: {error.strerror}", None
        else:
            text, number = str(error), error.number
        first = lines[0].number if number is None else number
        self.problems.append(Problem(first, text))
        self.problems += [Problem(one.number, f"goes with line {first}") for one in lines if one.number != first]

    def _known(self, line: PlanLine) -> PhotoFile:
        """Return the file of a line. Raises LineRefused for one that the library does not know as it is in the plan."""
        found = self._files[line.number]
        if found is None:
            raise LineRefused(
                f"{display(line.path)} is no photo of the library, or was missing at its last scan", line.number
            )
        if self._listed[found.id] is not line:
            other = self._listed[found.id].number
            raise LineRefused(f"{display(line.path)} is the file of line {other}, written otherwise", line.number)
        if found.digest != line.digest:
            raise LineRefused(
                f"{display(line.path)} has another digest in the library; run photoindex scan, and make a new plan",
                line.number,
            )
        return found

    def _keeper_of(self, copy: PhotoFile, group: PlanGroup, keepers: Mapping[int, PhotoFile]) -> Keeper:
        """Return the kept file that a copy is one of: one with its bytes, else that of the only photo that is kept."""
        lines = {one.number: one for one in group.with_action(KEEP)}
        same = [number for number, kept in keepers.items() if kept.digest == copy.digest]
        chosen = same or list(keepers)
        if not same and len({kept.photo_id for kept in keepers.values()}) > 1:
            listed = " and ".join(str(number) for number in keepers)
            raise LineRefused(
                f"the group keeps several photos (lines {listed}), and what is said of this one could go to either; give it "
                "and one of them a group of their own"
            )
        if not chosen:
            first = group.with_action(KEEP)[0]
            raise LineRefused(f"its kept file {display(first.path)} is no photo of the library")
        kept = lines[chosen[0]]
        if kept.number in self._checked:
            return self._checked[kept.number]
        try:
            file = self._known(kept)
            path = self._path(file.volume_id, file.location)
            signature = self._signature(path)
            self._check_digest(path, kept.digest)
        except LineRefused as error:
            raise LineRefused(f"the kept file (line {kept.number}) cannot be relied on: {error}") from error
        except OSError as error:
            raise LineRefused(f"the kept file {display(kept.path)} cannot be read: {error.strerror}") from error
        self._checked[kept.number] = Keeper(path, file.location, file, signature)
        return self._checked[kept.number]

    def _unit(self, members: Sequence[tuple[PlanLine, PhotoFile, Keeper]], *, links: bool) -> Unit:
        files = [self._moved(copy, line.digest, line.number) for line, copy, _ in members]
        for one, (line, _, kept) in zip(files, members, strict=True):
            if (one.signature.device, one.signature.inode) == (kept.signature.device, kept.signature.inode):
                raise LineRefused(
                    "it is the same file as the kept one, under another name (a hard link): removing it frees nothing",
                    line.number,
                )
            if links and one.signature.device != kept.signature.device:
                raise LineRefused("the kept file is on another disk, and links cannot lead there", line.number)
        if not links:
            files += self._going_along([copy for _, copy, _ in members], members[0][0])
        return Unit(
            tuple(line.number for line, _, _ in members),
            members[0][1].photo_id,
            tuple(keeper for _, _, keeper in members),
            tuple(files),
            link=links,
        )

    def _going_along(self, copies: Sequence[PhotoFile], line: PlanLine) -> Iterator[MovedFile]:
        """Yield the companions and sidecars of files. Raises LineRefused for one of a pair that would go alone."""
        going = {one.id for one in copies}
        place = self._place(copies[0])
        around = [one for one in self._ask(together.of_photo, copies[0].photo_id) if self._place(one) == place]
        staying = {one.asset_id for one in around if one.id not in going}
        if any(one.role not in GO_ALONG and one.asset_id not in staying for one in copies):
            gone = {one.asset_id for one in copies}
            for other in around:
                if other.id in going or other.asset_id in gone:
                    continue
                self._check_goes(other, line)
                going.add(other.id)
                yield self._moved(other, other.digest, None)
        for sidecar in self._ask(together.sidecars_of, going):
            if sidecar.about <= going and sidecar.id not in self._listed:
                path = self._path(sidecar.volume_id, sidecar.location)
                signature = self._movable(path, sidecar.volume_id)
                if (signature.size_bytes, signature.mtime_ns) != (sidecar.size_bytes, sidecar.mtime_ns):
                    raise LineRefused(
                        f"its sidecar {display(path)} changed since the last scan; run photoindex scan first"
                    )
                yield MovedFile(sidecar.id, path, sidecar.volume_id, sidecar.location, signature, None)

    def _check_goes(self, other: PhotoFile, line: PlanLine) -> None:
        """Raise LineRefused for another file of the photo that must not go along unasked."""
        listed = self._listed.get(other.id)
        name = display(other.name)
        if listed is not None:
            raise LineRefused(
                f"{name} (line {listed.number}, {listed.action}) belongs to it, and one file of a photo never goes alone: give "
                "both lines the same action",
                line.number,
            )
        if other.role in GO_ALONG:
            return
        kept = [
            one.id
            for one in self._ask(together.of_photo, other.photo_id)
            if one.asset_id == other.asset_id and one.id != other.id
        ]
        if not any(self._listed.get(number) is None or self._listed[number].action != REMOVE for number in kept):
            raise LineRefused(
                f"{name} belongs to it and has no copy elsewhere; one file of a photo never goes alone", line.number
            )

    def _place(self, one: PhotoFile) -> tuple[int, ...]:
        """Return what the files of a photo that lie together share."""
        return () if self._ask(together.are_across_folders, one.photo_id) else (one.folder_id,)

    def _moved(self, one: PhotoFile, digest: bytes, line: int | None) -> MovedFile:
        path = self._path(one.volume_id, one.location)
        signature = self._movable(path, one.volume_id)
        self._check_digest(path, digest)
        return MovedFile(one.id, path, one.volume_id, one.location, signature, line)

    def _movable(self, path: bytes, volume_id: int) -> Signature:
        signature = self._signature(path)
        mounted_at = self._volumes[volume_id].mounted_at or b"/"
        # Two mounts of one file system have one st_dev, and yet nothing can be renamed from one to the other.
        if signature.device != self.trash.device or not is_within(self.trash.path, mounted_at):
            raise LineRefused(
                f"{display(path)} is on another disk than the trash folder {display(self.trash.path)}; name one on the same disk"
            )
        if not file_operations.may_move_from(path):
            raise LineRefused(f"the folder of {display(path)} may not be written to")
        if file_operations.is_open_for_writing(path):
            raise LineRefused(f"{display(path)} is open for writing in another program; close it first")
        return signature

    def _signature(self, path: bytes) -> Signature:
        try:
            return file_operations.signature(path)
        except FileNotFoundError as error:
            raise LineRefused(f"{display(path)} is gone") from error
        except Refused as error:
            raise LineRefused(str(error)) from error

    def _check_digest(self, path: bytes, digest: bytes) -> None:
        if file_operations.digest_of(path) != digest:
            raise LineRefused(f"{display(path)} has changed since the plan was made")

    def _path(self, volume_id: int, location: bytes) -> bytes:
        volume = self._volumes[volume_id]
        if volume.mounted_at is None:
            raise LineRefused(f"the volume {volume.row.label} of {display(location)} is not mounted")
        return os.path.join(volume.mounted_at, location)
