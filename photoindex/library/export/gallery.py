"""Renders photos as one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from photoindex.library.export.pages import rendered
from photoindex.library.export.photo_cards import GallerySection, Item, one_line, read_jpeg

PREVIEWS_UP_TO = 60
"""Up to this many photos are embedded as previews of 1024 px (about 10 MB), more as thumbnails (about 13 kB each)."""


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
        "photoindex.library.export",
        "gallery.html.j2",
        {"picture": partial(_picture, large=shown <= PREVIEWS_UP_TO), "alternative": _alternative, "clock": _clock},
        sections=sections,
        comparable=any(item.keep for section in sections for item in section.items),
        title=one_line(title) or "All photos",
        counted=_counted(shown, shown if total is None else total),
        made_at=made_at or datetime.now().astimezone(),
    )


def _picture(item: Item, *, large: bool) -> str:
    """Return a photo's JPEG in base64; the other size if the wanted one is missing, "" if both are."""
    wanted = (item.preview, item.thumbnail) if large else (item.thumbnail, item.preview)
    data = next(filter(None, map(read_jpeg, wanted)), b"")
    return base64.b64encode(data).decode("ascii")


def _alternative(item: Item) -> str:
    """Return the picture's alternative text."""
    return ", ".join(filter(None, (item.heading, item.taken, item.place)))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def _counted(shown: int, total: int) -> str:
    photos = "1 photo" if total == 1 else f"{total:,} photos"
    return photos if shown == total else f"the first {shown:,} of {photos}"
