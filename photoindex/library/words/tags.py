"""Tags that a person gives photos and takes from them, and the list of all tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.domain.words.names import checked_tag, is_tag, tag_key, tag_of_keyword
from photoindex.errors import NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.words.change import WordsChanged, Work, change, photos_text
from photoindex.library.words.completion import tags_beginning
from photoindex.library.words.stale import tags_changed
from photoindex.paths import shell_word
from photoindex.store.journal.journal import Change
from photoindex.store.search.tags import SENSITIVE
from photoindex.store.words import photo_tags, renames, tag_counts, tags
from photoindex.store.words.photo_tags import TagChange
from photoindex.store.words.tag_counts import TagCount
from photoindex.store.words.tags import TagRow


def add_tags(library: Library, written: Sequence[str], photo_ids: Sequence[int]) -> WordsChanged:
    """Give photos tags; one that was rejected fits again. Raises UsageError for a bad name."""

    def begin(connection: Connection) -> Work:
        ids = tags.ensure(connection, _known_or_checked(connection, written))
        now_called = tags.by_ids(connection, ids.values())
        listed = ", ".join(one.name for one in now_called.values())
        done = TagChange()

        def outcome() -> tuple[str, int]:
            return f"{listed} added to {photos_text(len(done.photos))}", len(done.photos)

        changes = photo_tags.add(connection, sorted(set(ids.values())), photo_ids, done)
        return Work(changes, outcome, _renamed(ids, now_called), lambda after: tags_changed(after, done))

    return change(library, "tag add", begin)


def remove_tags(library: Library, written: Sequence[str], photo_ids: Sequence[int]) -> WordsChanged:
    """Take tags from photos; where a file or a model gives one, it is said not to fit. Raises UsageError, NothingFound."""

    def begin(connection: Connection) -> Work:
        found = {one.id: one for one in (find_tag(connection, name) for name in written)}
        listed = ", ".join(one.name for one in found.values())
        done = TagChange()

        def outcome() -> tuple[str, int]:
            return f"{listed} removed from {photos_text(len(done.photos))}", len(done.photos)

        notes = tuple(_staying(connection, list(found.values()), photo_ids))
        changes = photo_tags.remove(connection, sorted(found), photo_ids, done)
        return Work(changes, outcome, notes, finish=lambda after: tags_changed(after, done))

    return change(library, "tag remove", begin)


def _staying(connection: Connection, removed: Sequence[TagRow], photo_ids: Sequence[int]) -> Iterator[str]:
    """Yield what to say of a person's tags on levels below those that are removed."""
    below = {one: {row.id for row in tags.below(connection, tag_key(one.name))} for one in removed}
    if not any(below.values()):
        return
    had = {row for rows in photo_tags.own_of(connection, photo_ids).values() for row in rows}
    for one, ids in below.items():
        if left := sorted(row.name for row in had if row.id in ids and row not in removed):
            more = f" and {len(left) - 3:,} more" if len(left) > 3 else ""
            yield f"tags below {one.name} stay: {', '.join(left[:3])}{more}"


def find_tag(connection: Connection, written: str) -> TagRow:
    """Return the tag of a name, by what it is called now. Raises UsageError for a name that no tag can have, NothingFound."""
    found = _known(connection, written)
    if found is None:
        (name,) = _checked([written])
        raise NothingFound(f"there is no tag '{name}'; see: photoindex tag list")
    return found


