"""The ingest stage: one file's content in, what it says and what is derived from it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from photoindex.types import Derived, DerivedParams, Described, Failure, Limits, MediaType

if TYPE_CHECKING:
    from photoindex.media.content import Content

NAME = "ingest"
CODE_VERSION = 1
"""Raised when the stage's results change for the same content and parameters."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """The result: `described` is None for what is no photo or video, `failure` says why pixels or facts are missing."""

    described: Described | None = None
    derived: Derived | None = None
    failure: Failure | None = None
    not_media: str | None = None


def variant(params: DerivedParams, *, derive: bool) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key."""
    return {
        "code": CODE_VERSION,
        "derive": derive,
        "preview": [params.preview_px, params.preview_quality],
        "thumbnail": [params.thumbnail_px, params.thumbnail_quality],
        "hash": "phash64",
    }


def recognise(content: Content, name: bytes) -> MediaType | Ingested:
    """Return what the content is by its first bytes, or the result for what is no photo or video.

    The extension never says what a file is. It only decides what to do with content that nothing recognises: named like a
    photo it is a broken one, to be quarantined by name; named otherwise it is none of ours.
    """
    from photoindex.media.kind import MEDIA_EXTENSIONS, sniff

    media = sniff(content.head, content.open)
    if media is not None:
        return media
    extension = name.rpartition(b".")[2].lower() if b"." in name else b""
    if content.size_bytes == 0:
        problem = "the file is empty (0 bytes)"
    else:
        problem = "the content is not a picture or video that photoindex knows"
    if extension in MEDIA_EXTENSIONS:
        error_class = "empty" if content.size_bytes == 0 else "not_media"
        return Ingested(
            failure=Failure(error_class, f"{problem}, though it is named .{extension.decode('ascii', 'replace')}")
        )
    return Ingested(not_media=problem)


def ingest(content: Content, media: MediaType, params: DerivedParams, limits: Limits, *, derive: bool) -> Ingested:
    """Describe one content and, with `derive`, decode it once and make its preview, thumbnail and perceptual hash.

    Never raises for bad content: a problem becomes a `Failure` beside whatever could be described.
    """
    from photoindex.media.facts.description import describe

    described = describe(content, media)
    if not derive:
        return Ingested(described=described)
    from photoindex.media.decode import decode
    from photoindex.media.derive import derive as make_derived
    from photoindex.media.problems import MediaProblem

    try:
        pixels = decode(content, media, params.preview_px, limits)
        derived = make_derived(pixels, params)
    except MediaProblem as problem:
        return Ingested(described=described, failure=Failure(problem.error_class, str(problem)))
    return Ingested(described=described, derived=derived)
