"""True facts: sidecars, pairs, places, corrections, saved queries and events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _create_place() -> None:
    op.create_table(
        "place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("country_code", sa.Text(), nullable=False, comment="ISO 3166-1, two letters"),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False, comment="folded official names between spaces"),
        sa.Column("alternates", sa.Text(), nullable=False, comment="folded names in other languages, one a line"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint(
            "country_code", "city", "latitude", "longitude", name=op.f("uq_place_country_code_city_latitude_longitude")
        ),
    )


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("key", sa.Text(), nullable=False, comment="first day and place, as in 2019-06-01-lisbon"),
        sa.Column("kind", sa.Text(), nullable=False, comment="day, trip"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False, comment="folded title and places between spaces"),
        sa.Column("first_at", sa.Text(), nullable=False, comment="ISO 8601 local wall time"),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False, comment="when it was found"),
        sa.Column("found_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_event")),
    )


def _create_saved_query() -> None:
    op.create_table(
        "saved_query",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_saved_query")),
    )


def _create_photo_to_resolve() -> None:
    op.create_table(
        "photo_to_resolve",
        sa.Column("photo_id", sa.Integer(), nullable=False, comment="an input of its facts changed"),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_photo_to_resolve_photo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_photo_to_resolve")),
    )


def _create_correction() -> None:
    op.create_table(
        "correction",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_correction_asset_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("asset_id", "fact", name=op.f("pk_correction")),
    )


def _create_pair_decision() -> None:
    op.create_table(
        "pair_decision",
        sa.Column("asset_id", sa.Integer(), nullable=False, comment="the smaller number"),
        sa.Column("other_asset_id", sa.Integer(), nullable=False),
        sa.Column("together", sa.Boolean(), nullable=False, comment="what a person said"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_pair_decision_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["other_asset_id"], ["asset.id"], name=op.f("fk_pair_decision_other_asset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "other_asset_id", name=op.f("pk_pair_decision")),
    )
    op.create_index("pair_decision_by_other", "pair_decision", ["other_asset_id"], unique=False)


def _create_pair_link() -> None:
    op.create_table(
        "pair_link",
        sa.Column("folder_id", sa.Integer(), nullable=False, comment="where the rules saw both"),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("other_asset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="raw, live, edit"),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_pair_link_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["folder_id"], ["folder.id"], name=op.f("fk_pair_link_folder_id")),
        sa.ForeignKeyConstraint(
            ["other_asset_id"], ["asset.id"], name=op.f("fk_pair_link_other_asset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("folder_id", "asset_id", "other_asset_id", name=op.f("pk_pair_link")),
    )
    op.create_index("pair_link_by_asset", "pair_link", ["asset_id"], unique=False)
    op.create_index("pair_link_by_other", "pair_link", ["other_asset_id"], unique=False)


def _create_sidecar() -> None:
    op.create_table(
        "sidecar",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="xmp, aae, takeout"),
        sa.Column("title", sa.Text(), nullable=True, comment="the name of the photo that it speaks of"),
        sa.Column("facts", sa.JSON(), nullable=False, comment="fact -> value"),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_sidecar_file_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_sidecar")),
    )


def _create_sidecar_link() -> None:
    op.create_table(
        "sidecar_link",
        sa.Column("sidecar_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_sidecar_link_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["sidecar_id"], ["sidecar.file_id"], name=op.f("fk_sidecar_link_sidecar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sidecar_id", "file_id", name=op.f("pk_sidecar_link")),
    )
    op.create_index("sidecar_link_by_file", "sidecar_link", ["file_id"], unique=False)


def _extend_asset() -> None:
    op.add_column(
        "asset",
        sa.Column(
            "pair_reason", sa.Text(), nullable=True, comment="why it belongs to its photo, where it is not alone"
        ),
    )
    op.add_column(
        "asset",
        sa.Column(
            "replaced_by",
            sa.Integer(),
            nullable=True,
            comment="the content that took its place in an edited file",
        ),
    )
    op.add_column("asset", sa.Column("regions", sa.JSON(), nullable=True, comment="marked faces and other parts"))
    op.add_column(
        "asset",
        sa.Column(
            "content_identifier",
            sa.Text(),
            nullable=True,
            comment="Apple's, the same in a Live Photo's picture and movie",
        ),
    )
    op.add_column("asset", sa.Column("burst_identifier", sa.Text(), nullable=True, comment="as the camera wrote it"))
    op.create_index(
        "asset_by_content_identifier",
        "asset",
        ["content_identifier"],
        unique=False,
        sqlite_where=sa.text("content_identifier IS NOT NULL"),
    )
    op.create_index(
        "asset_paired",
        "asset",
        ["photo_id"],
        unique=False,
        sqlite_where=sa.text("role NOT IN ('primary', 'superseded')"),
    )
    op.create_index(
        "asset_with_regions", "asset", ["photo_id"], unique=False, sqlite_where=sa.text("regions IS NOT NULL")
    )
    op.create_index(
        "asset_replaced", "asset", ["replaced_by"], unique=False, sqlite_where=sa.text("replaced_by IS NOT NULL")
    )


def _extend_folder() -> None:
    op.add_column(
        "folder",
        sa.Column(
            "unrelated",
            sa.Boolean(),
            server_default=sa.text("0"),
            nullable=False,
            comment="its pairs and sidecars are to be found anew",
        ),
    )
    op.create_index("folder_unrelated", "folder", ["id"], unique=False, sqlite_where=sa.text("unrelated = 1"))


def _extend_photo() -> None:
    op.add_column(
        "photo", sa.Column("taken_at_precision", sa.Text(), nullable=True, comment="second, minute, day, month, year")
    )
    op.add_column(
        "photo",
        sa.Column(
            "taken_at_utc", sa.Float(), nullable=True, comment="UTC seconds since 1970, where the instant is known"
        ),
    )
    op.add_column("photo", sa.Column("utc_offset_minutes", sa.Integer(), nullable=True))
    op.add_column("photo", sa.Column("zone", sa.Text(), nullable=True, comment="IANA name at the position"))
    op.add_column("photo", sa.Column("zone_source", sa.Text(), nullable=True))
    # SQLite adds a column with its foreign key in one statement, which Alembic does not write.
    op.execute("ALTER TABLE photo ADD COLUMN place_id INTEGER CONSTRAINT fk_photo_place_id REFERENCES place (id)")
    op.add_column(
        "photo",
        sa.Column(
            "neighbours", sa.JSON(), nullable=True, comment="facts that photos of the same camera or folder gave"
        ),
    )
    op.add_column("photo", sa.Column("burst", sa.Text(), nullable=True, comment="shared by the photos of one burst"))
    op.add_column(
        "photo",
        sa.Column(
            "motion", sa.Boolean(), server_default=sa.text("0"), nullable=False, comment="it holds a short video"
        ),
    )
    op.create_index("photo_by_burst", "photo", ["burst"], unique=False, sqlite_where=sa.text("burst IS NOT NULL"))
    op.create_index("photo_by_camera", "photo", ["camera_model", "camera_make", "taken_at"], unique=False)
    op.create_index("photo_by_place", "photo", ["place_id"], unique=False, sqlite_where=sa.text("place_id IS NOT NULL"))
    op.create_index(
        "photo_by_position",
        "photo",
        ["latitude", "longitude"],
        unique=False,
        sqlite_where=sa.text("latitude IS NOT NULL"),
    )


def _extend_photo_text() -> None:
    op.add_column("photo_text", sa.Column("place", sa.Text(), server_default="", nullable=False))


def _make_text_index_anew() -> None:
    """FTS5 adds no column to an index: it is made anew with the places, and filled from its table."""
    connection = op.get_bind()
    for event in ("ai", "ad", "au"):
        connection.exec_driver_sql(f"DROP TRIGGER photo_text_{event}")
    connection.exec_driver_sql("DROP TABLE photo_text_fts")
    connection.exec_driver_sql("""CREATE VIRTUAL TABLE "photo_text_fts" USING FTS5 (
    "name", "folder", "camera", "keywords", "title", "description", "place",
    tokenize='unicode61 remove_diacritics 2',
    content="photo_text"
)""")
    connection.exec_driver_sql("""CREATE TRIGGER "photo_text_ai" AFTER INSERT ON "photo_text" BEGIN
  INSERT INTO "photo_text_fts" (rowid, "name", "folder", "camera", "keywords", "title", "description", "place") VALUES (new.rowid, new."name", new."folder", new."camera", new."keywords", new."title", new."description", new."place");
