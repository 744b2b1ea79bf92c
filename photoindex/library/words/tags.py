"""Tags that a person gives photos and takes from them, and the list of all tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.domain.words.names import checked_tag, tag_key
from photoindex.errors import NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.words.change import WordsChanged, Work, change, photos_text
from photoindex.store.words import documents, photo_tags, tag_counts, tags
from photoindex.store.words.photo_tags import TagChange
from photoindex.store.words.tag_counts import TagCount
from photoindex.store.words.tags import TagRow


def add_tags(library: Library, written: Sequence[str], photo_ids: Sequence[int]) -> WordsChanged:
    """Give photos tags; one that was rejected fits again. Raises UsageError for a bad name."""
    names = _checked(written)

    def begin(connection: Connection) -> Work:
        ids = tags.ensure(connection, names)
        now_called = tags.by_ids(connection, ids.values())
        listed = ", ".join(one.name for one in now_called.values())
        done = TagChange()

        def outcome() -> tuple[str, int]:
            return f"{listed} added to {photos_text(len(done.photos))}", len(done.photos)

        changes = photo_tags.add(connection, sorted(set(ids.values())), photo_ids, done)
        return Work(changes, outcome, _renamed(ids, now_called), lambda after: documents.refresh(after, done.photos))

    return change(library, "tag add", begin)


def remove_tags(library: Library, written: Sequence[str], photo_ids: Sequence[int]) -> WordsChanged:
    """Take tags from photos; where a file or a model gives one, it is said not to fit. Raises UsageError, NothingFound."""
    names = _checked(written)

    def begin(connection: Connection) -> Work:
        found = {name: find_tag(connection, name) for name in names}
        listed = ", ".join(one.name for one in found.values())
        done = TagChange()

        def outcome() -> tuple[str, int]:
            return f"{listed} removed from {photos_text(len(done.photos))}", len(done.photos)

        changes = photo_tags.remove(connection, sorted({one.id for one in found.values()}), photo_ids, done)
        return Work(changes, outcome, finish=lambda after: documents.refresh(after, done.photos))

    return change(library, "tag remove", begin)


def find_tag(connection: Connection, written: str) -> TagRow:
    """Return the tag of a name, by what it is called now. Raises UsageError for a bad name, NothingFound."""
    (name,) = _checked([written])
    found = tags.find(connection, [name]).get(name)
    if found is None:
        raise NothingFound(f"there is no tag '{name}'; see: photoindex tag list")
    return found


@dataclass(frozen=True, slots=True)
class Order:
    """How tags are listed: by name, or `popular` ones first; at most `limit`."""

    popular: bool = False
    limit: int | None = None


def list_tags(library: Library, order: Order = Order()) -> list[TagCount]:
    """Return the tags that photos have, with how many."""
    with library.database.read() as connection:
        found = tag_counts.counts(connection)
    found.sort(key=(lambda one: (-one.photos, one.key)) if order.popular else (lambda one: (0, one.key)))
    return found[: order.limit]


def _checked(written: Sequence[str]) -> list[str]:
    try:
        return list({tag_key(name): name for name in map(checked_tag, written)}.values())
    except ValueError as error:
        hint = "; give each tag with its own --and TAG" if any("," in one for one in written) else ""
        raise UsageError(f"{error}{hint}") from error


def _renamed(ids: dict[str, int], now_called: dict[int, TagRow]) -> tuple[str, ...]:
    return tuple(
        f"{name} is called {now_called[tag_id].name} now"
        for name, tag_id in ids.items()
        if tag_key(name) != tag_key(now_called[tag_id].name)
    )
