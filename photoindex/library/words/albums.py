"""Albums: a person's own, those that exports and folders brought, and saved queries as smart ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from sqlalchemy import Connection

from photoindex.domain.words.names import checked_album
from photoindex.errors import NothingFound, PhotoIndexError, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.find import count_photos, matching_photo_ids
from photoindex.library.words.change import WordsChanged, Work, change, photos_text
from photoindex.paths import shell_word
from photoindex.store.journal.journal import Change
from photoindex.store.search import compile as store
from photoindex.store.search import saved, targets
from photoindex.store.search.saved import SavedQuery
from photoindex.store.words import albums
from photoindex.store.words.albums import FOLDER, KINDS, OWN, AlbumRow
from photoindex.text import composed, fold

SMART = "smart"
"""The kind of an album that is a saved query."""
ALL_KINDS = (*KINDS, SMART)
_CHUNK_PHOTOS = 500


@dataclass(frozen=True, slots=True)
class ListedAlbum:
    """One album as it is listed.

    photos: of a smart one, those whose texts and fields match; None if its query does not work, see `problem`. origin: where it
    comes from, or the query of a smart one. cover: path of the photo shown for it.
    """

    name: str
    kind: str
    photos: int | None
    first_at: str | None = None
    last_at: str | None = None
    origin: str = ""
    cover: bytes | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class AlbumPhoto:
    """A photo of an album, at its place from 1."""

    place: int
    photo_id: int
    path: bytes
    taken_at: str | None


class Place(StrEnum):
    """Where photos are moved to in an album."""

    FIRST = "first"
    LAST = "last"
    BEFORE = "before"
    AFTER = "after"


def list_albums(library: Library, kinds: Collection[str] = ()) -> list[ListedAlbum]:
    """Return albums by kind and name; by default all but those that are folders."""
    wanted = kinds or (*(one for one in KINDS if one != FOLDER), SMART)
    with library.database.read() as connection:
        found = albums.summaries(connection, [one for one in wanted if one != SMART])
        covers = {one.album.id: _cover(connection, one.album) for one in found}
        queries = saved.saved_queries(connection) if SMART in wanted else []
    listed = [
        ListedAlbum(
            one.album.name,
            one.album.kind,
            one.photos,
            one.first_at,
            one.last_at,
            one.album.origin,
            covers[one.album.id],
        )
        for one in found
    ]
    return [*listed, *(_listed_query(library, query) for query in queries)]


def _listed_query(library: Library, query: SavedQuery) -> ListedAlbum:
    # What a query names may be gone by now: a person, another query. Finding that out must not hide the other albums.
    try:
        return ListedAlbum(query.name, SMART, count_photos(library, [f"@{query.name}"]), origin=query.query)
    except PhotoIndexError as error:
        return ListedAlbum(query.name, SMART, None, origin=query.query, problem=str(error))


def show_album(library: Library, name: str, kind: str | None = None) -> Iterator[AlbumPhoto]:
    """Yield the photos of an album in its order; of a smart one by time. Raises NothingFound, UsageError for several."""
    with library.database.read() as connection:
        row = _only(albums.called(connection, name), name, kind)
        photo_ids = None if row is None else albums.photos_of(connection, row.id)
    if photo_ids is None:
        photo_ids = _of_smart(library, name)
    for start in range(0, len(photo_ids), _CHUNK_PHOTOS):
        some = photo_ids[start : start + _CHUNK_PHOTOS]
        with library.database.read() as connection:
            paths = targets.first_paths(connection, some)
            taken = {one.photo_id: one.taken_at for one in targets.times_of(connection, some)}
        for place, photo_id in enumerate(some, start + 1):
            yield AlbumPhoto(place, photo_id, paths.get(photo_id, b""), taken.get(photo_id))


def create_album(library: Library, name: str, photo_ids: Sequence[int] = ()) -> WordsChanged:
    """Make an album of these photos. Raises UsageError for a bad name and one that exists."""
    checked = _checked(name)
    done: set[int] = set()

    def begin(connection: Connection) -> Work:
        if any(one.kind == OWN for one in albums.called(connection, checked)):
            raise UsageError(
                f"there is an album {checked} already; put photos into it with: photoindex album add {_word(checked)} QUERY"
            )
        _check_no_query(connection, checked)
        row, made = albums.create(connection, checked)
        changes = chain([made], albums.add_photos(connection, row.id, photo_ids, done))
        return Work(changes, lambda: (f"album {checked} made of {photos_text(len(done))}", len(done)))

    return change(library, "album create", begin)


def add_to_album(library: Library, name: str, photo_ids: Sequence[int]) -> WordsChanged:
    """Put photos at the end of an album. Raises NothingFound; UsageError for one that is not the person's own."""
    done: set[int] = set()

    def begin(connection: Connection) -> Work:
        row = _own(connection, name)
        changes = albums.add_photos(connection, row.id, photo_ids, done)
        return Work(changes, lambda: (f"{photos_text(len(done))} put into the album {row.name}", len(done)))

    return change(library, "album add", begin)


