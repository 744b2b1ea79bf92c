"""The tables of unattended work: what it cost, how fast it was, which originals were proved good, and reports of runs."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text

from photoindex.store.engine.ddl import IDS_NEVER_REUSED
from photoindex.store.schema.columns import metadata

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", Text, nullable=False, comment="its name in the settings: google_vision"),
    Column("feature", Text, nullable=False, comment="what the service counts and bills: LABEL_DETECTION"),
    Column("stage", Text, nullable=False),
    Column("month", Text, nullable=False, comment="the month of the bill, in UTC: 2026-11"),
    Column("units", Integer, nullable=False),
    Column("micros", Integer, nullable=False, comment="price of these units, in millionths of the provider's currency"),
    Column("state", Text, nullable=False, comment="reserved: before the call; spent: after it"),
    Column("owner", Text, nullable=False, comment="the process that reserved it"),
    Column("at", Float, nullable=False),
    Index("ledger_by_month", "provider", "month", "feature"),
    CheckConstraint("state IN ('reserved', 'spent')", name="ledger_state"),
    **IDS_NEVER_REUSED,
)

proof = Table(
    "proof",
    metadata,
    Column("file_id", ForeignKey("file.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Float, nullable=False, comment="when its bytes were read last"),
    Column("outcome", Text, nullable=False, comment="good, changed, damaged, unreadable"),
    Column("digest", LargeBinary, comment="BLAKE3 of the bytes that were read"),
    Column("size_bytes", Integer, comment="size and time of the file then"),
    Column("mtime_ns", Integer),
    Column("detail", Text, comment="why it is not good"),
    Index("proof_by_age", "at"),
    CheckConstraint("outcome IN ('good', 'changed', 'damaged', 'unreadable')", name="proof_outcome"),
)

throughput = Table(
    "throughput",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("variant_id", ForeignKey("variant.id", ondelete="CASCADE"), comment="null: work without a model"),
    Column("at", Float, nullable=False, comment="the end of the piece of work"),
    Column("subjects", Integer, nullable=False, comment="tasks that were finished"),
    Column("failed", Integer, nullable=False, comment="of these, how many failed"),
    Column("retried", Integer, nullable=False, comment="of these, how many had been tried before"),
    Column("seconds", Float, nullable=False, comment="wall time, without opening the model"),
    Column("opening_seconds", Float, nullable=False, comment="until the model was ready; 0 for later pieces of a run"),
    Column("infer_seconds", Float, nullable=False, comment="time in the model"),
    Column("device", Text, nullable=False, comment="where it ran"),
    Index("throughput_by_stage", "stage", "at"),
)

measurement = Table(
    "measurement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="search, write, index"),
    Column("at", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Index("measurement_by_kind", "kind", "id"),
)

night = Table(
    "night",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float, comment="null: it runs, or was killed"),
    Column("outcome", Text, comment="done, window, stopped, failed"),
    Column("report", JSON, comment="what `run --report` writes"),
    **IDS_NEVER_REUSED,
)
