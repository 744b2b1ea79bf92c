"""Tables of relations between files and of user input: sidecars, pairs, corrections, saved queries, events."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from photoindex.store.schema.columns import metadata

sidecar = Table(
    "sidecar",
    metadata,
    Column("file_id", ForeignKey("file.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, nullable=False, comment="xmp, aae, takeout, picasa"),
    Column("title", Text, comment="file name of the photo it refers to"),
    Column("facts", JSON, nullable=False, comment="fact -> value"),
    Column("regions", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("read_at", Float, nullable=False),
)

sidecar_link = Table(
    "sidecar_link",
    metadata,
    Column("sidecar_id", ForeignKey("sidecar.file_id", ondelete="CASCADE"), primary_key=True),
    Column("file_id", ForeignKey("file.id", ondelete="CASCADE"), primary_key=True),
    Column("why", Text, nullable=False),
    Column("part", Text, comment="of a sidecar of a folder: the name of the part about this file"),
    Index("sidecar_link_by_file", "file_id"),
)

sidecar_part = Table(
    "sidecar_part",
    metadata,
    Column("sidecar_id", ForeignKey("sidecar.file_id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True, comment="the file name of a photo, as the sidecar writes it"),
    Column("facts", JSON, nullable=False, comment="fact -> value"),
    Column("regions", JSON, nullable=False),
)

pair_link = Table(
    "pair_link",
    metadata,
    Column("folder_id", ForeignKey("folder.id"), primary_key=True, comment="where the rules found both"),
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("other_asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, nullable=False, comment="raw, live, edit, companion, backup"),
    Column("why", Text, nullable=False),
    Index("pair_link_by_asset", "asset_id"),
    Index("pair_link_by_other", "other_asset_id"),
)

pair_decision = Table(
    "pair_decision",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, comment="the smaller id"),
    Column("other_asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("together", Boolean, nullable=False, comment="what a person decided"),
    Column("at", Float, nullable=False),
    Index("pair_decision_by_other", "other_asset_id"),
)

correction = Table(
    "correction",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("fact", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("at", Float, nullable=False),
)

photo_to_resolve = Table(
    "photo_to_resolve",
    metadata,
    Column(
        "photo_id",
        ForeignKey("photo.id", ondelete="CASCADE"),
        primary_key=True,
        comment="an input of its facts has changed",
    ),
)

saved_query = Table(
    "saved_query",
    metadata,
    Column("name", Text, primary_key=True),
    Column("query", Text, nullable=False),
    Column("at", Float, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("key", Text, primary_key=True, comment="first day and place, e.g. 2019-06-01-lisbon"),
    Column("kind", Text, nullable=False, comment="day, trip"),
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False, comment="folded title and places, separated and enclosed by spaces"),
    Column("first_at", Text, nullable=False, comment="ISO 8601 local wall time"),
    Column("last_at", Text, nullable=False),
    Column("photos", Integer, nullable=False, comment="number when it was found"),
    Column("found_at", Float, nullable=False),
)
