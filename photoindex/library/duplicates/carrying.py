"""Carries the words of copies that go over to the photo that is kept, as changes for the journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import resolve
from photoindex.domain.words.carried import Words, carried
from photoindex.domain.words.names import tag_of_keyword
from photoindex.library.duplicates.carried_faces import carry_faces, confirm_faces
from photoindex.library.duplicates.check import Unit
from photoindex.pipeline.resolve.evidence import gather_all
from photoindex.store.journal.journal import Change
from photoindex.store.people import regions
from photoindex.store.photos import corrections, words_of_photos
from photoindex.store.search import saved
from photoindex.store.words import albums, photo_tags, read_albums, tags, texts
from photoindex.store.words.albums import OWN
from photoindex.store.words.documents import CAPTION
from photoindex.store.words.photo_tags import TagChange
from photoindex.text import fold


def words_to_carry(connection: Connection, unit: Unit, *, home_zone: str | None) -> Words:
    """Return the words that the kept photo lacks once the files of a unit are gone. home_zone: see `resolve`."""
    if unit.link:
        return Words()
    kept_id = unit.keeper.file.photo_id
    found = words_of_photos.words_of(connection, [kept_id, unit.photo_id])
    if kept_id not in found or unit.photo_id not in found:
        return Words()
    if kept_id != unit.photo_id:
        return carried(found[unit.photo_id], found[kept_id])
    return carried(found[kept_id], _left(connection, unit, found[kept_id], home_zone))


def _left(connection: Connection, unit: Unit, now: Words, home_zone: str | None) -> Words:
    """Return what stays of the words of a photo that has further files, when those of a unit are gone."""
    photo_id, going = unit.photo_id, frozenset(one.id for one in unit.files)
    evidence = gather_all(connection, [photo_id], without=going).get(photo_id)
    if evidence is None:
        return now
    first = evidence.files[0]
    resolved = resolve(
        evidence.facts, name=first.name, folder=first.folder_path, mtime_ns=first.mtime_ns, home_zone=home_zone
    )
    facts, sources = words_of_photos.facts_of(resolved, dict(resolved.sources))
    said = {fact: value for fact, value in now.facts.items() if now.sources.get(fact) == "person"}
    lost = read_albums.left_without(connection, photo_id, going)
    marked = {fold(name) for name in (*(one.name or "" for one in evidence.marks.faces), *evidence.marks.unplaced)}
    confirmed = regions.confirmed_in(connection, evidence.content.asset_id)
    return replace(
        now,
        facts={**facts, **said},
        sources={**sources, **dict.fromkeys(said, "person")},
        time_confidence=resolved.taken_at_confidence or 0.0,
        keywords=resolved.keywords,
        albums=tuple(name for name in now.albums if name not in lost),
        persons={one: name for one, name in now.persons.items() if one in confirmed or fold(name) in marked},
    )


def carry(connection: Connection, unit: Unit, words: Words) -> list[Change]:
    """Give the kept photo the words of `words_to_carry`, and return the changes. Call it in the transaction of the entry."""
    kept_id = unit.keeper.file.photo_id
    if words.is_empty:
        return []
    contents = corrections.current_assets(connection, kept_id)
    said = ((asset_id, fact, value) for asset_id in contents for fact, value in words.facts.items())
    changes = list(
        chain(
            corrections.correct(connection, said),
            _tags(connection, kept_id, words),
            albums.take_place(connection, of_photo=unit.photo_id, photo_id=kept_id),
            _albums(connection, kept_id, words),
        )
    )
    primary = regions.primary_contents(connection, [kept_id, unit.photo_id])
    if kept_id == unit.photo_id:
        changes += confirm_faces(connection, primary[kept_id], frozenset(words.persons))
    elif len(primary) > 1:
        source, target = primary[unit.photo_id], primary[kept_id]
        changes += carry_faces(connection, source, target, frozenset(words.persons))
        if words.caption:
            changes += texts.copy_texts(connection, CAPTION, source=source, target=target)
    return changes


def _tags(connection: Connection, kept_id: int, words: Words) -> Iterator[Change]:
    """Give the keywords of files as tags: the files of the kept photo, which are never written, lack them."""
    names = [name for name in map(tag_of_keyword, (*words.keywords, *words.tags)) if name is not None]
    if not names:
        return
    rejected = {one.id for one in photo_tags.rejected_of(connection, [kept_id]).get(kept_id, ())}
    ids = sorted(set(tags.ensure(connection, names).values()) - rejected)
    yield from photo_tags.add(connection, ids, [kept_id], TagChange())


def _albums(connection: Connection, kept_id: int, words: Words) -> Iterator[Change]:
    """Put the photo into a person's albums of the names; those of Takeout and Apple follow their files and cannot hold it."""
    taken = {fold(one.name) for one in saved.saved_queries(connection)}
    there = {fold(one.name) for one in albums.albums_of_photo(connection, kept_id)}
    for name in words.albums:
        if fold(name) in taken | there:
            continue
        own = next((one for one in albums.called(connection, name) if one.kind == OWN), None)
        if own is None:
            own, made = albums.create(connection, name)
            yield made
        yield from albums.add_photos(connection, own.id, [kept_id], set())
