"""The ingest stage: turns the content of a file into facts and derived pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from photoindex.stages.base import Needs, Stage, Subject
from photoindex.types import Derived, DerivedParams, Described, Failure, Limits, MediaType, SidecarKind, SidecarRead

if TYPE_CHECKING:
    from photoindex.media.content import Content

STAGE = Stage(name="ingest", code_version=3, subject=Subject.FILE, needs=Needs.ORIGINAL, command="scan")

BROUGHT = {
    2: "sidecars, places and pairs",
    3: "lenses from maker notes, dates and positions of more videos, partly odd dates, texts in other encodings, more keywords, "
    "and previews of RAW, CMYK and BMP files that were wrong",
}
"""Code version -> what it reads that the version before did not, for people."""

SIDECARS = {
    SidecarKind.XMP: "an XMP sidecar",
    SidecarKind.AAE: "an AAE sidecar of Apple's Photos",
    SidecarKind.TAKEOUT: "a JSON sidecar of Google Takeout",
    SidecarKind.PICASA: "what Picasa knows about the photos of a folder",
    SidecarKind.TAKEOUT_ALBUM: "what Google Takeout says of the album in a folder",
    SidecarKind.APPLE_ALBUM: "the list of an album of Apple's Photos",
}
"""What a sidecar is, for people."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """The result. described: None if the content is not a photo or video. failure: why pixels or facts are missing.

    sidecar: the facts of a sidecar; `not_media` is set too.
    """

    described: Described | None = None
    derived: Derived | None = None
    failure: Failure | None = None
    not_media: str | None = None
    sidecar: SidecarRead | None = None


def variant(params: DerivedParams, *, derive: bool) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key."""
    return {
        "code": STAGE.code_version,
        "derive": derive,
        "preview": [params.preview_px, params.preview_quality],
        "thumbnail": [params.thumbnail_px, params.thumbnail_quality],
        "hash": "phash64",
    }


def recognise(content: Content, name: bytes) -> MediaType | Ingested:
    """Recognise the content by its first bytes; for a sidecar, or anything but a photo or video, return the result.

    The extension does not decide what a file is, only what happens to unrecognised content: a file named like a photo
    is quarantined as a broken photo, any other file is ignored.
    """
    from photoindex.media.identify.kind import MEDIA_EXTENSIONS, sniff

    media = sniff(content.head, content.open)
    if media is not None:
        return media
    sidecar = _sidecar(content, name)
    if sidecar is not None:
        return sidecar
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


def _sidecar(content: Content, name: bytes) -> Ingested | None:
    from photoindex.media.sidecars.recognise import recognise_sidecar

    kind = recognise_sidecar(name, content)
    if kind is None:
        return None
    from photoindex.media.problems import MediaProblem
    from photoindex.media.sidecars.read import read_sidecar

    try:
        return Ingested(sidecar=read_sidecar(kind, content), not_media=SIDECARS[kind])
    except MediaProblem as problem:
        return Ingested(failure=Failure(problem.error_class, str(problem)))


def ingest(content: Content, media: MediaType, params: DerivedParams, limits: Limits, *, derive: bool) -> Ingested:
    """Describe one content and, with `derive`, decode it once and make its preview, thumbnail and perceptual hashes.

    Never raises for bad content: problems become a `Failure`, next to the facts that could be read.
    """
    from photoindex.media.metadata.description import describe

    described = describe(content, media)
    if not derive:
        return Ingested(described=described)
    from photoindex.media.decode.decode import decode
    from photoindex.media.decode.previews import derive as make_derived
    from photoindex.media.problems import MediaProblem
    from photoindex.stages.hash import hash_of

    try:
        pixels = decode(content, media, params.preview_px, limits)
        derived = make_derived(pixels, params)
        derived = replace(derived, picture_hash=hash_of(derived.preview_jpeg))
    except MediaProblem as problem:
        return Ingested(described=described, failure=Failure(problem.error_class, str(problem)))
    return Ingested(described=described, derived=derived)
