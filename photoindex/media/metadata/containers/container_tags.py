"""Facts from a container's native tags: QuickTime, Matroska and Android video tags, PNG text chunks, GIF comments."""

from __future__ import annotations

import re
from contextlib import suppress

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.encodings import without_stray_bytes
from photoindex.media.metadata.findings import Findings
from photoindex.media.metadata.videos.header_time import EPOCH_YEARS, HEADER_TIME, WALL_TIME

_APPLE = "com.apple.quicktime."
_TEXTS: tuple[tuple[str, str], ...] = (
    ("camera_make", f"{_APPLE}make"),
    ("camera_make", "make"),
    ("camera_make", "com.android.manufacturer"),
    ("camera_model", f"{_APPLE}model"),
    ("camera_model", "model"),
    ("camera_model", "com.android.model"),
    ("camera_serial", "serial"),
    ("software", f"{_APPLE}software"),
    ("software", "software"),
    ("title", f"{_APPLE}displayname"),
    ("title", f"{_APPLE}title"),
    ("title", "title"),
    ("description", f"{_APPLE}description"),
    ("description", "description"),
    ("description", f"{_APPLE}comment"),
    ("description", "comment"),
    ("artist", f"{_APPLE}author"),
    ("artist", f"{_APPLE}artist"),
    ("artist", "author"),
    ("artist", "artist"),
    ("copyright", f"{_APPLE}copyright"),
    ("copyright", "copyright"),
    ("content_identifier", f"{_APPLE}content.identifier"),
    ("codec", "codec"),
)
_LENSES = (f"{_APPLE}camera.lens_model", "lens")
# Apple's creationdate has a time zone, the other `taken_at` times are local unless they end in a zone. The time in the header
# of QuickTime and ASF and Matroska's DateUTC are UTC if the writer follows the standard, so they are a separate fact.
_TIMES: tuple[tuple[str, str], ...] = (
    ("taken_at", f"{_APPLE}creationdate"),
    ("taken_at", WALL_TIME),
    ("taken_at", "date_recorded"),
    ("taken_at", "creation time"),
    ("taken_at", "date"),
    ("created_utc", HEADER_TIME),
    ("modified_at", "time"),
)
_NUMBERS: tuple[tuple[str, float, float], ...] = (
    ("aperture", 0.3, 1000.0),
    ("exposure_seconds", 1e-7, 1e6),
    ("focal_length_mm", 0.1, 100_000.0),
    ("focal_length_35mm", 1.0, 65534.0),
)
_POSITIONS = (f"{_APPLE}location.iso6709", "location", "location-eng")
# ISO 6709, annex H: degrees, or degrees and two digits each of minutes and seconds.
_ISO_6709 = re.compile(
    r"([+-])(\d\d?|\d{4}|\d{6})(\.\d*)?([+-])(\d{1,3}|\d{5}|\d{7})(\.\d*)?([+-]\d+(?:\.\d*)?)?(?:CRS.*)?/?", re.ASCII
)
_UTC_ENDS = ("Z", "UTC", "GMT")


def read_container_tags(blocks: Blocks) -> Findings:
    """Return the facts in the container's native tags."""
    found = Findings("container")
    if not blocks.tags:
        return found
    tags = without_stray_bytes(blocks.tags, found.note)
    for name, key in _TEXTS:
        found.add(name, tags.get(key))
    for key in _LENSES:
        found.add_lens(tags.get(key))
    for name, key in _TIMES:
        _add_time(found, name, key, tags.get(key, ""))
    for name, low, high in _NUMBERS:
        found.add_number(name, _number(tags.get(name, "")) or None, low, high)
    iso = _number(tags.get("iso", ""))
    if iso is not None and 0 < iso < 100_000_000:
        found.add("iso", int(iso))
    rating = _number(tags.get(f"{_APPLE}rating.user", ""))
    if rating is not None:
        found.add_number("rating", int(rating) if abs(rating) < 100 else rating, 0, 5)
    for key in (f"{_APPLE}keywords", "keywords"):
        found.add_keywords(word.strip() for word in re.split("[,;]", tags.get(key, "")))
    for key in _POSITIONS:
        _add_position(found, tags.get(key, ""))
    return found


def _add_time(found: Findings, name: str, key: str, text: str) -> None:
    if not text:
        return
    if name == "taken_at" and text.rstrip().upper().endswith(_UTC_ENDS):
        name = (
            "created_utc"  # an instant that says nothing of the camera's wall clock; a clock in Lisbon gives `+00:00`
        )
    if key == HEADER_TIME and text.startswith(EPOCH_YEARS):
        found.refuse(name, text, "the epoch of the container's clock")
        return
    if not text[:4].isdigit():
        from email.utils import parsedate_to_datetime

        # PNG recommends the date format of e-mail (RFC 1123).
        with suppress(ValueError):
            text = parsedate_to_datetime(text).isoformat()
    # FFmpeg writes whole seconds with six decimals.
    found.add_time(name, text.replace(".000000", ""))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _add_position(found: Findings, text: str) -> None:
    match = _ISO_6709.fullmatch(text)
    if match is None:
        return
    altitude = float(match[7]) if match[7] else None
    found.add_position(
        _degrees(*match.group(1, 2, 3), degree_digits=2), _degrees(*match.group(4, 5, 6), degree_digits=3)
    )
    if altitude is not None and "latitude" in found.facts:
        found.add_number("altitude_m", altitude, -12_000, 100_000)


def _degrees(sign: str, digits: str, fraction: str | None, *, degree_digits: int) -> float:
    """Convert `5130` and `.5` to 51.508333; `fraction` belongs to the last two digits."""
    parts = [digits[:degree_digits], *re.findall("..", digits[degree_digits:])]
    parts[-1] += fraction or ""
    degrees = sum(float(part) / 60.0**power for power, part in enumerate(parts))
    return -degrees if sign == "-" else degrees