def rename_tag(library: Library, written: str, wanted: str) -> WordsChanged:
    """Give a tag, and all below it, another name; files and models that use the old one mean the new one.

    Raises UsageError for a bad name and one that another tag has, NothingFound.
    """
    (new,) = _checked([wanted])

    def begin(connection: Connection) -> Work:
        row = _found_or_level(connection, written)
        moved = renames.renamed_rows(connection, row, new)
        _check_sensitive(connection, moved)
        for one, other in renames.taken(connection, moved):
            raise UsageError(
                f"there is a tag {other.name} already; to make {one.name} and it one, run: photoindex tag merge "
                f"{_word(other.name)} {_word(one.name)}"
            )
        for name in moved.values():
            if not is_tag(name):
                raise UsageError(f"{name} would be too long for a tag, or have too many levels")
        levels = f", with {len(moved) - 1:,} below it" if len(moved) > 1 else ""
        return Work(renames.rename(connection, moved), lambda: (f"{row.name} renamed to {new}{levels}", 0))

    return change(library, "tag rename", begin)


def _check_sensitive(connection: Connection, wanted: Mapping[TagRow, str]) -> None:
    """Raise UsageError where the name of the tag of sensitive photos, which was renamed, would go to another one."""
    marking = tags.find(connection, [SENSITIVE]).get(SENSITIVE)
    if marking is None or marking in wanted or SENSITIVE not in map(tag_key, wanted.values()):
        return
    if tag_key(marking.name) != SENSITIVE:
        raise UsageError(
            f"{SENSITIVE} means {marking.name} since you renamed it: its photos are not shown unless asked for; first give it "
            f"its name back: photoindex tag rename {_word(marking.name)} {SENSITIVE}"
        )


def merge_tags(library: Library, into: str, others: Sequence[str]) -> WordsChanged:
    """Make tags one, with the levels below them; the names of the others mean the first one from then on.

    Raises UsageError for a bad name, a tag with itself and one above it; NothingFound.
    """

    def begin(connection: Connection) -> Work:
        kept = find_tag(connection, into)
        gone = {one.id: one for one in (_found_or_level(connection, other) for other in others)}
        for one in gone.values():
            if f"{tag_key(kept.name)}/".startswith(f"{tag_key(one.name)}/"):
                raise UsageError(f"{one.name} cannot be merged into {kept.name}: it is the same, or a level above it")
        listed = ", ".join(one.name for one in gone.values())
        changes = _merged(connection, kept, list(gone))
        return Work(changes, lambda: (f"merged {listed} into {kept.name}", 0))

    return change(library, "tag merge", begin)


def _merged(connection: Connection, kept: TagRow, gone: Sequence[int]) -> Iterator[Change]:
    for tag_id in gone:
        one = tags.by_ids(connection, [tag_id]).get(tag_id)
        if one is None:
            continue  # a level of one that was merged before it
        moved = renames.renamed_rows(connection, one, kept.name)
        others = {mine.id: other for mine, other in renames.taken(connection, moved)}
        free = {mine: name for mine, name in moved.items() if mine.id not in others}
        if free:
            yield from renames.rename(connection, free)
        for mine in moved:
            if mine.id in others:
                yield from renames.merge(connection, others[mine.id], mine)


def _found_or_level(connection: Connection, written: str) -> TagRow:
    """Return a tag; a level that only has tags below it becomes one."""
    name = tag_of_keyword(written)
    if name is not None and not tags.find(connection, [name]) and tags.below(connection, tag_key(name)):
        tags.ensure(connection, [name])
    return find_tag(connection, written)


def _known(connection: Connection, written: str) -> TagRow | None:
    """Return the tag of a name. Keywords of files are tags too, and may have characters that new names must not have."""
    name = tag_of_keyword(written)
    return None if name is None else tags.find(connection, [name]).get(name)


def _known_or_checked(connection: Connection, written: Sequence[str]) -> list[str]:
    """Return names for tags: those that exist as they are, and new ones that are allowed. Raises UsageError."""
    new = [name for name in written if _known(connection, name) is None]
    return [*filter(None, (tag_of_keyword(name) for name in written if name not in new)), *_checked(new)]


def complete_tags(library: Library, typed: str) -> list[str]:
    """Return the tags that photos have and that begin with a text, or have a level that does."""
    return tags_beginning(library.database.path, typed)


def _word(name: str) -> str:
    return shell_word(name.encode())


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
