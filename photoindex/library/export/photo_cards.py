"""Photos prepared for a page, a sheet or a terminal: texts that are safe to print, and their derived pictures."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from photoindex.config.schema import DerivedConfig
from photoindex.file_access import read_file
from photoindex.library.handle import Library
from photoindex.library.photos.time_text import partial, shown
from photoindex.library.search.hits import Hit
from photoindex.paths import display
from photoindex.pipeline.ingest import derived_files
from photoindex.store.search.choices import photos_of_types

if TYPE_CHECKING:
    from PIL.Image import Image

THUMBNAIL_PX = DerivedConfig().thumbnail_px
_ENLARGED_MAX = 2.0
_BADGES = {"live": "Live", "motion": "Motion", "raw": "RAW"}
"""Value of `type:` -> what a page calls such a photo."""
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class GalleryEntry:
    """One hit to show. keep: mark it as the one to keep. note: a short text shown below it."""

    hit: Hit
    keep: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class GalleryGroup:
    """Hits under one heading; a search has a single group without heading. same_picture: its photos show the same."""

    entries: Sequence[GalleryEntry]
    heading: str = ""
    note: str = ""
    same_picture: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One photo to show; texts have no control characters and are "" if unknown.

    id: the photo's id. heading: its title, else its name. path: of the original (folder and name), escaped for display.
    address: its file: URL, "" if the original is missing. taken: wall time to the minute, or the known part of it, with `~` if it is the file's. size:
    pixels and bytes. exposure: time, aperture, ISO and focal length. kind: image, raw or video. duration_seconds: of a
    video. relevance: of the search, 0 to 100. width, height: pixels as shown, 0 if unknown. preview, thumbnail: files
    that may be missing, None if no content of the photo was read. date: the known part of the day it was taken, such as
    2019-06-14 or 2019. badges: Live, Motion, RAW.
    """

    id: int
    name: str
    heading: str
    path: str
    folder: str
    address: str
    taken: str
    place: str
    camera: str
    lens: str
    exposure: str
    size: str
    description: str
    keywords: tuple[str, ...]
    rating: int
    kind: str
    format: str
    state: str
    duration_seconds: float | None
    relevance: int | None
    width: int
    height: int
    keep: bool
    note: str
    preview: Path | None
    thumbnail: Path | None
    date: str = ""
    badges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GallerySection:
    """Items under a heading, "" for a search. date: of all of them, as in `Item`, if they are under a heading for it."""

    items: Sequence[Item]
    heading: str = ""
    note: str = ""
    date: str = ""


def sections_of(library: Library, groups: Iterable[GalleryGroup]) -> list[GallerySection]:
    """Convert groups of hits to sections of items, without empty groups."""
    groups = [group for group in groups if group.entries]
    with library.database.read() as connection:
        found = photos_of_types(connection, [one.hit.id for group in groups for one in group.entries], tuple(_BADGES))
    return [
        GallerySection(
            [
                item_of(
                    library.derived_folder,
                    entry,
                    tuple(badge for name, badge in _BADGES.items() if entry.hit.id in found[name]),
                )
                for entry in group.entries
            ],
            one_line(group.heading),
            one_line(group.note),
        )
        for group in groups
    ]


def private(sections: Iterable[GallerySection]) -> list[GallerySection]:
    """Return sections that say when photos were taken and with what, but not where, nor which files they are.

    Titles, descriptions and keywords go, too: programs write names of files and places into them.
    """
    return [replace(section, items=[_private(item) for item in section.items], note="") for section in sections]


def _private(item: Item) -> Item:
    return replace(
        item, name="", heading=f"Photo {item.id}", path="", folder="", address="", place="", description="", keywords=(),
        note="",
    )  # fmt: skip


