"""The work of the ingest stage: the files that a scan has to read, as jobs for the decoder processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from photoindex.pipeline.ingest.commit import Committer
from photoindex.pipeline.ingest.worker import FileJob, Outcome
from photoindex.pipeline.run.executor import Finished, Job
from photoindex.pipeline.run.work import Recorded
from photoindex.stages.ingest import STAGE
from photoindex.store.files import files
from photoindex.store.scan import staging
from photoindex.store.tasks.queue import Claimed, Subjects
from photoindex.types import DerivedParams, Limits


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How files are ingested. jobs: number of worker processes. batch_size: files per commit."""

    jobs: int
    batch_size: int
    derived_folder: Path
    params: DerivedParams
    limits: Limits
    derive: bool


@dataclass(slots=True)
class IngestWork:
    """The work list of one scan; see `Work`."""

    settings: IngestSettings
    committer: Committer
    stage: str = STAGE.name
    phase: str = "reading"
    unit: str = "files"
    announces_failures: bool = True
    # All new paths come before changed files, so that a moved file is recognised before its old path gets new content.
    passes: Sequence[Sequence[int]] = ((staging.NEW_FILES_FIRST,), (staging.CHANGED_FILES_NEXT,))

    @property
    def variant_id(self) -> int:
        """The variant of the files' tasks."""
        return self.committer.variant_id

    @property
    def claim_size(self) -> int:
        """How many files are claimed at once: enough for one commit and for all workers."""
        return max(self.settings.batch_size, self.settings.jobs * 2)

    @property
    def commit_size(self) -> int:
        """How many files are committed at once."""
        return self.settings.batch_size

    @property
    def bytes_read(self) -> int:
        """Bytes of originals read so far."""
        return self.committer.tally.bytes

    def subjects(self) -> Subjects:
        """Return the files of the scan's work list."""
        return staging.work_subjects()

    def jobs(self, connection: Connection, claimed: Sequence[Claimed]) -> list[Job]:
        """Return a job for each claimed file."""
        rows = files.by_ids(connection, [each.subject_id for each in claimed])
        return [self._job(each, rows[each.subject_id]) for each in claimed]

    def path_of(self, job: Job) -> bytes:
        """Return the file's path."""
        file_job: FileJob = job.input
        return file_job.path

    def prepare(self, finished: Sequence[Finished]) -> None:
        """Load the table of place names if any of these files has a position."""
        self.committer.prepare([_outcome(each) for each in finished])

    def record(self, connection: Connection, finished: Sequence[Finished], *, owner: str) -> Recorded:  # noqa: ARG002
        """Write the outcomes; leases are not checked, because the library's lock excludes other scans."""
        recorded = Recorded()
        for each in finished:
            again = self.committer.record(connection, each.job, _outcome(each), recorded)
            if again is not None:
                recorded.again.append(replace(each.job, input=again))
        self.committer.finish_batch(connection)
        return recorded

    def _job(self, claimed: Claimed, row: files.FileRow) -> Job:
        settings = self.settings
        file_job = FileJob(
            file_id=row.id, path=row.path, name=row.name, derived_folder=settings.derived_folder, params=settings.params,
            limits=settings.limits, derive=settings.derive,
        )  # fmt: skip
        return Job(claimed.id, row.id, claimed.attempts + 1, file_job)


def _outcome(finished: Finished) -> Outcome:
    outcome: Outcome | None = finished.result
    return Outcome(finished.job.input, failure=finished.failure) if outcome is None else outcome
