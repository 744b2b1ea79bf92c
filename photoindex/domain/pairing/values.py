"""Input and output types of the pairing rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from photoindex.types import Kind

LinkKind = Literal["live", "raw", "edit", "companion", "backup"]
LINK_KINDS: tuple[LinkKind, ...] = get_args(LinkKind)
"""The most certain first: of links that contradict each other, the later ones are dropped."""
Role = Literal["primary", "raw", "movie", "edit", "original", "alternate", "companion", "backup"]


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a folder, present or missing, with its embedded metadata.

    asset_id: the content; equal files share it. name: file name without folder. format: as in `MediaType`. taken_at: the
    best embedded local time, ISO 8601 with its fraction; an offset at its end is ignored. taken_at_utc: the same moment in
    seconds since 1970, if the offset is known. camera: make and model as one text. content_identifier, burst_identifier:
    Apple's or Google's, in any case. width, height: pixels. takeout_id: the JSON of Google Takeout that belongs to the file;
    a Live Photo's movie shares its picture's.
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
    takeout_id: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Two contents that a rule makes one photo; `why` is a sentence for the user.

    asset_id: the RAW, movie, edit, companion or backup. other_asset_id: the still, original or file that it belongs to.
    """

    asset_id: int
    other_asset_id: int
    kind: LinkKind
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The user's decision to keep two contents together or apart; their order does not matter."""

    asset_id: int
    other_asset_id: int
    together: bool


@dataclass(frozen=True, slots=True)
class PhotoGroup:
    """The contents that are one photo.

    roles: asset id -> role, for every content of the group; exactly one is `primary`.
    reasons: asset id -> why it belongs to the group, for every content except the primary.
    """

    primary_asset_id: int
    roles: Mapping[int, Role]
    reasons: Mapping[int, str] = field(default_factory=dict)
