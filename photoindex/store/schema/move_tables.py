"""The table of originals that were moved into a trash folder, so that each can be put back."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from photoindex.store.engine.ddl import IDS_NEVER_REUSED, partial_index
from photoindex.store.engine.path_columns import PathBytes
from photoindex.store.schema.columns import metadata

file_move = Table(
    "file_move",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("journal_id", ForeignKey("journal.id", ondelete="CASCADE"), nullable=False),
    Column("volume_id", ForeignKey("volume.id"), nullable=False),
    Column("path", PathBytes, nullable=False, comment="where it was, relative to the volume's mount point"),
    Column("moved_to", PathBytes, nullable=False, comment="in the trash folder, relative to the same mount point"),
    Column("linked_to", PathBytes, comment="the file that is linked to its old place; null: nothing is there"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="planned: before the move; moved; returning: before undo; returned"),
    Index("file_move_by_journal", "journal_id"),
    Index("file_move_by_path", "volume_id", "path"),
    partial_index("file_move_unfinished", "journal_id", where="state IN ('planned', 'returning')"),
    CheckConstraint("state IN ('planned', 'moved', 'returning', 'returned')", name="file_move_state"),
    **IDS_NEVER_REUSED,
)
