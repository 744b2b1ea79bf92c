"""The full-text index stays in sync with the table of texts."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, insert, text

from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.search.parse import parse
from photoindex.store.engine import text_search
from photoindex.store.engine.database import Database
from photoindex.store.schema.tables import photo_text
from photoindex.store.search import text_index
from photoindex.store.words import documents
from photoindex.types import Resolved
from tests.rows import VolumeRows, library_in


def write(library: Library, photo_id: int, **texts: str) -> None:
    row = dict.fromkeys(text_search.COLUMNS, "") | texts
    with library.database.write() as connection:
        connection.execute(photo_text.update().where(photo_text.c.photo_id == photo_id).values(**row))


def found(library: Library, query: str) -> list[int]:
    return matching_photo_ids(library, parse(library, query))


def schema(database: Database) -> list[tuple[str, ...]]:
    with database.read() as connection:
        rows = connection.execute(
            text("SELECT type, name, sql FROM sqlite_master WHERE name LIKE 'photo_text%' ORDER BY name")
        )
        return [tuple(map(str, row)) for row in rows]


def test_a_new_library_has_the_index_and_creating_it_again_changes_nothing(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        assert text_search.exists(library.database)
        before = schema(library.database)
        text_search.create(library.database)
        assert schema(library.database) == before


def test_an_index_without_its_triggers_is_rebuilt_from_the_rows(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        photo_id = VolumeRows(library, tmp_path).add_whole_photo("a.jpg", kind="image")
        with library.database.write() as connection:
            connection.execute(text("DROP TRIGGER photo_text_au"))
        write(library, photo_id, title="sunset")
        assert not text_search.exists(library.database)
        assert found(library, "sunset") == []
        text_search.create(library.database)
        assert text_search.exists(library.database)
        assert found(library, "sunset") == [photo_id]


def test_changed_and_deleted_rows_are_reflected(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path)
        first, second = volume_rows.add_whole_photo("a.jpg"), volume_rows.add_whole_photo("b.jpg")
        write(library, first, folder="beach", title="sunset")
        write(library, second, keywords="beach")
        assert found(library, "beach sunset") == [first]
        assert found(library, "beach") == [first, second]
        write(library, first, title="sunrise")
        assert found(library, "sunset") == []
        with library.database.write() as connection:
            connection.execute(delete(photo_text).where(photo_text.c.photo_id == second))
        assert found(library, "beach") == []
        assert found(library, "sunrise") == [first]


def test_rebuilding_repairs_an_index_that_lost_its_rows(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        photo_id = VolumeRows(library, tmp_path).add_whole_photo("a.jpg")
        write(library, photo_id, title="sunset")
        with library.database.write() as connection:
            connection.execute(text(f"INSERT INTO {text_search.TABLE}({text_search.TABLE}) VALUES('delete-all')"))
        assert found(library, "sunset") == []
        text_search.rebuild(library.database)
        assert found(library, "sunset") == [photo_id]


def test_the_document_of_a_photo_contains_its_words_and_can_always_be_stored(tmp_path: Path) -> None:
    resolved = Resolved(
        camera_make="Canon", camera_model="EOS R5", keywords=("São Paulo", "x\ud800"), title="a\0b", description=None
    )
    document = text_index.document(
        [b"caf\xe9.jpg", b"b.jpg", b"b.jpg"], [b"2019/Beach Trip", b"", b"2019/Beach Trip"], resolved
    )
    assert document["name"] == "caf\ufffd.jpg\nb.jpg"
    assert document["folder"] == "2019 beach trip\n"
    assert document["camera"] == "canon eos r5"
    assert set(document) | set(documents.COLUMNS) == set(text_search.COLUMNS)
    with library_in(tmp_path / "library") as library:
        photo_id = VolumeRows(library, tmp_path).add_photo()
        with library.database.write() as connection:
            connection.execute(delete(photo_text))
            connection.execute(insert(photo_text).values(photo_id=photo_id, **document))
        assert found(library, 'is:missing "sao paulo" beach caf jpg "eos r5"') == [photo_id]
