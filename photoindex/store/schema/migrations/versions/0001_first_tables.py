"""The first tables.

Revision 0001. Written by tests/regenerate_first_migration.py.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False, comment="the operation, e.g. prune"),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True, comment="the entry that this one undid"),
        sa.Column("undone_by", sa.Integer(), nullable=True, comment="the entry that undid this one"),
        sa.ForeignKeyConstraint(["undoes"], ["journal.id"], name=op.f("fk_journal_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )


def _create_library() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False, comment="program version"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library")),
    )


def _create_photo() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="image, raw, video"),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("primary_asset_id", sa.Integer(), nullable=True, comment="the asset that stands for the photo"),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("orientation", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.Text(), nullable=True, comment="ISO 8601 local wall time"),
        sa.Column("taken_at_source", sa.Text(), nullable=True),
        sa.Column("taken_at_confidence", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("altitude_m", sa.Float(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("camera_make", sa.Text(), nullable=True),
        sa.Column("camera_model", sa.Text(), nullable=True),
        sa.Column("lens", sa.Text(), nullable=True),
        sa.Column("iso", sa.Integer(), nullable=True),
        sa.Column("aperture", sa.Float(), nullable=True),
        sa.Column("exposure_seconds", sa.Float(), nullable=True),
        sa.Column("focal_length_mm", sa.Float(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False, comment="fact -> the source that won"),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
        sqlite_autoincrement=True,
    )
    op.create_index("photo_by_added_at", "photo", ["added_at"], unique=False)
    op.create_index("photo_by_format", "photo", ["format"], unique=False)
    op.create_index("photo_by_taken_at", "photo", ["taken_at"], unique=False)


def _create_schema_history() -> None:
    op.create_table(
        "schema_history",
        sa.Column("revision", sa.Text(), nullable=False, comment="as in alembic_version"),
        sa.Column(
            "program_version",
            sa.Text(),
            nullable=False,
            comment="the program that made it: an older one names it as what to install",
        ),
        sa.Column("migrated_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_schema_history")),
    )


def _create_variant() -> None:
    op.create_table(
        "variant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="canonical JSON of everything that changes the result"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("stage", "key", name=op.f("uq_variant_stage_key")),
    )


def _create_volume() -> None:
    op.create_table(
        "volume",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False, comment="file system UUID, or network source"),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("mount_point", sa.LargeBinary(), nullable=False, comment="where it was last seen"),
        sa.Column("file_system", sa.Text(), nullable=False),
        sa.Column("last_seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volume")),
        sa.UniqueConstraint("identity", name=op.f("uq_volume_identity")),
    )


def _create_asset() -> None:
    op.create_table(
        "asset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="BLAKE3 of the bytes"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("orientation", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False, comment="source -> fact -> value, every value of every source"),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("perceptual_hash", sa.BigInteger(), nullable=True, comment="64-bit phash as a signed integer"),
        sa.Column("derived", sa.Boolean(), nullable=False, comment="preview and thumbnail were made"),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column(
            "role", sa.Text(), nullable=False, comment="primary, superseded (an earlier content of an edited file)"
        ),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_asset_photo_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_asset_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("digest", name=op.f("uq_asset_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index("asset_by_photo", "asset", ["photo_id"], unique=False)
    op.create_index("asset_not_derived", "asset", ["id"], unique=False, sqlite_where=sa.text("derived = 0"))


def _create_folder() -> None:
    op.create_table(
        "folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("volume_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False, comment="relative to the volume's mount point"),
        sa.ForeignKeyConstraint(["volume_id"], ["volume.id"], name=op.f("fk_folder_volume_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder")),
        sa.UniqueConstraint("volume_id", "path", name=op.f("uq_folder_volume_id_path")),
    )


def _create_journal_change() -> None:
    op.create_table(
        "journal_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("journal_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False, comment="JSON of the primary key"),
        sa.Column("before", sa.JSON(), nullable=True, comment="the row before; null: it did not exist"),
        sa.Column("after", sa.JSON(), nullable=True, comment="the row after; null: it was removed"),
        sa.ForeignKeyConstraint(
            ["journal_id"], ["journal.id"], name=op.f("fk_journal_change_journal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_change")),
    )
    op.create_index("journal_change_by_entry", "journal_change", ["journal_id"], unique=False)


def _create_photo_text() -> None:
    op.create_table(
        "photo_text",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_photo_text_photo_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_photo_text")),
    )


def _create_root() -> None:
    op.create_table(
        "root",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("volume_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False, comment="relative to the volume's mount point"),
        sa.Column("excludes", sa.JSON(), nullable=False, comment="gitignore patterns given with --exclude"),
        sa.Column("follow_symlinks", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.Column("scanned_at", sa.Float(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True, comment="of the last finished scan"),
        sa.ForeignKeyConstraint(["volume_id"], ["volume.id"], name=op.f("fk_root_volume_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_root")),
        sa.UniqueConstraint("volume_id", "path", name=op.f("uq_root_volume_id_path")),
    )


def _create_task() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False, comment="file, asset, library"),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("not_before", sa.Float(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False, comment="smaller first"),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("dismissed_at", sa.Float(), nullable=True, comment="a person said: leave it so"),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'running', 'done', 'failed', 'quarantined')", name="task_state"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_task_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint(
            "subject_kind",
            "subject_id",
            "stage",
            "variant_id",
            name=op.f("uq_task_subject_kind_subject_id_stage_variant_id"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "task_pending", "task", ["stage", "priority", "id"], unique=False, sqlite_where=sa.text("state = 'pending'")
    )
    op.create_index("task_running", "task", ["lease_until"], unique=False, sqlite_where=sa.text("state = 'running'"))
    op.create_index(
        "task_trouble",
        "task",
        ["state", "stage"],
        unique=False,
        sqlite_where=sa.text("state IN ('failed', 'quarantined')"),
    )


def _create_file() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("media", sa.Boolean(), nullable=True, comment="null until read; false: not a photo or video"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is not media"),
        sa.Column("asset_id", sa.Integer(), nullable=True),
        sa.Column("first_seen_at", sa.Float(), nullable=False),
        sa.Column("missing_since", sa.Float(), nullable=True),
        sa.CheckConstraint("state IN ('present', 'missing', 'excluded')", name="file_state"),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_file_asset_id")),
        sa.ForeignKeyConstraint(["folder_id"], ["folder.id"], name=op.f("fk_file_folder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
        sa.UniqueConstraint("folder_id", "name", name=op.f("uq_file_folder_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("file_by_asset", "file", ["asset_id", "state"], unique=False)
    op.create_index("file_not_present", "file", ["state"], unique=False, sqlite_where=sa.text("state <> 'present'"))


def _create_text_index() -> None:
    op.get_bind().exec_driver_sql("""CREATE VIRTUAL TABLE "photo_text_fts" USING FTS5 (
    "name", "folder", "camera", "keywords", "title", "description",
    tokenize='unicode61 remove_diacritics 2',
    content="photo_text"
)""")
    op.get_bind().exec_driver_sql("""CREATE TRIGGER "photo_text_ai" AFTER INSERT ON "photo_text" BEGIN
  INSERT INTO "photo_text_fts" (rowid, "name", "folder", "camera", "keywords", "title", "description") VALUES (new.rowid, new."name", new."folder", new."camera", new."keywords", new."title", new."description");