def item_of(derived_folder: Path, entry: GalleryEntry, badges: tuple[str, ...] = ()) -> Item:
    """Convert one hit to an item; the derived files are not opened."""
    hit = entry.hit
    digest = bytes.fromhex(hit.digest) if hit.digest else None
    name = display(hit.name) or f"photo {hit.id}"
    return Item(
        id=hit.id,
        name=name,
        heading=one_line(hit.title) or name,
        path=display(hit.path),
        folder=display(hit.path[: len(hit.path) - len(hit.name)]),
        address=file_url(hit.path) if hit.state == "present" else "",
        taken=shown(hit.taken_at, hit.taken_at_precision, hit.taken_at_source),
        place=one_line(hit.place),
        camera=one_line(hit.camera),
        lens=one_line(hit.lens),
        exposure=_exposure(hit),
        size=_size(hit),
        description=one_line(hit.description),
        keywords=tuple(filter(None, map(one_line, hit.keywords))),
        rating=max(0, min(5, hit.rating or 0)),
        kind=hit.kind,
        format=hit.format,
        state=hit.state,
        duration_seconds=hit.duration_seconds,
        relevance=getattr(hit, "relevance", None),
        width=hit.width or 0,
        height=hit.height or 0,
        keep=entry.keep,
        note=one_line(entry.note),
        preview=derived_files.preview_path(derived_folder, digest) if digest else None,
        thumbnail=derived_files.thumbnail_path(derived_folder, digest) if digest else None,
        date=(partial(hit.taken_at, hit.taken_at_precision) or "")[:10],
        badges=badges,
    )


def file_url(path: bytes) -> str:
    """Return an absolute path as a file: URL (RFC 8089) that preserves its bytes; "" for a relative path."""
    return f"file://{quote(path)}" if path.startswith(b"/") else ""


def read_jpeg(path: Path | None) -> bytes | None:
    """Return a derived file's bytes; None if it is missing, unreadable or not a JPEG."""
    if path is None:
        return None
    try:
        data = read_file(path)
    except OSError:
        return None
    return data if data.startswith(_JPEG_START) else None


def picture_of(item: Item, box: tuple[int, int]) -> Image | None:
    """Return a photo's RGB picture scaled to fit the box (width, height in pixels), enlarged at most to twice its size.

    None if it has no derived file that can be decoded.
    """
    return picture_of_files(item.preview, item.thumbnail, box)


def picture_of_files(preview: Path | None, thumbnail: Path | None, box: tuple[int, int]) -> Image | None:
    """Return the picture of derived files, as for `picture_of`."""
    import PIL.Image

    files = (preview, thumbnail) if max(box) > THUMBNAIL_PX else (thumbnail, preview)
    for data in map(read_jpeg, files):
        if data is None:
            continue
        try:
            picture = PIL.Image.open(io.BytesIO(data), formats=("JPEG",))
            picture.draft("RGB", box)
            scale = min(box[0] / picture.width, box[1] / picture.height, _ENLARGED_MAX)
            size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
            return picture.convert("RGB").resize(size, PIL.Image.Resampling.LANCZOS)
        except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
            continue  # a damaged derived file: the other one may be intact
    return None


def shortened(groups: Sequence[GalleryGroup], limit: int) -> list[GalleryGroup]:
    """Return the groups with at most `limit` entries in total; the last group keeps its first entries."""
    left, kept = limit, []
    for group in groups:
        if left <= 0:
            break
        entries = group.entries[:left]
        left -= len(entries)
        kept.append(GalleryGroup(entries, group.heading, group.note))
    return kept


def one_line(text: str | None) -> str:
    """Return text from metadata on one line, without control characters and bidirectional overrides."""
    return display(" ".join((text or "").split()).encode("utf-8", "backslashreplace"))


def _exposure(hit: Hit) -> str:
    parts = []
    if hit.exposure_seconds:
        seconds = hit.exposure_seconds
        parts.append(f"1/{1 / seconds:.0f} s" if 0 < seconds < 0.3 else f"{seconds:g} s")
    if hit.aperture:
        parts.append(f"f/{hit.aperture:g}")
    if hit.iso:
        parts.append(f"ISO {hit.iso}")
    if hit.focal_length_mm:
        parts.append(f"{hit.focal_length_mm:.3g} mm")
    return " · ".join(parts)


def _size(hit: Hit) -> str:
    parts = [f"{hit.width} x {hit.height}"] if hit.width and hit.height else []
    return " · ".join([*parts, _bytes_text(hit.size_bytes), hit.format.upper()])


def _bytes_text(size_bytes: int) -> str:
    """Format a number of bytes for people, in powers of 1000."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value, units = size_bytes / 1000, ["kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.3g} {units[0]}"
