"""Plain values that the packages exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from photoindex.decoder_memory import worker_memory_mb

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Kind(StrEnum):
    """The kind of a file's content, detected from its first bytes."""

    IMAGE = "image"
    RAW = "raw"
    VIDEO = "video"


class TaskState(StrEnum):
    """pending -> running -> done | failed (retried at `not_before`) | quarantined (no more retries)."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    QUARANTINED = "quarantined"


FactValue = str | int | float | list[str] | None
Facts = Mapping[str, Mapping[str, FactValue]]
"""Source name -> fact name -> value, e.g. {"exif": {"camera_make": "Canon"}}."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """Detected from the first bytes; `format` is a short lower-case name (jpeg, heic, cr2, mp4)."""

    kind: Kind
    format: str


class SidecarKind(StrEnum):
    """The type of a sidecar: a small file beside a photo that describes it; Picasa's describes all photos of its folder.

    Those of albums are about no photo of their own: Takeout's names the album that a folder is, Apple's lists file names.
    """

    XMP = "xmp"
    AAE = "aae"
    TAKEOUT = "takeout"
    PICASA = "picasa"
    TAKEOUT_ALBUM = "takeout album"
    APPLE_ALBUM = "apple album"


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture marked by a person or program.

    x, y (the upper left corner), width, height: fractions 0 to 1 of the stored picture, before its orientation is applied.
    kind: face, pet, focus, barcode, other. schema: mwg (Metadata Working Group), mp (Microsoft), acdsee, iptc, picasa.
    drawn_width, drawn_height: pixels of the picture in which it was drawn, if known; if that is another one than the stored
    picture, such as the upright one, the fractions are of that picture.
    """

    kind: str
    name: str | None
    x: float
    y: float
    width: float
    height: float
    schema: str
    drawn_width: int | None = None
    drawn_height: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Resource limits for processing one file.

    max_megapixels: pictures with more pixels (1 MP = 1e6) are rejected before decoding.
    memory_mb: growth of one worker's private memory (MiB) since it started.
    seconds: wall time for one file, after which its worker is killed.
    """

    max_megapixels: float = 250.0
    memory_mb: int = worker_memory_mb(250e6)
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class DerivedParams:
    """Parameters of previews and thumbnails; sizes are the longest side, quality is JPEG's 1-100."""

    preview_px: int = 1024
    preview_quality: int = 82
    thumbnail_px: int = 256
    thumbnail_quality: int = 78


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one file could not be processed: a class to group by and a message for people."""

    error_class: str
    message: str
    retry: bool = False
    """True if a retry may succeed without a change to the file (permission, I/O error)."""


@dataclass(frozen=True, slots=True)
class Vector:
    """An embedding: float16 [dim] of unit length. frame, seconds: which frame of a video, and its position."""

    values: NDArray[np.float16]
    frame: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class DetectedRegion:
    """A part of a preview that a model found, such as a face.

    x, y (upper left corner), width, height: fractions 0 to 1 of the upright preview. score: the detector's, 0 to 1.
    vector: float16 [dim] of unit length, where the model describes what is in the region. landmarks: x and y of five
    points (eyes, nose, corners of the mouth) as fractions of the preview, float32 [5, 2]. sharpness: variance of the
    Laplacian of the aligned face (grey, 0 to 255). yaw, roll: degrees; 0 is frontal, upright.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    score: float
    vector: NDArray[np.float16] | None = None
    landmarks: NDArray[np.float32] | None = None
    sharpness: float | None = None
    yaw: float | None = None
    roll: float | None = None
    frame: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text in a picture.

    corners: x and y of the four corners, clockwise from the text's upper left one, as fractions of the upright preview.
    score: 0 to 1.
    """

    text: str
    corners: tuple[tuple[float, float], ...]
    score: float


@dataclass(frozen=True, slots=True)
class Text:
    """Words about a picture or in it. kind: caption, ocr; language: ISO 639-1, where known.

    raw: the model's whole answer, where the text is a part of it. lines: of text in the picture.
    """

    kind: str
    text: str
    language: str | None = None
    raw: str | None = None
    lines: tuple[TextLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """One of a set of names that a model gives a picture, or an object in it.

    confidence: 0 to 1. raw: the model's own score. box: x, y (upper left corner), width and height of an object, as
    fractions of the upright preview. calibrated: the confidence was measured on what a person said about the tag.
    """

    name: str
    confidence: float
    raw: float
    box: tuple[float, float, float, float] | None = None
    calibrated: bool = False

    def __reduce__(self) -> tuple[type[Label], tuple[object, ...]]:
        """Return how to make an equal one: millions go from process to process, and a dataclass's own way takes longer."""
        return Label, (self.name, self.confidence, self.raw, self.box, self.calibrated)


