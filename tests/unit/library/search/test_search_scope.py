"""A scope limits a search: the result is that of a library containing only the photos in the scope."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from photoindex.errors import NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.find import Method, SearchRequest, SearchResult, count_photos, find, matching_photo_ids
from photoindex.library.search.parse import parse
from photoindex.library.search.semantic_query import SemanticOptions, WeightedText
from photoindex.library.spaces.probe_texts import PROBE_TEXTS
from photoindex.query.syntax import Node
from photoindex.store.schema.tables import event
from photoindex.store.vectors import spaces
from tests.rows import library_in
from tests.semantic_rows import AXES, DIM, SemanticRows, photo_ids, unit

PHOTOS = 40
SCOPE = "rating:>=3"

FIELD_QUERIES = (
    "", "date:2019", "-date:2019", "date:2018..2019", "type:raw", "camera:canon", "camera::^nikon", "keyword:beach", "name:dog*",
    "path:a/*", "path:a/3.jpg", "is:missing", "is:duplicate", "-is:missing", "id:1,2,3,4,5,6", "rating:1", "rating:<=2 OR rating:5",
    "-(rating:>=3)", "has:title", "text:dog", "near:38.7,-9.1,30km", "dog* -cat", "event:summer", "size:>1MB OR iso:100",
)  # fmt: skip
SEMANTIC_QUERIES = (
    "dog", "dog cat", "dog OR cat", "dog^2 beach", "dog -car", "dog date:2019", "dog is:missing", "dog type:raw OR camera:canon", "dog rating:<=2",
    '"red car"', "dog text:beach", "beach id:1,2,3,4,5,6,7,8,9",
)  # fmt: skip
queries = st.one_of(
    st.sampled_from(FIELD_QUERIES),
    st.sampled_from(SEMANTIC_QUERIES),
    st.tuples(st.sampled_from(SEMANTIC_QUERIES), st.sampled_from(FIELD_QUERIES)).map(" ".join),
)
options = st.builds(
    SemanticOptions,
    min_score=st.sampled_from([None, None, -1.0, 0.3, 0.7, 0.95]),
    without=st.sampled_from([(), (WeightedText("car", 0.5),)]),
)
sorts = st.sampled_from([None, "relevance", "date", "-size", "name", "id"])
repeatable = settings(
    derandomize=True, deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Pair:
    """A library, and one containing only its photos in SCOPE, with the same ids; hidden: the other ids."""

    whole: Library
    visible: Library
    hidden: frozenset[int]
    folder: Path

    def both(self, query: str, **more: object) -> tuple[SearchResult, SearchResult]:
        return (
            find(self.whole, SearchRequest(query, scope=self.scope, **more)),  # type: ignore[arg-type]
            find(self.visible, SearchRequest(query, **more)),  # type: ignore[arg-type]
        )

    @property
    def scope(self) -> Node:
        return parse(self.whole, SCOPE)


def fill(library: Library, folder: Path, numbers: Iterable[int]) -> SemanticRows:
    volume_rows = SemanticRows(library, folder)
    volume_rows.cache_queries({"dog cat": unit(dog=1, cat=1), "red car": unit(red=1, car=1), "beach": unit(beach=1)})
    random = np.random.default_rng(5)
    shares = {
        number: dict(zip(AXES, random.uniform(0.05, 1, len(AXES)) ** 3, strict=True)) for number in range(1, PHOTOS + 1)
    }
    for number in numbers:
        raw = number % 5 == 0
        texts = {"text_title": "a dog on the beach"} if number % 4 == 0 else {"text_keywords": "red car\nbeach"}
        volume_rows.add_embedded_photo(
            f"{'ab'[number % 2]}/{number}.jpg", unit(**shares[number]), id=number, rating=number % 6, state="missing" if number % 7 == 0 else "present",
            taken_at=f"{2017 + number % 4}-06-{1 + number % 28:02}T10:00:00", kind="raw" if raw else "image", size_bytes=number * 90_000,
            format="cr3" if raw else "jpeg", camera_make=("Canon", "Nikon")[number % 2], camera_model="X", title="t" if number % 3 else None,
            keywords=["beach"] if number % 4 else [], latitude=38.7 + number / 50, longitude=-9.1, iso=100 * (number % 3), **texts,
        )  # fmt: skip
        if number % 9 == 0:
            volume_rows.add_file(f"copy/{number}.jpg", asset_id=volume_rows.asset_of(number))
    directions = np.random.default_rng(3).normal(size=(len(PROBE_TEXTS), DIM)).astype(np.float32)
    volume_rows.cache_queries(
        dict(zip(PROBE_TEXTS, directions / np.linalg.norm(directions, axis=1, keepdims=True), strict=True))
    )
    with volume_rows.writing() as connection:
        row = {
            "key": "2019-summer",
            "kind": "day",
            "title": "summer",
            "words": " summer ",
            "photos": 9,
            "found_at": 0.0,
        }
        connection.execute(insert(event).values(first_at="2019-06-01", last_at="2019-06-12", **row))
    find(library, SearchRequest("dog"))
    return volume_rows


def copy_calibration(whole: Library, visible: Library, vectors: int) -> None:
    """Copy the calibration: it belongs to the embedding space and does not depend on the scope."""
    with whole.database.read() as connection:
        space = spaces.active_space(connection)
    assert space is not None
    assert space.calibration is not None
    with visible.database.write() as connection:
        other = spaces.active_space(connection)
        assert other is not None
        spaces.calibrate(connection, other.id, {**space.calibration, "vectors": vectors})


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("scope")
    with library_in(folder / "whole") as whole, library_in(folder / "visible") as visible:
        numbers = set(range(1, PHOTOS + 1))
        hidden = {number for number in numbers if number % 6 < 3}
        fill(whole, folder / "originals", sorted(numbers))
        fill(visible, folder / "originals", sorted(numbers - hidden))
        copy_calibration(whole, visible, len(numbers - hidden))
        yield Pair(whole, visible, frozenset(hidden), folder / "originals")


@pytest.mark.slow
@given(query=queries, options=options, sort=sorts, limit=st.sampled_from([None, 0, 1, 3, 10]))
@repeatable
def test_a_scoped_search_equals_a_search_in_a_library_of_the_visible_photos(
    pair: Pair, query: str, options: SemanticOptions, sort: str | None, limit: int | None
) -> None:
    try:
        scoped, alone = pair.both(query, options=options, sort=sort, limit=limit)
    except UsageError:
        with pytest.raises(UsageError):
            find(pair.visible, SearchRequest(query, options))
        return
    assert scoped.method == alone.method
    assert scoped.total() == alone.total()
    counted = find(pair.whole, SearchRequest(query, options, scope=pair.scope, only_count=True))
    ranked = find(pair.whole, SearchRequest(query, options, scope=pair.scope, complete=True))
    assert counted.total() == len(list(ranked.hits()))
    ids = [hit.id for hit in scoped.hits()]
    assert not pair.hidden & set(ids)
    if scoped.method is Method.MEANING_AND_WORDS:
        # Words are weighted by all texts of a library, so the order may differ.
        whole = SearchRequest(query, options, scope=pair.scope, complete=True)
        assert {hit.id for hit in find(pair.whole, whole).hits()} == {
            hit.id for hit in find(pair.visible, SearchRequest(query, options, complete=True)).hits()
        }
        assert [note.kind for note in scoped.notes] == [note.kind for note in alone.notes]
    else:
        assert ids == [hit.id for hit in alone.hits()]


@pytest.mark.slow
@given(query=queries)
@repeatable
def test_counts_ids_and_explanations_in_a_scope_cover_only_the_visible_photos(pair: Pair, query: str) -> None:
    assert matching_photo_ids(pair.whole, query, pair.scope) == matching_photo_ids(pair.visible, query)
    assert count_photos(pair.whole, query, pair.scope) == count_photos(pair.visible, query)
    scoped, alone = pair.both(query, complete=True)
    assert scoped.explanation() == alone.explanation()
    for one, other in zip(*(filter(None, [each.reasons()]) for each in (scoped, alone)), strict=True):
        names = ("reached", "removed", "found", "by_score", "by_words", "plain", "alternatives")
        assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]
        assert {hit.photo_id for hit in one.hits} <= set(range(1, PHOTOS + 1)) - pair.hidden


@pytest.mark.parametrize("way", ["number", "path", "end of a path"])
def test_a_photo_outside_the_scope_cannot_be_a_reference(pair: Pair, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[str, Callable[[int], str]] = {
        "number": str,
        "path": lambda number: f'"{pair.folder}/{"ab"[number % 2]}/{number}.jpg"',
        "end of a path": lambda number: f"{'ab'[number % 2]}/{number}.jpg",
    }
    monkeypatch.chdir(os.sep)
    hidden, seen = 1, 4
    assert hidden in pair.hidden
    assert seen not in pair.hidden
    scoped, alone = pair.both(f"like:{written[way](seen)}")
    assert [hit.id for hit in scoped.hits()] == [hit.id for hit in alone.hits()]
    assert find(pair.whole, SearchRequest(f"like:{written[way](hidden)}")).total()
    messages = []
    for library, scope in ((pair.whole, pair.scope), (pair.visible, parse(pair.visible, ""))):
        with pytest.raises(NothingFound) as caught:
            find(library, SearchRequest(f"like:{written[way](hidden)}", scope=scope))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_an_ambiguous_reference_considers_only_photos_in_the_scope(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        volume_rows = SemanticRows(library, tmp_path / "originals")
        first, second, third = (
            volume_rows.add_embedded_photo(f"{year}/a.jpg", unit(dog=1)) for year in (2019, 2020, 2021)
        )

        def result(query: str, scope: str) -> SearchResult:
            return find(library, SearchRequest(query, SemanticOptions(everything=True), scope=parse(library, scope)))

        with pytest.raises(UsageError, match=rf"several photos .*: {first}, {third}; name one"):
            result("like:a.jpg", f"id:{first},{third}")
        assert [hit.id for hit in result("like:a.jpg", f"id:{second}").hits()] == [second]
        with pytest.raises(UsageError, match="is a folder"):
            result("like:2019/", f"id:{first}")
        with pytest.raises(NothingFound, match="the file is not in the library"):
            result("like:2019/", f"id:{second}")


def test_a_file_that_is_not_a_photo_is_unknown_in_a_scope(pair: Pair) -> None:
    volume_rows = SemanticRows(pair.whole, pair.folder)
    volume_rows.add_file("notes.txt")
    reference = f'like:"{pair.folder}/notes.txt"'
    with pytest.raises(NothingFound, match="it is not a photo"):
        find(pair.whole, SearchRequest(reference))
    with pytest.raises(NothingFound, match="the file is not in the library"):
        find(pair.whole, SearchRequest(reference, scope=pair.scope))


def test_a_scope_of_missing_photos_does_not_show_them_to_a_query_for_present_ones(pair: Pair) -> None:
    scope = parse(pair.whole, "is:missing OR rating:>=3")
    gone = {number for number in range(1, PHOTOS + 1) if number % 7 == 0}
    assert not gone & set(matching_photo_ids(pair.whole, "", scope))
    assert not gone & {hit.id for hit in find(pair.whole, SearchRequest("dog", scope=scope)).hits()}
    assert set(matching_photo_ids(pair.whole, "is:missing", scope)) == gone


def test_hints_consider_only_events_with_a_photo_in_the_scope(pair: Pair) -> None:
    query = "event:summer rating:99"
    assert find(pair.whole, SearchRequest(query)).hints() == []
    nothing = parse(pair.whole, "date:2018")
    (hint,) = find(pair.whole, SearchRequest(query, scope=nothing)).hints()
    assert hint.startswith("no event has the key or words 'summer'")


def test_a_search_through_the_index_stays_in_its_scope(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from photoindex.library.search import nearest_photos

    monkeypatch.setattr(nearest_photos, "NARROW_PHOTOS", 1)
    monkeypatch.setattr(nearest_photos, "_FIRST_CANDIDATES", 1)
    monkeypatch.setattr(nearest_photos, "_MOST_CANDIDATES", 4)
    for limit in (1, 5, None):
        for minimum in (-1.0, 0.5):
            nearest = SemanticOptions(min_score=minimum)
            scoped, alone = pair.both("like:4", options=nearest, limit=limit)
            assert [hit.id for hit in scoped.hits()] == [hit.id for hit in alone.hits()]
            assert scoped.total() == alone.total()
            assert scoped.notes == alone.notes


def test_the_cut_off_does_not_depend_on_photos_outside_the_scope(pair: Pair) -> None:
    scoped, alone = pair.both("dog", complete=True)
    assert scoped.answer is not None
    assert alone.answer is not None
    assert [one.cut for one in scoped.answer.targets] == [one.cut for one in alone.answer.targets]
    assert set(photo_ids(scoped.answer.ranked)) == set(photo_ids(alone.answer.ranked))
    unscoped = find(pair.whole, SearchRequest("dog", complete=True)).answer
    assert unscoped is not None
    assert unscoped.targets[0].cut != scoped.answer.targets[0].cut
