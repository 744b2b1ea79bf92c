"""Resolving a photo's facts: for each fact the first source, in a fixed order, that has a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial

from photoindex.domain.facts.lenses import lens_name, lens_range
from photoindex.domain.facts.sources import PRIORITIES
from photoindex.domain.time.offsets import TimeEvidence
from photoindex.domain.time.resolution import PhotoTime, resolve_time
from photoindex.domain.time.zones import zone_at
from photoindex.text import composed
from photoindex.types import Facts, FactValue, Resolved

# Texts that cameras and programs write into every file do not describe the photo.
_DESCRIBING = frozenset({"title", "description"})
_STOCK_TEXTS = frozenset(
    {
        "asus", "created with gimp", "dcim", "default", "digital camera", "dsc", "exif_jpeg_picture", "exif_jpeg_t422",
        "image description", "jpeg_encoder_beauty", "kodak digital still camera", "konica minolta digital camera", "lead technologies inc.",
        "minolta digital camera", "olympus digital camera", "samsung", "samsung camera pictures", "samsung digital camera",
        "screenshot", "sony dsc", "untitled",
    }
)  # fmt: skip
_STOCK_STARTS = (
    "applemark", "compressed by jpeg", "creator: ", "creator_id:", "file written by adobe photoshop", "intel(r) jpeg library", "lavc",
    "lead technologies inc.", "optimized by", "software: ",
)  # fmt: skip
"""What encoders write into the comment of a JPEG or GIF, in lower case; versions and qualities follow."""

_EMPTYING = frozenset({"person", "sidecar"})  # an empty list from these means that there are no keywords
_ALONE = _EMPTYING | {"takeout"}
_LARGEST = 1 << 53
_NOTHING: Mapping[str, FactValue] = {}


def resolve(facts: Facts, *, name: bytes, folder: bytes, mtime_ns: int, home_zone: str | None = None) -> Resolved:
    """Combine the facts of all sources of a photo; deterministic.

    facts: every value of every source; values of the wrong type and placeholders are ignored. name: file name.
    folder: the part of its folder's path that may contain dates. mtime_ns: modification time in ns since 1970.
    home_zone: IANA name of the zone for times without one.

    `sources` of the result maps each fact to its source; `gps` is a time from a GPS receiver, and the entry of
    `taken_at_utc` is what determined the instant. A time known only in UTC is written with `+00:00` and has no
    `utc_offset_minutes`.
    """
    sources: dict[str, str] = {}
    pick = _Picker(facts, sources)
    latitude, longitude, altitude = pick.position()
    zone = _zone(latitude, longitude)
    time = resolve_time(TimeEvidence(facts, name, zone, home_zone), folder, mtime_ns)
    if time is not None:
        sources["taken_at"] = time.source
        if time.instant_source is not None:
            sources["taken_at_utc"] = time.instant_source
    return Resolved(
        taken_at=None if time is None else time.taken_at,
        taken_at_source=None if time is None else time.source,
        taken_at_confidence=None if time is None else time.confidence,
        taken_at_precision=None if time is None else time.precision,
        taken_at_utc=None if time is None else time.utc,
        utc_offset_minutes=None if time is None else time.offset_minutes,
        zone=zone,
        zone_source=None if time is None else time.offset_source,
        latitude=latitude,
        longitude=longitude,
        altitude_m=altitude,
        camera_make=pick.text("camera_make"),
        camera_model=pick.text("camera_model"),
        lens=pick.lens(),
        iso=pick.whole("iso"),
        aperture=pick.number("aperture"),
        exposure_seconds=pick.number("exposure_seconds"),
        focal_length_mm=pick.number("focal_length_mm"),
        title=pick.text("title"),
        keywords=pick.keywords(),
        sources=sources,
        **asdict(_said(pick)),
    )


def resolve_taken_at(
    facts: Facts, *, name: bytes, folder: bytes, mtime_ns: int, home_zone: str | None = None
) -> PhotoTime | None:
    """Return the time that `resolve` makes of the same evidence, without the other facts."""
    latitude, longitude, _ = _Picker(facts, {}).position()
    return resolve_time(TimeEvidence(facts, name, _zone(latitude, longitude), home_zone), folder, mtime_ns)


def _zone(latitude: float | None, longitude: float | None) -> str | None:
    return None if latitude is None or longitude is None else zone_at(latitude, longitude)


@dataclass(frozen=True, slots=True)
class Said:
    """The facts of a photo that a person states often and for many photos, and from which nothing else follows."""

    rating: int | None
    description: str | None
    favourite: bool


SAID = tuple(Said.__slots__)


def resolve_said(facts: Facts) -> tuple[Said, dict[str, str]]:
    """Return what `resolve` makes of these facts alone, and their sources."""
    sources: dict[str, str] = {}
    return _said(_Picker(facts, sources)), sources


def resolve_keywords(facts: Facts) -> tuple[str, ...]:
    """Return the keywords that `resolve` finds."""
    return _Picker(facts, {}).keywords()


def _said(pick: _Picker) -> Said:
    return Said(
        rating=pick.whole("rating"),
        description=pick.text("description"),
        favourite=bool(pick.whole("favourite")),
    )


class _Picker:
    """Picks each fact from its best source and records that source."""

    def __init__(self, facts: Facts, sources: dict[str, str]) -> None:
        self._facts = {source: known for source, known in facts.items() if isinstance(known, Mapping)}
        self._sources = sources

    def _of(self, source: str) -> Mapping[str, FactValue]:
        return self._facts.get(source, _NOTHING)

    def text(self, fact: str) -> str | None:
        for source in PRIORITIES[fact]:
            value = self._of(source).get(fact)
            # A person means what they say, and a sidecar may begin a text like an encoder does.
            doubtful = fact in _DESCRIBING and source != "person"
            if isinstance(value, str) and not (
                doubtful and _is_stock(value.casefold(), with_starts=source not in _EMPTYING)
            ):
                self._sources[fact] = source
                return value
        return None

    def lens(self) -> str | None:
        """Return a name in words from the best source, else a range of numbers; a person's text as it is."""
        corrected = self._of("person").get("lens")
        if isinstance(corrected, str):
            self._sources["lens"] = "person"
            return corrected
        body = self.text("camera_model")
        for read, fact in ((partial(lens_name, body=body), "lens"), (lens_range, "lens_range"), (lens_range, "lens")):
            for source in PRIORITIES["lens"]:
                stated = self._of(source).get(fact)
                lens = read(stated) if isinstance(stated, str) else None
                if lens is not None:
                    self._sources["lens"] = source
                    return lens
        return None

    def number(self, fact: str) -> float | None:
        for source in PRIORITIES[fact]:
            value = _number(self._of(source).get(fact))
            if value is not None:
                self._sources[fact] = source
                return value
        return None

    def whole(self, fact: str) -> int | None:
        value = self.number(fact)
        return None if value is None else int(value)

    def position(self) -> tuple[float | None, float | None, float | None]:
        """Return latitude, longitude (always from one source) and altitude, preferably from the same source."""
        for source in PRIORITIES["position"]:
            known = self._of(source)
            latitude, longitude = _number(known.get("latitude")), _number(known.get("longitude"))
            # 0/0 is what devices without a fix write; only a person can mean it.
            if latitude is None or longitude is None or (latitude == longitude == 0 and source != "person"):
                continue
            if abs(latitude) <= 90 and abs(longitude) <= 180:
                self._sources["latitude"] = self._sources["longitude"] = source
                altitude = _number(known.get("altitude_m"))
                if altitude is not None:
                    self._sources["altitude_m"] = source
                    return latitude, longitude, altitude
                return latitude, longitude, self.number("altitude_m")
        return None, None, self.number("altitude_m")

    def keywords(self) -> tuple[str, ...]:
        """Return the keywords of the user, a sidecar or Takeout alone, or of all embedded sources together."""
        kept: dict[str, None] = {}
        for source in PRIORITIES["keywords"]:
            words = self._of(source).get("keywords")
            stands_alone = source in _ALONE
            if isinstance(words, list) and (words or source in _EMPTYING) and not (kept and stands_alone):
                self._sources.setdefault("keywords", source)
                # Composed, because the same keyword in two Unicode forms is one.
                kept.update(dict.fromkeys(composed(word) for word in words if isinstance(word, str)))
                if stands_alone:
                    break
        return tuple(kept)


def _is_stock(text: str, *, with_starts: bool) -> bool:
    return text in _STOCK_TEXTS or (with_starts and text.startswith(_STOCK_STARTS))


def _number(value: FactValue) -> float | None:
    """Return a number that a float represents exactly, None for anything else."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < _LARGEST:
        return None
    return float(value)
