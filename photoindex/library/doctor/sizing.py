"""Compares a library with the planning assumptions, forecasts its growth, and says when to move on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.domain.night.estimates import Measured, Range, seconds_each
from photoindex.domain.night.sizing import PROFILES, SIZES, Assumption, Forecast, PerPhoto, Profile, Trigger, forecast
from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library
from photoindex.library.index.validation import size_of
from photoindex.library.maintenance.status import size_of_derived
from photoindex.models.catalog import load_catalog
from photoindex.models.weights import ModelStore
from photoindex.store.night import measurements, throughput
from photoindex.store.night.mix import Mix, mix
from photoindex.store.photos.counts import count_tasks

__all__ = ["Assumption", "Forecast", "Range", "Sizing", "Trigger", "size_up"]

PLANNED_ORIGINAL_BYTES = 2_500_000
PLANNED_RAW_SHARE = 0.10
PLANNED_DERIVED_SHARE = 0.06
PLANNED_FACES_SHARE = 0.55
PLANNED_FACES = 2.2
PLANNED_INDEX_BYTES = 10_000_000_000
PLANNED_INDEX_PHOTOS = 2_000_000
PLANNED_DATABASE_BYTES = 10_000
"""Bytes of the database for one photo, where too few were measured."""
_ENOUGH = 100
"""Contents from which figures are measured rather than planned."""
_ENOUGH_WRITES = 1000
"""Writes of which p95 says something: those of a small library were made while it was new and the computer busy."""
WRITE_SECONDS, INDEX_SHARE, BACKLOG_HOURS, PEOPLE = 0.050, 0.5, 24.0, 3


@dataclass(frozen=True, slots=True)
class Sizing:
    """profile: of the settings. contents: in the library. measured: whether there are enough of them to forecast by."""

    profile: str
    contents: int
    measured: bool
    assumptions: Sequence[Assumption]
    forecasts: Sequence[Forecast]
    triggers: Sequence[Trigger]


def size_up(library: Library) -> Sizing:
    """Return the sizing of a library. Takes a pass over its contents and a sample of its previews."""
    with library.database.read() as connection:
        found = mix(connection)
        seconds = _seconds_each(connection)
        backlog = _backlog_hours(connection, seconds)
        writes = measurements.percentiles(connection, measurements.WRITE)
    write_p95 = writes.p95 if writes is not None and writes.count >= _ENOUGH_WRITES else None
    index_bytes = size_of(library.indices_folder)
    derived_bytes = size_of_derived(library.derived_folder)[0]
    each = _per_photo(library, found, derived_bytes, index_bytes, seconds)
    profile = next(one for one in PROFILES if one.name == library.config.deploy_profile)
    return Sizing(
        profile=profile.name,
        contents=found.contents,
        measured=found.contents >= _ENOUGH,
        assumptions=_assumptions(found, derived_bytes, index_bytes),
        forecasts=[forecast(photos, one, each) for photos in SIZES for one in PROFILES],
        triggers=_triggers(profile, index_bytes, backlog, write_p95),
    )


def _seconds_each(connection: Connection) -> dict[str, Range]:
    """Return the seconds that one subject of each measured stage takes on this computer."""
    found = {}
    for stage in sorted(count_tasks(connection)):
        pieces = throughput.newest(connection, stage)
        each = seconds_each(Measured(one.subjects, one.seconds) for one in pieces if one.subjects)
        if each is not None:
            found[stage] = each
    return found


def _backlog_hours(connection: Connection, seconds: Mapping[str, Range]) -> float:
    """Return how many hours the waiting tasks of measured stages take."""
    waiting = {stage: states["pending"] + states["failed"] for stage, states in count_tasks(connection).items()}
    return sum(seconds[stage].median * count for stage, count in waiting.items() if stage in seconds) / 3600


def _per_photo(
    library: Library, found: Mix, derived_bytes: int, index_bytes: int, seconds: Mapping[str, Range]
) -> PerPhoto:
    models_bytes, memory_bytes = _models(library)
    if found.contents < _ENOUGH:
        return PerPhoto(
            PLANNED_ORIGINAL_BYTES, PLANNED_ORIGINAL_BYTES * PLANNED_DERIVED_SHARE, PLANNED_DATABASE_BYTES,
            PLANNED_INDEX_BYTES / PLANNED_INDEX_PHOTOS, models_bytes, memory_bytes, seconds,
        )  # fmt: skip
    database_bytes = os.stat(library.database.path).st_size
    return PerPhoto(
        found.content_bytes / found.contents, derived_bytes / max(1, found.derived), database_bytes / found.contents,
        index_bytes / found.contents, models_bytes, memory_bytes, seconds,
    )  # fmt: skip


def _models(library: Library) -> tuple[int, int]:
    """Return the bytes of installed models on disk, and the memory of the largest, or of the one to install, while it runs."""
    catalog = load_catalog(library.models_folder)
    known = {id_: 1_000_000 * (entry.approximate_memory_mb or 0) for id_, entry in catalog.items()}
    try:
        installed = ModelStore(library.models_folder).installed()
    except ModelUnavailable:
        installed = []
    memory = [known.get(one.id) or one.size_bytes for one in installed]
    return sum(one.size_bytes for one in installed), max(memory, default=known.get(library.config.embed.model, 0))


def _assumptions(found: Mix, derived_bytes: int, index_bytes: int) -> list[Assumption]:
    def share(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    index = share(index_bytes * PLANNED_INDEX_PHOTOS, found.contents)
    return [
        Assumption("average original", "bytes", PLANNED_ORIGINAL_BYTES, share(found.content_bytes, found.contents)),
        Assumption("RAW files", "share", PLANNED_RAW_SHARE, share(found.raw, found.contents)),
        Assumption(
            "previews and thumbnails", "share", PLANNED_DERIVED_SHARE, share(derived_bytes, found.content_bytes)
        ),
        Assumption("photos with faces", "share", PLANNED_FACES_SHARE, share(found.with_faces, found.looked_through)),
        Assumption("faces in a photo with faces", "number", PLANNED_FACES, share(found.faces, found.with_faces)),
        Assumption(f"index at {PLANNED_INDEX_PHOTOS:,} photos", "bytes", PLANNED_INDEX_BYTES, index, at_most=True),
    ]


def _triggers(profile: Profile, index_bytes: int, backlog_hours: float, write_p95: float | None) -> list[Trigger]:
    half = INDEX_SHARE * profile.ram_bytes
    return [
        Trigger("write to the database, p95", "seconds", write_p95, WRITE_SECONDS, "move to PostgreSQL"),
        Trigger(f"index, half of the RAM of {profile.name}", "bytes", index_bytes, half, "move the index to Qdrant"),
        Trigger("backlog", "hours", backlog_hours, BACKLOG_HOURS, "add a second host that runs models"),
        Trigger("people who use it", "number", None, PEOPLE, "split it into services"),
    ]
