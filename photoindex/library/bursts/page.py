"""Renders bursts as one self-contained HTML page to choose their best frames on, which gives answers as a file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from photoindex.domain.bursts.values import Choice, Judged, Series
from photoindex.errors import NothingFound
from photoindex.library.bursts.find import Burst, BurstsRequest, find_bursts
from photoindex.library.export.pages import rendered
from photoindex.library.export.photo_cards import GalleryEntry, Item, item_of, read_jpeg
from photoindex.library.handle import Library
from photoindex.library.search.hits import Hit, hits_by_id
from photoindex.progress import EventSink, ignore_events
from photoindex.query.syntax import Node
from photoindex.store.people.hidden import Also

FRAMES = 200
"""Frames on a page unless asked otherwise: some 30 MB, as each is shown in its preview."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to show. query: bursts with a matching photo; limit: frames at most. every: also bursts that are decided.

    hidden, sensitive: also bursts with such photos.
    """

    query: Node | Sequence[str] | None = None
    limit: int = FRAMES
    every: bool = False
    hidden: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page in chunks of UTF-8. bursts, frames: shown; left: bursts beyond the limit.

    left_out: bursts with a hidden person or a sensitive photo.
    """

    page: Iterator[bytes]
    bursts: int
    frames: int
    left: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame on the page, with what is proposed for it."""

    item: Item
    judged: Judged

    @property
    def is_best(self) -> bool:
        return self.judged.choice is Choice.BEST


def bursts_page(library: Library, request: PageRequest, emit: EventSink = ignore_events) -> Page:
    """Return the page. Only previews are read. Raises NothingFound where there is no burst to choose from."""
    also = Also(request.hidden, request.sensitive)
    wanted = BurstsRequest(
        request.query, frames=request.limit, series=Series.BURST, undecided=not request.every, also=also
    )
    found = find_bursts(library, wanted, emit)
    if not found.bursts:
        raise NothingFound(_nothing(request, left_out=found.left_out))
    hits = hits_by_id(library, [photo.id for one in found.bursts for photo in one.photos])
    groups = [_frames(library.derived_folder, one, hits) for one in found.bursts]
    frames = sum(map(len, groups))
    page = rendered(
        "photoindex.library.bursts", "page.html.j2", {"picture": _picture},
        groups=groups, frames=frames, known={"key": _key(found.bursts)},
    )  # fmt: skip
    return Page(page, len(groups), frames, found.left, found.left_out)


def _nothing(request: PageRequest, *, left_out: int) -> str:
    if left_out:
        return "every burst has a hidden person or a sensitive photo; --hidden and --sensitive show them"
    if request.every:
        return "there is no burst to choose from; see: photoindex bursts"
    return "there is no burst to choose from, other than those that you decided; --all shows them, too"


def _frames(derived_folder: Path, burst: Burst, hits: dict[int, Hit]) -> list[_Frame]:
    return [
        _Frame(item_of(derived_folder, GalleryEntry(hits[judged.photo_id])), judged)
        for judged in burst.judged
        if judged.photo_id in hits
    ]


def _picture(item: Item) -> str:
    """Return a frame's preview in base64, its thumbnail if that is missing, "" if both are."""
    return base64.b64encode(next(filter(None, map(read_jpeg, (item.preview, item.thumbnail))), b"")).decode("ascii")


def _key(bursts: Sequence[Burst]) -> str:
    content = [[photo.id for photo in one.photos] for one in bursts]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
