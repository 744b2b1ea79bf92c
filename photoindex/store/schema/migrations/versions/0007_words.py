"""Words: tags, albums, texts that models wrote or read; the full-text index covers them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NEW_TEXTS = {
    "people": "names of the people it shows",
    "tags": "given by a person",
    "labels": "tags given by models",
    "caption": "written by models",
    "ocr": "text in the picture",
}
_COLUMNS = ("name", "folder", "camera", "keywords", "title", "description", "place", *_NEW_TEXTS)
"""The texts that are indexed, as of this revision."""


def _create_tag() -> None:
    op.create_table(
        "tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="levels are separated by slashes: animals/dog"),
        sa.Column("name_key", sa.Text(), nullable=False, comment="the folded name"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint("name_key", name=op.f("uq_tag_name_key")),
        sqlite_autoincrement=True,
    )


def _create_tag_alias() -> None:
    op.create_table(
        "tag_alias",
        sa.Column("name_key", sa.Text(), nullable=False, comment="a folded name that models and files go on using"),
        sa.Column("tag_id", sa.Integer(), nullable=False, comment="what a person renamed it to"),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_tag_alias_tag_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name_key", name=op.f("pk_tag_alias")),
    )
    op.create_index("tag_alias_by_tag", "tag_alias", ["tag_id"], unique=False)


def _create_asset_tag() -> None:
    op.create_table(
        "asset_tag",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False, comment="given or accepted by a person"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_tag_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_asset_tag_tag_id")),
        sa.PrimaryKeyConstraint("asset_id", "tag_id", name=op.f("pk_asset_tag")),
    )
    op.create_index("asset_tag_by_tag", "asset_tag", ["tag_id", "asset_id"], unique=False)


def _create_tag_rejection() -> None:
    op.create_table(
        "tag_rejection",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False, comment="a person said that it does not fit"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_tag_rejection_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_tag_rejection_tag_id")),
        sa.PrimaryKeyConstraint("asset_id", "tag_id", name=op.f("pk_tag_rejection")),
    )
    op.create_index("tag_rejection_by_tag", "tag_rejection", ["tag_id", "asset_id"], unique=False)


def _create_photo_keyword() -> None:
    op.create_table(
        "photo_keyword",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False, comment="what a keyword of its files is called now"),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_photo_keyword_photo_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_photo_keyword_tag_id")),
        sa.PrimaryKeyConstraint("photo_id", "tag_id", name=op.f("pk_photo_keyword")),
        sqlite_with_rowid=False,
    )
    op.create_index("photo_keyword_by_tag", "photo_keyword", ["tag_id", "photo_id"], unique=False)


def _create_label() -> None:
    op.create_table(
        "label",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False, comment="the stage and model that gave it"),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False, comment="0; objects are counted from 0"),
        sa.Column("raw", sa.Float(), nullable=False, comment="the model's own score"),
        sa.Column("confidence", sa.Float(), nullable=False, comment="0 to 1"),
        sa.Column("shown", sa.Boolean(), nullable=False, comment="as confident as the settings ask for"),
        sa.Column(
            "calibrated",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="the confidence was measured on verdicts",
        ),
        sa.Column("x", sa.Float(), nullable=True, comment="left edge of an object, fraction of the upright picture"),
        sa.Column("y", sa.Float(), nullable=True),
        sa.Column("width", sa.Float(), nullable=True),
        sa.Column("height", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_label_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_label_tag_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_label_variant_id")),
        sa.PrimaryKeyConstraint("asset_id", "variant_id", "tag_id", "part", name=op.f("pk_label")),
        sqlite_with_rowid=False,
    )
    op.create_index("label_by_tag", "label", ["tag_id", "confidence", "asset_id"], unique=False)
    op.create_index("label_by_variant", "label", ["variant_id"], unique=False)


def _create_tag_calibration() -> None:
    op.create_table(
        "tag_calibration",
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column(
            "slope", sa.Float(), nullable=False, comment="confidence = 1 / (1 + exp(-(slope * raw + intercept)))"
        ),
        sa.Column("intercept", sa.Float(), nullable=False),
        sa.Column(
            "verdicts", sa.Integer(), nullable=False, comment="how many accepted and rejected tags it was fitted to"
        ),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_tag_calibration_tag_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_tag_calibration_variant_id")),
        sa.PrimaryKeyConstraint("variant_id", "tag_id", name=op.f("pk_tag_calibration")),
    )


def _create_asset_text() -> None:
    op.create_table(
        "asset_text",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="caption; ocr: text in the picture"),
        sa.Column("variant_id", sa.Integer(), nullable=False, comment="the stage and model that gave it"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True, comment="ISO 639-1"),
        sa.Column("raw", sa.Text(), nullable=True, comment="the model's whole answer"),
        sa.Column("parser", sa.Integer(), nullable=True, comment="version of what made the text of the answer"),
        sa.Column(
            "lines", sa.JSON(none_as_null=True), nullable=True, comment="text in the picture by line, with boxes"
        ),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_text_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_asset_text_variant_id")),
        sa.PrimaryKeyConstraint("asset_id", "kind", "variant_id", name=op.f("pk_asset_text")),
    )
    op.create_index("asset_text_by_variant", "asset_text", ["variant_id"], unique=False)


def _create_album() -> None:
    op.create_table(
        "album",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="own, takeout, apple, folder"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False, comment="the folded name"),
        sa.Column(
            "origin",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="where a read album comes from; empty for own",
        ),
        sa.Column("cover_id", sa.Integer(), nullable=True, comment="the content shown for it; null: the first one"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_album")),
        sa.UniqueConstraint("kind", "name_key", "origin", name=op.f("uq_album_kind_name_key_origin")),
        sqlite_autoincrement=True,
    )


def _create_album_asset() -> None:
    op.create_table(
        "album_asset",
        sa.Column("album_id", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Float(), nullable=False, comment="the order in the album"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["album_id"], ["album.id"], name=op.f("fk_album_asset_album_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_album_asset_asset_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("album_id", "asset_id", name=op.f("pk_album_asset")),
    )
    op.create_index("album_asset_by_asset", "album_asset", ["asset_id"], unique=False)
    op.create_index("album_asset_by_position", "album_asset", ["album_id", "position"], unique=False)


def _extend_photo() -> None:
    op.add_column("photo", sa.Column("favourite", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.create_index("photo_favourite", "photo", ["taken_at"], unique=False, sqlite_where=sa.text("favourite = 1"))


def _extend_photo_text() -> None:
    for name, comment in _NEW_TEXTS.items():
        op.add_column("photo_text", sa.Column(name, sa.Text(), server_default="", nullable=False, comment=comment))


def _make_text_index_anew() -> None:
    """FTS5 cannot add a column to an index: make a new one, and fill it from its table."""
    connection = op.get_bind()
    for event in ("ai", "ad", "au"):
        connection.exec_driver_sql(f"DROP TRIGGER photo_text_{event}")
    connection.exec_driver_sql("DROP TABLE photo_text_fts")
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    new, old = (", ".join(f'{row}."{name}"' for name in _COLUMNS) for row in ("new", "old"))
    index = 'INSERT INTO "photo_text_fts"'
    added = f"{index} (rowid, {names}) VALUES (new.rowid, {new});"
    removed = f"""{index} ("photo_text_fts", rowid, {names}) VALUES('delete', old.rowid, {old});"""
    connection.exec_driver_sql(f"""CREATE VIRTUAL TABLE "photo_text_fts" USING FTS5 (
    {names},
    tokenize='unicode61 remove_diacritics 2',
    content="photo_text"
)""")
    for trigger, event, statements in (
        ("ai", "INSERT", f"  {added}"),
        ("ad", "DELETE", f"  {removed}"),
        ("au", "UPDATE", f"  {removed}\n  {added}"),
    ):
        connection.exec_driver_sql(
            f'CREATE TRIGGER "photo_text_{trigger}" AFTER {event} ON "photo_text" BEGIN\n{statements}\nEND'
        )
    connection.exec_driver_sql("INSERT INTO photo_text_fts (photo_text_fts) VALUES ('rebuild')")


def _resolve_photos_with_new_facts() -> None:
    """Let the next scan resolve what was not resolved before: keywords as tags, favourites, and people in the text index."""
    op.execute("INSERT OR IGNORE INTO photo_to_resolve (photo_id) SELECT id FROM photo WHERE keywords <> '[]'")
    op.execute(
        "INSERT OR IGNORE INTO photo_to_resolve (photo_id) SELECT photo_id FROM asset WHERE facts LIKE '%\"favourite\"%'"
    )
    op.execute(
        "INSERT OR IGNORE INTO photo_to_resolve (photo_id) SELECT asset.photo_id FROM sidecar "
        "JOIN sidecar_link ON sidecar_link.sidecar_id = sidecar.file_id "
        "LEFT JOIN sidecar_part ON sidecar_part.sidecar_id = sidecar.file_id AND sidecar_part.name = sidecar_link.part "
        "JOIN file ON file.id = sidecar_link.file_id JOIN asset ON asset.id = file.asset_id "
        "WHERE coalesce(sidecar_part.facts, sidecar.facts) LIKE '%\"favourite\"%'"
    )
    op.execute(
        "INSERT OR IGNORE INTO photo_to_resolve (photo_id) SELECT asset.photo_id FROM assignment "
        "JOIN region ON region.id = assignment.region_id JOIN asset ON asset.id = region.asset_id "
        "JOIN individual ON individual.id = assignment.individual_id WHERE individual.name IS NOT NULL"
    )


def _gather_albums() -> None:
    """Let the next scan make albums of folders, and read files again that may be about an album of an export."""
    op.execute("UPDATE folder SET unrelated = 1 WHERE id IN (SELECT folder_id FROM file WHERE asset_id IS NOT NULL)")
    op.execute(
        "UPDATE file SET mtime_ns = -1 WHERE media = 0 AND (name LIKE '%.json' OR name LIKE '%.csv') "
        "AND id NOT IN (SELECT file_id FROM sidecar)"
    )


def upgrade() -> None:
    _create_tag()
    _create_tag_alias()
    _create_asset_tag()
    _create_tag_rejection()
    _create_photo_keyword()
    _create_label()
    _create_tag_calibration()
    _create_asset_text()
    _create_album()
    _create_album_asset()
    _extend_photo()
    _extend_photo_text()
    _make_text_index_anew()
    _resolve_photos_with_new_facts()
    _gather_albums()
