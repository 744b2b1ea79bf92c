"""Captions and texts in pictures, side by side by model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from photoindex.store.engine.database import new_id
from photoindex.store.schema.tables import asset_text, photo, task, variant
from photoindex.store.search.text_index import matching
from photoindex.store.words import texts
from photoindex.store.words.documents import CAPTION, OCR
from photoindex.store.words.texts import TextWriter
from photoindex.types import Text, TextLine
from tests.rows import ADDED_AT, VolumeRows, library_in


@dataclass
class Made:
    """A connection that writes, a photo and its content, and the content of a second photo."""

    rows: VolumeRows
    connection: Connection
    photo_id: int
    asset_id: int
    second_asset_id: int

    def variant(self, model: str, **more: Any) -> int:
        values = {"stage": "caption", "key": json.dumps({"model": model, **more}), "created_at": ADDED_AT}
        return new_id(self.connection.execute(insert(variant).values(values)))

    def found(self, word: str) -> bool:
        statement = select(photo.c.id).where(matching(word, prefix=False))
        return list(self.connection.execute(statement).scalars()) == [self.photo_id]

    def captions(self) -> list[tuple[str, str]]:
        return [
            (one.model, one.text)
            for one in texts.of_assets(self.connection, [self.asset_id], CAPTION).get(self.asset_id, [])
        ]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path)
        photo_id = rows.add_whole_photo("a.jpg")
        assets = rows.asset_of(photo_id), rows.asset_of(rows.add_whole_photo("b.jpg"))
        with library.database.write() as connection:
            yield Made(rows, connection, photo_id, *assets)


def caption(text: str, **more: Any) -> tuple[Text, ...]:
    return (Text(CAPTION, text, **more),)


def test_captions_of_several_models_stand_side_by_side_and_are_found(made: Made) -> None:
    first, second = made.variant("one"), made.variant("two")
    TextWriter(CAPTION, first).put(made.connection, {made.asset_id: caption("a boat at a pier", language="en")})
    TextWriter(CAPTION, second).put(made.connection, {made.asset_id: caption("ein Boot am Steg", language="de")})
    assert sorted(made.captions()) == [("one", "a boat at a pier"), ("two", "ein Boot am Steg")]
    assert made.found("pier")
    assert made.found("Steg")


def test_a_new_caption_of_a_model_takes_the_place_of_the_one_before(made: Made) -> None:
    only = made.variant("one")
    TextWriter(CAPTION, only).put(made.connection, {made.asset_id: caption("a boat")})
    TextWriter(CAPTION, only).put(made.connection, {made.asset_id: caption("a ship")})
    assert made.captions() == [("one", "a ship")]
    assert not made.found("boat")
    TextWriter(CAPTION, only).put(made.connection, {made.asset_id: caption("")})
    assert made.captions() == []
    assert not made.found("ship")


def test_a_variant_that_is_replaced_loses_its_text_and_its_task_of_these_contents_alone(made: Made) -> None:
    old, other, new = made.variant("one"), made.variant("two"), made.variant("one", prompt="Describe.")
    state = {
        "subject_kind": "asset",
        "stage": "caption",
        "state": "done",
        "attempts": 1,
        "priority": 0,
        "updated_at": ADDED_AT,
    }
    for subject, of in ((made.asset_id, old), (made.asset_id, other), (made.second_asset_id, old)):
        made.connection.execute(insert(task).values(state | {"subject_id": subject, "variant_id": of}))
    for of in (old, other):
        TextWriter(CAPTION, of).put(made.connection, {made.asset_id: caption("a boat")})
    TextWriter(CAPTION, new, replaces=(old,)).put(made.connection, {made.asset_id: caption("a ship")})
    assert sorted(made.captions()) == [("one", "a ship"), ("two", "a boat")]
    left = made.connection.execute(select(task.c.subject_id, task.c.variant_id).where(task.c.stage == "caption"))
    assert sorted(map(tuple, left)) == [(made.asset_id, other), (made.second_asset_id, old)]


def test_text_in_a_picture_keeps_its_lines_and_leaves_captions_alone(made: Made) -> None:
    only = made.variant("one")
    TextWriter(CAPTION, only).put(made.connection, {made.asset_id: caption("a ticket")})
    corners = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.2), (0.1, 0.2))
    lines = (TextLine("Boarding pass", corners, 0.9),)
    TextWriter(OCR, only).put(made.connection, {made.asset_id: (Text(OCR, "Boarding pass", lines=lines),)})
    assert made.captions() == [("one", "a ticket")]
    stored = made.connection.execute(select(asset_text.c.lines).where(asset_text.c.kind == OCR)).scalar_one()
    assert stored == [{"text": "Boarding pass", "corners": [list(one) for one in corners], "score": 0.9}]
    assert made.found("boarding pass")


def test_a_new_parser_is_applied_to_the_answers_that_are_stored(made: Made) -> None:
    only = made.variant("one")
    raw = "Caption: a boat"
    TextWriter(CAPTION, only, parser=1).put(made.connection, {made.asset_id: caption(raw, raw=raw, language="en")})
    assert texts.parsed_before(made.connection, CAPTION, 1) == []
    (answer,) = texts.parsed_before(made.connection, CAPTION, 2)
    assert (answer.raw, answer.language) == (raw, "en")
    texts.reparse(made.connection, CAPTION, [(answer, "a boat")], parser=2)
    assert made.captions() == [("one", "a boat")]
    assert not made.found("caption")
    assert texts.parsed_before(made.connection, CAPTION, 2) == []
    texts.reparse(made.connection, CAPTION, [(answer, "")], parser=3)
    assert made.captions() == []


def test_answers_of_an_earlier_parser_come_in_parts_each_after_the_one_before(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "_CHUNK", 2)
    contents = [made.asset_id, made.second_asset_id]
    variants = [made.variant(model) for model in ("one", "two", "three")]
    for variant_id in variants:
        said = {asset_id: caption("a boat", raw="a boat") for asset_id in contents}
        TextWriter(CAPTION, variant_id, parser=1).put(made.connection, said)
    found: list[tuple[int, int]] = []
    after = None
    while part := texts.parsed_before(made.connection, CAPTION, 2, after):
        found += [(one.asset_id, one.variant_id) for one in part]
        after = part[-1]
    assert found == [(asset_id, variant_id) for asset_id in contents for variant_id in variants]
