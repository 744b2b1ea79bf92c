"""The temporary tables of one scan; they last as long as its connection."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text

from photoindex.store.schema.tables import PathBytes

temporary = MetaData()

staged = Table(
    "staged",
    temporary,
    Column("volume_id", Integer, nullable=False),
    Column("folder_path", PathBytes, nullable=False),
    Column("name", PathBytes, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("file_id", Integer),
    Column("what", Text, nullable=False),
    prefixes=["TEMPORARY"],
)
gone = Table(
    "gone",
    temporary,
    Column("file_id", Integer, primary_key=True),
    Column("volume_id", Integer),
    prefixes=["TEMPORARY"],
)
left_out = Table("left_out", temporary, Column("file_id", Integer, primary_key=True), prefixes=["TEMPORARY"])
scope = Table("scope", temporary, Column("file_id", Integer, primary_key=True), prefixes=["TEMPORARY"])
unseen = Table("unseen", temporary, Column("file_id", Integer, primary_key=True), prefixes=["TEMPORARY"])
scope_folder = Table(
    "scope_folder",
    temporary,
    Column("folder_id", Integer, primary_key=True),
    Column("listed", Boolean, nullable=False),
    prefixes=["TEMPORARY"],
)
work = Table("work", temporary, Column("file_id", Integer, primary_key=True), prefixes=["TEMPORARY"])
