"""The figures of a library for monitoring: names, labels and values."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from photoindex.errors import UsageError
from photoindex.library.backup.notes import backup_notes
from photoindex.library.export.output_files import check_target, write_whole
from photoindex.library.handle import Library
from photoindex.library.index.validation import folder_of, size_of
from photoindex.store.night import figures, ledger, measurements, proofs, rates
from photoindex.store.photos.counts import count_assets, count_files_by_volume, count_tasks
from photoindex.store.vectors import spaces

_QUANTILES = (0.5, 0.95)
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, and the labels that tell it from others of its metric."""

    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name ends with its unit; a metric of which nothing is known has no samples."""

    name: str
    help: str
    samples: Sequence[Sample]


def metrics(library: Library) -> list[Metric]:
    """Return all metrics of a library, as they are now."""
    with library.database.read() as connection:
        return [
            *_contents(library, connection),
            *_tasks(connection),
            *_times(connection),
            *_index(library, connection),
            *_originals(connection),
            _metric("money", "cost of calls, in the provider's currency", _money(connection)),
            _metric("backup_age_seconds", "seconds since the last backup", _backup_age(library)),
        ]


def as_text(found: Sequence[Metric]) -> bytes:
    """Return metrics as OpenMetrics text, which Prometheus' own text format contains: every metric is a gauge.

    Raises UsageError where prometheus-client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, Gauge
        from prometheus_client.openmetrics.exposition import generate_latest
    except ImportError:
        raise UsageError(
            "metrics as text need prometheus-client, which is not installed; run: pip install 'photoindex[metrics]', or use "
            "--json"
        ) from None
    registry = CollectorRegistry()
    for one in found:
        names = sorted({name for sample in one.samples for name in sample.labels})
        if not one.samples:
            continue
        gauge = Gauge(one.name, one.help, names, registry=registry)
        for sample in one.samples:
            child = gauge.labels(**sample.labels) if names else gauge
            child.set(sample.value)
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text


def write_textfile(library: Library, found: Sequence[Metric], target: Path) -> None:
    """Write metrics atomically to a file for node_exporter. Raises UsageError (also for a file among originals), StorageFull."""
    check_target(library, target)
    write_whole(target, [as_text(found)])


def _metric(name: str, text: str, samples: Iterator[Sample] | Sequence[Sample]) -> Metric:
    return Metric(f"photoindex_{name}", text, tuple(samples))


def _one(value: float | None) -> list[Sample]:
    return [] if value is None else [Sample(float(value), {})]


def _contents(library: Library, connection: Connection) -> Iterator[Metric]:
    files = count_files_by_volume(connection).values()
    states = {state: sum(getattr(one, state) for one in files) for state in ("present", "missing", "excluded")}
    yield _metric("contents", "different contents in the library", _one(count_assets(connection)))
    yield _metric("files", "files by state", [Sample(count, {"state": state}) for state, count in states.items()])
    yield _metric("database_bytes", "size of the database", _one(os.stat(library.database.path).st_size))
    yield _metric("free_bytes", "free space on the disk of the library", _one(shutil.disk_usage(library.folder).free))


def _tasks(connection: Connection) -> Iterator[Metric]:
    measured = rates.stage_rates(connection)
    ingest = [one for one in measured if one.stage == "ingest"]
    counted = count_tasks(connection)
    queued = ("pending", "running", "failed", "quarantined")
    yield _metric(
        "ingest_files_per_second",
        "files read, of the newest measured work",
        [Sample(one.per_second, {}) for one in ingest],
    )
    yield _metric(
        "stage_tasks_per_second", "tasks finished, of the newest measured work",
        [Sample(one.per_second, {"stage": one.stage}) for one in measured],
    )  # fmt: skip
    yield _metric(
        "queue_tasks", "tasks that are not done, by stage and state",
        [Sample(states[state], {"stage": stage, "state": state}) for stage, states in counted.items() for state in queued],
    )  # fmt: skip
    yield _metric(
        "task_seconds", "duration of the newest tasks",
        [
            Sample(seconds[math.ceil(quantile * len(seconds)) - 1], {"stage": stage, "quantile": str(quantile)})
            for stage, seconds in figures.task_seconds(connection).items()
            for quantile in _QUANTILES
        ],
    )  # fmt: skip
    yield _metric(
        "failed_tasks", "failed and quarantined tasks by class",
        [
            Sample(count, {"stage": stage, "class": error_class or "unknown"})
            for (stage, error_class), count in figures.failures(connection).items()
        ],
    )  # fmt: skip
    yield _metric(
        "retry_ratio", "share of tasks that had been tried before",
        [Sample(one.retried / one.subjects, {"stage": one.stage}) for one in measured if one.subjects],
    )  # fmt: skip
    yield _metric(
        "gpu_seconds", "seconds in models on a GPU, of the newest measured work", _one(rates.gpu_seconds(connection))
    )


def _times(connection: Connection) -> Iterator[Metric]:
    for kind, name, text in (
        (measurements.SEARCH, "search_seconds", "searches, from the start to the answer"),
        (measurements.WRITE, "write_seconds", "commits of results"),
        (measurements.INDEX, "index_merge_seconds", "adding vectors to an index"),
    ):
        found = measurements.percentiles(connection, kind)
        values = () if found is None else zip(_QUANTILES, (found.p50, found.p95), strict=True)
        yield _metric(name, text, [Sample(seconds, {"quantile": str(quantile)}) for quantile, seconds in values])


def _index(library: Library, connection: Connection) -> Iterator[Metric]:
    known = spaces.all_spaces(connection)
    yield _metric(
        "index_bytes", "size of the vector index on disk",
        [Sample(size_of(folder_of(library, one.id)), {"space": one.name}) for one in known],
    )  # fmt: skip
    yield _metric(
        "vectors", "vectors in the database",
        [Sample(spaces.count_vectors(connection, one.id), {"space": one.name}) for one in known],
    )  # fmt: skip


def _originals(connection: Connection) -> Iterator[Metric]:
    coverage, troubles = proofs.coverage(connection), proofs.troubles(connection)
    yield _metric("originals", "present originals", _one(coverage.files))
    yield _metric("originals_proved", "originals that were read again and are good", _one(coverage.proved))
    yield _metric(
        "originals_bad", "originals that were not good when read last",
        [
            Sample(sum(one.outcome == outcome for one in troubles), {"outcome": outcome})
            for outcome in (proofs.DAMAGED, proofs.UNREADABLE)
        ],
    )  # fmt: skip
    age = None if coverage.oldest_at is None else time.time() - coverage.oldest_at
    yield _metric("oldest_proof_age_seconds", "age of the oldest proof of an original", _one(age))


def _money(connection: Connection) -> list[Sample]:
    micros: dict[tuple[str, str], int] = {}
    for one in ledger.costs(connection):
        micros[one.provider, one.month] = micros.get((one.provider, one.month), 0) + one.micros
    return [
        Sample(amount / _MICROS, {"provider": provider, "month": month}) for (provider, month), amount in micros.items()
    ]


def _backup_age(library: Library) -> list[Sample]:
    notes = backup_notes(library)
    return _one(time.time() - notes[0].at if notes else None)
