"""The words of the query language by themselves, for completion in a shell: the tables of fields load SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping

KINDS = ("photo", "image", "raw", "video", "live", "motion")
"""Values of `type:` beside the formats."""
FACTS: tuple[str, ...] = (
    "taken_at", "zone", "latitude", "longitude", "altitude_m", "camera_make", "camera_model", "lens", "iso", "aperture",
    "exposure_seconds", "focal_length_mm", "rating", "title", "description", "keywords", "favourite",
)  # fmt: skip
"""The facts whose sources are stored."""
SOURCES: tuple[str, ...] = (
    "person", "sidecar", "exif", "xmp", "iptc", "container", "exiv2", "takeout", "gps", "name", "folder", "mtime", "neighbours", "position",
    "home",
)  # fmt: skip
"""Possible sources of a fact; `position`: the time zone at the GPS position; `home`: the time zone in the settings."""
TAG_SOURCES = ("person", "file", "tags", "objects", "labels", "sensitive")
"""What gives tags: a person, a file's keywords, or the stage of a model."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "type": KINDS,
    "has": (
        "gps", "place", "date", "camera", "lens", "title", "description", "keywords", "tag", "rating", "sidecar", "raw", "live", "edit",
        "faces",
    ),
    "is": (
        "missing", "duplicate", "paired", "quarantined", "edited", "burst", "alone", "unnamed", "unreviewed", "favourite", "rejected",
        "sensitive", "live", "motion",
    ),
    "orientation": ("landscape", "portrait", "square"),
    "month": (
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ),
    "weekday": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
}  # fmt: skip
"""Field -> its values, or the usual ones."""
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "date": ("2019", "last-30d"), "time": ("18:00..20:30", "22..04"), "day": ("12-24", "06-01..06-15"), "near": ("Lisbon,30km", "38.7,-9.1,30km"),
    "iso": ("100..400", ">=800"), "aperture": ("1.4..2.8", "f/1.8"), "exposure": ("1/250", ">1s"), "focal": ("50mm", ">=200"),
    "rating": ("5", ">=4"), "text": ("beach", "sun*"), "ocr": ("gate*", "menu"), "like": ("12", "2019/IMG_1.jpg"),
    "title": ("party", "*dinner*"), "caption": ("dog", "boat*"), "description": ("dog", "boat*"), "path": ("2019/06", "/photos"),
    "name": ("IMG_44*", "*.heic"), "ext": ("jpg", "heic"), "size": (">20MB", "1MB..5MB"), "width": ("4000", ">=3000"),
    "height": ("4000", ">=3000"), "megapixels": ("12..24", ">=20"), "duration": (">10s", "1m..2m"), "added": ("2024-05", "last-7d"),
    "faces": ("0", ">2"), "age": ("anna:3..5", "ben<6"), "face": ("me.jpg", "/photos/me.jpg"), "id": ("12", "7..9"),
}  # fmt: skip
"""Field without a list of values -> two values that begin with different characters, so that a shell shows both and takes neither."""
OF_LIBRARY = ("place", "camera", "lens", "keyword", "tag", "album", "volume", "event", "person", "source")
"""Fields whose values depend on the library, or on each other."""
FIELDS: tuple[str, ...] = (*sorted({*CHOICES, *EXAMPLES, *OF_LIBRARY}),)
"""Every field by its name."""
ALIASES: Mapping[str, str] = {
    "taken": "date", "format": "type", "keywords": "keyword", "tags": "tag", "folder": "path", "filename": "name",
}  # fmt: skip
SORT_KEYS = ("relevance", "date", "name", "path", "size", "width", "rating", "added", "id")
"""What photos are sorted by; `-` before it is the other way."""
