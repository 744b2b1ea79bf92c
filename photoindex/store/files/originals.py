"""The original files of contents that a stage reads once more, at a larger size than their previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, select

from photoindex.store.engine.statements import numbers
from photoindex.store.schema.tables import asset, file, folder, task
from photoindex.store.tasks.asset_tasks import StageVariant, task_of_asset


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """A present file of a content; its path is relative to the mount point of its volume."""

    asset_id: int
    digest: bytes
    volume_id: int
    folder_path: bytes
    name: bytes


def longest_px() -> ColumnElement[int]:
    """Return the longer side of a content."""
    return case((asset.c.width >= asset.c.height, asset.c.width), else_=asset.c.height)


def contents_to_read(
    connection: Connection, wanted: ColumnElement[bool], *, found_by: StageVariant, without_task: StageVariant
) -> list[tuple[int, int | None]]:
    """Return content and volume of each present file of the wanted contents that represent a photo.

    found_by: the tasks that looked through the previews. without_task: contents with a finished task of it are left out.
    The volume is None if there is no file.
    """
    looked_through = task_of_asset(found_by).where(task.c.state == "done")
    finished = task_of_asset(without_task).where(task.c.state.in_(("done", "quarantined")))
    files = (
        select(asset.c.id, folder.c.volume_id)
        .outerjoin(file, and_(file.c.asset_id == asset.c.id, file.c.state == "present"))
        .outerjoin(folder, folder.c.id == file.c.folder_id)
        .where(asset.c.role == "primary", asset.c.derived.is_(True), wanted)
        .where(looked_through.exists(), ~finished.exists())
        .order_by(asset.c.id, file.c.id)
    )
    return [(row.id, row.volume_id) for row in connection.execute(files)]


def files_of(connection: Connection, asset_ids: Sequence[int]) -> list[OriginalFile]:
    """Return the present files of contents."""
    chosen = (
        select(asset.c.id, asset.c.digest, folder.c.volume_id, folder.c.path, file.c.name)
        .join(file, and_(file.c.asset_id == asset.c.id, file.c.state == "present"))
        .join(folder, folder.c.id == file.c.folder_id)
        .where(asset.c.id.in_(numbers(asset_ids)))
        .order_by(asset.c.id, file.c.id)
    )
    return [OriginalFile(*row) for row in connection.execute(chosen)]
