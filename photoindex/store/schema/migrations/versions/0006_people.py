"""People: regions of pictures, the individuals they show, and what a person decided about them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _create_individual() -> None:
    op.create_table(
        "individual",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="person"),
        sa.Column("name", sa.Text(), nullable=True, comment="null: a group of faces without a name"),
        sa.Column("name_key", sa.Text(), nullable=True, comment="the folded name"),
        sa.Column("born", sa.Text(), nullable=True, comment="YYYY, YYYY-MM or YYYY-MM-DD"),
        sa.Column("died", sa.Text(), nullable=True, comment="like born"),
        sa.Column("ignored", sa.Boolean(), server_default=sa.text("0"), nullable=False, comment="a stranger"),
        sa.Column(
            "hidden",
            sa.Boolean(),
            server_default=sa.text("0"),
            nullable=False,
            comment="left out of galleries and suggestions",
        ),
        sa.Column("cover_id", sa.Integer(), nullable=True, comment="the region shown for it; null: the best one"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_individual")),
        sa.UniqueConstraint("kind", "name_key", name=op.f("uq_individual_kind_name_key")),
        sqlite_autoincrement=True,
    )


def _create_region_space() -> None:
    op.create_table(
        "region_space",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="face"),
        sa.Column("model", sa.Text(), nullable=False, comment="id of the model that made its vectors"),
        sa.Column(
            "key", sa.Text(), nullable=False, comment="canonical JSON of everything that makes vectors comparable"
        ),
        sa.Column("dim", sa.Integer(), nullable=False, comment="dimensions of a vector"),
        sa.Column("active", sa.Boolean(), nullable=False, comment="clustering uses it"),
        sa.Column(
            "calibration",
            sa.JSON(none_as_null=True),
            nullable=True,
            comment="scores that separate the same person from others",
        ),
        sa.Column("clustered_at", sa.Float(), nullable=True, comment="when all its regions were last grouped"),
        sa.Column("clustered_up_to", sa.Integer(), nullable=True, comment="the largest region id then"),
        sa.Column(
            "joined_up_to",
            sa.Integer(),
            nullable=True,
            comment="the largest region id when new regions were last grouped",
        ),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region_space")),
        sa.UniqueConstraint("key", name=op.f("uq_region_space_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("region_space_active", "region_space", ["kind"], unique=True, sqlite_where=sa.text("active = 1"))


def _create_region() -> None:
    op.create_table(
        "region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="face"),
        sa.Column(
            "frame",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of a video; 0 is the poster frame",
        ),
        sa.Column("seconds", sa.Float(), nullable=True, comment="position of the frame in the video"),
        sa.Column("x", sa.Float(), nullable=False, comment="left edge, fraction of the upright picture"),
        sa.Column("y", sa.Float(), nullable=False, comment="upper edge"),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=True, comment="null: marked in metadata, not found by a model"),
        sa.Column("variant_id", sa.Integer(), nullable=True, comment="what found it"),
        sa.Column("score", sa.Float(), nullable=True, comment="of the detector, 0 to 1"),
        sa.Column("size_px", sa.Float(), nullable=True, comment="shorter side in pixels of the original"),
        sa.Column("sharpness", sa.Float(), nullable=True, comment="variance of the Laplacian of the aligned face"),
        sa.Column("yaw", sa.Float(), nullable=True, comment="degrees, 0 is frontal"),
        sa.Column("roll", sa.Float(), nullable=True, comment="degrees, 0 is upright"),
        sa.Column(
            "landmarks",
            sa.LargeBinary(),
            nullable=True,
            comment="float32, little-endian: x and y of five points, fractions of the picture",
        ),
        sa.Column(
            "schema",
            sa.Text(),
            nullable=True,
            comment="the metadata schema that marked it: mwg, mp, picasa, ...; null: found by a model alone",
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_region_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["space_id"], ["region_space.id"], name=op.f("fk_region_space_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_region_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
        sqlite_autoincrement=True,
    )
    op.create_index("region_by_asset", "region", ["asset_id", "kind"], unique=False)
    op.create_index(
        "region_by_space", "region", ["space_id"], unique=False, sqlite_where=sa.text("space_id IS NOT NULL")
    )


def _create_region_vector() -> None:
    op.create_table(
        "region_vector",
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="float16, little-endian, unit length"),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_region_vector_region_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", name=op.f("pk_region_vector")),
    )


def _create_individual_alias() -> None:
    op.create_table(
        "individual_alias",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False, comment="a folded name in metadata"),
        sa.Column("individual_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["individual_id"], ["individual.id"], name=op.f("fk_individual_alias_individual_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kind", "name_key", name=op.f("pk_individual_alias")),
    )
    op.create_index("individual_alias_by_individual", "individual_alias", ["individual_id"], unique=False)


def _create_assignment() -> None:
    op.create_table(
        "assignment",
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("individual_id", sa.Integer(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False, comment="cluster, metadata, confirmed"),
        sa.Column("score", sa.Float(), nullable=True, comment="of the cluster, 0 to 1"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["individual_id"], ["individual.id"], name=op.f("fk_assignment_individual_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_assignment_region_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("region_id", name=op.f("pk_assignment")),
    )
    op.create_index("assignment_by_individual", "assignment", ["individual_id", "how"], unique=False)


def _create_rejection() -> None:
    op.create_table(
        "rejection",
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("individual_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["individual_id"], ["individual.id"], name=op.f("fk_rejection_individual_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_rejection_region_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("region_id", "individual_id", name=op.f("pk_rejection")),
    )
    op.create_index("rejection_by_individual", "rejection", ["individual_id"], unique=False)


def _create_individuals_apart() -> None:
    op.create_table(
        "individuals_apart",
        sa.Column("individual_id", sa.Integer(), nullable=False, comment="the smaller id"),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["individual_id"], ["individual.id"], name=op.f("fk_individuals_apart_individual_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["individual.id"], name=op.f("fk_individuals_apart_other_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("individual_id", "other_id", name=op.f("pk_individuals_apart")),
    )
    op.create_index("individuals_apart_by_other", "individuals_apart", ["other_id"], unique=False)


def _create_asset_with_repeats() -> None:
    op.create_table(
        "asset_with_repeats",
        sa.Column(
            "asset_id",
            sa.Integer(),
            nullable=False,
            comment="a collage, mirror or photo of photos: it may show somebody more than once",
        ),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("fk_asset_with_repeats_asset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_asset_with_repeats")),
    )


def _create_individual_summary() -> None:
    op.create_table(
        "individual_summary",
        sa.Column("individual_id", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column(
            "confirmed", sa.Integer(), nullable=False, comment="faces that a person confirmed, or named in metadata"
        ),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.Text(), nullable=True, comment="taken_at of its first photo"),
        sa.Column("last_at", sa.Text(), nullable=True),
        sa.Column("cover_id", sa.Integer(), nullable=True, comment="the best region"),
        sa.ForeignKeyConstraint(
            ["individual_id"], ["individual.id"], name=op.f("fk_individual_summary_individual_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("individual_id", name=op.f("pk_individual_summary")),
    )
    op.create_index("individual_summary_by_faces", "individual_summary", ["faces"], unique=False)


def _add_faces_to_photo() -> None:
    op.add_column(
        "photo",
        sa.Column("faces", sa.Integer(), nullable=True, comment="in its primary content; null: not looked for yet"),
    )
    op.create_index("photo_by_faces", "photo", ["faces", "taken_at"], sqlite_where=sa.text("faces IS NOT NULL"))
    op.create_index("photo_by_primary_asset", "photo", ["primary_asset_id", "taken_at"])


def _create_sidecar_part() -> None:
    op.create_table(
        "sidecar_part",
        sa.Column("sidecar_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="the file name of a photo, as the sidecar writes it"),
        sa.Column("facts", sa.JSON(), nullable=False, comment="fact -> value"),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sidecar_id"], ["sidecar.file_id"], name=op.f("fk_sidecar_part_sidecar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sidecar_id", "name", name=op.f("pk_sidecar_part")),
    )
    op.add_column(
        "sidecar_link",
        sa.Column(
            "part", sa.Text(), nullable=True, comment="of a sidecar of a folder: the name of the part about this file"
        ),
    )


def _read_picasa_files_again() -> None:
    """Let the next scan read files that were no sidecars before: a file is read when its time differs."""
    op.execute("UPDATE file SET mtime_ns = -1 WHERE lower(name) IN ('.picasa.ini', 'picasa.ini')")


def _resolve_photos_with_regions() -> None:
    """Let the next scan turn regions that are marked in metadata into people."""
    op.execute(
        "INSERT OR IGNORE INTO photo_to_resolve (photo_id) SELECT photo_id FROM asset WHERE regions IS NOT NULL "
        "UNION SELECT asset.photo_id FROM sidecar JOIN sidecar_link ON sidecar_link.sidecar_id = sidecar.file_id "
        "JOIN file ON file.id = sidecar_link.file_id JOIN asset ON asset.id = file.asset_id "
        "WHERE sidecar.regions <> '[]'"
    )


def upgrade() -> None:
    _create_individual()
    _create_region_space()
    _create_region()
    _create_region_vector()
    _create_individual_alias()
    _create_assignment()
    _create_rejection()
    _create_individuals_apart()
    _create_asset_with_repeats()
    _create_individual_summary()
    _add_faces_to_photo()
    _create_sidecar_part()
    _read_picasa_files_again()
    _resolve_photos_with_regions()
