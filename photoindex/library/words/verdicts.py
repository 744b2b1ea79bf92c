"""What a person says about tags that models gave: accepted, they are the person's own; rejected, they never return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from photoindex.errors import NothingFound
from photoindex.library.handle import Library
from photoindex.library.words.change import WordsChanged, Work, change, photos_text
from photoindex.library.words.stale import tags_changed
from photoindex.library.words.tags import find_tag
from photoindex.store.journal.journal import Change
from photoindex.store.words import photo_tags
from photoindex.store.words.photo_tags import TagChange

Verdicts = Mapping[int, Sequence[int]]
"""Tag -> photos."""


def accept_tag(library: Library, written: str, photo_ids: Sequence[int]) -> WordsChanged:
    """Make a model's tag the person's own, in those of the photos that a model gave it.

    Raises UsageError, NothingFound for a name that is no tag, or if no model gave it one of them.
    """

    def begin(connection: Connection) -> Work:
        found = find_tag(connection, written)
        chosen = photo_tags.labelled(connection, [found.id], photo_ids)
        if not chosen:
            raise NothingFound(
                f"no model gave one of these photos the tag {found.name}; to give it: photoindex tag add TAG PHOTO"
            )
        return verdict_work(connection, Decided(accepted={found.id: chosen}), f"{found.name} accepted")

    return change(library, "tag accept", begin)


def reject_tag(library: Library, written: str, photo_ids: Sequence[int]) -> WordsChanged:
    """Say that a tag does not fit photos, whoever gave it. Raises UsageError, NothingFound."""

    def begin(connection: Connection) -> Work:
        found = find_tag(connection, written)
        return verdict_work(connection, Decided(rejected={found.id: photo_ids}), f"{found.name} rejected")

    return change(library, "tag reject", begin)


@dataclass(frozen=True, slots=True)
class Decided:
    """Tags that were accepted and rejected, by the photos."""

    accepted: Verdicts = field(default_factory=dict)
    rejected: Verdicts = field(default_factory=dict)


def verdict_work(connection: Connection, decided: Decided, what: str) -> Work:
    """Return the work of storing verdicts. what: the beginning of its summary."""
    done = TagChange()

    def changes() -> Iterator[Change]:
        for tag_id, photo_ids in decided.accepted.items():
            yield from photo_tags.add(connection, [tag_id], photo_ids, done)
        for tag_id, photo_ids in decided.rejected.items():
            yield from photo_tags.reject(connection, [tag_id], photo_ids, done)

    def outcome() -> tuple[str, int]:
        return f"{what} in {photos_text(len(done.photos))}", len(done.photos)

    return Work(changes(), outcome, finish=lambda after: tags_changed(after, done))
