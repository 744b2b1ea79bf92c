"""How large a library becomes and how long it takes, from what was measured and what was planned: pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from photoindex.domain.night.estimates import Range

SIZES = (200_000, 500_000, 1_000_000, 2_000_000)
"""Photos that forecasts are made for."""
DIVERGES = 0.25
"""A measured figure this far from the planned one is worth words."""
_MB, _GB = 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Profile:
    """A size of deployment. photos: what it is meant for. ram_bytes, vram_bytes: targets of its main computer.

    cache_bytes: what SQLite may keep in memory. hosts: computers that run models. own_index: vectors are searched in this
    process; otherwise a Qdrant server holds them.
    """

    name: str
    photos: int
    ram_bytes: int
    vram_bytes: int
    cache_bytes: int
    hosts: int = 1
    own_index: bool = True


PROFILES = (
    Profile("P1", 200_000, 16 * _GB, 8 * _GB, 320 * _MB),
    Profile("P2", 1_000_000, 32 * _GB, 12 * _GB, 1_280 * _MB),
    Profile("P3", 2_000_000, 64 * _GB, 24 * _GB, 1_280 * _MB, own_index=False),
    Profile("P4", 2_000_000, 64 * _GB, 24 * _GB, 1_280 * _MB, hosts=2, own_index=False),
)


@dataclass(frozen=True, slots=True)
class Assumption:
    """One figure that the sizes were planned by. unit: bytes, share or number. at_most: only more than planned diverges."""

    name: str
    unit: str
    planned: float
    measured: float | None
    at_most: bool = False

    @property
    def diverges(self) -> bool:
        """Whether what was measured is so far from what was planned that forecasts of others do not hold."""
        if self.measured is None:
            return False
        if self.at_most:
            return self.measured > self.planned
        return abs(self.measured - self.planned) > DIVERGES * self.planned


@dataclass(frozen=True, slots=True)
class PerPhoto:
    """What one content takes: bytes on each disk, seconds by stage.

    models_bytes, vram_bytes: of installed models, whatever the number of photos.
    """

    original_bytes: float
    derived_bytes: float
    database_bytes: float
    index_bytes: float
    models_bytes: int
    model_memory_bytes: int
    seconds: Mapping[str, Range] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a number of photos takes in a profile. hours: by stage, for all photos once. short_of: what its targets lack."""

    profile: str
    photos: int
    originals_bytes: int
    library_bytes: int
    ram_bytes: int
    vram_bytes: int
    hours: Mapping[str, Range]
    short_of: Sequence[str]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A sign that it is time to move on. value, limit: in `unit`; value None: not measured. then: what to do when it is met."""

    name: str
    unit: str
    value: float | None
    limit: float
    then: str

    @property
    def met(self) -> bool:
        """Whether it is time."""
        return self.value is not None and self.value > self.limit


def forecast(photos: int, profile: Profile, each: PerPhoto) -> Forecast:
    """Return what so many photos take in a profile."""
    index = round(each.index_bytes * photos)
    library = round((each.derived_bytes + each.database_bytes) * photos) + index + each.models_bytes
    ram = profile.cache_bytes + each.model_memory_bytes + (index if profile.own_index else 0)
    short_of = []
    if photos > profile.photos:
        short_of.append(f"it is meant for {profile.photos:,} photos")
    if ram > profile.ram_bytes:
        short_of.append("RAM")
    if each.model_memory_bytes > profile.vram_bytes:
        short_of.append("VRAM")
    return Forecast(
        profile.name, photos, round(each.original_bytes * photos), library, ram, each.model_memory_bytes,
        {stage: one.times(photos / profile.hosts / 3600) for stage, one in each.seconds.items()}, short_of,
    )  # fmt: skip
