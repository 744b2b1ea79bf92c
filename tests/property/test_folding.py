"""Folding in SQL, in Python and in the full-text index agree on any text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, Text, literal, select

from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.query.syntax import Words
from photoindex.query.values import is_indexed
from photoindex.store.engine.path_columns import PathBytes
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import composed, folded, folds_to
from photoindex.store.schema.tables import photo_text
from photoindex.store.search.text_index import document
from photoindex.text import composed as composed_in_python
from photoindex.text import fold
from photoindex.types import Resolved
from tests.rows import VolumeRows, library_in
from tests.series import SOAKING, examples

repeatable = settings(
    derandomize=not SOAKING, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
pieces = [
    "ß",
    "Ł",
    "æ",
    "é",
    "e\u0301",
    "か\u3099",
    "한",
    "\u1112\u1161\u11ab",
    "й",
    "\u0130",
    "\0",
    "a",
    "Z",
    "/",
    " ",
    "1",
]
texts = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(pieces), max_size=8).map("".join))
forms = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("folding")
    with library_in(folder / "library") as library:
        VolumeRows(library, folder / "originals").add_whole_photo("a.jpg")
        yield library


@given(texts, forms)
@settings(repeatable, max_examples=examples(300))
def test_folding_ignores_the_unicode_form_and_folding_again_changes_nothing(text: str, form: str) -> None:
    assert fold(unicodedata.normalize(form, text)) == fold(text) == fold(fold(text))


@given(texts, st.binary(max_size=12))
@settings(repeatable, max_examples=examples(150))
def test_sql_and_python_fold_and_compose_alike(library: Library, text: str, data: bytes) -> None:
    in_bytes = data.decode("utf-8", "surrogateescape")
    with library.database.read() as connection, engine_of(connection).functions(connection):
        column, stored = literal(text, Text), literal(data, LargeBinary)
        statement = select(
            folded(column), folded(stored), folds_to(column, fold(text)), folds_to(column, fold(text) + "x")
        )
        row = connection.execute(statement).one()
        assert tuple(row) == (fold(text), fold(data.decode("utf-8", "replace")), 1, 0)
        path = connection.execute(select(composed(literal(data, PathBytes())))).scalar_one()
    assert path in (composed_in_python(in_bytes), composed_in_python(in_bytes).encode("utf-8", "surrogateescape"))


@given(texts, forms)
@settings(repeatable, max_examples=examples(100))
def test_the_words_of_a_name_find_it_in_any_unicode_form(library: Library, text: str, form: str) -> None:
    if not any(map(is_indexed, fold(text))):
        return
    texts_of_photo = document([text.encode()], [], Resolved())
    with library.database.write() as connection:
        connection.execute(photo_text.update().values(**texts_of_photo))
    words = Words(unicodedata.normalize(form, text), phrase=True, prefix=False)
    assert len(matching_photo_ids(library, words)) == 1
