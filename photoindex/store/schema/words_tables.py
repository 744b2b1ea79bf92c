"""The tables of words about photos: tags, albums, and texts that models wrote or read.

What a person says is kept by content, like corrections: it stays with the bytes when photos are paired otherwise.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from photoindex.store.engine.ddl import IDS_NEVER_REUSED, ROWS_BY_KEY
from photoindex.store.schema.columns import metadata

tag = Table(
    "tag",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, comment="levels are separated by slashes: animals/dog"),
    Column("name_key", Text, nullable=False, unique=True, comment="the folded name"),
    Column("created_at", Float, nullable=False),
    **IDS_NEVER_REUSED,
)

tag_alias = Table(
    "tag_alias",
    metadata,
    Column("name_key", Text, primary_key=True, comment="a folded name that models and files go on using"),
    Column("tag_id", ForeignKey("tag.id", ondelete="CASCADE"), nullable=False, comment="what a person renamed it to"),
    Index("tag_alias_by_tag", "tag_id"),
)

asset_tag = Table(
    "asset_tag",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True, comment="given or accepted by a person"),
    Column("at", Float, nullable=False),
    Index("asset_tag_by_tag", "tag_id", "asset_id"),
)

tag_rejection = Table(
    "tag_rejection",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True, comment="a person said that it does not fit"),
    Column("at", Float, nullable=False),
    Index("tag_rejection_by_tag", "tag_id", "asset_id"),
)

photo_keyword = Table(
    "photo_keyword",
    metadata,
    Column("photo_id", ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True, comment="what a keyword of its files is called now"),
    Index("photo_keyword_by_tag", "tag_id", "photo_id"),
    **ROWS_BY_KEY,
)

label = Table(
    "label",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("variant_id", ForeignKey("variant.id"), primary_key=True, comment="the stage and model that gave it"),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True),
    Column("part", Integer, primary_key=True, comment="0; objects are counted from 0"),
    Column("raw", Float, nullable=False, comment="the model's own score"),
    Column("confidence", Float, nullable=False, comment="0 to 1"),
    Column("shown", Boolean, nullable=False, comment="as confident as the settings ask for"),
    Column(
        "calibrated",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="the confidence was measured on verdicts",
    ),
    Column("x", Float, comment="left edge of an object, fraction of the upright picture"),
    Column("y", Float),
    Column("width", Float),
    Column("height", Float),
    Index("label_by_tag", "tag_id", "confidence", "asset_id"),
    Index("label_by_variant", "variant_id"),
    **ROWS_BY_KEY,
)

tag_calibration = Table(
    "tag_calibration",
    metadata,
    Column("variant_id", ForeignKey("variant.id"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True),
    Column("slope", Float, nullable=False, comment="confidence = 1 / (1 + exp(-(slope * raw + intercept)))"),
    Column("intercept", Float, nullable=False),
    Column("verdicts", Integer, nullable=False, comment="how many accepted and rejected tags it was fitted to"),
    Column("at", Float, nullable=False),
)

asset_text = Table(
    "asset_text",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True, comment="caption; ocr: text in the picture"),
    Column("variant_id", ForeignKey("variant.id"), primary_key=True, comment="the stage and model that gave it"),
    Column("text", Text, nullable=False),
    Column("language", Text, comment="ISO 639-1"),
    Column("raw", Text, comment="the model's whole answer"),
    Column("parser", Integer, comment="version of what made the text of the answer"),
    Column("lines", JSON(none_as_null=True), comment="text in the picture by line, with boxes"),
    Column("at", Float, nullable=False),
    Index("asset_text_by_variant", "variant_id"),
)

album = Table(
    "album",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="own, takeout, apple, folder"),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, comment="the folded name"),
    Column("origin", Text, nullable=False, server_default="", comment="where a read album comes from; empty for own"),
    Column("cover_id", Integer, comment="the content shown for it; null: the first one"),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("kind", "name_key", "origin"),
    **IDS_NEVER_REUSED,
)

album_asset = Table(
    "album_asset",
    metadata,
    Column("album_id", ForeignKey("album.id", ondelete="CASCADE"), primary_key=True),
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Float, nullable=False, comment="the order in the album"),
    Column("at", Float, nullable=False),
    Index("album_asset_by_position", "album_id", "position"),
    Index("album_asset_by_asset", "asset_id"),
)
