"""Reading XMP sidecars (ISO 16684-1) of Lightroom, darktable, digiKam and other programs."""

from __future__ import annotations

import re

from photoindex.media.metadata.findings import Findings
from photoindex.media.metadata.guard import guarded
from photoindex.media.sidecars.common import BrokenSidecar, as_utf8
from photoindex.types import Region, SidecarKind, SidecarRead

_TAG_LIMIT = 500_000
"""More than any program writes; each tag costs the parser about a hundred bytes."""

_ENCODING = re.compile(rb"\A\s*<\?xml\b[^>]*\?>")


def read_xmp_sidecar(data: bytes) -> SidecarRead:
    """Return the facts and regions of an XMP file in UTF-8 or UTF-16. Raises BrokenSidecar."""
    from photoindex.media.metadata.standards.regions import regions_of
    from photoindex.media.metadata.standards.xmp import add_properties, parse_packet

    packet = as_utf8(data)
    if packet is not data:
        packet = _ENCODING.sub(b"", packet)
    if packet.count(b"<") > _TAG_LIMIT:
        raise BrokenSidecar(f"the XMP has more than {_TAG_LIMIT} tags")
    found = Findings("sidecar")
    problems: list[str] = []
    with guarded(problems.append, "the XMP is damaged"):
        properties = parse_packet(packet)
    if problems:
        raise BrokenSidecar(problems[0])
    with guarded(found.note, "damaged XMP"):
        add_properties(properties, found)
    regions: tuple[Region, ...] = ()
    with guarded(found.note, "damaged regions"):
        regions = regions_of(packet)
    return SidecarRead(SidecarKind.XMP, found.facts, regions=regions, notes=tuple(found.notes))
