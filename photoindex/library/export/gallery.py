"""Renders photos as one self-contained HTML page."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from photoindex.library.export.date_headings import years
from photoindex.library.export.pages import inline, rendered
from photoindex.library.export.photo_cards import GallerySection, Item, one_line, read_jpeg

_PACKAGE = "photoindex.library.export"
PREVIEW_BYTES = 20_000_000
"""Previews of 1024 px are embedded up to this much (some 130), else thumbnails of 256 px, about 13 kB each."""


def gallery_page(
    sections: Sequence[GallerySection], title: str, *, total: int | None = None, made_at: datetime | None = None
) -> Iterator[bytes]:
    """Yield the page as UTF-8 HTML in chunks, so that only one photo is in memory at a time.

    title: the query. total: the number of matching photos, if the page shows fewer. made_at: local time, default now. The
    page loads nothing: its content security policy allows only pictures from data: URLs, and its own style and script by
    their digests. All texts are escaped.
    """
    shown = sum(len(section.items) for section in sections)
    return rendered(
        _PACKAGE,
        "gallery.html.j2",
        {
            "picture": partial(_picture, large=_preview_bytes(sections) <= PREVIEW_BYTES),
            "alternative": _alternative,
            "clock": _clock,
        },
        style=inline(_PACKAGE, "gallery.css"),
        script=inline(_PACKAGE, "gallery.js"),
        sections=sections,
        years=years(sections),
        common=len(_common_folder(sections)),
        with_paths=any(item.path for section in sections for item in section.items),
        comparable=any(item.keep for section in sections for item in section.items),
        title=one_line(title) or "All photos",
        counted=_counted(shown, shown if total is None else total),
        made_at=made_at or datetime.now().astimezone(),
    )


def _preview_bytes(sections: Sequence[GallerySection]) -> int:
    total = 0
    for preview in (item.preview for section in sections for item in section.items):
        with suppress(OSError):
            total += preview.stat().st_size if preview else 0
    return total


def _picture(item: Item, *, large: bool) -> str:
    """Return a photo's JPEG in base64; the other size if the wanted one is missing, "" if both are."""
    wanted = (item.preview, item.thumbnail) if large else (item.thumbnail, item.preview)
    data = next(filter(None, map(read_jpeg, wanted)), b"")
    return base64.b64encode(data).decode("ascii")


def _common_folder(sections: Sequence[GallerySection]) -> str:
    """Return the start that all folders have in common and that cards leave out: whole names, never a folder's last."""
    folders = {item.folder for section in sections for item in section.items if item.folder}
    parents = [folder.rstrip("/").rpartition("/")[0] for folder in folders]
    common = os.path.commonpath(parents) if parents and all(parents) else ""
    return f"{common.rstrip('/')}/" if common else ""


def _alternative(item: Item) -> str:
    """Return the picture's alternative text."""
    return ", ".join(filter(None, (item.heading, item.taken, item.place)))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def _counted(shown: int, total: int) -> str:
    photos = "1 photo" if total == 1 else f"{total:,} photos"
    return photos if shown == total else f"the first {shown:,} of {photos}"
