"""Reads the metadata of single files without a library; nothing is stored, and no sidecars are read."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, fields, replace
from itertools import islice

from photoindex import file_access
from photoindex.config.schema import Config
from photoindex.library.limit_settings import with_settings
from photoindex.media.content import HEAD_BYTES, Content, read_content
from photoindex.media.problems import MediaProblem, NotRecognised
from photoindex.paths import to_text
from photoindex.pipeline.workers.isolation import (
    WorkerPool,
    failure_of,
    killed_externally,
    start_forkserver,
    was_killed,
    workers,
)
from photoindex.stages.ingest import Ingested, recognise
from photoindex.types import Described, Facts, Failure, Limits, Resolved

_HOLD_BYTES = 64 << 20
"""Larger files are not read into memory: their readers seek to the parts they need."""
_AHEAD_PER_WORKER = 8
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The metadata of one file, and the facts resolved from it by source priority; `path` as it was given."""

    path: bytes
    described: Described
    resolved: Resolved


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file that could not be read: it does not exist (`missing`), is unreadable, damaged, or not a photo or video."""

    path: bytes
    failure: Failure
    missing: bool = False


def read_facts(config: Config, paths: Sequence[bytes]) -> Iterator[FileFacts | NotRead]:
    """Yield the metadata of each file, in the given order; a file that crashes a decoder does not affect others.

    Uses the limits and the number of workers of `scan`. The files are opened read-only.
    """
    paths = [file_access.as_on_disk(path) for path in paths]
    present = sum(1 for path in paths if file_access.exists(path))
    if not present:
        yield from (_missing(path) for path in paths)
        return
    start_forkserver([__name__, "exifread", "photoindex.media.metadata.description"])
    limits = config.scan.limits
    jobs = min(_jobs(config), present)
    with workers(jobs, limits) as pool:
        waiting: deque[tuple[bytes, Future[Described | Failure] | None]] = deque()
        coming = iter(paths)
        while True:
            for path in islice(coming, jobs * _AHEAD_PER_WORKER - len(waiting)):
                waiting.append((path, pool.submit(describe_file, path) if file_access.exists(path) else None))
            if not waiting:
                return
            path, future = waiting.popleft()
            yield _missing(path) if future is None else _result(path, future, pool, limits)


def _jobs(config: Config) -> int:
    from photoindex.library.cores import jobs_for

    return config.scan.jobs or jobs_for(config.scan.cores_share)


def _missing(path: bytes) -> NotRead:
    return NotRead(path, Failure("missing", "there is no such file"), missing=True)


def _result(path: bytes, future: Future[Described | Failure], pool: WorkerPool, limits: Limits) -> FileFacts | NotRead:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            described = future.result()
        except Exception as error:
            # A worker killed from outside says nothing about its file, unless it happens repeatedly.
            if (killed_externally(error) or was_killed(error)) and attempt < _ATTEMPTS:
                future = pool.submit(describe_file, path)
                continue
            failure = failure_of(error, limits)
            if failure is None:
                raise
            return _not_read(path, failure)
        if isinstance(described, Failure):
            return _not_read(path, described)
        return FileFacts(path, described, resolved_alone(described.facts))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _not_read(path: bytes, failure: Failure) -> NotRead:
    return NotRead(path, replace(failure, message=with_settings(failure.message)))


def resolved_alone(facts: Facts) -> Resolved:
    """Resolve the facts of one file without its name, folder and modification time."""
    from photoindex.domain.facts.resolve import resolve

    return resolve(facts, name=b"", folder=b"", mtime_ns=0)


def describe_file(path: bytes) -> Described | Failure:
    """Return the metadata of the file at `path`, or why it cannot be read; runs in a worker."""
    from photoindex.media.metadata.description import describe

    try:
        content = _content(path)
        media = recognise(content, os.path.basename(path))
        if not isinstance(media, Ingested):
            return describe(content, media)
    except OSError as error:
        return Failure("unreadable", f"cannot be read: {error.strerror or error}", retry=True)
    except MediaProblem as problem:
        return Failure(problem.error_class, str(problem))
    return media.failure or Failure("not_media", media.not_media or "not a photo or video")


def _content(path: bytes) -> Content:
    status = file_access.status(path)
    if stat.S_ISDIR(status.st_mode):
        raise NotRecognised("a folder, not a file")
    if not stat.S_ISREG(status.st_mode) or status.st_size <= _HOLD_BYTES:
        return read_content(path)
    with file_access.open_file(path) as stream:
        head = stream.read(HEAD_BYTES)
    # No digest: it would require reading the whole video, and is not needed here.
    return Content(path, b"", status.st_size, status.st_mtime_ns, head, None)


def as_json(one: FileFacts) -> dict[str, object]:
    """Return the documented JSON object of one file, with those keys of `show --json` that need no library."""
    described = one.described
    value: dict[str, object] = {
        "schema": 1,
        "path": to_text(one.path),
        "kind": str(described.media.kind),
        "format": described.media.format,
    }
    for name in ("width", "height", "orientation", "duration_seconds"):
        value[name] = getattr(described, name)
    value.update({name: getattr(one.resolved, name) for name in RESOLVED_NAMES})
    value["keywords"] = list(one.resolved.keywords)
    value["sources"] = dict(one.resolved.sources)
    value["facts"] = {source: dict(values) for source, values in described.facts.items()}
    value["regions"] = [asdict(region) for region in described.regions]
    value["notes"] = list(described.notes)
    return value


RESOLVED_NAMES: tuple[str, ...] = tuple(
    field.name for field in fields(Resolved) if field.name not in {"keywords", "sources"}
)
"""The facts with a single value, in the order they are shown."""
