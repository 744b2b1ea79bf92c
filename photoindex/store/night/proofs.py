"""When the bytes of each original were read last, and with what outcome."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.files.files import join
from photoindex.store.files.locations import Location, folder_is_within
from photoindex.store.schema.tables import asset, file, folder, proof, volume

GOOD, CHANGED, DAMAGED, UNREADABLE = "good", "changed", "damaged", "unreadable"
_COPIES = 8


@dataclass(frozen=True, slots=True)
class FileToProve:
    """A present file, and what the library knows of its bytes; its path is relative to the mount point of its volume."""

    id: int
    volume_id: int
    folder_path: bytes
    name: bytes
    size_bytes: int
    mtime_ns: int
    asset_id: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome of reading one file at a time (UTC seconds since 1970), with the size and time that it had then."""

    at: float
    outcome: str
    digest: bytes | None = None
    size_bytes: int | None = None
    mtime_ns: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A present file that was damaged or could not be read when it was read last, and has not changed since."""

    path: bytes
    outcome: str
    at: float
    detail: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many present originals there are, how many of them are proved good, and when the oldest of these was read."""

    files: int
    proved: int
    oldest_at: float | None


def _unchanged() -> ColumnElement[bool]:
    return and_(proof.c.size_bytes == file.c.size_bytes, proof.c.mtime_ns == file.c.mtime_ns)


def _is_good() -> ColumnElement[bool]:
    """Return the condition that a file was read and had the bytes that the library knows today."""
    return and_(proof.c.outcome == GOOD, proof.c.digest == asset.c.digest)


def _is_trouble() -> ColumnElement[bool]:
    return and_(proof.c.outcome.in_((DAMAGED, UNREADABLE)), _unchanged())


def _originals(*columns: Any) -> Select[Any]:
    """Select from the present files with a content, their folders and their proofs."""
    return (
        select(*columns)
        .select_from(file)
        .join(folder, folder.c.id == file.c.folder_id)
        .join(asset, asset.c.id == file.c.asset_id)
        .outerjoin(proof, proof.c.file_id == file.c.id)
        .where(file.c.state == "present", file.c.media.is_(True))
    )


def _known() -> Select[Any]:
    return _originals(
        file.c.id, folder.c.volume_id, folder.c.path, file.c.name, file.c.size_bytes, file.c.mtime_ns, file.c.asset_id,
        asset.c.digest,
    )  # fmt: skip


def due(
    connection: Connection,
    *,
    proved_before: float | None = None,
    file_ids: Sequence[int] = (),
    locations: Sequence[Location] = (),
) -> Iterator[tuple[int, int]]:
    """Yield id and volume of the files to read: those never read first, then by age of their proof.

    Files of the same age come in the order of their folders, so that one pass after the other reads sequentially.
    proved_before: leave out files that were proved good later than this (UTC seconds). file_ids, locations: only these.
    """
    age = case((or_(_is_good(), _is_trouble()), proof.c.at))
    statement = _among(_originals(file.c.id, folder.c.volume_id), file_ids, locations)
    if proved_before is not None:
        statement = statement.where(or_(proof.c.file_id.is_(None), ~_is_good(), proof.c.at <= proved_before))
    ordered = statement.order_by(age.nulls_first(), folder.c.volume_id, folder.c.path, file.c.name)
    for row in connection.execute(ordered):
        yield row.id, row.volume_id


def count_proved_since(
    connection: Connection, since: float, *, file_ids: Sequence[int] = (), locations: Sequence[Location] = ()
) -> int:
    """Return how many of the files, or of these, were proved good later than `since` (UTC seconds)."""
    statement = _among(_originals(func.count()), file_ids, locations).where(_is_good(), proof.c.at > since)
    return int(connection.execute(statement).scalar_one())


def _among(statement: Select[Any], file_ids: Sequence[int], locations: Sequence[Location]) -> Select[Any]:
    if not file_ids and not locations:
        return statement
    return statement.where(or_(file.c.id.in_(file_ids), *map(folder_is_within, locations)))


def by_ids(connection: Connection, file_ids: Collection[int]) -> dict[int, FileToProve]:
    """Return the files that are still present, by id."""
    rows = connection.execute(_known().where(file.c.id.in_(numbers(file_ids))))
    return {row.id: FileToProve(*row) for row in rows}


def copies_of(connection: Connection, one: FileToProve) -> list[FileToProve]:
    """Return some other present files with the same content."""
    others = _known().where(file.c.asset_id == one.asset_id, file.c.id != one.id).order_by(file.c.id).limit(_COPIES)
    return [FileToProve(*row) for row in connection.execute(others)]


def record(connection: Connection, proofs: Sequence[tuple[FileToProve, Proof]]) -> set[int]:
    """Store the proofs of files that the library still knows as they were when they were read; return their ids."""
    known = by_ids(connection, [one.id for one, _ in proofs])
    current = [(one, made) for one, made in proofs if known.get(one.id) == one]
    statement = upsert(proof)
    columns = ("at", "outcome", "digest", "size_bytes", "mtime_ns", "detail")
    statement = statement.on_conflict_do_update(
        index_elements=[proof.c.file_id], set_={name: statement.excluded[name] for name in columns}
    )
    if current:
        rows = [
            {"file_id": one.id} | {name: getattr(made, name) for name in columns} | {"detail": made.detail or None}
            for one, made in current
        ]
        connection.execute(statement, rows)
    return {one.id for one, _ in current}


def troubles(connection: Connection) -> list[Trouble]:
    """Return the present originals that were not good when they were read last, by id."""
    columns = (volume.c.mount_point, folder.c.path, file.c.name, proof.c.outcome, proof.c.at, proof.c.detail)
    rows = connection.execute(
        _originals(*columns).join(volume, volume.c.id == folder.c.volume_id).where(_is_trouble()).order_by(file.c.id)
    )
    return [Trouble(join(row[0], row[1], row[2]), row.outcome, row.at, row.detail or "") for row in rows]


def coverage(connection: Connection) -> Coverage:
    """Return how much of the library is proved good."""
    proved_at = case((_is_good(), proof.c.at))
    row = connection.execute(_originals(func.count(), func.count(proved_at), func.min(proved_at))).one()
    return Coverage(*row)
