"""Stage what a walk found in temporary tables until it is safe to apply.

The library does not change during the walk. Differences stay in temporary tables of one session, so that a scan that
finds a volume offline can stop without a trace, and memory stays flat for any number of files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from photoindex.store.engine import predicates
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import upsert
from photoindex.store.schema.scan_tables import gone, left_out, scope, scope_folder, staged, temporary, unseen, work
from photoindex.store.schema.tables import asset, file, folder, sidecar, task
from photoindex.store.tasks import stale

NEW_FILES_FIRST = 0
"""Priority of new paths: moved content is recognised at its new path before changed content at the old path is read."""
CHANGED_FILES_NEXT = 1


class KnownFile(NamedTuple):
    """A known file, as compared by a walk; a rescan compares up to a million."""

    name: bytes
    id: int
    size_bytes: int
    mtime_ns: int
    state: str
    media: bool | None


_known_files = select(file.c.name, file.c.id, file.c.size_bytes, file.c.mtime_ns, file.c.state, file.c.media).where(
    file.c.folder_id == bindparam("folder_id")
)


_known_file = _known_files.where(file.c.name == bindparam("wanted_name"))


def make(connection: Connection) -> None:
    """Create the empty temporary tables of a scan."""
    temporary.drop_all(connection)
    temporary.create_all(connection)


def folders_of(connection: Connection, volume_id: int) -> dict[bytes, int]:
    """Return path -> id of every known folder of a volume."""
    rows = connection.execute(select(folder.c.path, folder.c.id).where(folder.c.volume_id == volume_id))
    return {row.path: row.id for row in rows}


def known_files(connection: Connection, folder_id: int) -> dict[bytes, tuple[Any, ...]]:
    """Return name -> row, a plain tuple in the order of `KnownFile`, of every known file of a folder."""
    # A rescan runs this statement for every folder. It bypasses SQLAlchemy's execution and row objects, which take as
    # long as SQLite itself. Names are returned as stored: text if they are UTF-8.
    rows = engine_of(connection).fetch_plain(connection, _known_files, folder_id)
    return {row[0].encode() if isinstance(row[0], str) else row[0]: row for row in rows}


def known_file(connection: Connection, folder_id: int, name: bytes) -> KnownFile | None:
    """Return a known file of a folder, or None."""
    row = connection.execute(_known_file, {"folder_id": folder_id, "wanted_name": name}).first()
    return cast("KnownFile | None", row)


def stage(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Stage files that differ; `what` is new, changed or back (was missing or excluded, present again)."""
    if rows:
        connection.execute(insert(staged), rows)


def stage_gone(connection: Connection, volume_id: int, file_ids: Iterable[int]) -> None:
    """Stage files that are gone from their path."""
    rows = [{"file_id": each, "volume_id": volume_id} for each in file_ids]
    if rows:
        connection.execute(upsert(gone).on_conflict_do_nothing(), rows)


def unstage_gone(connection: Connection, folder_ids: Iterable[int]) -> None:
    """Undo `stage_gone` for the files of these folders."""
    statement = delete(gone).where(gone.c.file_id.in_(select(file.c.id).where(file.c.folder_id == bindparam("folder"))))
    rows = [{"folder": each} for each in folder_ids]
    if rows:
        connection.execute(statement, rows)


def stage_left_out(connection: Connection, file_ids: Iterable[int]) -> None:
    """Stage known files that are now excluded by a rule."""
    rows = [{"file_id": each} for each in file_ids]
    if rows:
        connection.execute(upsert(left_out).on_conflict_do_nothing(), rows)


def stage_folders_gone(connection: Connection, volume_id: int, folder_ids: Iterable[int]) -> None:
    """Stage every file of folders that no longer exist as gone."""
    statement = upsert(gone).from_select(
        ["file_id", "volume_id"],
        select(file.c.id, literal(volume_id)).where(file.c.folder_id == bindparam("folder"), file.c.state != "missing"),
    )
    rows = [{"folder": each} for each in folder_ids]
    if rows:
        connection.execute(statement.on_conflict_do_nothing(), rows)


