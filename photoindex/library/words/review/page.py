"""Renders tags of models to judge as one self-contained HTML page, which gives answers as a file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from photoindex.errors import NothingFound
from photoindex.library.export.pages import rendered
from photoindex.library.handle import Library
from photoindex.library.search.hits import hits_by_id
from photoindex.library.words.tags import find_tag
from photoindex.paths import display
from photoindex.pipeline.ingest.derived_files import thumbnail_path
from photoindex.store.people.hidden import Also
from photoindex.store.words import review
from photoindex.store.words.review import JudgedTag, OpenLabel

PICTURES = 400
"""Pictures on a page unless asked otherwise: some 6 MB."""
_OF_A_TAG = 24


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What to show. tags: only these; limit: pictures at most. hidden, sensitive: also such photos."""

    tags: Sequence[str] = ()
    limit: int = PICTURES
    hidden: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """A page in chunks of UTF-8. tags, pictures: shown; left: tags that are not, as they are beyond the limit."""

    page: Iterator[bytes]
    tags: int
    pictures: int
    left: int


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture on the page. thumbnail: JPEG in base64, "" if missing. percent: the confidence.

    calibrated: it was measured on what a person said about the tag.
    """

    photo: int
    name: str
    thumbnail: str
    percent: int
    shown: bool
    calibrated: bool


@dataclass(frozen=True, slots=True)
class _Group:
    tag: JudgedTag
    pictures: Sequence[_Picture]


def review_page(library: Library, request: ReviewRequest) -> Review:
    """Return the page: tag by tag, the pictures whose confidence is nearest to the threshold.

    Raises UsageError, NothingFound for a name that is no tag, and where there is nothing to judge.
    """
    near = library.config.ai_confidence_threshold / 100
    also = Also(request.hidden, request.sensitive)
    chosen: list[tuple[JudgedTag, Sequence[OpenLabel]]] = []
    left, room = 0, request.limit
    with library.database.read() as connection:
        wanted = {find_tag(connection, name).id for name in request.tags}
        tags = review.open_tags(connection, also)
        for tag in tags:
            if wanted and tag.id not in wanted:
                continue
            if not room:
                left += 1
                continue
            found = review.open_labels(connection, tag.id, also, near=near, limit=min(room, _OF_A_TAG))
            room -= len(found)
            chosen.append((tag, found))
    if not chosen:
        raise NothingFound("there are no tags of models to judge; to find some: photoindex tag auto")
    groups = [_Group(tag, _pictures(library, found)) for tag, found in chosen]
    count = sum(len(group.pictures) for group in groups)
    page = rendered(
        "photoindex.library.words.review",
        "page.html.j2",
        {},
        groups=groups,
        pictures=count,
        known={"key": _key(groups)},
    )
    return Review(page, len(groups), count, left)


def _pictures(library: Library, found: Sequence[OpenLabel]) -> list[_Picture]:
    hits = hits_by_id(library, [one.photo_id for one in found])
    return [
        _Picture(
            photo=one.photo_id,
            name=display(hits[one.photo_id].name) if one.photo_id in hits and hits[one.photo_id].name else "",
            thumbnail=_thumbnail(library, one.digest),
            percent=int(one.confidence * 100),
            shown=one.shown,
            calibrated=one.calibrated,
        )
        for one in found
    ]


def _thumbnail(library: Library, digest: bytes) -> str:
    try:
        return base64.b64encode(thumbnail_path(library.derived_folder, digest).read_bytes()).decode("ascii")
    except OSError:
        return ""


def _key(groups: Sequence[_Group]) -> str:
    content = [[group.tag.id, [one.photo for one in group.pictures]] for group in groups]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
