"""Facts from XMP packets (ISO 16684-1)."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from photoindex.domain.facts.lenses import range_of
from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.findings import Findings, clean_text, stars_of_percent
from photoindex.media.metadata.guard import guarded
from photoindex.media.metadata.standards.xmp_packets import packets_in, root_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Properties = dict[str, list[str]]
"""`prefix:name` -> values in order; the default language of an alternative comes first."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
    "http://ns.acdsee.com/iptc/1.0/": "acdsee",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://www.fstopapp.com/xmp/": "fstop",
    "http://ns.iview-multimedia.com/mediapro/1.0/": "mediapro",
}
_CONTAINERS = {f"{_RDF}Seq", f"{_RDF}Bag", f"{_RDF}Alt"}
_RATIONAL = re.compile(r"([+-]?\d+)/(\d+)", re.ASCII)
_COORDINATE = re.compile(
    r"(\d+(?:\.\d+)?)(?:,\s?(\d+(?:\.\d+)?))?(?:,\s?(\d+(?:\.\d+)?))?\s*([NSEW]?)", re.ASCII | re.IGNORECASE
)
# Some programs copy libexif's human-readable text into XMP: f/5,6; 1/500 sec.; 105,0 mm; Right-top.
_HUMAN_READABLE = re.compile(r"(?:f/)?([+-]?\d+(?:[.,/]\d+)?)\s*(?:sec\.?|s|mm|m)?", re.ASCII | re.IGNORECASE)
_ORIENTATION_NAMES = (
    "top-left",
    "top-right",
    "bottom-right",
    "bottom-left",
    "left-top",
    "right-top",
    "right-bottom",
    "left-bottom",
)
"""Orientations 1 to 8, named by the positions of row 0 and column 0 (EXIF 2.32)."""

_TEXTS = (
    ("camera_make", "tiff:Make"),
    ("camera_model", "tiff:Model"),
    ("camera_make", "exif:Make"),
    ("camera_model", "exif:Model"),
    ("camera_serial", "exifEX:BodySerialNumber"),
    ("camera_serial", "aux:SerialNumber"),
    ("title", "dc:title"),
    ("title", "photoshop:Headline"),
    ("description", "dc:description"),
    ("description", "exif:UserComment"),
    ("copyright", "dc:rights"),
    ("copyright", "exif:Copyright"),
    ("software", "xmp:CreatorTool"),
    ("burst_identifier", "GCamera:BurstID"),
    ("city", "photoshop:City"),
    ("country", "photoshop:Country"),
)
_TIMES = (
    ("taken_at", "exif:DateTimeOriginal"),
    ("taken_at", "photoshop:DateCreated"),
    ("digitized_at", "exif:DateTimeDigitized"),
    ("digitized_at", "xmp:CreateDate"),
    ("modified_at", "xmp:ModifyDate"),
    ("modified_at", "tiff:DateTime"),
    ("gps_at", "exif:GPSTimeStamp"),
    ("gps_at", "exif:GPSDateTime"),
)
_NUMBERS = (
    ("exposure_seconds", "exif:ExposureTime", 1e-7, 1e6),
    ("aperture", "exif:FNumber", 0.3, 1000.0),
    ("focal_length_mm", "exif:FocalLength", 0.1, 100_000.0),
    ("focal_length_35mm", "exif:FocalLengthIn35mmFilm", 1.0, 65534.0),
)
_CATEGORIES_MAX = 20_000
_LENSES = ("exifEX:LensModel", "aux:Lens", "exif:LensModel", "MicrosoftPhoto:LensModel")
_LENS_RANGES = ("exifEX:LensSpecification", "aux:LensInfo")
_HIERARCHIES = (
    ("lr:hierarchicalSubject", "|"),
    ("digiKam:TagsList", "/"),
    ("MicrosoftPhoto:LastKeywordXMP", "/"),
    ("MicrosoftPhoto:LastKeywordIPTC", "/"),
    ("mediapro:CatalogSets", "|"),
)
"""Keywords with levels, and what separates these."""


def read_xmp(blocks: Blocks) -> Findings:
    """Return the facts of all XMP packets; earlier packets take precedence. `blocks` then has each packet alone, in UTF-8."""
    found = Findings("xmp")
    packets: list[bytes] = []
    for block in blocks.xmp:
        with guarded(found.note, "damaged XMP"):
            packets += packets_in(block, found.note)
    blocks.xmp = packets
    for packet in packets:
        with guarded(found.note, "damaged XMP"):
            add_properties(parse_packet(packet), found)
    return found


def parse_packet(packet: bytes) -> Properties:
    """Return a packet's properties in the namespaces that are used.

    Raises ValueError and ParseError as `root_of` does.
    """
    root = root_of(packet)
    properties: Properties = {}
    # Only the descriptions directly below the first RDF element count; deeper ones belong to structures.
    for description in next(root.iter(f"{_RDF}RDF"), root):
        if description.tag != f"{_RDF}Description":
            continue
        for name, value in description.attrib.items():
            _keep(properties, name, [value])
        for element in description:
            _keep(properties, element.tag, _values(element))
    return properties


def _keep(properties: Properties, name: str, values: list[str]) -> None:
    namespace, _, local = name[1:].partition("}")
    prefix = _PREFIXES.get(namespace)
    if prefix is not None and values and values[0]:
        properties.setdefault(f"{prefix}:{local}", values)


def _values(element: Element) -> list[str]:
    for container in element:
        if container.tag in _CONTAINERS:
            items = sorted(container, key=lambda item: item.get(_LANGUAGE) != "x-default")
            return [text for item in items if (text := _item_text(item))]
        if container.tag == f"{_RDF}value":
            return [clean_text(container.text or "")]
        if container.tag == f"{_RDF}Description":  # a value with qualifiers, or a structure
            return [clean_text(value.text or "") for value in container.iter(f"{_RDF}value")]
    text = clean_text(element.text or "")
    return [text] if text else []