def stage_folders_left_out(connection: Connection, folder_ids: Iterable[int]) -> None:
    """Stage every present file of folders that are now excluded by a rule."""
    statement = upsert(left_out).from_select(
        ["file_id"], select(file.c.id).where(file.c.folder_id == bindparam("folder"), file.c.state == "present")
    )
    rows = [{"folder": each} for each in folder_ids]
    if rows:
        connection.execute(statement.on_conflict_do_nothing(), rows)


def stage_unseen(connection: Connection, file_ids: Iterable[int]) -> None:
    """Stage known files that the folder listing does not cover, such as those behind a link that is not followed."""
    rows = [{"file_id": each} for each in file_ids]
    if rows:
        connection.execute(upsert(unseen).on_conflict_do_nothing(), rows)


def set_scope(connection: Connection, *, listed: Iterable[int], others: Iterable[int], file_ids: Iterable[int]) -> None:
    """Store the scope: folders that were listed, other folders in scope, and single files that were checked."""
    add = upsert(scope_folder).on_conflict_do_nothing()
    for folder_ids, was_listed in ((listed, True), (others, False)):
        folders = [{"folder_id": each, "listed": was_listed} for each in folder_ids]
        if folders:
            connection.execute(add, folders)
    files = [{"file_id": each} for each in file_ids]
    if files:
        connection.execute(upsert(scope).on_conflict_do_nothing(), files)
    engine_of(connection).index_temporary(connection, "staged_by_stat", staged, ["size_bytes", "mtime_ns"])


def count_staged(connection: Connection) -> dict[str, int]:
    """Return the number of staged files by `what`, and of those that are gone as "gone"."""
    counts = dict(connection.execute(select(staged.c.what, func.count()).group_by(staged.c.what)).all())
    counts["gone"] = connection.execute(select(func.count()).select_from(gone)).scalar_one()
    return counts


def staged_bytes(connection: Connection) -> int:
    """Return the total size of the files to read, in bytes."""
    return int(connection.execute(select(func.coalesce(func.sum(staged.c.size_bytes), 0))).scalar_one())


def gone_by_volume(connection: Connection) -> dict[int, int]:
    """Return volume id -> number of its files that are gone and do not seem to have moved.

    A new file elsewhere with the same name, size and mtime was moved along with its folder.
    """
    moved = exists().where(
        staged.c.what == "new",
        staged.c.size_bytes == file.c.size_bytes,
        staged.c.mtime_ns == file.c.mtime_ns,
        staged.c.name == file.c.name,
    )
    rows = connection.execute(
        select(gone.c.volume_id, func.count())
        .select_from(gone.join(file, file.c.id == gone.c.file_id))
        .where(~moved)
        .group_by(gone.c.volume_id)
    )
    return dict(rows.all())


def apply(connection: Connection, *, variant_id: int, derive: bool, retry_classes: Sequence[str] = ()) -> None:
    """Apply what was staged: folders, files, states and ingest tasks; then fill the work list.

    The work list has files staged as new or changed, files in scope that earlier scans left unfinished or that failed
    and can be retried, with `derive` those without a preview, and those quarantined with one of `retry_classes`.
    """
    now = time.time()
    _apply_folders(connection)
    _apply_states(connection, now)
    connection.execute(
        update(task)
        .where(task.c.stage == "ingest", task.c.subject_kind == "file", task.c.subject_id.in_(_staged_ids("changed")))
        .values(
            state="pending", attempts=0, error_class=None, error=None, dismissed_at=None, lease_owner=None,
            lease_until=None, not_before=None, priority=CHANGED_FILES_NEXT, updated_at=now,
        )
    )  # fmt: skip
    _ensure_tasks(connection, _staged_ids("new", "back"), variant_id, NEW_FILES_FIRST, now)
    _ensure_tasks(connection, _staged_ids("changed"), variant_id, CHANGED_FILES_NEXT, now)
    _fill_work(connection, derive=derive, retry_classes=retry_classes, now=now)
    engine_of(connection).index_temporary(connection, "staged_by_file", staged, ["file_id"])


def _apply_folders(connection: Connection) -> None:
    wanted = select(staged.c.volume_id, staged.c.folder_path).where(staged.c.file_id.is_(None)).distinct()
    connection.execute(upsert(folder).from_select(["volume_id", "path"], wanted).on_conflict_do_nothing())