END""")
    op.get_bind().exec_driver_sql("""CREATE TRIGGER "photo_text_ad" AFTER DELETE ON "photo_text" BEGIN
  INSERT INTO "photo_text_fts" ("photo_text_fts", rowid, "name", "folder", "camera", "keywords", "title", "description") VALUES('delete', old.rowid, old."name", old."folder", old."camera", old."keywords", old."title", old."description");
END""")
    op.get_bind().exec_driver_sql("""CREATE TRIGGER "photo_text_au" AFTER UPDATE ON "photo_text" BEGIN
  INSERT INTO "photo_text_fts" ("photo_text_fts", rowid, "name", "folder", "camera", "keywords", "title", "description") VALUES('delete', old.rowid, old."name", old."folder", old."camera", old."keywords", old."title", old."description");
  INSERT INTO "photo_text_fts" (rowid, "name", "folder", "camera", "keywords", "title", "description") VALUES (new.rowid, new."name", new."folder", new."camera", new."keywords", new."title", new."description");
END""")


def upgrade() -> None:
    _create_journal()
    _create_library()
    _create_photo()
    _create_schema_history()
    _create_variant()
    _create_volume()
    _create_asset()
    _create_folder()
    _create_journal_change()
    _create_photo_text()
    _create_root()
    _create_task()
    _create_file()
    _create_text_index()
