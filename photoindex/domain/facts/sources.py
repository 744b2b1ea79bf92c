"""The priority of the sources of a photo's facts."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS: tuple[tuple[str, ...], ...] = (
    ("person",),  # a correction
    ("sidecar",),  # an XMP sidecar
    ("exif", "xmp", "iptc", "container", "exiv2"),  # embedded; exiv2: names that Exiv2 has for a maker note's numbers
    ("takeout",),  # Google Takeout's JSON
    ("name",),  # file name
    ("folder",),  # folder name
    ("neighbours",),  # photos of the same camera taken before and after
    ("mtime",),  # the file's modification time
)
"""The order of sources throughout the program; the tables below follow it and give the order within a level per fact."""

EMBEDDED = LEVELS[2]
"""Sources inside the photo or video file itself."""

_BY_CAMERAS = ("person", "sidecar", "exif", "xmp", "container", "takeout")
_BY_PEOPLE = ("person", "sidecar", "xmp", "iptc", "exif", "container", "takeout")

PRIORITIES: dict[str, tuple[str, ...]] = {
    "position": _BY_CAMERAS,
    "altitude_m": _BY_CAMERAS,
    "camera_make": _BY_CAMERAS,
    "camera_model": _BY_CAMERAS,
    "lens": ("person", "sidecar", "exif", "xmp", "container", "exiv2", "takeout"),
    "iso": _BY_CAMERAS,
    "aperture": _BY_CAMERAS,
    "exposure_seconds": _BY_CAMERAS,
    "focal_length_mm": _BY_CAMERAS,
    "rating": _BY_PEOPLE,
    "title": _BY_PEOPLE,
    "description": _BY_PEOPLE,
    "keywords": _BY_PEOPLE,
    "favourite": _BY_PEOPLE,
}
"""Fact -> sources, best first. Text that people write is in XMP and IPTC first, while EXIF often holds text of the camera.
The sources of the time are in `TIMES`."""


@dataclass(frozen=True, slots=True)
class TimeSource:
    """One fact that may give the time.

    confidence, confidence_with_offset: reliability (0 to 1) without and with a measured offset. Informative only: the order
    of the table decides. is_utc: the fact holds UTC instead of local time.
    """

    source: str
    fact: str
    confidence: float
    confidence_with_offset: float
    is_utc: bool = False


TIMES: tuple[TimeSource, ...] = (
    TimeSource("person", "taken_at", 1.0, 1.0),
    TimeSource("sidecar", "taken_at", 0.97, 0.98),
    TimeSource("exif", "taken_at", 0.95, 0.98),
    TimeSource("xmp", "taken_at", 0.88, 0.9),
    TimeSource("iptc", "taken_at", 0.85, 0.88),
    TimeSource("container", "taken_at", 0.8, 0.85),
    # When a print or a slide was digitized says nothing of when the picture was taken, whoever states it (Metadata Working Group, Guidelines 2.0).
    TimeSource("sidecar", "digitized_at", 0.79, 0.84),
    TimeSource("exif", "digitized_at", 0.78, 0.83),
    TimeSource("xmp", "digitized_at", 0.75, 0.78),
    TimeSource("iptc", "digitized_at", 0.75, 0.78),
    TimeSource("container", "created_utc", 0.74, 0.76, is_utc=True),
    TimeSource("exif", "gps_at", 0.7, 0.7, is_utc=True),
    TimeSource("xmp", "gps_at", 0.7, 0.7, is_utc=True),
    # A GPS time is not a statement about the photo, so a sidecar's gps_at ranks no higher than the file's.
    TimeSource("sidecar", "gps_at", 0.7, 0.7, is_utc=True),
    TimeSource("takeout", "taken_at", 0.68, 0.7, is_utc=True),
    TimeSource("name", "time", 0.65, 0.65),
    TimeSource("name", "milliseconds", 0.55, 0.55, is_utc=True),
    TimeSource("name", "day", 0.45, 0.45),
    TimeSource("name", "month", 0.44, 0.44),
    TimeSource("name", "year", 0.44, 0.44),
    # Modification dates are not capture dates: programs write them on every save and export. They rank below file names,
    # which were given on purpose, but above folder names, because some early cameras wrote no other date.
    TimeSource("exif", "modified_at", 0.43, 0.43),
    TimeSource("folder", "day", 0.4, 0.4),
    TimeSource("sidecar", "modified_at", 0.35, 0.35),
    TimeSource("xmp", "modified_at", 0.35, 0.35),
    TimeSource("iptc", "modified_at", 0.35, 0.35),
    TimeSource("container", "modified_at", 0.35, 0.35),
    TimeSource("folder", "month", 0.3, 0.3),
    TimeSource("folder", "year", 0.25, 0.25),
    TimeSource("neighbours", "taken_at", 0.22, 0.22),
    TimeSource("mtime", "kept", 0.2, 0.2, is_utc=True),
    TimeSource("mtime", "any", 0.1, 0.1, is_utc=True),
)
"""Sources of the time, best first: the first with a valid date wins, even if it is only a day, a month or a year and means
its first moment (`2019-06` is `2019-06-01T00:00:00`); an embedded partial date has a lower confidence. What is made of
partial dates and of clocks that were never set is in `resolve_time`."""