def _apply_states(connection: Connection, now: float) -> None:
    of_folder = and_(folder.c.volume_id == staged.c.volume_id, folder.c.path == staged.c.folder_path)
    columns = ["folder_id", "name", "size_bytes", "mtime_ns", "state", "first_seen_at"]
    rows = (
        select(folder.c.id, staged.c.name, staged.c.size_bytes, staged.c.mtime_ns, literal("present"), literal(now))
        .select_from(staged.join(folder, of_folder))
        .where(staged.c.what == "new")
    )
    connection.execute(upsert(file).from_select(columns, rows).on_conflict_do_nothing())
    # Look up the ids of the new rows, for their tasks.
    same_file = and_(of_folder, file.c.folder_id == folder.c.id, file.c.name == staged.c.name)
    made = select(file.c.id).select_from(folder.join(file, file.c.folder_id == folder.c.id)).where(same_file)
    connection.execute(
        update(staged).where(staged.c.file_id.is_(None)).values(file_id=made.correlate(staged).scalar_subquery())
    )
    connection.execute(
        update(file)
        .where(file.c.id == staged.c.file_id, staged.c.what == "changed")
        .values(size_bytes=staged.c.size_bytes, mtime_ns=staged.c.mtime_ns, state="present", missing_since=None)
    )
    connection.execute(
        update(file).where(file.c.id.in_(_staged_ids("back"))).values(state="present", missing_since=None)
    )
    connection.execute(update(file).where(file.c.id.in_(select(left_out.c.file_id))).values(state="excluded"))
    connection.execute(
        update(file).where(file.c.id.in_(select(gone.c.file_id))).values(state="missing", missing_since=now)
    )
    for affected in (_staged_ids("back"), select(left_out.c.file_id), select(gone.c.file_id)):
        stale.mark_folders_of_files_unrelated(connection, affected)


def _staged_ids(*what: str) -> Any:
    return select(staged.c.file_id).where(staged.c.what.in_(what), staged.c.file_id.is_not(None))


def _ensure_tasks(connection: Connection, file_ids: Any, variant_id: int, priority: int, now: float) -> None:
    subject = file_ids.subquery()
    has_task = exists().where(
        task.c.subject_kind == "file", task.c.subject_id == subject.c.file_id, task.c.stage == "ingest"
    )
    columns = ["subject_kind", "subject_id", "stage", "variant_id", "state", "attempts", "priority", "updated_at"]
    rows = select(
        literal("file"), subject.c.file_id, literal("ingest"), literal(variant_id), literal("pending"), literal(0),
        literal(priority), literal(now),
    ).where(~has_task)  # fmt: skip
    connection.execute(upsert(task).from_select(columns, rows).on_conflict_do_nothing())


def _fill_work(connection: Connection, *, derive: bool, retry_classes: Sequence[str], now: float) -> None:
    of_file = and_(task.c.subject_kind == "file", task.c.subject_id == file.c.id, task.c.stage == "ingest")
    add = upsert(work)
    connection.execute(add.from_select(["file_id"], _staged_ids("new", "changed")).on_conflict_do_nothing())
    for state in ("pending", "failed"):
        unfinished = (
            select(file.c.id)
            .select_from(task.join(file, of_file))
            .where(predicates.has_state(state), file.c.state == "present", in_scope())
        )
        connection.execute(add.from_select(["file_id"], unfinished).on_conflict_do_nothing())
    quarantined = (
        select(file.c.id)
        .select_from(task.join(file, of_file))
        .where(
            predicates.has_state("quarantined"),
            task.c.error_class.in_(retry_classes),
            file.c.state == "present",
            in_scope(),
        )
    )
    connection.execute(add.from_select(["file_id"], quarantined).on_conflict_do_nothing())
    if derive:
        # Nested queries, so that SQLite starts from the few contents without previews and not from all tasks.
        no_preview = select(asset.c.id).where(predicates.without_preview())
        of_them = select(file.c.id).where(file.c.asset_id.in_(no_preview), file.c.state == "present", in_scope())
        done = select(task.c.subject_id).where(
            task.c.subject_kind == "file",
            task.c.subject_id.in_(of_them),
            task.c.stage == "ingest",
            task.c.state == "done",
        )
        connection.execute(add.from_select(["file_id"], done).on_conflict_do_nothing())
    connection.execute(
        update(task)
        .where(
            task.c.subject_kind == "file",
            task.c.stage == "ingest",
            task.c.state.in_(("failed", "quarantined", "done")),
            task.c.subject_id.in_(select(work.c.file_id)),
        )
        .values(state="pending", not_before=None, updated_at=now)
    )


