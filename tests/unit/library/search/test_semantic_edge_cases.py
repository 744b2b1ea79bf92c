"""Edge cases of semantic search: invalid bytes in the query, broken vectors, dropped and inactive spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photoindex.errors import ModelUnavailable, NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.find import SearchRequest, SearchResult, find
from photoindex.library.search.parse import parse
from photoindex.library.search.semantic_query import SemanticOptions, WeightedText, semantic_query
from photoindex.library.search.semantic_search import SemanticAnswer, search_by_meaning
from photoindex.library.spaces.probe_texts import PROBE_TEXTS
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.store.schema.tables import query_vector
from photoindex.store.vectors import query_vector_cache, spaces
from tests.rows import library_in
from tests.semantic_rows import AXES, DIM, SemanticRows, photo_ids, unit


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "library") as library:
        yield library


@pytest.fixture
def volume_rows(library: Library, tmp_path: Path) -> SemanticRows:
    return SemanticRows(library, tmp_path / "originals")


def search(library: Library, query: str, options: SemanticOptions) -> SearchResult:
    return find(library, SearchRequest(query, options))


def answer_to(library: Library, query: str, options: SemanticOptions) -> SemanticAnswer:
    answer = search(library, query, options).answer
    assert answer is not None
    return answer


def found(library: Library, query: str, options: SemanticOptions) -> list[int]:
    return photo_ids(answer_to(library, query, options).ranked)


def test_invalid_bytes_count_as_one_replacement_character(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.cache_queries({"caf\ufffd": unit(dog=1), "\ufffd": unit(cat=1)})
    dog = volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    volume_rows.add_embedded_photo("b.jpg", unit(dog=1, cat=1))
    assert found(library, "caf\udce9", SemanticOptions(min_score=0.9)) == [dog]
    without = SemanticOptions(without=(WeightedText("\udce9"),), min_score=0.5)
    assert found(library, "caf\udce9", without) == [dog]


def test_a_digit_of_another_script_is_not_a_photo_id(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    with pytest.raises(NothingFound, match="--like '²'"):
        search(library, "like:²", SemanticOptions())


def test_a_space_dropped_during_a_search_is_named_in_the_error(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    query = semantic_query(parse(library, "something new"), SemanticOptions())
    assert query is not None
    with volume_rows.writing() as connection:
        spaces.drop(connection, volume_rows.space)
    with pytest.raises(ModelUnavailable, match="the space 'by-hand' was dropped meanwhile"):
        search_by_meaning(library, volume_rows.space, query)
    QueryEncoder(library, volume_rows.space).keep({"something new": unit(dog=1)})
    with library.database.read() as connection:
        assert connection.execute(query_vector.select()).fetchall() == []


def test_if_no_space_is_active_the_reason_names_the_command_to_run(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    with volume_rows.writing() as connection:
        spaces.begin_drop(connection, volume_rows.space)
    message = "no embedding space is in use.*photoindex spaces use by-hand"
    answered = search(library, "dog", SemanticOptions())
    assert answered.fallback is not None
    assert re.search(message, answered.fallback.reason)
    with pytest.raises(ModelUnavailable, match=message):
        search(library, "like:1", SemanticOptions())


def test_a_vector_of_nan_or_zeros_does_not_affect_the_others(library: Library, volume_rows: SemanticRows) -> None:
    dog = volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    volume_rows.add_embedded_photo("b.jpg", unit(car=1))
    broken = [
        volume_rows.add_embedded_photo("c.jpg", np.full(DIM, np.nan, np.float32)),
        volume_rows.add_embedded_photo("d.jpg", np.zeros(DIM, np.float32)),
    ]
    random = np.random.default_rng(3)
    directions = random.normal(size=(len(PROBE_TEXTS), DIM))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    volume_rows.cache_queries(dict(zip(PROBE_TEXTS, directions.astype(np.float32), strict=True)))
    answered = answer_to(library, "dog", SemanticOptions())
    assert photo_ids(answered.ranked) == [dog]
    assert np.isfinite(answered.targets[0].minimum)
    with library.database.read() as connection:
        active = spaces.active_space(connection)
        assert active is not None
        assert active.calibration is not None
        assert active.calibration["sampled"] == 2
    for photo_id in broken:
        with pytest.raises(UsageError, match=f"photoindex redo embed id:{photo_id}"):
            search(library, f"like:{photo_id}", SemanticOptions())


def test_cached_query_vectors_of_nan_are_not_used(library: Library, volume_rows: SemanticRows) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    volume_rows.cache_queries({"nothing": np.full(DIM, np.nan, np.float32)})
    assert search(library, "nothing", SemanticOptions()).fallback is not None


def test_a_repeated_query_stays_cached_longer_than_others(
    library: Library, volume_rows: SemanticRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume_rows.add_embedded_photo("a.jpg", unit(dog=1))
    with volume_rows.writing() as connection:
        connection.execute(query_vector.update().values(used_at=1.0))
        connection.execute(query_vector.update().where(query_vector.c.text == "cat").values(used_at=2.0))
    found(library, "dog", SemanticOptions(min_score=0.5))
    monkeypatch.setattr(query_vector_cache, "CAPACITY", 2)
    volume_rows.cache_queries({"one": unit(dog=1)})
    with library.database.read() as connection:
        assert set(query_vector_cache.known(connection, volume_rows.space.id, [*AXES, "one"])) == {"dog", "one"}