END""")
    connection.exec_driver_sql("""CREATE TRIGGER "photo_text_ad" AFTER DELETE ON "photo_text" BEGIN
  INSERT INTO "photo_text_fts" ("photo_text_fts", rowid, "name", "folder", "camera", "keywords", "title", "description", "place") VALUES('delete', old.rowid, old."name", old."folder", old."camera", old."keywords", old."title", old."description", old."place");
END""")
    connection.exec_driver_sql("""CREATE TRIGGER "photo_text_au" AFTER UPDATE ON "photo_text" BEGIN
  INSERT INTO "photo_text_fts" ("photo_text_fts", rowid, "name", "folder", "camera", "keywords", "title", "description", "place") VALUES('delete', old.rowid, old."name", old."folder", old."camera", old."keywords", old."title", old."description", old."place");
  INSERT INTO "photo_text_fts" (rowid, "name", "folder", "camera", "keywords", "title", "description", "place") VALUES (new.rowid, new."name", new."folder", new."camera", new."keywords", new."title", new."description", new."place");
END""")
    connection.exec_driver_sql("INSERT INTO photo_text_fts (photo_text_fts) VALUES ('rebuild')")


def _leave_work() -> None:
    """Leave to the next scan what the new columns hold: sidecars are read, and facts worked out, without opening a photo."""
    op.execute("INSERT INTO photo_to_resolve (photo_id) SELECT id FROM photo")
    op.execute("UPDATE folder SET unrelated = 1")
    op.execute(
        "UPDATE asset SET content_identifier = upper(coalesce(json_extract(facts, '$.exif.content_identifier'), "
        "json_extract(facts, '$.container.content_identifier')))"
    )
    op.execute(
        "UPDATE task SET state = 'pending', attempts = 0, dismissed_at = NULL WHERE stage = 'ingest' AND subject_kind = 'file' "
        "AND state = 'done' AND subject_id IN (SELECT id FROM file WHERE media = 0 AND (lower(CAST(name AS TEXT)) LIKE '%.xmp' "
        "OR lower(CAST(name AS TEXT)) LIKE '%.aae' OR lower(CAST(name AS TEXT)) LIKE '%.json'))"
    )


def upgrade() -> None:
    _create_place()
    _extend_asset()
    _extend_folder()
    _extend_photo()
    _extend_photo_text()
    _create_event()
    _create_saved_query()
    _create_photo_to_resolve()
    _create_correction()
    _create_pair_decision()
    _create_pair_link()
    _create_sidecar()
    _create_sidecar_link()
    _make_text_index_anew()
    _leave_work()