def remove_from_album(library: Library, name: str, photo_ids: Sequence[int]) -> WordsChanged:
    """Take photos out of an album. Raises NothingFound; UsageError for one that is not the person's own."""
    done: set[int] = set()

    def begin(connection: Connection) -> Work:
        row = _own(connection, name)
        changes = albums.remove_photos(connection, row.id, photo_ids, done)
        return Work(changes, lambda: (f"{photos_text(len(done))} taken out of the album {row.name}", len(done)))

    return change(library, "album remove", begin)


def rename_album(library: Library, name: str, wanted: str) -> WordsChanged:
    """Give an album another name. Raises NothingFound; UsageError for a bad or taken name and a read album."""
    checked = _checked(wanted)

    def begin(connection: Connection) -> Work:
        row = _own(connection, name)
        if any(one.kind == OWN and one.id != row.id for one in albums.called(connection, checked)):
            raise UsageError(f"there is an album {checked} already; see: photoindex album list")
        _check_no_query(connection, checked)
        changes = albums.set_values(connection, row.id, name=checked, name_key=fold(checked))
        return Work(changes, lambda: (f"album {row.name} renamed to {checked}", 0))

    return change(library, "album rename", begin)


def delete_album(library: Library, name: str) -> WordsChanged:
    """Delete an album; its photos stay. Raises NothingFound; UsageError for one that is not the person's own."""

    def begin(connection: Connection) -> Work:
        row = _own(connection, name)
        count = len(albums.photos_of(connection, row.id))
        return Work(
            albums.remove(connection, row.id), lambda: (f"album {row.name} of {photos_text(count)} deleted", count)
        )

    return change(library, "album delete", begin)


def set_cover(library: Library, name: str, photo_id: int | None) -> WordsChanged:
    """Choose the photo that is shown for an album; None: the first one. Raises NothingFound, UsageError."""

    def begin(connection: Connection) -> Work:
        row = _own(connection, name)
        content = None if photo_id is None else _content_in(connection, row, photo_id)
        changes = albums.set_values(connection, row.id, cover_id=content)
        said = "the first one" if photo_id is None else f"photo {photo_id}"
        return Work(changes, lambda: (f"cover of the album {row.name} is {said}", 0))

    return change(library, "album cover", begin)


def move_in_album(
    library: Library, name: str, photo_ids: Sequence[int], place: Place, anchor: int | None = None
) -> WordsChanged:
    """Move photos to a place in an album, in the order given; anchor: the photo of `before` and `after`.

    Raises NothingFound; UsageError for photos that are not in it, and one that is not the person's own.
    """

    def begin(connection: Connection) -> Work:
        row = _own(connection, name)
        now = albums.photos_of(connection, row.id)
        moved = [one for one in dict.fromkeys(photo_ids) if one != anchor]
        held = set(now)
        for one in (*moved, *([] if anchor is None else [anchor])):
            if one not in held:
                raise UsageError(
                    f"photo {one} is not in the album {row.name}; see: photoindex album show {_word(row.name)}"
                )
        held.difference_update(moved)
        rest = [one for one in now if one in held]
        at = len(rest) if place is Place.LAST else 0
        if anchor is not None:
            at = rest.index(anchor) + (place is Place.AFTER)
        changes = albums.arrange(connection, row.id, [*rest[:at], *moved, *rest[at:]])
        return Work(changes, lambda: (f"{photos_text(len(moved))} moved in the album {row.name}", len(moved)))

    return change(library, "album move", begin)


