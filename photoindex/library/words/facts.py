"""What a person says of photos in place of their files: stars, a favourite, a caption. Originals are never changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.invalidation import invalidate
from photoindex.library.scan.refresh import refresh
from photoindex.library.words.change import WordsChanged, photos_text
from photoindex.progress import EventSink, ignore_events
from photoindex.store.journal import journal
from photoindex.store.photos import corrections
from photoindex.store.search import targets
from photoindex.text import composed
from photoindex.types import FactValue

REJECTED = -1
"""The rating of a rejected photo."""
_CAPTION_CHARACTERS_MAX = 10_000
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
    plain = _CONTROLS.sub(" ", composed(text).replace("\r\n", "\n")).strip()
    if not plain:
        raise UsageError("the caption is empty; to remove the one that you gave, use --remove")
    if len(plain) > _CAPTION_CHARACTERS_MAX:
        raise UsageError(f"a caption has at most {_CAPTION_CHARACTERS_MAX:,} characters")
    return Statement("caption set", "description", plain, "caption of {} set")


def state(
    library: Library, photo_ids: Sequence[int], statement: Statement, emit: EventSink = ignore_events
) -> WordsChanged:
    """Say something of photos, all or none, as one entry of the journal. Raises LibraryLocked, StorageFull."""
    changed: set[int] = set()
    with exclusive(library.folder, f"photoindex {statement.command}"), library.database.session() as session:
        roots = Roots(library.database)
        with session.write() as connection:
            rows = list(_rows(connection, photo_ids, statement, changed))
            summary = statement.said.format(photos_text(len(changed)))
            if not rows:
                return WordsChanged(None, summary)
            changes = corrections.correct(connection, rows)
            entry_id = journal.record(connection, command=statement.command, summary=summary, changes=changes)
            invalidate(connection, entry_id)
        refresh(library, session, roots, emit)
    return WordsChanged(entry_id, summary, len(changed))


def _rows(
    connection: Connection, photo_ids: Sequence[int], statement: Statement, changed: set[int]
) -> Iterator[tuple[int, str, FactValue]]:
    for start in range(0, len(photo_ids), _CHUNK_PHOTOS):
        some = photo_ids[start : start + _CHUNK_PHOTOS]
        about = None if statement.only_where is None else statement.only_where(connection, some)
        for content in targets.corrections_of(connection, some, statement.fact):
            if about is not None and content.photo_id not in about:
                continue
            # A correction on an earlier content of an edited file must not take effect again.
            value = statement.value if content.current else None
            if content.value != value:
                changed.add(content.photo_id)
                yield content.asset_id, statement.fact, value
