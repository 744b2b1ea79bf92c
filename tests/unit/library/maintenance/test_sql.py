"""`sql`: read-only, with clear error messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.maintenance.sql import json_lines, query, view_columns
from photoindex.store.engine.read_only_sql import FUNCTIONS, PRAGMAS
from tests.rows import VolumeRows, library_in


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "lib ?#%20 ü") as opened:
        yield opened


@pytest.fixture
def volume_rows(library: Library, tmp_path: Path) -> VolumeRows:
    return VolumeRows(library, tmp_path / "originals")


def rows(library: Library, sql: str, **parameters: str) -> list[tuple[object, ...]]:
    with query(library, sql, parameters) as result:
        return list(result.rows)


def test_a_view_is_read_with_parameters(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_whole_photo("a.jpg", title="Dawn")
    volume_rows.add_whole_photo("b.jpg", title="Dusk")
    with query(library, "SELECT id, title AS t FROM v_photo WHERE title = :title", {"title": "Dusk"}) as result:
        assert result.headers == ["id", "t"]
        assert list(result.rows) == [(2, "Dusk")]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DELETE FROM photo", "DELETE"),
        ("UPDATE photo SET title = 'x'", "UPDATE"),
        ("INSERT INTO variant VALUES (1, 'a', 'b', 1)", "INSERT"),
        ("WITH x AS (SELECT 1) DELETE FROM photo", "DELETE"),
        ("CREATE TABLE x (y)", "only reads"),
        ("CREATE TEMP TABLE x (y)", "only reads"),
        ("DROP TABLE photo", "only reads"),
        ("ATTACH 'other.db' AS other", "ATTACH"),
        ("VACUUM INTO 'copy.db'", "only reads"),
        ("VACUUM", "only reads"),
        ("REINDEX", "only reads|no statement"),
        ("ANALYZE", "only reads"),
        ("BEGIN", "a transaction"),
        ("SAVEPOINT x", "a transaction"),
        ("SELECT load_extension('x')", "load_extension"),
        ("SELECT fts3_tokenizer('simple', x'4141414141414141')", "fts3_tokenizer"),
        ("SELECT FTS3_Tokenizer('simple')", "fts3_tokenizer"),
        ("SELECT * FROM fts3tokenize", "fts3tokenize"),
        ("SELECT * FROM pragma_table_info('fts3tokenize')", "PRAGMA table_info"),
        ("SELECT * FROM dbstat", "dbstat"),
        ("SELECT count(*) FROM sqlite_stmt", "sqlite_stmt"),
        ("SELECT * FROM pragma_module_list", "pragma_module_list"),
        ("SELECT sqlite_log(1, 'x')", "sqlite_log"),
        ("SELECT rtreecheck('photo')", "rtreecheck"),
        ("PRAGMA user_version = 3", "PRAGMA user_version"),
        ("PRAGMA query_only = OFF", "PRAGMA query_only"),
        ("PRAGMA journal_mode = DELETE", "PRAGMA journal_mode"),
        ("PRAGMA writable_schema = ON", "PRAGMA writable_schema"),
        ("UPDATE sqlite_master SET sql = ''", "may not be modified|only reads"),
        ("INSERT INTO photo_text_fts (photo_text_fts) VALUES ('rebuild')", "INSERT"),
    ],
)
def test_statements_that_write_are_refused_and_change_nothing(
    library: Library, volume_rows: VolumeRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    volume_rows.add_whole_photo("a.jpg")
    with pytest.raises(UsageError, match=what):
        rows(library, sql)
    assert rows(library, "SELECT count(*) FROM photo") == [(1,)]
    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nope FROM v_photo", "no such column: nope"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT :year", "binding"),
        ("", "write a SELECT"),
        ("-- only a comment", "write a SELECT"),
        ("SELECT json('{')", "malformed JSON"),
    ],
)
def test_wrong_sql_is_reported_with_sqlites_message(library: Library, sql: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rows(library, sql)


def test_harmless_pragmas_are_allowed(library: Library, volume_rows: VolumeRows) -> None:
    assert ("id", "INTEGER") in [row[1:3] for row in rows(library, "PRAGMA table_info(photo)")]
    assert ("path",) in rows(library, "SELECT name FROM pragma_table_info('v_photo')")
    assert rows(library, "PRAGMA quick_check") == [("ok",)]
    assert rows(library, "EXPLAIN QUERY PLAN SELECT * FROM v_photo WHERE id = 1")
    assert rows(library, "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT x FROM n")
    assert "journal_mode" not in PRAGMAS


def test_every_function_of_sqlite_is_allowed_or_refused_by_name(library: Library) -> None:
    """What a later SQLite adds is refused until somebody has looked at it."""
    names = {str(row[0]).lower() for row in rows(library, "SELECT name FROM pragma_function_list")}
    assert names & FUNCTIONS > {"count", "json_extract", "strftime", "bm25"}
    for name in names - FUNCTIONS:
        with pytest.raises(UsageError, match=r"is not allowed|wrong number of arguments|no such function"):
            rows(library, f"SELECT {name}()")


def test_tables_views_and_json_of_the_library_are_readable(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_whole_photo("a.jpg")
    names = [str(row[0]) for row in rows(library, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    assert len(names) > 30
    for name in names:
        assert rows(library, f'SELECT count(*) FROM "{name}"')
    assert rows(library, "SELECT value FROM json_each('[1, 2]')") == [(1,), (2,)]


def test_common_table_expressions_are_read_whatever_their_names(library: Library) -> None:
    assert rows(library, "WITH x AS MATERIALIZED (SELECT 1 a) SELECT 1 FROM x") == [(1,)]
    endless = "WITH RECURSIVE x(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM x WHERE a < 5) SELECT count(*) FROM x"
    assert rows(library, endless) == [(5,)]


def test_bytes_that_are_not_utf_8_are_a_parameter_or_an_error(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_file(b"\xff.jpg", create=False)
    assert rows(library, "SELECT count(*) FROM file WHERE name = :name", name="\udcff.jpg") == [(1,)]
    for sql in ("SELECT '\udcff'", 'SELECT 1 AS "\udcff"'):
        with pytest.raises(UsageError, match="not UTF-8"):
            rows(library, sql)


def test_the_full_text_index_can_be_queried(library: Library, volume_rows: VolumeRows) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg")
    with library.database.write() as connection:
        connection.exec_driver_sql("UPDATE photo_text SET title = 'Lighthouse'")
    assert rows(library, "SELECT rowid FROM photo_text_fts WHERE photo_text_fts MATCH 'lighthouse'") == [(photo_id,)]


def test_text_that_is_not_utf_8_is_returned_with_surrogates(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_file(b"\xff.jpg", create=False)
    assert rows(library, "SELECT CAST(name AS TEXT) FROM file") == [("\udcff.jpg",)]


def test_rows_are_read_lazily(library: Library) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    with query(library, endless) as result:
        assert next(result.rows) == (1,)


def test_json_is_an_array_or_one_object_per_line(library: Library) -> None:
    sql = "SELECT 1 AS a, x'ff' AS b, 9e999 AS c, 2 AS a UNION ALL SELECT 2, NULL, 0.5, 3"
    with query(library, sql) as result:
        assert list(json_lines(result, newline=True)) == [
            '{"a": 1, "b": {"$base64": true, "encoded": "/w=="}, "c": null, "a_2": 2}',
            '{"a": 2, "b": null, "c": 0.5, "a_2": 3}',
        ]
    with query(library, "SELECT 1 AS a UNION ALL SELECT 2") as result:
        assert "".join(json_lines(result, newline=False)) == '[{"a": 1}, {"a": 2}]'


def test_an_empty_result_is_an_empty_array_or_no_line(library: Library) -> None:
    with query(library, "SELECT 1 WHERE 0") as result:
        assert list(json_lines(result, newline=False)) == ["[]"]
    with query(library, "SELECT 1 WHERE 0") as result:
        assert list(json_lines(result, newline=True)) == []


def test_every_column_of_every_view_is_explained() -> None:
    listed = list(view_columns())
    views = {
        "v_photo",
        "v_file",
        "v_content",
        "v_sidecar",
        "v_task",
        "v_volume",
        "v_journal",
        "v_person",
        "v_face",
        "v_tag",
        "v_album",
    }
    assert {one["view"] for one in listed} == views
    assert all(one["column"] and one["meaning"] for one in listed)
