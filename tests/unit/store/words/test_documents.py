"""Full-text documents of people, tags, captions and texts in pictures."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, select

from photoindex.domain.people.values import FACE
from photoindex.store.schema.tables import (
    asset_tag,
    asset_text,
    assignment,
    individual,
    label,
    photo,
    photo_text,
    region,
    tag,
    tag_rejection,
)
from photoindex.store.search.text_index import matching
from photoindex.store.words import documents
from tests.rows import ADDED_AT, VolumeRows, library_in


def test_a_document_has_what_people_and_models_said_and_not_what_was_rejected(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path)
        photo_id = rows.add_whole_photo("a.jpg")
        other = rows.add_whole_photo("b.jpg")
        asset_id = rows.asset_of(photo_id)
        with library.database.write() as connection:
            names = ["animals/Hound", "Été", "cat", "car"]
            values = [
                {"id": n, "name": one, "name_key": one.lower(), "created_at": ADDED_AT}
                for n, one in enumerate(names, 1)
            ]
            connection.execute(insert(tag), values)
            connection.execute(insert(asset_tag).values(asset_id=asset_id, tag_id=1, at=ADDED_AT))
            given = {"asset_id": asset_id, "variant_id": rows.variant_id, "part": 0, "raw": 1.0, "confidence": 0.9}
            shown = [(2, True), (3, True), (4, False)]
            connection.execute(insert(label), [given | {"tag_id": number, "shown": one} for number, one in shown])
            connection.execute(insert(tag_rejection).values(asset_id=asset_id, tag_id=3, at=ADDED_AT))
            text = {"asset_id": asset_id, "variant_id": rows.variant_id, "at": ADDED_AT}
            connection.execute(insert(asset_text).values(text | {"kind": "caption", "text": "A boat at the pier"}))
            connection.execute(insert(asset_text).values(text | {"kind": "ocr", "text": "Boarding PASS"}))
            person = {"id": 7, "kind": "person", "name": "Anna", "name_key": "anna", "created_at": ADDED_AT}
            connection.execute(insert(individual).values(person))
            box = {"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}
            connection.execute(insert(region).values(box | {"id": 5, "asset_id": asset_id, "kind": FACE}))
            given_to = {"region_id": 5, "individual_id": 7, "how": "confirmed", "at": ADDED_AT}
            connection.execute(insert(assignment).values(given_to))
            documents.refresh_assets(connection, [asset_id, rows.asset_of(other)])
            found = connection.execute(select(photo_text).where(photo_text.c.photo_id == photo_id)).mappings().one()
            assert {name: found[name] for name in documents.COLUMNS} == {
                "keywords": "", "people": "anna", "tags": "animals/hound", "labels": "ete", "caption": "a boat at the pier", "ocr": "boarding pass",
            }  # fmt: skip
            found_by = {
                word: list(connection.execute(select(photo.c.id).where(matching(word, prefix=False))).scalars())
                for word in ("Anna", "hound", "été", "boarding pass", "piér", "cat", "car")
            }
        assert found_by == {
            "Anna": [photo_id], "hound": [photo_id], "été": [photo_id], "boarding pass": [photo_id], "piér": [photo_id], "cat": [], "car": [],
        }  # fmt: skip
