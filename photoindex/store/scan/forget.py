"""Forget missing files: delete their rows and dependent rows, with a journal entry so that it can be undone."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    type_coerce,
)

from photoindex.domain.people.values import FIXED
from photoindex.store.engine import predicates
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import json_value
from photoindex.store.files.files import join
from photoindex.store.files.locations import Location, folder_is_within
from photoindex.store.journal.journal import Change, record, rows_as_changes
from photoindex.store.people import summaries
from photoindex.store.photos import pairs
from photoindex.store.schema.tables import (
    album,
    album_asset,
    asset,
    asset_tag,
    asset_with_repeats,
    assignment,
    correction,
    file,
    folder,
    individual,
    journal,
    journal_change,
    pair_decision,
    pair_link,
    photo,
    photo_text,
    photo_to_resolve,
    region,
    rejection,
    sidecar,
    sidecar_link,
    sidecar_part,
    tag_rejection,
    task,
    vector,
    volume,
)
from photoindex.store.tasks import stale
from photoindex.store.words.albums import OWN

_temporary = MetaData()
_files = Table("forgotten_file", _temporary, Column("id", Integer, primary_key=True), prefixes=["TEMPORARY"])
_photos = Table("forgotten_photo", _temporary, Column("id", Integer, primary_key=True), prefixes=["TEMPORARY"])
_remaining_photos = Table(
    "photo_that_stays", _temporary, Column("id", Integer, primary_key=True), prefixes=["TEMPORARY"]
)

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ForgetFilter:
    """Selects missing files that meet all given criteria. missing_before: UTC seconds since 1970."""

    file_ids: tuple[int, ...] = ()
    locations: tuple[Location, ...] = ()
    volume_ids: tuple[int, ...] = ()
    missing_before: float | None = None

    @property
    def is_everything(self) -> bool:
        """Whether the filter selects every missing file."""
        return self == ForgetFilter()


@dataclass(frozen=True, slots=True)
class ForgetPlan:
    """What would be deleted: `files`, `photos` left without files and their `contents`, counted; `bytes` of the files."""

    files: int
    photos: int
    contents: int
    bytes: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be deleted."""
        return self.files == 0 and self.photos == 0


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file to forget; `missing_since` is UTC seconds since 1970."""

    id: int
    path: bytes
    size_bytes: int
    missing_since: float | None
    photo_id: int | None


def missing_files(connection: Connection, wanted: ForgetFilter, *, after_id: int, rows: int) -> list[MissingFile]:
    """Return up to `rows` files that match `wanted` and have an id above `after_id`, by id."""
    statement = (
        select(file, folder.c.path.label("folder_path"), volume.c.mount_point, asset.c.photo_id)
        .join(folder, folder.c.id == file.c.folder_id)
        .join(volume, volume.c.id == folder.c.volume_id)
        .outerjoin(asset, asset.c.id == file.c.asset_id)
        .where(_matches(wanted), file.c.id > after_id)
        .order_by(file.c.id)
        .limit(rows)
    )
    return [
        MissingFile(
            row.id, join(row.mount_point, row.folder_path, row.name), row.size_bytes, row.missing_since, row.photo_id
        )
        for row in connection.execute(statement)
    ]


def plan(connection: Connection, wanted: ForgetFilter) -> ForgetPlan:
    """Select what to delete into temporary tables of this connection, for `carry_out`, and count it.

    A photo is deleted with all its contents, superseded ones too, if none of them has a file left. If the filter
    selects every missing file, photos that lost their files in other ways are deleted too.
    """
    _temporary.drop_all(connection)
    _temporary.create_all(connection)
    chosen = select(file.c.id).join(folder, folder.c.id == file.c.folder_id).where(_matches(wanted))
    connection.execute(insert(_files).from_select(["id"], chosen))
    touched = (
        select(asset.c.photo_id).join(file, file.c.asset_id == asset.c.id).where(file.c.id.in_(select(_files.c.id)))
    )
    stays = or_(file.c.state == "present", file.c.id.not_in(select(_files.c.id)))
    of_primary = exists().where(file.c.asset_id == photo.c.primary_asset_id, stays)
    of_any = exists().where(asset.c.photo_id == photo.c.id, file.c.asset_id == asset.c.id, stays)
    # Nearly every photo keeps a file of its primary content, and that is one lookup in an index.
    loses_all = and_(~of_primary.correlate(photo), ~of_any.correlate(photo))
    candidates = true() if wanted.is_everything else photo.c.id.in_(touched)
    connection.execute(insert(_photos).from_select(["id"], select(photo.c.id).where(candidates, loses_all)))
    remaining = touched.distinct().where(asset.c.photo_id.not_in(select(_photos.c.id)))
    connection.execute(insert(_remaining_photos).from_select(["id"], remaining))
    size = select(func.coalesce(func.sum(file.c.size_bytes), 0)).where(file.c.id.in_(select(_files.c.id)))
    return ForgetPlan(
        files=_count(connection, select(_files.c.id)),
        photos=_count(connection, select(_photos.c.id)),
        contents=_count(connection, select(asset.c.id).where(asset.c.photo_id.in_(select(_photos.c.id)))),
        bytes=int(connection.execute(size).scalar_one()),
    )


def carry_out(connection: Connection, *, command: str, summary: str) -> int:
    """Delete what `plan` selected and record it in the journal; return the id of the entry.

    Marks remaining photos that lost a file as needing resolution, and the folders of deleted files as needing pairing.
    Call it in the write transaction of `plan`. Memory stays flat.
    """
    stale.mark_folders_of_files_unrelated(connection, select(_files.c.id))
    stale.resolve_all_later(connection, select(_remaining_photos.c.id))
    _drop_results(connection)
    return record(connection, command=command, summary=summary, changes=_changes(connection))


def _drop_results(connection: Connection) -> None:
    """Delete model results and tasks of the deleted contents: contents restored by an undo are embedded again."""
    assets = select(asset.c.id).where(asset.c.photo_id.in_(select(_photos.c.id)))
    summaries.forget_of_assets(connection, assets)
    of_model_stages = and_(task.c.subject_kind == "asset", task.c.subject_id.in_(assets))
    connection.execute(delete(task).where(of_model_stages))
    connection.execute(delete(vector).where(vector.c.asset_id.in_(assets)))


def contents_without_file(connection: Connection) -> set[int]:
    """Return contents of remaining photos whose last file was deleted by `carry_out`; call it afterwards."""
    return pairs.without_file(connection, select(_remaining_photos.c.id))


def _changes(connection: Connection) -> Iterator[Change]:
    for table, condition in _rows_to_delete():
        yield from rows_as_changes(connection, table, select(table).where(condition))
    for table, condition in _rows_to_delete():
        connection.execute(delete(table).where(condition))


def _rows_to_delete() -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    """Return every table that loses rows and which, children before parents; undo uses the reverse order."""
    photos = select(_photos.c.id)
    assets = select(asset.c.id).where(asset.c.photo_id.in_(photos))
    files = select(_files.c.id)
    return (
        (task, and_(task.c.subject_kind == "file", task.c.subject_id.in_(files))),
        (sidecar_link, or_(sidecar_link.c.file_id.in_(files), sidecar_link.c.sidecar_id.in_(files))),
        (sidecar_part, sidecar_part.c.sidecar_id.in_(files)),
        (sidecar, sidecar.c.file_id.in_(files)),
        (pair_link, or_(pair_link.c.asset_id.in_(assets), pair_link.c.other_asset_id.in_(assets))),
        (pair_decision, or_(pair_decision.c.asset_id.in_(assets), pair_decision.c.other_asset_id.in_(assets))),
        (correction, correction.c.asset_id.in_(assets)),
        *_words_to_delete(assets),
        (photo_to_resolve, photo_to_resolve.c.photo_id.in_(photos)),
        (file, file.c.id.in_(files)),
        *_people_to_delete(assets),
        (photo_text, photo_text.c.photo_id.in_(photos)),
        (asset, asset.c.photo_id.in_(photos)),
        (photo, photo.c.id.in_(photos)),
    )


def _people_to_delete(assets: Select[tuple[int]]) -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    """Return the rows with a person's word about the regions of these contents; a model finds their other regions again."""
    fixed = exists().where(assignment.c.region_id == region.c.id, assignment.c.how.in_([each.value for each in FIXED]))
    rejected = exists().where(rejection.c.region_id == region.c.id)
    cover = exists().where(individual.c.cover_id == region.c.id)
    regions = select(region.c.id).where(region.c.asset_id.in_(assets), or_(fixed, rejected, cover))
    return (
        (rejection, rejection.c.region_id.in_(regions)),
        (assignment, assignment.c.region_id.in_(regions)),
        (region, region.c.id.in_(regions)),
        (asset_with_repeats, asset_with_repeats.c.asset_id.in_(assets)),
    )


