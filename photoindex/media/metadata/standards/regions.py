"""Face and other regions of a picture, as stored in XMP (MWG, Microsoft, ACDSee and IPTC schemas)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from photoindex.media.metadata.findings import clean_text
from photoindex.types import Region

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Metadata Working Group, guidelines for handling image metadata 2.0, 5.9; written by Lightroom, digiKam and iPhones too.
_MWG = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
_DIMENSIONS = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
# Microsoft Photo Gallery and Picasa.
_MICROSOFT = "{http://ns.microsoft.com/photo/1.2/}"
_MICROSOFT_INFO = "{http://ns.microsoft.com/photo/1.2/t/RegionInfo#}"
_MICROSOFT_REGION = "{http://ns.microsoft.com/photo/1.2/t/Region#}"
_ACDSEE = "{http://ns.acdsee.com/regions/}"
_ACDSEE_AREA = "{http://ns.acdsee.com/sType/Area#}"
_ACDSEE_DIMENSIONS = "{http://ns.acdsee.com/sType/Dimensions#}"
# IPTC Photo Metadata Standard 2019.1, Image Region.
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"

_SHOWS_SOMEBODY = re.compile(r"\b(?:face|human|person)\b", re.IGNORECASE)
"""In the terms that IPTC regions are described with, as words or at the ends of identifiers of concepts."""
_IGNORED_BY_PICASA = "ffffffffffffffff"
"""What Picasa calls a face that it was told to ignore."""
_LARGEST_SIDE_PX = 1_000_000
_KINDS = frozenset({"face", "pet", "focus", "barcode"})
_REGION_LIMIT = 500
_NAME_CHARACTERS = 500
_SEPARATOR = re.compile(r"[\s,]+")
_MARKERS = (*(name[1:-1].encode() for name in (_MWG, _MICROSOFT_INFO, _ACDSEE)), b"RegionBoundary")
_Rectangle = tuple[float, float, float, float]
"""Left, top, width, height as fractions of the picture."""


def regions_of(packet: bytes) -> tuple[Region, ...]:
    """Return the regions of an XMP packet in order, clipped to the picture.

    A face written in two schemas is returned twice. Raises ValueError and xml's ParseError as `parse_packet` does; a
    packet without any region schema is not parsed.
    """
    if not any(marker in packet for marker in _MARKERS):
        return ()
    from photoindex.media.metadata.standards.xmp_packets import root_of

    root = root_of(packet)
    found: list[Region] = []
    for reader in (_read_mwg, _read_microsoft, _read_acdsee, _read_iptc):
        for region in reader(root):
            if len(found) >= _REGION_LIMIT:
                break
            found.append(region)
    return tuple(found)


def _read_mwg(root: Element) -> Iterator[Region]:
    for regions in root.iter(f"{_MWG}Regions"):
        width, height = _drawn_size(_part(regions, f"{_MWG}AppliedToDimensions"), _DIMENSIONS)
        for item in _items(regions, f"{_MWG}RegionList"):
            area = _part(item, f"{_MWG}Area")
            rectangle = None if area is None else _mwg_rectangle(area, width, height)
            if region := _region("mwg", _text(item, f"{_MWG}Type"), _text(item, f"{_MWG}Name"), rectangle):
                yield replace(region, drawn_width=width, drawn_height=height)


def _drawn_size(size: Element | None, namespace: str) -> tuple[int, int] | tuple[None, None]:
    """Return width and height in pixels of the picture in which regions were drawn, (None, None) if they make no sense."""
    width, height = (_number(size, f"{namespace}{side}") for side in "wh")
    if width is None or height is None or not (1 <= width <= _LARGEST_SIDE_PX and 1 <= height <= _LARGEST_SIDE_PX):
        return None, None
    return round(width), round(height)


def _mwg_rectangle(area: Element, width: int | None, height: int | None) -> _Rectangle | None:
    """Convert an MWG area: x and y are its centre; a circle has a diameter `d` instead of `w` and `h`, a point has neither."""
    x, y, w, h, d = (_number(area, f"{_AREA}{name}") for name in "xywhd")
    in_pixels = _text(area, f"{_AREA}unit") == "pixel"
    if x is None or y is None or (in_pixels and not (width and height)):
        return None
    if d is not None and w is None and h is None:
        # A normalised diameter is a fraction of the shorter side.
        shorter = min(width, height) if width and height else None
        w = d if in_pixels or not shorter or not width else d * shorter / width
        h = d if in_pixels or not shorter or not height else d * shorter / height
    rectangle = (x - (w or 0) / 2, y - (h or 0) / 2, w or 0.0, h or 0.0)
    if in_pixels and width and height:
        rectangle = (rectangle[0] / width, rectangle[1] / height, rectangle[2] / width, rectangle[3] / height)
    return rectangle


def _read_microsoft(root: Element) -> Iterator[Region]:
    """Yield the regions that have a rectangle; people tagged without a position have none."""
    for information in root.iter(f"{_MICROSOFT}RegionInfo"):
        for item in _items(information, f"{_MICROSOFT_INFO}Regions"):
            parts = [_float(part) for part in _SEPARATOR.split(_text(item, f"{_MICROSOFT_REGION}Rectangle"))]
            numbers = [part for part in parts if part is not None]
            rectangle = (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == len(parts) == 4 else None
            name = _text(item, f"{_MICROSOFT_REGION}PersonDisplayName")
            if region := _region("mp", "face", "" if name == _IGNORED_BY_PICASA else name, rectangle):
                yield region


def _read_acdsee(root: Element) -> Iterator[Region]:
    for regions in root.iter(f"{_ACDSEE}Regions"):
        width, height = _drawn_size(_part(regions, f"{_ACDSEE}AppliedToDimensions"), _ACDSEE_DIMENSIONS)
        for item in _items(regions, f"{_ACDSEE}RegionList"):
            # An area drawn by the user takes precedence over a detected one.
            drawn, detected = (_part(item, f"{_ACDSEE}{name}") for name in ("DLYArea", "ALGArea"))
            area = detected if drawn is None else drawn
            x, y, w, h = (_number(area, f"{_ACDSEE_AREA}{name}") for name in "xywh")
            rectangle = None
            if x is not None and y is not None and w is not None and h is not None:
                rectangle = (x - w / 2, y - h / 2, w, h)
            denied = _text(item, f"{_ACDSEE}NameAssignType").lower() == "denied"
            name = "" if denied else _text(item, f"{_ACDSEE}Name")
            if region := _region("acdsee", _text(item, f"{_ACDSEE}Type"), name, rectangle):
                yield replace(region, drawn_width=width, drawn_height=height)


def _read_iptc(root: Element) -> Iterator[Region]:
    """Yield the regions measured as fractions; those in pixels do not say of which picture."""
    for holder in root.iter(f"{_RDF}Description"):
        for item in _items(holder, f"{_IPTC}ImageRegion"):
            boundary = _part(item, f"{_IPTC}RegionBoundary")
            if boundary is None or _text(boundary, f"{_IPTC}rbUnit") != "relative":
                continue
            people = _texts(item, f"{_IPTC}PersonInImage")
            described = " ".join((*_texts(item, f"{_IPTC}rCtype"), *_texts(item, f"{_IPTC}rRole")))
            kind = "face" if people or _SHOWS_SOMEBODY.search(described) else "other"
            name = people[0] if len(people) == 1 else next(iter(_texts(item, f"{_IPTC}Name")), "")
            if region := _region("iptc", kind, name, _iptc_rectangle(boundary)):
                yield region


def _iptc_rectangle(boundary: Element) -> _Rectangle | None:
    """Convert an IPTC boundary: a rectangle by its corner, the box of a circle or of a polygon."""
    x, y, w, h, radius = (_number(boundary, f"{_IPTC}rb{name}") for name in ("X", "Y", "W", "H", "Rx"))
    shape = _text(boundary, f"{_IPTC}rbShape")
    if shape == "polygon":
        corners = [
            [_number(item, f"{_IPTC}rb{side}") for side in "XY"] for item in _items(boundary, f"{_IPTC}rbVertices")
        ]
        across = [x for x, y in corners if x is not None and y is not None]
        down = [y for x, y in corners if x is not None and y is not None]
        return (min(across), min(down), max(across) - min(across), max(down) - min(down)) if len(across) > 2 else None
    if x is None or y is None:
        return None
    if shape == "circle":
        # The radius is a fraction of the width; without the size of the picture its height is a guess.
        return None if radius is None else (x - radius, y - radius, 2 * radius, 2 * radius)
    return None if w is None or h is None else (x, y, w, h)


def _texts(structure: Element, name: str) -> list[str]:
    """Return the texts inside a field, at any depth, without blank ones."""
    part = _part(structure, name)
    texts = () if part is None else (clean_text(text) for text in part.itertext())
    return [text for text in texts if text]


def _region(schema: str, kind: str, name: str, rectangle: _Rectangle | None) -> Region | None:
    """Return a region clipped to the picture, None if nothing of it is inside."""
    if rectangle is None or not all(math.isfinite(number) and abs(number) < 100 for number in rectangle):
        return None
    left, top, width, height = rectangle
    if width < 0 or height < 0:
        return None
    left_kept, right = (min(max(edge, 0.0), 1.0) for edge in (left, left + width))
    top_kept, bottom = (min(max(edge, 0.0), 1.0) for edge in (top, top + height))
    is_point = width == 0 and height == 0
    if (right <= left_kept or bottom <= top_kept) and not (is_point and 0 <= left <= 1 and 0 <= top <= 1):
        return None
    return Region(
        kind=kind.lower() if kind.lower() in _KINDS else "other",
        name=name[:_NAME_CHARACTERS] or None,
        x=round(left_kept, 6),
        y=round(top_kept, 6),
        width=round(right - left_kept, 6),
        height=round(bottom - top_kept, 6),
        schema=schema,
    )


def _items(structure: Element, name: str) -> Iterator[Element]:
    """Yield the items of the array `name`."""
    array = _part(structure, name)
    for container in array if array is not None else ():
        for item in container:
            if item.tag == f"{_RDF}li":
                yield item


def _part(structure: Element | None, name: str) -> Element | None:
    """Return the field `name` of a structure, whose fields may be nested in a Description element."""
    if structure is None:
        return None
    found = structure.find(name)
    return structure.find(f"{_RDF}Description/{name}") if found is None else found


def _text(structure: Element | None, name: str) -> str:
    """Return the text of a field (an element or an attribute), "" if it is missing."""
    if structure is None:
        return ""
    inner = structure.find(f"{_RDF}Description")
    for holder in (structure, inner):
        if holder is None:
            continue
        if name in holder.attrib:
            return clean_text(holder.attrib[name])
        if (part := holder.find(name)) is not None:
            return clean_text("".join(part.itertext()))
    return ""


def _number(structure: Element | None, name: str) -> float | None:
    return _float(_text(structure, name))


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
