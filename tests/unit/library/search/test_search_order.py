"""The order of photos is the same whether a few of them are asked for or all, by whatever way they are found."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from photoindex.library.handle import Library
from photoindex.library.search.find import SearchRequest, find
from photoindex.library.search.parse import parse
from photoindex.store.search import compile as store
from photoindex.store.search import first_in_order
from tests.rows import VolumeRows, library_in

PHOTOS = 60
NAMES = (b"IMG_1.JPG", b"img_1.jpg", b"Img_2.jpg", b"zoo.jpg", b"a\xff.jpg", b"A\xfe.JPG", b"0.jpg")
FOLDERS = (b"", b"a", b"a/b", b"a-b", b"a0", b"A", b"b\xff", b"b\xff/c", b"caf\xc3\xa9")
QUERIES = ("", "rating:5", "-rating:5", "rating:1", "is:missing", "-is:missing", "is:duplicate", "rating:4")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Photos with equal names and times, some with several contents and files, or gone, or without a file or time."""
    folder, chance = tmp_path_factory.mktemp("order"), random.Random(17)
    with library_in(folder / "library") as opened:
        rows = VolumeRows(opened, folder / "originals")
        places = [b"/".join(part for part in (one, name) if part) for one in FOLDERS for name in NAMES]
        chance.shuffle(places)
        for number in range(PHOTOS):
            taken_at = None if number % 7 == 0 else f"20{chance.randrange(10, 14)}-05-01T00:00:00"
            photo_id = rows.add_photo(taken_at=taken_at, rating=chance.choice((None, 1, 4, 5, 5)))
            contents = [rows.asset_of(photo_id)] + [rows.add_asset(photo_id) for _ in range(number % 5 == 1)]
            for content in chance.sample(contents, len(contents)) * (1 + (number % 6 == 2)):
                if places and number % 11:
                    state = chance.choice(("present", "present", "missing"))
                    gone = {"missing_since": 1.0} if state == "missing" else {}
                    rows.add_file(places.pop(), asset_id=content, create=False, state=state, **gone)
        yield opened


def ids_of(library: Library, query: str, sort: str, limit: int | None = None, offset: int = 0) -> list[int]:
    request = SearchRequest(parse(library, query), sort=sort, limit=limit, offset=offset)
    return list(find(library, request).photo_ids())


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("sort", ["path", "-path", "name", "-name"])
@pytest.mark.parametrize("few", [1, 1_000])
def test_the_first_photos_are_those_of_the_whole_order(
    library: Library, monkeypatch: pytest.MonkeyPatch, query: str, sort: str, few: int
) -> None:
    monkeypatch.setattr(first_in_order, "_FOLDERS", (few, few, few))
    monkeypatch.setattr(first_in_order, "_NAMES", (3 * few, few, few))
    everything = ids_of(library, query, sort)
    assert everything
    for limit in (1, 2, 3, 5, 8, 13, 100):
        for offset in (0, 4):
            assert ids_of(library, query, sort, limit, offset) == everything[offset : offset + limit]


@pytest.mark.parametrize("sort", ["path", "-path", "name", "-name"])
def test_the_first_photos_of_many_are_found_without_a_sort(
    library: Library, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    everything = ids_of(library, "", sort)
    monkeypatch.setattr(store, "_order", lambda _sort: pytest.fail("all photos are sorted"))
    assert ids_of(library, "", sort, 5) == everything[:5]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("sort", ["date", "-date"])
def test_all_photos_by_date_are_in_the_order_of_a_few(
    library: Library, monkeypatch: pytest.MonkeyPatch, query: str, sort: str
) -> None:
    few = ids_of(library, query, sort)
    monkeypatch.setattr(store, "_MANY", 0)
    assert ids_of(library, query, sort) == few == ids_of(library, query, sort, PHOTOS)


@pytest.mark.parametrize("query", QUERIES)
def test_all_paths_are_those_of_the_hits(library: Library, query: str) -> None:
    result = find(library, SearchRequest(parse(library, query), sort="path"))
    hits = [hit for hit in result.hits() if hit.files]
    assert list(result.paths()) == [hit.path for hit in hits]
    present = [hit.path for hit in hits if hit.state == "present"]
    assert present == sorted(present)
