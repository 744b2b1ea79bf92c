"""Ingests one file in a worker process: reads it once, recognises it, runs the stage, writes the derived files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from photoindex.errors import StorageFull
from photoindex.media.content import Content, read_content
from photoindex.media.problems import MediaProblem
from photoindex.pipeline.ingest import derived_files
from photoindex.stages.ingest import Ingested, ingest, recognise
from photoindex.types import Derived, DerivedParams, Described, Failure, Limits, PictureHash, SidecarRead


@dataclass(frozen=True, slots=True)
class FileJob:
    """One file to ingest.

    force: decode even if previews of this content exist. derive: False stops after hash and facts.
    """

    file_id: int
    path: bytes
    name: bytes
    derived_folder: Path
    params: DerivedParams
    limits: Limits
    derive: bool
    force: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one file.

    digest: BLAKE3 (32 bytes), None if the bytes could not be read. stat: (size, mtime_ns) when it was read. reused:
    previews of this content already existed, so nothing was described or decoded. vanished: the file no longer exists.
    sidecar: the facts of a sidecar; `not_media` is set too.
    """

    job: FileJob
    digest: bytes | None = None
    stat: tuple[int, int] | None = None
    described: Described | None = None
    perceptual_hash: int | None = None
    picture_hash: PictureHash | None = None
    derived: bool = False
    notes: tuple[str, ...] = ()
    reused: bool = False
    not_media: str | None = None
    sidecar: SidecarRead | None = None
    failure: Failure | None = None
    vanished: bool = False
    seconds: float = 0.0


def ingest_file(job: FileJob) -> Outcome:
    """Ingest one file; its problems are in the outcome. Raises StorageFull if previews cannot be written."""
    started = time.perf_counter()
    content = _read(job)
    if isinstance(content, Outcome):
        return content
    stat = (content.size_bytes, content.mtime_ns)
    seen = recognise(content, job.name)
    if isinstance(seen, Ingested):
        return Outcome(job, content.digest, stat, not_media=seen.not_media, sidecar=seen.sidecar, failure=seen.failure)
    if job.derive and not job.force and derived_files.exist(job.derived_folder, content.digest):
        return Outcome(job, content.digest, stat, reused=True, seconds=time.perf_counter() - started)
    try:
        result = ingest(content, seen, job.params, job.limits, derive=job.derive)
    except OSError as error:
        # Large files are not kept in memory but reopened by the decoder; a NAS may be offline by then.
        return Outcome(job, content.digest, stat, failure=_unreadable(error), seconds=time.perf_counter() - started)
    if result.derived is not None:
        _write(job, content.digest, result.derived)
    return Outcome(
        job,
        content.digest,
        stat,
        described=result.described,
        perceptual_hash=result.derived.perceptual_hash if result.derived else None,
        picture_hash=result.derived.picture_hash if result.derived else None,
        derived=result.derived is not None,
        notes=result.derived.notes if result.derived else (),
        failure=result.failure,
        seconds=time.perf_counter() - started,
    )


def _read(job: FileJob) -> Content | Outcome:
    try:
        return read_content(job.path)
    except (FileNotFoundError, NotADirectoryError):
        return Outcome(job, vanished=True)
    except OSError as error:
        return Outcome(job, failure=_unreadable(error))
    except MediaProblem as problem:
        return Outcome(job, failure=Failure(problem.error_class, str(problem)))


def _unreadable(error: OSError) -> Failure:
    return Failure("unreadable", f"cannot be read: {error.strerror or error}", retry=True)


def _write(job: FileJob, digest: bytes, derived: Derived) -> None:
    try:
        derived_files.write(job.derived_folder, digest, derived)
    except OSError as error:
        # This is not the file's fault, so the run must stop.
        raise StorageFull(
            f"previews cannot be written ({error.strerror}: {job.derived_folder}); free some space and run the command again"
        ) from error
