"""Facts and regions of an XMP sidecar (ISO 16684-1, and the files of Lightroom, darktable, digiKam and others)."""

from __future__ import annotations

import re

from photoindex.media.metadata.findings import Findings
from photoindex.media.metadata.guard import guarded
from photoindex.media.sidecars.problem import BrokenSidecar, as_utf8
from photoindex.types import Region, SidecarKind, SidecarRead

_MOST_TAGS = 500_000
"""More than any program writes; each costs the parser about a hundred bytes."""

_ENCODING = re.compile(rb"\A\s*<\?xml\b[^>]*\?>")


def read_xmp_sidecar(data: bytes) -> SidecarRead:
    """Return what an XMP file says, in UTF-8 or UTF-16. Raises BrokenSidecar."""
    from photoindex.media.metadata.standards.regions import regions_of
    from photoindex.media.metadata.standards.xmp import add_properties, parse_packet

    packet = as_utf8(data)
    if packet is not data:
        packet = _ENCODING.sub(b"", packet)
    if packet.count(b"<") > _MOST_TAGS:
        raise BrokenSidecar(f"the XMP has more than {_MOST_TAGS} tags")
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