@dataclass(frozen=True, slots=True)
class MoreThere:
    """Beside regions: the picture may show more of a kind than a model returns of one picture."""

    kind: str


@dataclass(frozen=True, slots=True)
class PictureHash:
    """The perceptual hashes of a picture and of windows of it; see `domain.same_picture.hashes`.

    full: 64 bits, unsigned. windows: 64 bits each, little-endian. content: the rectangle that the windows are of, 8 bytes.
    """

    full: int
    windows: bytes
    content: bytes


Result = Vector | DetectedRegion | Text | Label | MoreThere | PictureHash
"""What a stage finds in one subject; it may find several."""


@dataclass(frozen=True, slots=True)
class Described:
    """Metadata of one content, read without decoding its pixels.

    `width` and `height` are pixels as a viewer shows them (after orientation); `orientation` is the EXIF number 1-8;
    `duration_seconds` is for video. `notes` are remarks for people (a rejected value, a damaged block).
    """

    media: MediaType
    width: int | None = None
    height: int | None = None
    orientation: int = 1
    duration_seconds: float | None = None
    facts: Facts = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class SidecarPart:
    """What a sidecar of a folder says about one of its photos."""

    facts: Mapping[str, FactValue]
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class SidecarRead:
    """The contents of one sidecar; `title` is the file name of the photo that a Takeout JSON describes.

    parts: of a sidecar of a folder, by the file names of its photos.
    """

    kind: SidecarKind
    facts: Mapping[str, FactValue]
    regions: tuple[Region, ...] = ()
    title: str | None = None
    notes: tuple[str, ...] = ()
    parts: Mapping[str, SidecarPart] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Derived:
    """Data derived from one content's pixels: two upright sRGB JPEGs and the 64-bit perceptual hash of the small one.

    picture_hash: what the stage `hash` makes of the preview.
    """

    preview_jpeg: bytes
    thumbnail_jpeg: bytes
    perceptual_hash: int
    notes: tuple[str, ...] = ()
    picture_hash: PictureHash | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A photo's facts after applying source priorities; `sources` names the source of each fact.

    taken_at: ISO 8601 local wall time, with offset if known. taken_at_precision: second, minute, day, month or year; the
    rest of taken_at is the first moment of that period. taken_at_utc: the instant if known, seconds since 1970 (negative before).
    zone: IANA name at the position; zone_source: where the offset comes from. latitude/longitude: degrees, WGS 84.
    exposure_seconds, focal_length_mm, altitude_m carry their units; aperture is the f-number.
    """

    taken_at: str | None = None
    taken_at_source: str | None = None
    taken_at_confidence: float | None = None
    taken_at_precision: str | None = None
    taken_at_utc: float | None = None
    utc_offset_minutes: int | None = None
    zone: str | None = None
    zone_source: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None
    place: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    lens: str | None = None
    iso: int | None = None
    aperture: float | None = None
    exposure_seconds: float | None = None
    focal_length_mm: float | None = None
    rating: int | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    favourite: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