def sort_album(library: Library, name: str, key: str) -> WordsChanged:
    """Put an album in an order: a key of `search --sort`. Raises NothingFound; UsageError for a bad key and a read album."""
    if key.removeprefix("-") not in store.SORT_KEYS:
        raise UsageError(
            f"an album cannot be sorted by '{key}'; choose one of {', '.join(store.SORT_KEYS)}, with - for the other way"
        )

    def begin(connection: Connection) -> Work:
        row = _own(connection, name)
        now = albums.photos_of(connection, row.id)
        ordered = store.ordered_ids(connection, now, key)
        changes: Iterator[Change] = albums.arrange(connection, row.id, ordered)
        return Work(changes, lambda: (f"album {row.name} sorted by {key}", len(now)))

    return change(library, "album sort", begin)


def _own(connection: Connection, name: str) -> AlbumRow:
    """Return a person's own album. Raises NothingFound, and UsageError for one that they cannot change."""
    found = albums.called(connection, composed(name).strip())
    own = next((one for one in found if one.kind == OWN), None)
    if own is not None:
        return own
    if found:
        word = _word(found[0].name)
        raise UsageError(
            f"the album {found[0].name} is of the kind {found[0].kind}: it follows its files; to change a copy, first run: "
            f"photoindex album create NAME album:{word}"
        )
    if _query_called(connection, name) is not None:
        raise UsageError(f"{name} is a smart album: its photos are those that its query finds; see: photoindex saved")
    raise NothingFound(f"there is no album '{name}'; see: photoindex album list")


def _only(found: Sequence[AlbumRow], name: str, kind: str | None) -> AlbumRow | None:
    """Return the album that is meant, None for a smart one. Raises UsageError for several."""
    meant = [one for one in found if kind in (None, one.kind)]
    if kind is None and len(meant) > 1:
        # A person's own album is meant first.
        meant = [one for one in meant if one.kind == meant[0].kind]
    if len(meant) > 1:
        raise UsageError(
            f"there are {len(meant)} albums {name} of the kind {meant[0].kind}, of {', '.join(one.origin for one in meant)}; find the "
            f"photos of all with: photoindex search album:{_word(name)}"
        )
    return meant[0] if meant else None


def _of_smart(library: Library, name: str) -> list[int]:
    with library.database.read() as connection:
        query = _query_called(connection, name)
    if query is None:
        raise NothingFound(f"there is no album '{name}'; see: photoindex album list")
    found = matching_photo_ids(library, [f"@{query}"])
    with library.database.read() as connection:
        return store.ordered_ids(connection, list(found), "date")


def _check_no_query(connection: Connection, name: str) -> None:
    if (query := _query_called(connection, name)) is not None:
        raise UsageError(f"the saved query @{query} has this name: it is a smart album; see: photoindex saved")


def _query_called(connection: Connection, name: str) -> str | None:
    """Return the name of the saved query that an album's name means; case and accents are ignored."""
    return next((one.name for one in saved.saved_queries(connection) if fold(one.name) == fold(name)), None)


def _content_in(connection: Connection, row: AlbumRow, photo_id: int) -> int:
    if photo_id not in albums.photos_of(connection, row.id):
        raise UsageError(
            f"photo {photo_id} is not in the album {row.name}; see: photoindex album show {_word(row.name)}"
        )
    return targets.contents_of(connection, [photo_id])[0].asset_id


def _cover(connection: Connection, row: AlbumRow) -> bytes | None:
    if row.cover_id is not None and (path := targets.path_of_content(connection, row.cover_id)) is not None:
        return path
    first = albums.first_photo(connection, row.id)
    return None if first is None else targets.first_paths(connection, [first]).get(first)


def _checked(name: str) -> str:
    try:
        return checked_album(name)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _word(name: str) -> str:
    return shell_word(name.encode())