def in_scope() -> Any:
    """Return the condition that `file` is in scope of this scan."""
    return or_(
        file.c.folder_id.in_(select(scope_folder.c.folder_id)),
        file.c.id.in_(select(scope.c.file_id)),
    )


def _seen() -> Any:
    """Return the condition that this walk found `file` unchanged at its known path."""
    listed = select(scope_folder.c.folder_id).where(scope_folder.c.listed)
    return and_(
        or_(file.c.folder_id.in_(listed), file.c.id.in_(select(scope.c.file_id))),
        or_(file.c.state == "present", file.c.id.in_(_staged_ids("back"))),
        *(file.c.id.not_in(select(table.c.file_id)) for table in (unseen, gone, left_out)),
        file.c.id.not_in(_staged_ids("new", "changed")),
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """Files that were found unchanged and need not be read; each is counted in exactly one field."""

    unchanged: int
    not_media: int
    sidecars: int
    quarantined: int
    dismissed: int


def count_settled(connection: Connection, *, same: int, same_not_media: int) -> Settled:
    """Break down the files that the walk found unchanged.

    same, same_not_media: number of these that are media and not media. Excludes files that must be read anyway, those
    in the work list (empty before `apply`). Only the exceptions are queried, so this is cheap for a million files.
    """
    to_read = select(func.count(), func.count(case((file.c.media.is_(False), 1)))).where(
        file.c.id.in_(select(work.c.file_id)), _seen()
    )
    read, read_not_media = connection.execute(to_read).one()
    of_file = and_(task.c.subject_kind == "file", task.c.subject_id == file.c.id, task.c.stage == "ingest")
    trouble = (
        select(func.count(), func.count(task.c.dismissed_at))
        .select_from(task.join(file, of_file))
        .where(predicates.has_state("quarantined"), _seen(), file.c.id.not_in(select(work.c.file_id)))
    )
    in_trouble, dismissed = connection.execute(trouble).one()
    known_sidecars = (
        select(func.count())
        .select_from(sidecar.join(file, file.c.id == sidecar.c.file_id))
        .where(file.c.media.is_(False), _seen(), file.c.id.not_in(select(work.c.file_id)))
    )
    sidecars = int(connection.execute(known_sidecars).scalar_one())
    return Settled(
        unchanged=same - (read - read_not_media) - in_trouble,
        not_media=same_not_media - read_not_media - sidecars,
        sidecars=sidecars,
        quarantined=in_trouble - dismissed,
        dismissed=dismissed,
    )


def count_work(connection: Connection) -> int:
    """Return the number of files to read."""
    return int(connection.execute(select(func.count()).select_from(work)).scalar_one())


def count_missing(connection: Connection) -> int:
    """Return the number of missing files in scope."""
    missing = select(func.count()).select_from(file).where(predicates.not_present(), file.c.state == "missing")
    return int(connection.execute(missing.where(in_scope())).scalar_one())


def count_gone_and_missing(connection: Connection) -> int:
    """Return the number of files that this walk did not find and that were not recognised at another path."""
    still = select(func.count()).select_from(file)
    of_walk = file.c.id.in_(select(gone.c.file_id))
    return int(connection.execute(still.where(of_walk, file.c.state == "missing")).scalar_one())


def work_subjects() -> Select[tuple[int]]:
    """Return a query for the file ids in the work list, for a claim on the same connection."""
    return select(work.c.file_id)


def waits_with_other_content(connection: Connection, file_id: int) -> bool:
    """Return whether a file was staged as changed and not read yet, so that its recorded content is outdated."""
    statement = select(staged.c.file_id).where(staged.c.file_id == file_id, staged.c.what == "changed")
    return connection.execute(statement).first() is not None
