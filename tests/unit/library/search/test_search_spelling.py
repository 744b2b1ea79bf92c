"""Searches find what people type, however it is written in a path, a text or a keyword."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.query.syntax import EVERYTHING
from photoindex.store.schema import migrate
from photoindex.store.schema.tables import event, photo_text, place
from photoindex.store.search import text_index
from photoindex.store.search.vector_photos import photos_at
from photoindex.types import Resolved
from tests.queries import parse
from tests.rows import VolumeRows, library_in


def nfd(written: str) -> str:
    return unicodedata.normalize("NFD", written)


TEXTS = ("title", "description", "lens", "camera_model")
SPELLED = {
    "Straße": "strasse",
    "Łódź": "LODZ",
    "Ærø": "aero",
    "Été": "ete",
    "Über": "ÜBER",
    "한국": "한국",
    "バス": "バス",
}


@pytest.fixture(scope="module", params=["NFC", "NFD"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One photo for each of SPELLED, which has this word in all its texts, in one Unicode form."""
    folder = tmp_path_factory.mktemp("spelling")
    with library_in(folder / "library") as library:
        rows = VolumeRows(library, folder / "originals")
        for name in (unicodedata.normalize(request.param, word) for word in SPELLED):
            path = f"{name}/{name}.{name}"
            values = {**dict.fromkeys(TEXTS, name), "keywords": [f"Places/{name}"]}
            photo_id = rows.add_whole_photo(path, taken_at="2020-01-01T00:00:00", **values)
            document = text_index.document([path.encode().split(b"/")[-1]], [], Resolved(**values))  # type: ignore[arg-type]
            with library.database.write() as connection:
                connection.execute(photo_text.update().where(photo_text.c.photo_id == photo_id).values(**document))
        yield library


@pytest.mark.parametrize(
    "query",
    [
        "{}", '"{}"', "{}*", "text:{}", "title:{}", "description:{}", "lens:{}", "camera:{}", "keyword:{}", "keyword:places|{}", "name:{}",
        "name:*{}*", "ext:{}", "path:{}", "path:{}/{}.{}", "path:{}/*", "path:*/{}.*",
    ],
)  # fmt: skip
def test_a_word_is_found_as_written_as_typed_and_decomposed_in_every_field(library: Library, query: str) -> None:
    for number, (written, typed) in enumerate(SPELLED.items(), start=1):
        for value in (written, typed, nfd(written), nfd(typed)):
            assert matching_photo_ids(library, parse(query.replace("{}", value))) == [number], value


def test_volumes_and_events_are_found_as_typed(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        mount = tmp_path / nfd("Bücher")
        rows = VolumeRows(library, mount, online=False, label=nfd("Große Platte"))
        photo_id = rows.add_whole_photo("a.jpg", taken_at="2020-01-01T10:00:00")
        with library.database.write() as connection:
            values = {
                "key": "2020-01-01-lodz",
                "kind": "day",
                "title": "Łódź",
                "words": " łodz ",
                "photos": 1,
                "found_at": 1.0,
            }
            connection.execute(insert(event).values(first_at="2020-01-01", last_at="2020-01-02", **values))
        for query in (
            f'volume:"{tmp_path}/Bücher"',
            "volume:grosse",
            "event:lodz",
            "event:Łódź",
            "event:2020-01-01-Lodz",
        ):
            assert matching_photo_ids(library, parse(query)) == [photo_id], query


def test_an_absolute_path_that_is_there_byte_by_byte_is_only_that_one(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path)
        composed, decomposed, capital = (rows.add_whole_photo(f"{name}/a.jpg") for name in ("été", nfd("été"), "Été"))
        assert matching_photo_ids(library, parse(f"path:{tmp_path}/été")) == [composed]
        assert matching_photo_ids(library, parse(f"path:{tmp_path}/{nfd('été')}/a.jpg")) == [decomposed]
        assert matching_photo_ids(library, parse(f"path:{tmp_path}/ete/")) == [composed, decomposed, capital]
        assert matching_photo_ids(library, parse("path:été")) == [composed, decomposed, capital]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("keyword:animals", [1, 2, 3]),
        ("keyword:dog", [1, 2]),
        ("keyword:poodle", [1]),
        ("keyword:animals|dog", [1, 2]),
        ("keyword:Animals/Dog/Poodle", [1]),
        ('keyword:"dog | poodle"', [1]),
        ("keyword:animals/poodle", []),
        ("keyword:animals/*/poodle", [1]),
        ("keyword:animal", []),
        ("keyword:oodle", []),
        ("keyword:poo*", [1]),
        ("keyword:*oodle", [1]),
        ("keyword:cat", [3]),
        ("keyword:[/|]", []),
        ("keyword:/animals/", [1, 2, 3]),
    ],
)
def test_any_level_of_a_keyword_finds_it(tmp_path: Path, query: str, numbers: list[int]) -> None:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path)
        for number, keyword in enumerate(["Animals/Dog/Poodle", "Animals|Dog", "animals/cat"]):
            rows.add_whole_photo(f"{number}.jpg", keywords=["x", keyword])
        assert matching_photo_ids(library, parse(query)) == numbers


def test_a_rating_of_0_is_no_rating(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path)
        ids = [rows.add_whole_photo(f"{rating}.jpg", rating=rating) for rating in (None, 0, 1, 5, -1)]
        assert matching_photo_ids(library, parse("has:rating")) == ids[2:]
        assert matching_photo_ids(library, parse("-has:rating")) == ids[:2]


def test_a_star_of_another_script_is_an_ordinary_character(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        VolumeRows(library, tmp_path).add_whole_photo("abc.jpg")
        assert matching_photo_ids(library, parse("name:a*c")) == [1]
        assert matching_photo_ids(library, parse("name:a\uff0ac")) == []


def test_texts_stored_by_older_versions_are_folded_by_the_upgrade(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        photo_id = VolumeRows(library, tmp_path).add_whole_photo("a.jpg")
        with library.database.write() as connection:
            connection.execute(photo_text.update().values(title="Große Straße", folder="2019 \u1112\u1161\u11ab"))
            values = {
                "city": "Łódź",
                "country": "Poland",
                "country_code": "PL",
                "words": " łodz ",
                "alternates": "\nłodz\n",
            }
            connection.execute(insert(place).values(latitude=51.7, longitude=19.4, population=1, **values))
        assert matching_photo_ids(library, parse('"große strasse"')) == []
        with library.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM schema_history WHERE revision > '0004'")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
        # The tables of later revisions are there already.
        until_folding = replace(migrate.SHIPPED, revisions=migrate.REVISIONS[: migrate.REVISIONS.index("0005") + 1])
        migrate.bring_up_to_date(library.database, history=until_folding)
        assert matching_photo_ids(library, parse('"große strasse" 한')) == [photo_id]
        with library.database.read() as connection:
            assert tuple(connection.execute(select(place.c.words, place.c.alternates)).one()) == (" lodz ", "\nlodz\n")


def test_the_photo_of_like_is_the_one_with_exactly_these_bytes_or_else_any_that_compares_equal(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path)
        composed, decomposed, plain = (rows.add_whole_photo(name) for name in ("été.jpg", nfd("été.jpg"), "Ete.jpg"))
        with library.database.read() as connection:
            for name, photo_ids in {
                "été.jpg": [composed],
                nfd("été.jpg"): [decomposed],
                "Ete.jpg": [plain],
                "ÉTÉ.JPG": [composed, decomposed, plain],
                "tmp/ete.jpg": [],
            }.items():
                assert photos_at(connection, name, EVERYTHING, limit=5) == photo_ids, name
