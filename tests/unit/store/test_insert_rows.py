"""Rows that are written as they are, without a type of SQLAlchemy between."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Column, Float, Integer, MetaData, Table, Text, select

from photoindex.store.engine.database import Database
from photoindex.store.engine.statements import insert_rows

MEASURED = Table(
    "measured",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("order", Integer, server_default="7"),
    Column("value", Float),
    Column("name", Text),
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "rows.db")
    with made.write() as connection:
        MEASURED.create(connection)
    return made


def test_rows_arrive_as_they_are_given(database: Database) -> None:
    """In the order of the columns, also where a column has a default or the name of a keyword."""
    given = [(1, 3, 0.1, "it's; ? %s :name"), (2, None, None, None)]
    with database.write() as connection:
        insert_rows(connection, MEASURED, given)
        insert_rows(connection, MEASURED, [])
        assert [tuple(row) for row in connection.execute(select(MEASURED).order_by(MEASURED.c.id))] == given
    database.close()


def test_a_row_of_another_length_is_refused_and_nothing_is_written(database: Database) -> None:
    with pytest.raises(sqlite3.ProgrammingError), database.write() as connection:
        insert_rows(connection, MEASURED, [(1, 3, 0.1, "a"), (2, 3, 0.1)])
    with database.read() as connection:
        assert connection.execute(select(MEASURED)).all() == []
    database.close()
