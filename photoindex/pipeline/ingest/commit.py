"""Turns the outcome of a file into rows: its asset, its photo, and its verdict in the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import Connection

from photoindex import file_access
from photoindex.domain.same_picture.hashes import VERSION as HASH_VERSION
from photoindex.pipeline.ingest.worker import FileJob, Outcome
from photoindex.pipeline.resolve.photo import Resolver
from photoindex.pipeline.resolve.relate import regroup
from photoindex.pipeline.run.executor import Job
from photoindex.pipeline.run.work import FailedTask, Recorded
from photoindex.progress import FileQuarantined
from photoindex.stages import stages_of_previews
from photoindex.stages.ingest import STAGE
from photoindex.store.files import files
from photoindex.store.files.files import FileRow
from photoindex.store.people.hand_over import hand_over
from photoindex.store.photos import assets, corrections, hashes, pairs, sidecars
from photoindex.store.photos.assets import AssetRow, Made
from photoindex.store.scan import staging
from photoindex.store.tasks import asset_tasks, queue, stale
from photoindex.store.words import albums, photo_tags, resolved


class FileVerdict(StrEnum):
    """How the summary of a scan counts a file; each file that was read has one."""

    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    UNCHANGED = "unchanged"
    QUARANTINED = "quarantined"
    EXCLUDED = "excluded"
    SIDECAR = "sidecar"
    VANISHED = "vanished"


@dataclass(slots=True)
class IngestTally:
    """Number of files per verdict. bytes: of originals that were read."""

    files: Counter[FileVerdict] = field(default_factory=Counter)
    bytes: int = 0


@dataclass(slots=True)
class Committer:
    """Writes outcomes, in the caller's write transaction.

    `is_online` tells whether a volume is mounted now. Pairs, sidecars and neighbours are left to the refresh after an
    ingest, because it needs whole folders; `finish_batch` marks the folders.
    """

    variant_id: int
    resolver: Resolver
    is_online: Callable[[int], bool]
    tally: IngestTally = field(default_factory=IngestTally)
    _folders: set[int] = field(default_factory=set)
    _decided: set[int] = field(default_factory=set)
    _photos: set[int] = field(default_factory=set)

    def prepare(self, outcomes: Iterable[Outcome]) -> None:
        """Prepare for these outcomes; call it before the transaction that records them."""
        if any(map(_has_position, outcomes)):
            self.resolver.places.prepare()

    def record(self, connection: Connection, job: Job, outcome: Outcome, recorded: Recorded) -> FileJob | None:
        """Write one outcome and add the new state of its task to `recorded`.

        Return a file job to run again with `force` if previews of the content exist but the database does not list them
        (a crash in between, or `redo` requested new ones), else None.
        """
        row = files.by_id(connection, outcome.job.file_id)
        if row is None:
            return None  # removed from the library while it was read
        self._folders.add(row.folder_id)
        if outcome.vanished:
            files.forget_vanished(connection, row.id)
            self.tally.files[FileVerdict.VANISHED] += 1
            return None
        if outcome.stat is not None and not outcome.job.force:  # a file that is read twice counts once
            self.tally.bytes += outcome.stat[0]
        if outcome.not_media is not None and outcome.stat is not None:
            self._record_other(connection, outcome, row.id, outcome.stat)
            recorded.done.append((job.task_id, outcome.seconds))
            return None
        if outcome.digest is None or (outcome.described is None and not outcome.reused):
            files.clear_content(connection, row.id)
            self._fail(job, outcome, row, recorded)
            return None
        known = assets.by_digest(connection, outcome.digest)
        if outcome.reused and (known is None or not known.derived):
            return replace(outcome.job, force=True)
        self._record_media(connection, job, outcome, (row, known), recorded)
        return None

    def finish_batch(self, connection: Connection) -> None:
        """Bring up to date what follows from the recorded files, and mark their folders as stale, in the same transaction."""
        if self._decided:
            regroup(connection, self._decided)
            self._decided.clear()
        resolved.follow(connection, self._photos)
        self._photos.clear()
        stale.mark_unrelated(connection, self._folders)
        self._folders.clear()

    def _record_other(self, connection: Connection, outcome: Outcome, file_id: int, stat: tuple[int, int]) -> None:
        """Record a file that is not a photo or video: a sidecar, or anything else."""
        files.link(connection, file_id, asset_id=None, media=False, reason=outcome.not_media, stat=stat)
        if outcome.sidecar is None:
            self._forget_sidecar(connection, file_id)
            self.tally.files[FileVerdict.EXCLUDED] += 1
            return
        changed = sidecars.store(connection, file_id, outcome.sidecar)
        stale.resolve_later(connection, sidecars.photos_of_sidecar(connection, file_id, parts=changed))
        self.tally.files[FileVerdict.SIDECAR] += 1

    def _forget_sidecar(self, connection: Connection, file_id: int) -> None:
        """Forget a file that is no longer a sidecar, and mark the photos that used its facts as stale."""
        stale.resolve_later(connection, sidecars.photos_of_sidecar(connection, file_id))
        sidecars.forget(connection, file_id)

    def _record_media(
        self,
        connection: Connection,
        job: Job,
        outcome: Outcome,
        found: tuple[FileRow, AssetRow | None],
        recorded: Recorded,
    ) -> None:
        row, known = found
        others = files.elsewhere(connection, known.id, but=row.id) if known is not None else []
        asset_id, photo_id, verdict = self._identify(connection, outcome, row, known, is_copy=bool(others))
        kept = row
        if verdict is FileVerdict.DUPLICATE:
            moved_from = self._find_moved_from(row, others)
            if moved_from is not None:
                self._folders.add(moved_from.folder_id)
                files.take_over(connection, kept=moved_from.id, newcomer=row)
                kept = moved_from
            replaced = all(staging.waits_with_other_content(connection, other.id) for other in others)
            verdict = FileVerdict.MOVED if moved_from is not None or replaced else FileVerdict.DUPLICATE
        assert outcome.stat is not None
        if row.media is False:
            self._forget_sidecar(connection, row.id)
        files.link(connection, kept.id, asset_id=asset_id, media=True, reason=None, stat=outcome.stat)
        if outcome.picture_hash is not None:
            hashes.put(connection, {asset_id: outcome.picture_hash}, version=HASH_VERSION)
        self.resolver.resolve(connection, photo_id)
        self._photos.add(photo_id)
        if kept.id != row.id:
            # The old row keeps its own task; the new row was deleted together with its task.
            queue.finish_file_task(connection, kept.id, stage=STAGE.name, failure=outcome.failure)
        elif outcome.failure is None:
            recorded.done.append((job.task_id, outcome.seconds))
        if outcome.failure is None:
            self.tally.files[verdict] += 1
        elif kept.id == row.id:
            self._fail(job, outcome, row, recorded)
        else:
            self.tally.files[FileVerdict.QUARANTINED] += 1
            recorded.quarantined.append(FileQuarantined(row.path, outcome.failure.error_class, outcome.failure.message))

    def _identify(
        self, connection: Connection, outcome: Outcome, row: FileRow, known: AssetRow | None, *, is_copy: bool
    ) -> tuple[int, int, FileVerdict]:
        """Return (asset id, photo id, verdict) for the content, creating asset and photo if needed."""
        made = Made(self.variant_id, outcome.perceptual_hash, outcome.derived, outcome.notes)
        if known is not None:
            if outcome.described is not None and (outcome.derived or not known.derived):
                assets.update_asset(connection, known.id, described=outcome.described, made=made)
                if outcome.derived:
                    asset_tasks.reset_after_new_preview(connection, known.id, stages_of_previews())
            photo_id = known.photo_id
            if known.role == assets.SUPERSEDED and known.replaced_by is not None:
                photo_id = self._restore_earlier_content(connection, known, row)
            if row.asset_id is None:
                return known.id, photo_id, FileVerdict.DUPLICATE if is_copy else FileVerdict.NEW
            return known.id, photo_id, FileVerdict.UNCHANGED if row.asset_id == known.id else FileVerdict.CHANGED
        assert outcome.described is not None
        assert outcome.digest is not None
        assert outcome.stat is not None
        earlier = self._replaced_content(connection, row)
        if earlier is None:
            photo_id = assets.add_photo(connection, outcome.described, outcome.stat[0])
        else:
            photo_id = earlier.photo_id
        asset_id = assets.add_asset(
            connection, digest=outcome.digest, size_bytes=outcome.stat[0], described=outcome.described, made=made, photo_id=photo_id,
        )  # fmt: skip
        if earlier is not None:
            self._take_place(connection, asset_id, earlier)
        elif row.asset_id is not None:
            self._inherit_corrections(connection, asset_id, earlier=row.asset_id)
        return asset_id, photo_id, FileVerdict.NEW if row.asset_id is None else FileVerdict.CHANGED

    def _take_place(self, connection: Connection, asset_id: int, earlier: AssetRow) -> None:
        """Replace a content by another one, which gets what was said about the faces of `earlier`."""
        assets.take_place_of(connection, asset_id, earlier=earlier)
        hand_over(connection, source=earlier.id, target=asset_id)

    def _inherit_corrections(self, connection: Connection, asset_id: int, *, earlier: int) -> None:
        """Copy a person's words and decisions to the content of an edited file; an unedited copy keeps its own."""
        corrections.copy(connection, source=earlier, target=asset_id)
        photo_tags.copy(connection, source=earlier, target=asset_id)
        albums.copy(connection, source=earlier, target=asset_id)
        hand_over(connection, source=earlier, target=asset_id)
        if pairs.copy_decisions(connection, source=earlier, target=asset_id):
            self._decided.add(asset_id)

    def _replaced_content(self, connection: Connection, row: FileRow) -> AssetRow | None:
        """Return the content that an edit of this file replaces, None if another file still has it."""
        if row.asset_id is None or files.is_present_elsewhere(connection, row.asset_id, but=row.id):
            return None
        previous = assets.by_id(connection, row.asset_id)
        if previous is None or assets.latest(connection, previous).id != previous.id:
            return None  # it was already replaced through another file
        return previous

    def _restore_earlier_content(self, connection: Connection, known: AssetRow, row: FileRow) -> int:
        """Record that a file was reverted to an earlier content; return its photo.

        It becomes a photo of its own if another file still has the later content.
        """
        later = assets.latest(connection, known)
        if not files.is_present_elsewhere(connection, later.id, but=row.id):
            self._take_place(connection, known.id, later)
            return known.photo_id
        photo_id = pairs.copy_photo(connection, known.photo_id)
        assets.stand_alone(connection, known.id, photo_id=photo_id)
        return photo_id

    def _find_moved_from(self, row: FileRow, others: list[FileRow]) -> FileRow | None:
        """Return the row of the file that was moved to this path: same content, no longer at its old path."""
        for other in sorted(others, key=lambda other: (other.state != "missing", other.name != row.name)):
            if other.state == "missing" or other.path == row.path:
                return other
            if other.state == "present" and self.is_online(other.volume_id) and not file_access.exists(other.path):
                return other
        return None

    def _fail(self, job: Job, outcome: Outcome, row: FileRow, recorded: Recorded) -> None:
        assert outcome.failure is not None
        self.tally.files[FileVerdict.QUARANTINED] += 1
        recorded.failed.append(FailedTask(job, outcome.failure, row.path, outcome.seconds))


def _has_position(outcome: Outcome) -> bool:
    sources = [] if outcome.described is None else [*outcome.described.facts.values()]
    if outcome.sidecar is not None:
        sources.append(outcome.sidecar.facts)
    return any("latitude" in facts for facts in sources)
