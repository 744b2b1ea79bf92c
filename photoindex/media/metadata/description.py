"""Reading all embedded metadata of one file: first its container's blocks, then the facts in each of them."""

from __future__ import annotations

from collections.abc import Callable

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.containers.canon_trailer import collect_canon_trailer_xmp
from photoindex.media.metadata.containers.container_tags import read_container_tags
from photoindex.media.metadata.containers.gif import read_gif
from photoindex.media.metadata.containers.heif import read_heif
from photoindex.media.metadata.containers.jp2 import read_jp2
from photoindex.media.metadata.containers.jpeg import read_jpeg
from photoindex.media.metadata.containers.jxl import read_jxl
from photoindex.media.metadata.containers.motion_photo import find_motion_video
from photoindex.media.metadata.containers.photoshop import read_psd
from photoindex.media.metadata.containers.pillow import read_with_pillow
from photoindex.media.metadata.containers.png import read_png
from photoindex.media.metadata.containers.raw import read_raw
from photoindex.media.metadata.containers.tiff import read_tiff
from photoindex.media.metadata.containers.webp import read_webp
from photoindex.media.metadata.findings import Findings
from photoindex.media.metadata.guard import guarded
from photoindex.media.metadata.standards.exif import read_exif
from photoindex.media.metadata.standards.iptc import read_iptc
from photoindex.media.metadata.standards.lens_library import read_lens_library
from photoindex.media.metadata.standards.regions import regions_of
from photoindex.media.metadata.standards.xmp import read_xmp
from photoindex.media.metadata.videos.video import read_video
from photoindex.types import Described, FactValue, Kind, MediaType, Region

SOURCES: tuple[Callable[[Blocks], Findings], ...] = (read_exif, read_xmp, read_iptc, read_container_tags)
"""All embedded sources. EXIF comes first because it also finds the XMP and IPTC blocks stored in TIFF tags.

The library of lenses is not among them: it is asked for what they do not say."""

READERS: dict[str, Callable[[Content, Blocks], None]] = {
    "jpeg": read_jpeg,
    "mpo": read_jpeg,
    "png": read_png,
    "webp": read_webp,
    "tiff": read_tiff,
    "heic": read_heif,
    "heif": read_heif,
    "avif": read_heif,
    "jxl": read_jxl,
    "jp2": read_jp2,
    "psd": read_psd,
    "gif": read_gif,
}
"""Image format -> reader of its container; RAW and video have one reader each, Pillow reads the other formats."""

_CANON_FORMATS = frozenset({"jpeg", "mpo", "crw", "cr2", "cr3"})
_NOTE_LIMIT = 60


def describe(content: Content, media: MediaType) -> Described:
    """Return size, orientation, duration and all embedded facts of a file without decoding its pixels.

    Damage becomes a note. Raises OSError if the file cannot be read any more, and MemoryError.
    """
    blocks = Blocks()
    with blocks.streams:
        with guarded(blocks.notes.append, f"container: damaged {media.format}"):
            _read(content, media, blocks)
        with guarded(blocks.notes.append, "container: damaged trailer"):
            _read_trailer(content, media, blocks)
        found = [read(blocks) for read in SOURCES]
        with guarded(blocks.notes.append, "container: motion photo"):
            _add_motion(content, media, blocks, found[-1])
        with guarded(blocks.notes.append, "exiv2: it cannot read the maker note"):
            found.append(read_lens_library(blocks, found))
        regions = _regions(blocks)
    facts = {findings.source: findings.facts for findings in found if findings.facts}
    notes = [note for findings in found for note in findings.notes]
    orientation = _orientation(blocks, facts, media.kind)
    width, height = blocks.width, blocks.height
    if not blocks.upright and orientation >= 5:
        width, height = height, width
    if width is None:
        notes.append("container: the header has no size")
    return Described(
        media=media,
        width=width,
        height=height,
        orientation=orientation,
        duration_seconds=blocks.duration_seconds,
        facts=facts,
        notes=tuple((blocks.notes + notes)[:_NOTE_LIMIT]),
        regions=regions,
    )


def _read(content: Content, media: MediaType, blocks: Blocks) -> None:
    if media.kind is Kind.RAW:
        read_raw(content, blocks)
    elif media.kind is Kind.VIDEO:
        read_video(content, media.format, blocks)
    elif media.format in READERS:
        READERS[media.format](content, blocks)
    else:
        read_with_pillow(content, media.format, blocks)


def _read_trailer(content: Content, media: MediaType, blocks: Blocks) -> None:
    if media.format in _CANON_FORMATS:
        with content.open() as stream:
            collect_canon_trailer_xmp(stream, blocks)


def _add_motion(content: Content, media: MediaType, blocks: Blocks, container: Findings) -> None:
    motion = find_motion_video(content, media.format, blocks.xmp)
    if motion is not None:
        container.add("motion_offset", motion.offset)
        container.add("motion_bytes", motion.length)
        container.add("motion_kind", motion.kind)


def _regions(blocks: Blocks) -> tuple[Region, ...]:
    """Return the regions of all XMP packets without duplicates; packets in several places often repeat each other."""
    found: dict[Region, None] = {}
    for packet in blocks.xmp:
        with guarded(blocks.notes.append, "xmp: damaged regions"):
            found.update(dict.fromkeys(regions_of(packet)))
    return tuple(found)


def _orientation(blocks: Blocks, facts: dict[str, dict[str, FactValue]], kind: Kind) -> int:
    """Return the EXIF orientation from EXIF, the container or XMP, in this order.

    The EXIF of a video is that of its thumbnail, so its container alone says how to turn it.
    """
    if kind is Kind.VIDEO:
        return blocks.orientation or 1
    for value in (
        facts.get("exif", {}).get("orientation"),
        blocks.orientation,
        facts.get("xmp", {}).get("orientation"),
    ):
        if isinstance(value, int):
            return value
    return 1
