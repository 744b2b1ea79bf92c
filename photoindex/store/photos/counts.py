"""Counts over a whole library, each from an index or one pass over a narrow table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, literal, or_, select

from photoindex.store.engine import predicates
from photoindex.store.engine.statements import json_value
from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, photo, root, task, variant, volume
from photoindex.store.tasks.admin import DISMISSED


@dataclass(frozen=True, slots=True)
class FileCounts:
    """Files of one volume: present, missing and excluded add up to all.

    not_media and undetermined are subsets of present; undetermined files are not read yet or could not be read.
    """

    present: int = 0
    missing: int = 0
    excluded: int = 0
    not_media: int = 0
    undetermined: int = 0
    bytes_present: int = 0

    def __add__(self, other: FileCounts) -> FileCounts:
        return FileCounts(
            self.present + other.present,
            self.missing + other.missing,
            self.excluded + other.excluded,
            self.not_media + other.not_media,
            self.undetermined + other.undetermined,
            self.bytes_present + other.bytes_present,
        )


@dataclass(frozen=True, slots=True)
class RootScan:
    """One root and its last finished scan. path: absolute, where the volume was last seen. Times are UTC seconds."""

    path: bytes
    volume_id: int
    added_at: float
    scanned_at: float | None
    summary: dict[str, Any] | None


def count_photos_by_format(connection: Connection) -> dict[str, int]:
    """Return format -> number of photos, most frequent first."""
    number = func.count()
    statement = select(photo.c.format, number).group_by(photo.c.format).order_by(number.desc(), photo.c.format)
    return {row[0]: row[1] for row in connection.execute(statement)}


def count_assets(connection: Connection) -> int:
    """Return the number of contents."""
    return int(connection.execute(select(func.count()).select_from(asset)).scalar_one())


def count_files_by_volume(connection: Connection) -> dict[int, FileCounts]:
    """Return volume id -> counts of its files, for every volume."""
    volumes = connection.execute(select(volume.c.id)).scalars().all()
    numbers = (func.count(), func.sum(file.c.size_bytes))
    of_folder = file.join(folder, folder.c.id == file.c.folder_id)
    by_volume = select(folder.c.volume_id, *numbers).select_from(of_folder).group_by(folder.c.volume_id)
    # Grouping sorts all files, which takes as long again; with one volume there is nothing to group.
    totals = select(literal(volumes[0]), *numbers).select_from(file) if len(volumes) == 1 else by_volume
    counts = dict.fromkeys(volumes, FileCounts())
    for volume_id, files, size in connection.execute(totals):
        counts[volume_id] += FileCounts(present=files, bytes_present=size or 0)
    # Nearly all files are present and media; only the others are grouped.
    kinds = (folder.c.volume_id, file.c.state, file.c.media)
    is_other = or_(file.c.state != "present", file.c.media.is_(None), file.c.media.is_(False))
    others = select(*kinds, *numbers).select_from(of_folder).where(is_other).group_by(*kinds)
    for volume_id, state, media, files, size in connection.execute(others):
        gone = state != "present"
        counts[volume_id] += FileCounts(
            present=-files if gone else 0,
            missing=files if state == "missing" else 0,
            excluded=files if state == "excluded" else 0,
            not_media=0 if gone or media is None else files,
            undetermined=0 if gone or media is not None else files,
            bytes_present=-size if gone else 0,
        )
    return counts


def count_tasks(connection: Connection) -> dict[str, Counter[str]]:
    """Return stage -> state -> number of tasks; dismissed tasks count as "dismissed", not as quarantined."""
    stages = {row.id: row.stage for row in connection.execute(select(variant.c.id, variant.c.stage))}
    states = select(task.c.variant_id, task.c.state, func.count()).group_by(task.c.variant_id, task.c.state)
    counts: dict[str, Counter[str]] = {}
    for variant_id, state, number in connection.execute(states):
        counts.setdefault(stages[variant_id], Counter(done=0))[state] += number
    dismissed = (
        select(task.c.stage, func.count())
        .where(predicates.has_state("quarantined"), task.c.dismissed_at.is_not(None))
        .group_by(task.c.stage)
    )
    for stage, number in connection.execute(dismissed):
        counts[stage][DISMISSED] = number
        counts[stage]["quarantined"] -= number
    return dict(sorted(counts.items()))


def count_quarantined_by_error_class(connection: Connection) -> dict[str, int]:
    """Return error class -> number of quarantined tasks that nobody dismissed, most frequent first."""
    number = func.count()
    name = func.coalesce(task.c.error_class, "")
    statement = (
        select(name, number)
        .where(predicates.has_state("quarantined"), task.c.dismissed_at.is_(None))
        .group_by(name)
        .order_by(number.desc(), name)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def contents_of_earlier_code(connection: Connection, code: int) -> dict[int, int]:
    """Return code version -> number of contents that it ingested, of the versions before `code`."""
    version = json_value(variant.c.key, "$.code")
    earlier = select(variant.c.id, version).where(variant.c.stage == "ingest", version < code)
    versions: dict[int, int] = {row[0]: row[1] for row in connection.execute(earlier)}
    if not versions:
        return {}
    counted = (
        select(asset.c.variant_id, func.count()).where(asset.c.variant_id.in_(versions)).group_by(asset.c.variant_id)
    )
    found: dict[int, int] = {}
    for variant_id, count in connection.execute(counted):
        found[versions[variant_id]] = found.get(versions[variant_id], 0) + count
    return found


def root_scans(connection: Connection) -> list[RootScan]:
    """Return every root with its last finished scan, in the order of addition."""
    statement = (
        select(volume.c.mount_point, root.c.path, root.c.volume_id, root.c.added_at, root.c.scanned_at, root.c.summary)
        .join(volume, volume.c.id == root.c.volume_id)
        .order_by(root.c.id)
    )
    return [
        RootScan(
            path=join(row.mount_point, b"", row.path) if row.path else row.mount_point,
            volume_id=row.volume_id,
            added_at=row.added_at,
            scanned_at=row.scanned_at,
            summary=row.summary,
        )
        for row in connection.execute(statement)
    ]
