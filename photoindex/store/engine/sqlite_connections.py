"""Connections to SQLite files in WAL mode."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from photoindex.errors import DatabaseFailed
from photoindex.store.engine.base import Address

# A connection that Ctrl-C interrupts while it closes is nothing that a user has to read; without a handler, Python prints it.
logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())


def connect(address: Address, *, read_only: bool = False, check_same_thread: bool = True) -> sqlite3.Connection:
    """Return a new connection. An unwritable file is opened without a lock and without a log and its shared memory."""
    mode = "ro" if read_only or address.unwritable is not None else "rwc"
    # Quoted, because a folder name may contain characters that are special in a URI (?, #, %), or bytes that are not UTF-8.
    name = quote(os.fsencode((address.unwritable or address.path).absolute()))
    uri = f"file:{name}?mode={mode}" + ("" if address.unwritable is None else "&immutable=1")
    return sqlite3.connect(uri, uri=True, timeout=address.busy_seconds, check_same_thread=check_same_thread)


def open_engine(address: Address) -> Engine:
    """See `Engine.open`."""
    engine = create_engine("sqlite://", creator=partial(connect, address, check_same_thread=False), poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        # SQLAlchemy's begin event starts transactions; the driver must not start its own.
        connection.isolation_level = None
        if address.unwritable is None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = {-1024 * address.cache_mb}")
        connection.execute(f"PRAGMA mmap_size = {address.mmap_mb << 20}")
        connection.execute("PRAGMA temp_store = FILE")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_write = connection.get_execution_options().get("photoindex_write", False)
        if is_write and address.unwritable is not None:
            raise DatabaseFailed(f"{address.path} cannot be written")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def open_engine_for_upgrade(address: Address) -> Engine:
    """See `Engine.open_for_upgrade`."""
    engine = create_engine("sqlite://", creator=partial(connect, address), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        # Rebuilding a table drops the old one, which with foreign keys on would delete the rows that refer to it.
        # The pragma has no effect inside a transaction, hence the separate connection.
        connection.execute("PRAGMA foreign_keys = OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def busy_timeout(connection: Connection, seconds: float | None, *, usual: float) -> Iterator[None]:
    """See `Engine.busy_timeout`."""
    driver = connection.connection.driver_connection
    if seconds is None or driver is None:
        yield
        return
    driver.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout = {round(usual * 1000)}")