def _words_to_delete(assets: Select[tuple[int]]) -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    """Return what a person said in words about deleted contents; keywords and other albums come back with their files."""
    own = select(album.c.id).where(album.c.kind == OWN)
    return (
        (asset_tag, asset_tag.c.asset_id.in_(assets)),
        (tag_rejection, tag_rejection.c.asset_id.in_(assets)),
        (album_asset, and_(album_asset.c.asset_id.in_(assets), album_asset.c.album_id.in_(own))),
    )


def _matches(wanted: ForgetFilter) -> ColumnElement[bool]:
    # `not_present` repeats the condition of a partial index.
    conditions: list[ColumnElement[bool]] = [file.c.state == "missing", predicates.not_present()]
    if wanted.file_ids or wanted.locations:
        conditions.append(
            or_(file.c.id.in_(wanted.file_ids), *(folder_is_within(location) for location in wanted.locations))
        )
    if wanted.volume_ids:
        conditions.append(folder.c.volume_id.in_(wanted.volume_ids))
    if wanted.missing_before is not None:
        conditions.append(file.c.missing_since < wanted.missing_before)
    return and_(*conditions)


def _count(connection: Connection, rows: Select[Any]) -> int:
    return int(connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one())


def known_digests(connection: Connection, digests: Sequence[bytes]) -> set[bytes]:
    """Return those of some digests that are in the library."""
    found: set[bytes] = set()
    for chunk in chunks(digests, _CHUNK):
        found.update(connection.execute(select(asset.c.digest).where(asset.c.digest.in_(chunk))).scalars())
    return found


def digests_that_undo_brings_back(connection: Connection) -> set[bytes]:
    """Return the digests of deleted contents that undo could still restore."""
    # `store.journal` writes bytes as {"base64": "..."}.
    digest = json_value(type_coerce(journal_change.c.before, Text), "$.digest.base64")
    statement = (
        select(digest)
        .join(journal, journal.c.id == journal_change.c.journal_id)
        .where(
            journal_change.c.table_name == "asset", journal_change.c.before.is_not(None), journal.c.undone_by.is_(None)
        )
    )
    return {base64.b64decode(one) for one in connection.execute(statement).scalars() if one is not None}
