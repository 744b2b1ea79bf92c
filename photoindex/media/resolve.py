"""What a photo's facts come to: for each fact the first source, in a fixed order, that knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from photoindex.media.facts.dates import has_offset
from photoindex.media.facts.path_dates import dates_of_folder, dates_of_mtime, dates_of_name
from photoindex.types import Facts, FactValue, Resolved

_BY_CAMERAS = ("person", "sidecar", "exif", "xmp", "container")
_BY_PEOPLE = ("person", "sidecar", "xmp", "iptc", "exif", "container")

PRIORITIES: dict[str, tuple[str, ...]] = {
    "position": _BY_CAMERAS,
    "altitude_m": _BY_CAMERAS,
    "camera_make": _BY_CAMERAS,
    "camera_model": _BY_CAMERAS,
    "lens": _BY_CAMERAS,
    "iso": _BY_CAMERAS,
    "aperture": _BY_CAMERAS,
    "exposure_seconds": _BY_CAMERAS,
    "focal_length_mm": _BY_CAMERAS,
    "rating": _BY_PEOPLE,
    "title": _BY_PEOPLE,
    "description": _BY_PEOPLE,
    "keywords": _BY_PEOPLE,
}
"""Fact -> sources, the best first. What people write goes into XMP and IPTC first, beside the texts that a camera left in
EXIF. The sources of the time stand in `TIMES`."""


@dataclass(frozen=True, slots=True)
class TimeSource:
    """One place where the time may stand, and how far it is believed (0 to 1) without and with its zone."""

    source: str
    fact: str
    confidence: float
    confidence_with_offset: float


TIMES: tuple[TimeSource, ...] = (
    TimeSource("person", "taken_at", 1.0, 1.0),
    TimeSource("sidecar", "taken_at", 0.97, 0.98),
    TimeSource("exif", "taken_at", 0.95, 0.98),
    TimeSource("exif", "digitized_at", 0.9, 0.93),
    TimeSource("xmp", "taken_at", 0.88, 0.9),
    TimeSource("iptc", "taken_at", 0.85, 0.88),
    TimeSource("container", "taken_at", 0.8, 0.85),
    TimeSource("xmp", "digitized_at", 0.75, 0.78),
    TimeSource("iptc", "digitized_at", 0.75, 0.78),
    TimeSource("exif", "gps_at", 0.7, 0.7),
    TimeSource("xmp", "gps_at", 0.7, 0.7),
    TimeSource("name", "time", 0.65, 0.65),
    TimeSource("name", "milliseconds", 0.55, 0.55),
    TimeSource("exif", "modified_at", 0.5, 0.5),
    TimeSource("name", "day", 0.45, 0.45),
    TimeSource("folder", "day", 0.4, 0.4),
    TimeSource("xmp", "modified_at", 0.35, 0.35),
    TimeSource("folder", "month", 0.3, 0.3),
    TimeSource("folder", "year", 0.25, 0.25),
    TimeSource("mtime", "kept", 0.2, 0.2),
    TimeSource("mtime", "any", 0.1, 0.1),
)
"""Where the time is looked for; `confidence_with_offset` never rises from line to line. A place that names a day, a month or a year alone stands for its first
moment (`2019-06` is `2019-06-01T00:00:00`); of a source inside the file, which could have said more, that costs confidence."""

_CONFIDENCE_OF_PARTIAL = 0.6
_SOURCE_OF_GPS = "gps"
_FIRST_MOMENT = "0000-01-01T00:00:00"

# What cameras and programs write into every file tells nothing about this one.
_DESCRIBING = frozenset({"title", "description"})
_STOCK_TEXTS = frozenset(
    {
        "asus", "created with gimp", "dcim", "default", "digital camera", "dsc", "exif_jpeg_picture", "exif_jpeg_t422",
        "image description", "jpeg_encoder_beauty", "kodak digital still camera", "konica minolta digital camera", "lead technologies inc.",
        "minolta digital camera", "olympus digital camera", "samsung", "samsung camera pictures", "samsung digital camera",
        "screenshot", "sony dsc", "untitled",
    }
)  # fmt: skip


def resolve(facts: Facts, *, name: bytes, folder: bytes, mtime_ns: int) -> Resolved:
    """Return what all sources together say of a photo; the same input gives the same result.

    facts: every value of every source. name: file name; folder: its folder, as far below the root as dates may stand in it;
    mtime_ns: modification time in ns since 1970. `sources` of the result names the winner of each fact; `gps` stands for
    a time from EXIF's or XMP's satellite clock, which is UTC and so is written with `+00:00`.
    """
    sources: dict[str, str] = {}
    pick = _Picker(facts, sources)
    taken_at, source, confidence = _taken_at(facts, name, folder, mtime_ns)
    if source is not None:
        sources["taken_at"] = source
    latitude, longitude, altitude = pick.position()
    return Resolved(
        taken_at=taken_at,
        taken_at_source=source,
        taken_at_confidence=confidence,
        latitude=latitude,
        longitude=longitude,
        altitude_m=altitude,
        camera_make=pick.text("camera_make"),
        camera_model=pick.text("camera_model"),
        lens=pick.text("lens"),
        iso=pick.whole("iso"),
        aperture=pick.number("aperture"),
        exposure_seconds=pick.number("exposure_seconds"),
        focal_length_mm=pick.number("focal_length_mm"),
        rating=pick.whole("rating"),
        title=pick.text("title"),
        description=pick.text("description"),
        keywords=pick.keywords(),
        sources=sources,
    )


class _Picker:
    """Takes each fact from its best source and keeps the name of that source."""

    def __init__(self, facts: Facts, sources: dict[str, str]) -> None:
        self._facts = facts
        self._sources = sources

    def value(self, fact: str) -> FactValue:
        for source in PRIORITIES[fact]:
            known = self._facts.get(source)
            value = None if known is None else known.get(fact)
            if value is None or (fact in _DESCRIBING and isinstance(value, str) and value.casefold() in _STOCK_TEXTS):
                continue
            self._sources[fact] = source
            return value
        return None

    def text(self, fact: str) -> str | None:
        value = self.value(fact)
        return value if isinstance(value, str) else None

    def number(self, fact: str) -> float | None:
        value = self.value(fact)
        return float(value) if isinstance(value, (int, float)) else None

    def whole(self, fact: str) -> int | None:
        value = self.value(fact)
        return int(value) if isinstance(value, (int, float)) else None

    def position(self) -> tuple[float | None, float | None, float | None]:
        """Return latitude, longitude (never of two sources) and altitude, which goes with them where it can."""
        for source in PRIORITIES["position"]:
            known = self._facts.get(source, {})
            latitude, longitude = known.get("latitude"), known.get("longitude")
            if isinstance(latitude, (int, float)) and isinstance(longitude, (int, float)):
                self._sources["latitude"] = self._sources["longitude"] = source
                altitude = known.get("altitude_m")
                if isinstance(altitude, (int, float)):
                    self._sources["altitude_m"] = source
                    return float(latitude), float(longitude), float(altitude)
                return float(latitude), float(longitude), self.number("altitude_m")
        return None, None, self.number("altitude_m")

    def keywords(self) -> tuple[str, ...]:
        """Return the keywords of a person or a sidecar alone, else those of all embedded sources together."""
        kept: dict[str, None] = {}
        for source in PRIORITIES["keywords"]:
            words = self._facts.get(source, {}).get("keywords")
            if isinstance(words, list) and (words or source in ("person", "sidecar")):
                self._sources.setdefault("keywords", source)
                kept.update(dict.fromkeys(words))
                if source in ("person", "sidecar"):
                    break
        return tuple(kept)


def _taken_at(facts: Facts, name: bytes, folder: bytes, mtime_ns: int) -> tuple[str | None, str | None, float | None]:
    """Return time, source and confidence of the most believed place; of two believed alike, the first."""
    around: dict[str, Mapping[str, str]] = {}
    best: tuple[str | None, str | None, float] = (None, None, 0.0)
    for place in TIMES:
        if place.confidence_with_offset <= best[2]:
            break
        known = facts.get(place.source)
        if known is None and place.source in _AROUND:
            # Names and folders are read only where nothing better was found.
            if place.source not in around:
                around[place.source] = _AROUND[place.source](name, folder, mtime_ns)
            known = around[place.source]
        value = None if known is None else known.get(place.fact)
        if not isinstance(value, str) or not value:
            continue
        confidence = place.confidence_with_offset if has_offset(value) else place.confidence
        if "T" not in value:
            if place.source not in _AROUND:
                confidence = round(confidence * _CONFIDENCE_OF_PARTIAL, 3)
            value += _FIRST_MOMENT[len(value) :]
        if confidence > best[2]:
            best = value, _SOURCE_OF_GPS if place.fact == "gps_at" else place.source, confidence
    return best if best[0] is not None else (None, None, None)


_AROUND: dict[str, Callable[[bytes, bytes, int], Mapping[str, str]]] = {
    "name": lambda name, _folder, _mtime_ns: dates_of_name(name),
    "folder": lambda _name, folder, _mtime_ns: dates_of_folder(folder),
    "mtime": lambda name, _folder, mtime_ns: dates_of_mtime(mtime_ns, name),
}
"""The sources outside the content and how they are read."""