def _item_text(item: Element) -> str:
    value = item.find(f".//{_RDF}value")
    return clean_text((item if value is None else value).text or "")


def add_properties(properties: Properties, found: Findings) -> None:
    """Turn the properties of one packet into facts."""
    for name, key in _TEXTS:
        found.add(name, clean_text(properties.get(key, [""])[0]))
    found.add("artist", ", ".join(properties.get("dc:creator", [])))
    found.add("artist", properties.get("exif:Artist", [""])[0])
    _add_lens(properties, found)
    for name, key in _TIMES:
        found.add_time(name, properties.get(key, [""])[0])
    for name, key, low, high in _NUMBERS:
        found.add_number(name, _number(properties, key) or None, low, high)
    _add_whole_numbers(properties, found)
    _add_position(properties, found)
    _add_keywords(properties, found)


def _add_lens(properties: Properties, found: Findings) -> None:
    for key in _LENSES:
        found.add_lens(clean_text(properties.get(key, [""])[0]))
    for key in _LENS_RANGES:
        # Four fractions, in one text or as items of a list; 0/0 is unknown.
        parts = " ".join(properties.get(key, [])).split()
        if len(parts) == 4:
            found.add("lens_range", range_of(*(_fraction(part) for part in parts)))


def _number(properties: Properties, key: str) -> float | None:
    return _fraction(properties.get(key, [""])[0])


def _fraction(text: str) -> float | None:
    if match := _RATIONAL.fullmatch(text):
        return int(match[1]) / int(match[2]) if int(match[2]) else None
    try:
        return float(text)
    except ValueError:
        match = _HUMAN_READABLE.fullmatch(text)
    if match is None:
        return None
    above, _, below = match[1].replace(",", ".").partition("/")
    return float(above) / (float(below) if below else 1) if float(below or 1) else None


def _orientation(properties: Properties) -> float | None:
    for key in ("tiff:Orientation", "exif:Orientation"):
        text = properties.get(key, [""])[0].lower()
        if text in _ORIENTATION_NAMES:
            return _ORIENTATION_NAMES.index(text) + 1
        if number := _number(properties, key):
            return number
    return None


def _add_whole_numbers(properties: Properties, found: Findings) -> None:
    for key in ("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings", "exifEX:RecommendedExposureIndex"):
        value = _number(properties, key)
        if value is not None and value.is_integer() and 0 < value < 100_000_000 and value != 65535:
            found.add("iso", int(value))
    orientation = _orientation(properties)
    if orientation is not None:
        found.add_number("orientation", int(orientation) if float(orientation).is_integer() else orientation, 1, 8)
    rating = _number(properties, "xmp:Rating")
    if rating is not None:
        found.add_number("rating", round(rating) if abs(rating) < 100 else rating, -1, 5)
    percent = _number(properties, "MicrosoftPhoto:Rating")
    if percent is not None and 0 < percent <= 100:
        found.add("rating", stars_of_percent(int(percent)))
    if properties.get("fstop:favorite", [""])[0] in ("1", "True", "true"):
        found.add("favourite", 1)


def _add_position(properties: Properties, found: Findings) -> None:
    latitude = _degrees(properties, "exif:GPSLatitude", "S")
    longitude = _degrees(properties, "exif:GPSLongitude", "W")
    for name, value, limit in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if value is not None and None in (latitude, longitude):
            # Not a position: some programs lose one coordinate and write the other.
            found.add_number(name, round(value, 7) if math.isfinite(value) else value, -limit, limit)
    altitude = _number(properties, "exif:GPSAltitude")
    found.add_position(latitude, longitude)
    if altitude is not None:
        below = properties.get("exif:GPSAltitudeRef", ["0"])[0] == "1"
        found.add_altitude(round(-altitude if below else altitude, 3))


def _degrees(properties: Properties, key: str, negative: str) -> float | None:
    """Convert XMP's `DDD,MM.mmmmK` or `DDD,MM,SSK` (K: one of N S E W), or plain decimals, to degrees.

    If K is missing, the corresponding EXIF reference property is used.
    """
    text = properties.get(key, [""])[0]
    if match := _COORDINATE.fullmatch(text):
        degrees = sum(float(part or 0) / scale for part, scale in zip(match.groups()[:3], (1, 60, 3600), strict=True))
        side = match[4] or properties.get(f"{key}Ref", [""])[0][:1]
        return -degrees if side.upper() == negative else degrees
    return _number(properties, key)


def _add_keywords(properties: Properties, found: Findings) -> None:
    found.add_keywords(properties.get("dc:subject", ()))
    found.add_keywords(properties.get("acdsee:keywords", ()))
    for key, separator in _HIERARCHIES:
        paths = (value.split(separator) for value in properties.get(key, ()))
        found.add_keywords("/".join(part.strip() for part in path if part.strip()) for path in paths)
    found.add_keywords(_assigned(properties.get("acdsee:categories", [""])[0]))


def _assigned(categories: str) -> Iterator[str]:
    """Yield the paths of the categories assigned in ACDSee, which writes the whole tree as XML in the text of a property."""
    if not categories:
        return
    waiting = deque(("", child) for child in root_of(categories.encode()))
    for _ in range(_CATEGORIES_MAX):
        if not waiting:
            return
        above, category = waiting.popleft()
        path = f"{above}/{clean_text(category.text or '')}".strip("/")
        if category.get("Assigned") == "1":
            yield path
        waiting.extend((path, child) for child in category)
