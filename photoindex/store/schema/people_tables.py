"""The tables of people: regions of pictures (faces), the individuals they show, and what a person decided about them.

The tables do not assume that an individual is human: `kind` tells people from pets.
"""

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
    false,
    text,
)

from photoindex.store.engine.ddl import IDS_NEVER_REUSED, partial_index
from photoindex.store.schema.columns import metadata

region_space = Table(
    "region_space",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="face"),
    Column("model", Text, nullable=False, comment="id of the model that made its vectors"),
    Column(
        "key", Text, nullable=False, unique=True, comment="canonical JSON of everything that makes vectors comparable"
    ),
    Column("dim", Integer, nullable=False, comment="dimensions of a vector"),
    Column("active", Boolean, nullable=False, comment="clustering uses it"),
    Column("calibration", JSON(none_as_null=True), comment="scores that separate the same person from others"),
    Column("clustered_at", Float, comment="when all its regions were last grouped"),
    Column("clustered_up_to", Integer, comment="the largest region id then"),
    Column("joined_up_to", Integer, comment="the largest region id when new regions were last grouped"),
    Column("created_at", Float, nullable=False),
    partial_index("region_space_active", "kind", unique=True, where="active = 1"),
    **IDS_NEVER_REUSED,
)

region = Table(
    "region",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False, comment="face"),
    Column("frame", Integer, nullable=False, server_default=text("0"), comment="of a video; 0 is the poster frame"),
    Column("seconds", Float, comment="position of the frame in the video"),
    Column("x", Float, nullable=False, comment="left edge, fraction of the upright picture"),
    Column("y", Float, nullable=False, comment="upper edge"),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("space_id", ForeignKey("region_space.id"), comment="null: marked in metadata, not found by a model"),
    Column("variant_id", ForeignKey("variant.id"), comment="what found it"),
    Column("score", Float, comment="of the detector, 0 to 1"),
    Column("size_px", Float, comment="shorter side in pixels of the original"),
    Column("sharpness", Float, comment="variance of the Laplacian of the aligned face"),
    Column("yaw", Float, comment="degrees, 0 is frontal"),
    Column("roll", Float, comment="degrees, 0 is upright"),
    Column(
        "landmarks", LargeBinary, comment="float32, little-endian: x and y of five points, fractions of the picture"
    ),
    Column(
        "schema", Text, comment="the metadata schema that marked it: mwg, mp, picasa, ...; null: found by a model alone"
    ),
    Index("region_by_asset", "asset_id", "kind"),
    partial_index("region_by_space", "space_id", where="space_id IS NOT NULL"),
    **IDS_NEVER_REUSED,
)

region_vector = Table(
    "region_vector",
    metadata,
    Column("region_id", ForeignKey("region.id", ondelete="CASCADE"), primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="float16, little-endian, unit length"),
)

individual = Table(
    "individual",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="person"),
    Column("name", Text, comment="null: a group of faces without a name"),
    Column("name_key", Text, comment="the folded name"),
    Column("born", Text, comment="YYYY, YYYY-MM or YYYY-MM-DD"),
    Column("died", Text, comment="like born"),
    Column("ignored", Boolean, nullable=False, server_default=false(), comment="a stranger"),
    Column("hidden", Boolean, nullable=False, server_default=false(), comment="left out of galleries and suggestions"),
    Column("cover_id", Integer, comment="the region shown for it; null: the best one"),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("kind", "name_key"),
    **IDS_NEVER_REUSED,
)

individual_alias = Table(
    "individual_alias",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name_key", Text, primary_key=True, comment="a folded name in metadata"),
    Column("individual_id", ForeignKey("individual.id", ondelete="CASCADE"), nullable=False),
    Index("individual_alias_by_individual", "individual_id"),
)

assignment = Table(
    "assignment",
    metadata,
    Column("region_id", ForeignKey("region.id", ondelete="CASCADE"), primary_key=True),
    Column("individual_id", ForeignKey("individual.id"), nullable=False),
    Column("how", Text, nullable=False, comment="cluster, metadata, confirmed"),
    Column("score", Float, comment="of the cluster, 0 to 1"),
    Column("at", Float, nullable=False),
    Index("assignment_by_individual", "individual_id", "how"),
)

rejection = Table(
    "rejection",
    metadata,
    Column("region_id", ForeignKey("region.id", ondelete="CASCADE"), primary_key=True),
    Column("individual_id", ForeignKey("individual.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Float, nullable=False),
    Index("rejection_by_individual", "individual_id"),
)

individuals_apart = Table(
    "individuals_apart",
    metadata,
    Column(
        "individual_id", ForeignKey("individual.id", ondelete="CASCADE"), primary_key=True, comment="the smaller id"
    ),
    Column("other_id", ForeignKey("individual.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Float, nullable=False),
    Index("individuals_apart_by_other", "other_id"),
)

asset_with_repeats = Table(
    "asset_with_repeats",
    metadata,
    Column(
        "asset_id",
        ForeignKey("asset.id", ondelete="CASCADE"),
        primary_key=True,
        comment="a collage, mirror or photo of photos: it may show somebody more than once",
    ),
    Column("at", Float, nullable=False),
)

individual_summary = Table(
    "individual_summary",
    metadata,
    Column("individual_id", ForeignKey("individual.id", ondelete="CASCADE"), primary_key=True),
    Column("faces", Integer, nullable=False),
    Column("confirmed", Integer, nullable=False, comment="faces that a person confirmed, or named in metadata"),
    Column("photos", Integer, nullable=False),
    Column("first_at", Text, comment="taken_at of its first photo"),
    Column("last_at", Text),
    Column("cover_id", Integer, comment="the best region"),
    Index("individual_summary_by_faces", "faces"),
)
