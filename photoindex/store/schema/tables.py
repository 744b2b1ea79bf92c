"""The tables of a library, one definition for every engine.

Paths (folder.path, file.name, volume.mount_point) are bytes in Python; SQLite stores them as TEXT if they are UTF-8 and
as BLOB otherwise, because it refuses surrogates in TEXT. Times named `*_at` are UTC seconds since 1970 (float).
Tables whose rows a person can forget never reuse an id (`sqlite_autoincrement`): undo restores rows with their ids.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
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
)

from photoindex.store.engine.ddl import IDS_NEVER_REUSED, ROWS_BY_KEY, partial_index
from photoindex.store.engine.path_columns import PathBytes
from photoindex.store.schema.columns import metadata
from photoindex.store.schema.move_tables import file_move
from photoindex.store.schema.night_tables import ledger, measurement, night, proof, throughput
from photoindex.store.schema.people_tables import (
    asset_with_repeats,
    assignment,
    individual,
    individual_alias,
    individual_summary,
    individuals_apart,
    region,
    region_space,
    region_vector,
    rejection,
)
from photoindex.store.schema.relation_tables import (
    correction,
    event,
    pair_decision,
    pair_link,
    photo_to_resolve,
    saved_query,
    sidecar,
    sidecar_link,
    sidecar_part,
)
from photoindex.store.schema.vector_tables import query_vector, space, vector
from photoindex.store.schema.words_tables import (
    album,
    album_asset,
    asset_tag,
    asset_text,
    label,
    photo_keyword,
    tag,
    tag_alias,
    tag_calibration,
    tag_rejection,
)

__all__ = [
    "PathBytes", "album", "album_asset", "asset", "asset_tag", "asset_text", "asset_with_repeats", "assignment",
    "compared_pair", "correction", "event", "file", "file_move", "folder", "individual", "individual_alias", "individual_summary",
    "individuals_apart", "journal", "journal_change", "label", "ledger", "library", "measurement", "metadata",
    "night", "pair_decision", "pair_link", "photo", "photo_keyword", "photo_text", "photo_to_resolve", "picture_hash", "place",
    "proof", "query_vector", "region", "region_space", "region_vector", "rejection", "root", "saved_query",
    "schema_history", "sidecar", "sidecar_link", "sidecar_part", "space", "tag", "tag_alias", "tag_calibration",
    "tag_rejection", "task", "throughput", "variant", "vector", "volume",
]  # fmt: skip

library = Table(
    "library",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Float, nullable=False),
    Column("created_by", Text, nullable=False, comment="program version"),
)

schema_history = Table(
    "schema_history",
    metadata,
    Column("revision", Text, primary_key=True, comment="as in alembic_version"),
    Column(
        "program_version",
        Text,
        nullable=False,
        comment="the program that applied it; an older program names it as the one to install",
    ),
    Column("migrated_at", Float, nullable=False),
)

volume = Table(
    "volume",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", Text, nullable=False, unique=True, comment="file system UUID, or network source"),
    Column("label", Text, nullable=False),
    Column("mount_point", PathBytes, nullable=False, comment="where it was last seen"),
    Column("file_system", Text, nullable=False),
    Column("last_seen_at", Float, nullable=False),
)

root = Table(
    "root",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("volume_id", ForeignKey("volume.id"), nullable=False),
    Column("path", PathBytes, nullable=False, comment="relative to the volume's mount point"),
    Column("excludes", JSON, nullable=False, comment="gitignore patterns given with --exclude"),
    Column("follow_symlinks", Boolean, nullable=False),
    Column("added_at", Float, nullable=False),
    Column("scanned_at", Float),
    Column("summary", JSON, comment="of the last finished scan"),
    UniqueConstraint("volume_id", "path"),
)

folder = Table(
    "folder",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("volume_id", ForeignKey("volume.id"), nullable=False),
    Column("path", PathBytes, nullable=False, comment="relative to the volume's mount point"),
    Column(
        "unrelated",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="its pairs and sidecars must be matched again",
    ),
    UniqueConstraint("volume_id", "path"),
    partial_index("folder_unrelated", "id", where="unrelated = 1"),
)

place = Table(
    "place",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("city", Text, nullable=False),
    Column("region", Text),
    Column("country", Text, nullable=False),
    Column("country_code", Text, nullable=False, comment="ISO 3166-1, two letters"),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("population", Integer, nullable=False),
    Column("words", Text, nullable=False, comment="folded official names, separated and enclosed by spaces"),
    Column("alternates", Text, nullable=False, comment="folded names in other languages, one per line"),
    UniqueConstraint("country_code", "city", "latitude", "longitude"),
)

photo = Table(
    "photo",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="image, raw, video"),
    Column("format", Text, nullable=False),
    Column("primary_asset_id", Integer, comment="the asset that represents the photo"),
    Column("width", Integer),
    Column("height", Integer),
    Column("orientation", Integer),
    Column("duration_seconds", Float),
    Column("size_bytes", BigInteger, nullable=False),
    Column("taken_at", Text, comment="ISO 8601 local wall time"),
    Column("taken_at_source", Text),
    Column("taken_at_confidence", Float),
    Column("taken_at_precision", Text, comment="second, minute, day, month, year"),
    Column("taken_at_utc", Float, comment="UTC seconds since 1970, if the instant is known"),
    Column("utc_offset_minutes", Integer),
    Column("zone", Text, comment="IANA name at the position"),
    Column("zone_source", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("altitude_m", Float),
    Column("place", Text, comment="city, region, country"),
    Column("place_id", ForeignKey("place.id")),
    Column("camera_make", Text),
    Column("camera_model", Text),
    Column("lens", Text),
    Column("iso", Integer),
    Column("aperture", Float),
    Column("exposure_seconds", Float),
    Column("focal_length_mm", Float),
    Column("rating", Integer, comment="0 to 5; -1: rejected"),
    Column("title", Text),
    Column("description", Text),
    Column("keywords", JSON, nullable=False),
    Column("favourite", Boolean, nullable=False, server_default=false()),
    Column("sources", JSON, nullable=False, comment="fact -> the source that won"),
    Column("neighbours", JSON(none_as_null=True), comment="facts inferred from photos of the same camera or folder"),
    Column("burst", Text, comment="shared by the photos of one burst"),
    Column("motion", Boolean, nullable=False, server_default=false(), comment="contains a short video"),
    Column("added_at", Float, nullable=False),
    Column("faces", Integer, comment="in its primary content; null: not looked for yet"),
    Index("photo_by_taken_at", "taken_at"),
    partial_index("photo_by_faces", "faces", "taken_at", where="faces IS NOT NULL"),
    Index("photo_by_primary_asset", "primary_asset_id", "taken_at"),
    Index("photo_by_camera", "camera_model", "camera_make", "taken_at"),
    partial_index("photo_by_position", "latitude", "longitude", where="latitude IS NOT NULL"),
    partial_index("photo_by_place", "place_id", where="place_id IS NOT NULL"),
    partial_index("photo_by_burst", "burst", where="burst IS NOT NULL"),
    Index("photo_by_added_at", "added_at"),
    Index("photo_by_format", "format"),
    partial_index("photo_favourite", "taken_at", where="favourite = 1"),
    **IDS_NEVER_REUSED,
)

asset = Table(
    "asset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True, comment="BLAKE3 of the bytes"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("orientation", Integer),
    Column("duration_seconds", Float),
    Column("facts", JSON, nullable=False, comment="source -> fact -> value, every value of every source"),
    Column("notes", JSON, nullable=False),
    Column("perceptual_hash", BigInteger, comment="64-bit phash as a signed integer"),
    Column("derived", Boolean, nullable=False, comment="preview and thumbnail were made"),
    Column("variant_id", ForeignKey("variant.id"), nullable=False),
    Column("photo_id", ForeignKey("photo.id"), nullable=False),
    Column(
        "role",
        Text,
        nullable=False,
        comment="primary, raw, movie, edit, original, alternate, companion, backup, superseded (an earlier content)",
    ),
    Column("added_at", Float, nullable=False),
    Column("pair_reason", Text, comment="why it belongs to its photo, if it is not alone"),
    Column(
        "replaced_by",
        Integer,
        comment="the content that replaced it in an edited file",
    ),
    Column("regions", JSON(none_as_null=True), comment="marked faces and other parts"),
    Column("content_identifier", Text, comment="Apple's; the same in a Live Photo's picture and movie"),
    Column("burst_identifier", Text, comment="as the camera wrote it"),
    Index("asset_by_photo", "photo_id"),
    partial_index("asset_by_content_identifier", "content_identifier", where="content_identifier IS NOT NULL"),
    partial_index("asset_replaced", "replaced_by", where="replaced_by IS NOT NULL"),
    partial_index("asset_with_regions", "photo_id", where="regions IS NOT NULL"),
    partial_index("asset_paired", "photo_id", where="role NOT IN ('primary', 'superseded')"),
    partial_index("asset_not_derived", "id", where="derived = 0"),
    partial_index("asset_superseded", "id", where="role = 'superseded'"),
    partial_index("asset_by_perceptual_hash", "perceptual_hash", where="perceptual_hash IS NOT NULL"),
    **IDS_NEVER_REUSED,
)

picture_hash = Table(
    "picture_hash",
    metadata,
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, nullable=False, comment="hashes of different versions are never compared"),
    Column("full", BigInteger, nullable=False, comment="64-bit hash of the whole picture, as a signed integer"),
    Column("windows", LargeBinary, nullable=False, comment="64-bit hashes of windows of the content, little-endian"),
    Column("content", LargeBinary(8), nullable=False, comment="left, top, right, bottom without a border, of 65535"),
    Column(
        "compared", Integer, comment="version of the comparison with all other pictures that have it; null: not yet"
    ),
    Column("compared_space", Integer, comment="space whose near neighbours it was compared with; null: none"),
    Index("picture_hash_by_compared", "version", "compared", "compared_space"),
)

compared_pair = Table(
    "compared_pair",
    metadata,
    Column(
        "first_id",
        ForeignKey("asset.id", ondelete="CASCADE"),
        primary_key=True,
        comment="asset; the smaller id of the two",
    ),
    Column("second_id", ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, nullable=False, comment="of the comparison"),
    Column(
        "outcome",
        Text,
        nullable=False,
        comment="same: the same picture; other; linked: not compared, both show the same as a third one; "
        "one_photo: not compared, both are of one photo",
    ),
    Column("found", JSON, nullable=False, comment="how they were found, aligned and measured"),
    Index("compared_pair_by_second", "second_id"),
    CheckConstraint("outcome IN ('same', 'other', 'linked', 'one_photo')", name="compared_pair_outcome"),
    CheckConstraint("first_id < second_id", name="compared_pair_order"),
    **ROWS_BY_KEY,
)

file = Table(
    "file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("folder_id", ForeignKey("folder.id"), nullable=False),
    Column("name", PathBytes, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("media", Boolean, comment="null until read; false: not a photo or video"),
    Column("reason", Text, comment="why it is not media"),
    Column("asset_id", ForeignKey("asset.id")),
    Column("first_seen_at", Float, nullable=False),
    Column("missing_since", Float),
    UniqueConstraint("folder_id", "name"),
    Index("file_by_asset", "asset_id", "state"),
    partial_index("file_not_present", "state", where="state <> 'present'"),
    CheckConstraint("state IN ('present', 'missing', 'excluded')", name="file_state"),
    **IDS_NEVER_REUSED,
)

photo_text = Table(
    "photo_text",
    metadata,
    Column("photo_id", ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("keywords", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=""),
    Column("people", Text, nullable=False, server_default="", comment="names of the people it shows"),
    Column("tags", Text, nullable=False, server_default="", comment="given by a person"),
    Column("labels", Text, nullable=False, server_default="", comment="tags given by models"),
    Column("caption", Text, nullable=False, server_default="", comment="written by models"),
    Column("ocr", Text, nullable=False, server_default="", comment="text in the picture"),
)

variant = Table(
    "variant",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("key", Text, nullable=False, comment="canonical JSON of everything that changes the result"),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("stage", "key"),
)

task = Table(
    "task",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject_kind", Text, nullable=False, comment="file, asset, library"),
    Column("subject_id", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("variant_id", ForeignKey("variant.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_owner", Text),
    Column("lease_until", Float),
    Column("not_before", Float),
    Column("priority", Integer, nullable=False, default=0, comment="smaller first"),
    Column("error_class", Text),
    Column("error", Text),
    Column("seconds", Float),
    Column("dismissed_at", Float, comment="when a person dismissed it"),
    Column("updated_at", Float, nullable=False),
    UniqueConstraint("subject_kind", "subject_id", "stage", "variant_id"),
    Index("task_by_variant", "variant_id", "state"),
    partial_index("task_pending", "stage", "priority", "id", where="state = 'pending'"),
    partial_index("task_running", "lease_until", where="state = 'running'"),
    partial_index("task_trouble", "state", "stage", where="state IN ('failed', 'quarantined')"),
    CheckConstraint("state IN ('pending', 'running', 'done', 'failed', 'quarantined')", name="task_state"),
    **IDS_NEVER_REUSED,
)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("command", Text, nullable=False, comment="the operation, e.g. prune"),
    Column("summary", Text, nullable=False),
    Column("undoes", ForeignKey("journal.id"), comment="the entry that this one undid"),
    Column("undone_by", Integer, comment="the entry that undid this one"),
)

journal_change = Table(
    "journal_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("journal_id", ForeignKey("journal.id", ondelete="CASCADE"), nullable=False),
    Column("table_name", Text, nullable=False),
    Column("row_key", Text, nullable=False, comment="JSON of the primary key"),
    Column("before", JSON, comment="the row before; null: it did not exist"),
    Column("after", JSON, comment="the row after; null: it was removed"),
    Index("journal_change_by_entry", "journal_id"),
)
