"""From the outcome of one file to rows: which asset, which photo, and what the summary counts it as."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from photoindex.pipeline.ingest.worker import FileJob, Outcome
from photoindex.pipeline.resolve.photo import Resolver
from photoindex.pipeline.resolve.relate import regroup
from photoindex.store.files import files
from photoindex.store.files.files import FileRow
from photoindex.store.photos import assets, corrections, pairs, sidecars
from photoindex.store.photos.assets import AssetRow, Made
from photoindex.store.scan import staging
from photoindex.store.tasks import embed_tasks, queue, stale

MAX_ATTEMPTS = 3
"""A file that cannot be opened is tried on so many scans before it waits for a change or for `retry`."""


@dataclass(slots=True)
class Tally:
    """What the files that were read came to; each is in exactly one of these."""

    new: int = 0
    changed: int = 0
    moved: int = 0
    duplicate: int = 0
    unchanged: int = 0
    quarantined: int = 0
    excluded: int = 0
    sidecar: int = 0
    vanished: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One file that was given up, for the log and the terminal."""

    path: bytes
    error_class: str
    message: str


@dataclass(slots=True)
class Committer:
    """Writes outcomes; every call to `record` belongs to one write transaction of the caller's.

    `is_online` tells whether a volume is mounted now. What a file's pairs, sidecars and neighbours come to is left for
    `refresh`, which needs to see whole folders; `finish_batch` marks these.
    """

    owner: str
    variant_id: int
    resolver: Resolver
    is_online: Callable[[int], bool]
    tally: Tally = field(default_factory=Tally)
    _folders: set[int] = field(default_factory=set)
    _decided: set[int] = field(default_factory=set)
    _finished: list[tuple[int, float]] = field(default_factory=list)

    def prepare(self, outcomes: Iterable[Outcome]) -> None:
        """Get ready for these outcomes; to be called before the transaction that records them."""
        if any(map(_has_position, outcomes)):
            self.resolver.places.prepare()

    def record(self, connection: Connection, outcome: Outcome) -> Quarantined | FileJob | None:
        """Write one outcome.

        Returns what was quarantined, or a job to run again with `force` where previews of the content lie on disk but the
        database does not count on them (a crash came between the two, or `redo` wants new ones), else None.
        """
        row = files.by_id(connection, outcome.job.file_id)
        if row is None:
            return None  # forgotten while it was read
        self._folders.add(row.folder_id)
        if outcome.vanished:
            files.forget_vanished(connection, row.id)
            self.tally.vanished += 1
            return None
        if outcome.stat is not None and not outcome.job.force:  # what is read again for its facts counts once
            self.tally.bytes += outcome.stat[0]
        if outcome.not_media is not None and outcome.stat is not None:
            self._take_other(connection, outcome, row.id, outcome.stat)
            return None
        if outcome.digest is None or (outcome.described is None and not outcome.reused):
            files.holds_no_known_content(connection, row.id)
            return self._quarantine(connection, outcome, row)
        known = assets.by_digest(connection, outcome.digest)
        if outcome.reused and (known is None or not known.derived):
            return FileJob(
                **{name: getattr(outcome.job, name) for name in FileJob.__slots__ if name != "force"}, force=True
            )
        return self._take_in(connection, outcome, row, known)

    def finish_batch(self, connection: Connection) -> None:
        """Mark the tasks and the folders of what was recorded, in the transaction that recorded it."""
        queue.finish(connection, owner=self.owner, variant_id=self.variant_id, done=self._finished)
        self._finished.clear()
        if self._decided:
            regroup(connection, self._decided)
            self._decided.clear()
        stale.mark_unrelated(connection, self._folders)
        self._folders.clear()

    def _take_other(self, connection: Connection, outcome: Outcome, file_id: int, stat: tuple[int, int]) -> None:
        """Take what is no photo or video: a sidecar, or none of ours."""
        files.link(connection, file_id, asset_id=None, media=False, reason=outcome.not_media, stat=stat)
        self._done(outcome)
        if outcome.sidecar is None:
            self._forget_sidecar(connection, file_id)
            self.tally.excluded += 1
            return
        sidecars.store(connection, file_id, outcome.sidecar)
        stale.resolve_later(connection, sidecars.photos_of_sidecar(connection, file_id))
        self.tally.sidecar += 1

    def _forget_sidecar(self, connection: Connection, file_id: int) -> None:
        """The file is none any more: the photos that heard it hear it no longer."""
        stale.resolve_later(connection, sidecars.photos_of_sidecar(connection, file_id))
        sidecars.forget(connection, file_id)

    def _take_in(
        self, connection: Connection, outcome: Outcome, row: FileRow, known: AssetRow | None
    ) -> Quarantined | None:
        others = files.elsewhere(connection, known.id, but=row.id) if known is not None else []
        asset_id, photo_id, verdict = self._identify(connection, outcome, row, known, is_copy=bool(others))
        kept = row
        if verdict == "duplicate":
            moved_from = self._moved_from(row, others)
            if moved_from is not None:
                self._folders.add(moved_from.folder_id)
                files.take_over(connection, kept=moved_from.id, newcomer=row)
                kept = moved_from
            left = all(staging.waits_with_other_content(connection, other.id) for other in others)
            verdict = "moved" if moved_from is not None or left else "duplicate"
        assert outcome.stat is not None
        if row.media is False:
            self._forget_sidecar(connection, row.id)
        files.link(connection, kept.id, asset_id=asset_id, media=True, reason=None, stat=outcome.stat)
        self.resolver.refresh(connection, photo_id)
        if outcome.failure is not None:
            return self._quarantine(connection, outcome, row, kept=kept)
        if kept.id != row.id:
            queue.settle_subject(connection, kept.id, stage="ingest", failure=None)
        else:
            self._done(outcome)
        setattr(self.tally, verdict, getattr(self.tally, verdict) + 1)
        return None

    def _identify(
        self, connection: Connection, outcome: Outcome, row: FileRow, known: AssetRow | None, *, is_copy: bool
    ) -> tuple[int, int, str]:
        """Return (asset id, photo id, verdict) for the content, making what is not there yet."""
        made = Made(self.variant_id, outcome.perceptual_hash, outcome.derived, outcome.notes)
        if known is not None:
            if outcome.described is not None and (outcome.derived or not known.derived):
                assets.update_asset(connection, known.id, described=outcome.described, made=made)
                if outcome.derived:
                    embed_tasks.preview_was_made_anew(connection, known.id)
            photo_id = known.photo_id
            if known.role == assets.SUPERSEDED and known.replaced_by is not None:
                photo_id = self._stand_again(connection, known, row)
            if row.asset_id is None:
                return known.id, photo_id, "duplicate" if is_copy else "new"
            return known.id, photo_id, "unchanged" if row.asset_id == known.id else "changed"
        assert outcome.described is not None
        assert outcome.digest is not None
        assert outcome.stat is not None
        earlier = self._edited(connection, row)
        if earlier is None:
            photo_id = assets.add_photo(connection, outcome.described, outcome.stat[0])
        else:
            photo_id = earlier.photo_id
        asset_id = assets.add_asset(
            connection, digest=outcome.digest, size_bytes=outcome.stat[0], described=outcome.described, made=made, photo_id=photo_id,
        )  # fmt: skip
        if earlier is not None:
            assets.take_place_of(connection, asset_id, earlier=earlier)
        elif row.asset_id is not None:
            self._hear_what_was_said(connection, asset_id, earlier=row.asset_id)
        return asset_id, photo_id, "new" if row.asset_id is None else "changed"

    def _hear_what_was_said(self, connection: Connection, asset_id: int, *, earlier: int) -> None:
        """A file was edited of which a copy stays as it was: corrections and decisions hold for both from now on."""
        corrections.copy(connection, source=earlier, target=asset_id)
        if pairs.copy_decisions(connection, source=earlier, target=asset_id):
            self._decided.add(asset_id)

    def _edited(self, connection: Connection, row: FileRow) -> AssetRow | None:
        """Return the content that a file's new one takes the place of: it is nowhere else any more."""
        if row.asset_id is None or files.is_present_elsewhere(connection, row.asset_id, but=row.id):
            return None
        previous = assets.by_id(connection, row.asset_id)
        if previous is None or assets.latest(connection, previous).id != previous.id:
            return None  # another file went on with that photo
        return previous

    def _stand_again(self, connection: Connection, known: AssetRow, row: FileRow) -> int:
        """A file went back to an earlier content; return the photo: its own where the later content is still somewhere."""
        later = assets.latest(connection, known)
        if not files.is_present_elsewhere(connection, later.id, but=row.id):
            assets.take_place_of(connection, known.id, earlier=later)
            return known.photo_id
        photo_id = pairs.copy_photo(connection, known.photo_id)
        assets.stand_alone(connection, known.id, photo_id=photo_id)
        return photo_id

    def _moved_from(self, row: FileRow, others: list[FileRow]) -> FileRow | None:
        """Return the file row that this new path continues: same content, and not where it was."""
        for other in sorted(others, key=lambda other: (other.state != "missing", other.name != row.name)):
            if other.state == "missing" or other.path == row.path:
                return other
            if other.state == "present" and self.is_online(other.volume_id) and not os.path.lexists(other.path):
                return other
        return None

    def _quarantine(
        self, connection: Connection, outcome: Outcome, row: FileRow, *, kept: FileRow | None = None
    ) -> Quarantined:
        failure = outcome.failure
        assert failure is not None
        self.tally.quarantined += 1
        final = not failure.retry or outcome.job.attempts >= MAX_ATTEMPTS
        if kept is not None and kept.id != row.id:
            # The row that was taken over keeps its own task; the newcomer's is gone with its row.
            queue.settle_subject(connection, kept.id, stage="ingest", failure=failure)
        else:
            queue.fail(
                connection, outcome.job.task_id, owner=self.owner, failure=failure, seconds=outcome.seconds, final=final
            )
        return Quarantined(row.path, failure.error_class, failure.message)

    def _done(self, outcome: Outcome) -> None:
        """Let the file's task be marked done at the end of the batch, all of them by one statement."""
        self._finished.append((outcome.job.task_id, outcome.seconds))


def _has_position(outcome: Outcome) -> bool:
    sources = [] if outcome.described is None else [*outcome.described.facts.values()]
    if outcome.sidecar is not None:
        sources.append(outcome.sidecar.facts)
    return any("latitude" in facts for facts in sources)
