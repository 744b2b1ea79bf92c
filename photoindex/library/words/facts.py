"""What a person says of photos in place of their files: stars, a favourite, a caption. Originals are never changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.words.change import WordsChanged, Work, change, photos_text
from photoindex.pipeline.resolve.said import refresh_said
from photoindex.store.engine.chunks import chunks
from photoindex.store.photos import corrections
from photoindex.store.search import targets
from photoindex.text import composed
from photoindex.types import FactValue

REJECTED = -1
"""The rating of a rejected photo."""
_CAPTION_CHARACTERS_MAX = 10_000
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_CHUNK_PHOTOS = 5_000


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person says: a fact and its value; None takes back what they said, and the files count again.

    said: for the journal, with `{}` for the photos. only_where: returns those of some photos that it is about; None for all.
    """

    command: str
    fact: str
    value: FactValue
    said: str
    only_where: Callable[[Connection, Sequence[int]], set[int]] | None = None


def rate(stars: int | None) -> Statement:
    """Rate photos with 0 to 5 stars, REJECTED, or None to go by their files."""
    if stars is None:
        return Statement("rate", "rating", None, "rating of {} cleared")
    if stars == REJECTED:
        return Statement("rate", "rating", REJECTED, "{} rejected")
    return Statement("rate", "rating", stars, f"{{}} rated {stars}")


def favourite(*, on: bool = True) -> Statement:
    """Say that photos are favourites, or are none though their files say so."""
    if on:
        return Statement("favourite", "favourite", 1, "{} marked as favourite")
    return Statement("favourite", "favourite", 0, "{} no longer favourite", targets.favourites)


def caption(text: str | None) -> Statement:
    """Give photos a caption, or None for what their files say. Raises UsageError for an empty or too long one."""
    if text is None:
        return Statement("caption set", "description", None, "caption of {} removed")
    if _NOT_UTF8.search(text):
        raise UsageError("the caption holds bytes that are not UTF-8")
    plain = _CONTROLS.sub(" ", composed(text).replace("\r\n", "\n")).strip()
    if not plain:
        raise UsageError("the caption is empty; to remove the one that you gave, use --remove")
    if len(plain) > _CAPTION_CHARACTERS_MAX:
        raise UsageError(f"a caption has at most {_CAPTION_CHARACTERS_MAX:,} characters")
    return Statement("caption set", "description", plain, "caption of {} set")


def state(library: Library, photo_ids: Sequence[int], statement: Statement) -> WordsChanged:
    """Say something of photos, all or none, as one entry of the journal."""

    def begin(connection: Connection) -> Work:
        changed: set[int] = set()

        def outcome() -> tuple[str, int]:
            return statement.said.format(photos_text(len(changed))), len(changed)

        changes = corrections.correct(connection, _rows(connection, photo_ids, statement, changed))
        return Work(changes, outcome, finish=lambda after: refresh_said(after, changed))

    return change(library, statement.command, begin)


def _rows(
    connection: Connection, photo_ids: Sequence[int], statement: Statement, changed: set[int]
) -> Iterator[tuple[int, str, FactValue]]:
    for some in chunks(photo_ids, _CHUNK_PHOTOS):
        about = None if statement.only_where is None else statement.only_where(connection, some)
        for content in targets.corrections_of(connection, some, statement.fact):
            if about is not None and content.photo_id not in about:
                continue
            # A correction on an earlier content of an edited file must not take effect again.
            value = statement.value if content.current else None
            if content.value != value:
                changed.add(content.photo_id)
                yield content.asset_id, statement.fact, value
