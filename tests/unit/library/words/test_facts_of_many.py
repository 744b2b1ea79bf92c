"""What a person says of many photos: set at once, as if each photo had been resolved alone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, text, update

from photoindex.library.handle import Library
from photoindex.library.maintenance.journal import undo
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.refresh import resolver_of
from photoindex.library.words import facts
from photoindex.library.words.facts import Statement
from photoindex.progress import ignore_events
from photoindex.store.schema.tables import (
    asset,
    asset_text,
    correction,
    file,
    photo,
    photo_keyword,
    photo_text,
    sidecar,
)
from photoindex.store.words import tags
from tests.harness import LibraryRunner
from tests.synthetic import make_library

PHOTOS = 40
STATEMENTS = (
    facts.rate(4),
    facts.rate(facts.REJECTED),
    facts.favourite(),
    facts.favourite(on=False),
    facts.caption("A walk\nby the sea"),
    facts.rate(None),
    facts.caption(None),
)


@pytest.fixture
def library(tmp_path: Path) -> Any:
    folder = make_library(tmp_path / "library", PHOTOS, seed=3)
    with LibraryRunner(folder).open() as opened:
        _state_facts(opened)
        _resolve_each(opened)
        yield opened


def test_what_is_said_of_many_photos_is_what_resolving_each_photo_gives(library: Library) -> None:
    for statement in STATEMENTS:
        said = facts.state(library, _photo_ids(library), statement)
        _refuse_a_difference(library, statement)
        assert said.photos > 0, statement


def test_the_undo_of_what_is_said_of_many_photos_brings_back_what_was_there(library: Library) -> None:
    for statement in STATEMENTS[:5]:
        before = _stored(library)
        assert facts.state(library, _photo_ids(library), statement).entry_id is not None
        assert _stored(library) != before
        undo(library)
        assert _stored(library) == before
        _refuse_a_difference(library, statement)


def test_nothing_is_left_to_resolve_after_many_photos_were_rated(library: Library) -> None:
    facts.state(library, _photo_ids(library), facts.rate(3))
    undo(library)
    with library.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM photo_to_resolve")).scalar_one() == 0


def test_a_photo_without_files_keeps_knowing_a_keyword_that_was_rejected(library: Library) -> None:
    photo_id = _photo_ids(library)[0]
    with library.database.write() as connection:
        tag_id = tags.ensure(connection, ["gone"])["gone"]
        connection.execute(insert(photo_keyword).values(photo_id=photo_id, tag_id=tag_id))
        contents = select(asset.c.id).where(asset.c.photo_id == photo_id)
        connection.execute(update(file).where(file.c.asset_id.in_(contents)).values(asset_id=None))
        resolver_of(library, Roots(library.database), ignore_events).refresh(connection, [photo_id])
        of_photo = select(photo_keyword.c.tag_id).where(photo_keyword.c.photo_id == photo_id)
        assert tag_id in connection.execute(of_photo).scalars().all()


def _refuse_a_difference(library: Library, statement: Statement) -> None:
    at_once = _stored(library)
    _resolve_each(library)
    assert at_once == _stored(library), statement


def _state_facts(library: Library) -> None:
    """Let contents and sidecars state, and people have stated before, what the statements are about; not all agree."""
    chance = random.Random(5)
    with library.database.write() as connection:
        for table, key in ((asset, asset.c.id), (sidecar, sidecar.c.file_id)):
            rows = [
                {"key": one, "new": _sources(chance) if table is asset else _words(chance)}
                for one in connection.execute(select(key)).scalars()
            ]
            connection.execute(update(table).where(key == bindparam("key")).values(facts=bindparam("new")), rows)
        contents = connection.execute(select(asset.c.id)).scalars().all()
        connection.execute(update(asset).where(asset.c.role == "edit").values(role="superseded"))
        said = [
            {"asset_id": one, "fact": fact, "value": value, "at": chance.random()}
            for one in contents
            for fact, value in (("rating", 2), ("favourite", 0), ("description", "Mine"), ("title", "My title"))
            if chance.random() < 0.2
        ]
        connection.execute(insert(correction), said)
        model = {"kind": "caption", "variant_id": 1, "text": "a model's words", "at": 0.0}
        connection.execute(insert(asset_text), [{"asset_id": one, **model} for one in contents])


def _sources(chance: random.Random) -> Mapping[str, Any]:
    return {source: _words(chance) for source in ("exif", "xmp", "iptc", "container") if chance.random() < 0.5}


def _words(chance: random.Random) -> dict[str, Any]:
    stated = {
        "rating": chance.choice((0, 3, 5, "four")), "favourite": chance.choice((0, 1)), "taken_at": "2019-05-04T12:00:00",
        "description": chance.choice(("OLYMPUS DIGITAL CAMERA", "Été à Nice", "a file's words")), "keywords": ["sea"],
    }  # fmt: skip
    return {fact: value for fact, value in stated.items() if chance.random() < 0.5}


def _resolve_each(library: Library) -> None:
    resolver = resolver_of(library, Roots(library.database), ignore_events)
    with library.database.write() as connection:
        for photo_id in connection.execute(select(photo.c.id)).scalars().all():
            resolver.refresh(connection, [photo_id])


def _photo_ids(library: Library) -> list[int]:
    with library.database.read() as connection:
        return list(connection.execute(select(photo.c.id).order_by(photo.c.id)).scalars())


def _stored(library: Library) -> list[list[dict[str, Any]]]:
    with library.database.read() as connection:
        return [
            [dict(row) for row in connection.execute(select(table).order_by(key)).mappings()]
            for table, key in ((photo, photo.c.id), (photo_text, photo_text.c.photo_id))
        ]
