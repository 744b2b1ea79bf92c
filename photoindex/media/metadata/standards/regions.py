"""Face and other regions of a picture, as stored in XMP (MWG, Microsoft and ACDSee schemas)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
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
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"

_KINDS = frozenset({"face", "pet", "focus", "barcode"})
_REGION_LIMIT = 500
_NAME_CHARACTERS = 500
_SEPARATOR = re.compile(r"[\s,]+")
_MARKERS = tuple(name[1:-1].encode() for name in (_MWG, _MICROSOFT_INFO, _ACDSEE))
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
    for reader in (_read_mwg, _read_microsoft, _read_acdsee):
        for region in reader(root):
            if len(found) >= _REGION_LIMIT:
                break
            found.append(region)
    return tuple(found)


def _read_mwg(root: Element) -> Iterator[Region]:
    for regions in root.iter(f"{_MWG}Regions"):
        size = _part(regions, f"{_MWG}AppliedToDimensions")
        width, height = (_number(size, f"{_DIMENSIONS}{side}") for side in "wh")
        for item in _items(regions, f"{_MWG}RegionList"):
            area = _part(item, f"{_MWG}Area")
            rectangle = None if area is None else _mwg_rectangle(area, width, height)
            if region := _region("mwg", _text(item, f"{_MWG}Type"), _text(item, f"{_MWG}Name"), rectangle):
                yield region


def _mwg_rectangle(area: Element, width: float | None, height: float | None) -> _Rectangle | None:
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
            if region := _region("mp", "face", name, rectangle):
                yield region


def _read_acdsee(root: Element) -> Iterator[Region]:
    for regions in root.iter(f"{_ACDSEE}Regions"):
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
                yield region


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
