"""What the rules of pairing take and give: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from photoindex.types import Kind

LinkKind = Literal["raw", "live", "edit"]
Role = Literal["primary", "raw", "movie", "edit", "original", "alternate"]


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a folder, present or missing, with what its content says of itself.

    asset_id: the content; two equal files share it. name: the file's name without its folder. format: as in `MediaType`.
    taken_at: the best embedded local wall time, ISO 8601 with the fraction that is known; an offset at its end is ignored.
    taken_at_utc: the same moment in seconds since 1970, where the offset is known. camera: make and model in one text.
    content_identifier, burst_identifier: Apple's or Google's, in any case of letters. width, height: pixels.
    """

    asset_id: int
    file_id: int
    folder_id: int
    name: bytes
    kind: Kind
    format: str
    taken_at: str | None = None
    taken_at_utc: float | None = None
    camera: str | None = None
    serial: str | None = None
    content_identifier: str | None = None
    burst_identifier: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Two contents that are one photo by a rule; `why` is a sentence for a person.

    asset_id is the one that joins (the RAW, the movie, the edit), other_asset_id what it belongs to (the still, the original).
    """

    asset_id: int
    other_asset_id: int
    kind: LinkKind
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of two contents: together, or apart. Their order does not matter."""

    asset_id: int
    other_asset_id: int
    together: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The contents that are one photo.

    roles: every content of the group -> what it is in it; exactly one is `primary`.
    reasons: every content but the primary one -> why it belongs here.
    """

    primary_asset_id: int
    roles: Mapping[int, Role]
    reasons: Mapping[int, str] = field(default_factory=dict)
