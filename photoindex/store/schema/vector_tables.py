"""The tables of semantic search: embedding spaces, the vectors in them, and vectors of past queries."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from photoindex.store.engine.ddl import IDS_NEVER_REUSED, partial_index
from photoindex.store.schema.columns import metadata

space = Table(
    "space",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "name", Text, nullable=False, unique=True, comment="what a person calls it; the model's, unless it is taken"
    ),
    Column("model", Text, nullable=False, comment="id of the model that made it"),
    Column("variant_id", ForeignKey("variant.id"), nullable=False, unique=True),
    Column("dim", Integer, nullable=False, comment="numbers a vector"),
    Column("active", Boolean, nullable=False, comment="search uses it"),
    Column("calibration", JSON(none_as_null=True), comment="what separates hits from the irrelevant tail"),
    Column("created_at", Float, nullable=False),
    partial_index("space_active", "active", unique=True, where="active = 1"),
    **IDS_NEVER_REUSED,
)

vector = Table(
    "vector",
    metadata,
    # Numbers only grow, so that an index knows by its largest one which vectors it lacks.
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), nullable=False),
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), nullable=False),
    Column("frame", Integer, nullable=False, server_default=text("0"), comment="of a video; 0 is the poster frame"),
    Column("seconds", Float, comment="where in the video the frame is"),
    Column("data", LargeBinary, nullable=False, comment="float16, little-endian, of unit length"),
    UniqueConstraint("space_id", "asset_id", "frame"),
    Index("vector_by_asset", "asset_id"),
    # With the row's number, which every index ends with, it gives a space's newest vectors without a look at other spaces.
    Index("vector_by_space", "space_id"),
    **IDS_NEVER_REUSED,
)

query_vector = Table(
    "query_vector",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True),
    Column("text", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="float32, little-endian, of unit length"),
    Column("used_at", Float, nullable=False),
    Index("query_vector_by_used_at", "used_at"),
)
