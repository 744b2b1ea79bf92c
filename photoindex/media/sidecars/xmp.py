"""Reading XMP sidecars (ISO 16684-1) of Lightroom, darktable, digiKam and other programs."""

from __future__ import annotations

from photoindex.media.metadata.findings import Findings
from photoindex.media.metadata.guard import guarded
from photoindex.media.sidecars.common import BrokenSidecar
from photoindex.types import Region, SidecarKind, SidecarRead

_TAG_LIMIT = 500_000
"""More than any program writes; each tag costs the parser about a hundred bytes."""


def read_xmp_sidecar(data: bytes) -> SidecarRead:
    """Return the facts and regions of an XMP file in any encoding. Raises BrokenSidecar."""
    from photoindex.media.metadata.standards.regions import regions_of
    from photoindex.media.metadata.standards.xmp import Properties, add_properties, parse_packet
    from photoindex.media.metadata.standards.xmp_packets import packets_in

    if data.count(b"<") > _TAG_LIMIT:
        raise BrokenSidecar(f"the XMP has more than {_TAG_LIMIT} tags")
    found = Findings("sidecar")
    problems: list[str] = []
    packets: list[bytes] = []
    properties: list[Properties] = []
    with guarded(problems.append, "the XMP is damaged"):
        packets = packets_in(data, found.note)
        properties = [parse_packet(packet) for packet in packets]
    if problems or not packets:
        raise BrokenSidecar(problems[0] if problems else "the XMP is blank")
    regions: dict[Region, None] = {}
    for packet, each in zip(packets, properties, strict=True):
        with guarded(found.note, "damaged XMP"):
            add_properties(each, found)
        with guarded(found.note, "damaged regions"):
            regions.update(dict.fromkeys(regions_of(packet)))
    return SidecarRead(SidecarKind.XMP, found.facts, regions=tuple(regions), notes=tuple(found.notes))
