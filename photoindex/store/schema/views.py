"""The documented read-only views that other programs (Datasette, DuckDB, sqlite3) can rely on.

Their names and columns are stable; columns may be added at the end. A path that is not UTF-8 is shown lossily: each
undecodable byte becomes the character with that code point or U+FFFD. Times are UTC in ISO 8601 unless the column says
otherwise.
"""

# ruff: noqa: S608  the statements are built only from constants of this module

from __future__ import annotations

from sqlalchemy import Connection

from photoindex.store.engine.view_sql import hex_text, hex_text_or_null, path_text, utc_text
from photoindex.store.schema.people_views import PEOPLE_VIEWS
from photoindex.store.schema.view import View
from photoindex.store.schema.words_views import WORDS_VIEWS

_PATH = f"""rtrim({path_text("volume.mount_point")}, '/') || '/' ||
    CASE WHEN length(folder.path) = 0 THEN '' ELSE {path_text("folder.path")} || '/' END || {path_text("file.name")}"""

_FILE_WITH_LOCATION = "file JOIN folder ON folder.id = file.folder_id JOIN volume ON volume.id = folder.volume_id"


VIEWS: tuple[View, ...] = (
    View(
        name="v_photo",
        help="one row per photo: what a person calls one picture or video",
        columns={
            "id": "photo id, as in `photoindex show ID`",
            "path": "of its first present file, or of its first missing file if none is present",
            "kind": "image, raw or video",
            "format": "short lower-case name: jpeg, heic, cr2, mp4",
            "width": "pixels, as shown (after orientation)",
            "height": "pixels, as shown",
            "orientation": "EXIF orientation, 1 to 8",
            "duration_seconds": "of a video",
            "size": "bytes of the original",
            "taken_at": "ISO 8601 local wall time, with UTC offset if known",
            "taken_at_source": "source of taken_at",
            "taken_at_confidence": "0 to 1",
            "latitude": "degrees, WGS 84",
            "longitude": "degrees, WGS 84",
            "altitude_m": "metres above sea level",
            "place": "name of the place",
            "camera_make": "as the camera wrote it",
            "camera_model": "as the camera wrote it",
            "lens": "as the camera wrote it; 24-70mm f/2.8 where it wrote only numbers",
            "iso": "sensitivity",
            "aperture": "f-number",
            "exposure_seconds": "exposure time in seconds",
            "focal_length_mm": "focal length in millimetres",
            "rating": "stars",
            "title": "title",
            "description": "description",
            "keywords": "JSON array of text",
            "added_at": "when the photo was first ingested",
            "is_missing": "1 if none of its files is present",
            "taken_at_utc": "the instant, if known",
            "taken_at_precision": "second, minute, day, month or year",
            "utc_offset_minutes": "if known",
            "zone": "IANA time zone at the position",
            "zone_source": "source of the UTC offset",
            "city": "nearest place in GeoNames, NULL if only the country is known",
            "region": "its state or district",
            "country": "its country, in English",
            "country_code": "two letters, ISO 3166-1",
            "burst": "the same value for all photos of one burst",
            "motion": "1 if the picture's file contains a short video",
        },
        sql=f"""SELECT photo.id AS id,
    (SELECT {_PATH} FROM {_FILE_WITH_LOCATION}
        JOIN asset ON asset.id = file.asset_id JOIN photo AS own ON own.id = asset.photo_id WHERE own.id = photo.id
        ORDER BY file.state <> 'present', asset.id <> own.primary_asset_id, file.id LIMIT 1) AS path,
    photo.kind AS kind, photo.format AS format, photo.width AS width, photo.height AS height,
    photo.orientation AS orientation, photo.duration_seconds AS duration_seconds, photo.size_bytes AS size,
    photo.taken_at AS taken_at, photo.taken_at_source AS taken_at_source,
    photo.taken_at_confidence AS taken_at_confidence,
    photo.latitude AS latitude, photo.longitude AS longitude, photo.altitude_m AS altitude_m, photo.place AS place,
    photo.camera_make AS camera_make, photo.camera_model AS camera_model, photo.lens AS lens, photo.iso AS iso,
    photo.aperture AS aperture, photo.exposure_seconds AS exposure_seconds,
    photo.focal_length_mm AS focal_length_mm, photo.rating AS rating, photo.title AS title,
    photo.description AS description, photo.keywords AS keywords, {utc_text("photo.added_at")} AS added_at,
    NOT EXISTS (SELECT 1 FROM asset JOIN file ON file.asset_id = asset.id
        WHERE asset.photo_id = photo.id AND file.state = 'present') AS is_missing,
    {utc_text("photo.taken_at_utc")} AS taken_at_utc, photo.taken_at_precision AS taken_at_precision,
    photo.utc_offset_minutes AS utc_offset_minutes, photo.zone AS zone, photo.zone_source AS zone_source,
    nullif(place.city, '') AS city, place.region AS region, place.country AS country, place.country_code AS country_code,
    photo.burst AS burst, photo.motion AS motion
FROM photo LEFT JOIN place ON place.id = photo.place_id""",
    ),
    View(
        name="v_file",
        help="one row per file: one path on one volume",
        columns={
            "id": "file id",
            "photo_id": "its photo; null until the file is read, and for files that are not photos or videos",
            "path": "absolute, where the volume was last seen",
            "volume": "label of the volume",
            "volume_id": "id of the volume",
            "size": "bytes",
            "mtime": "last modification time of the file",
            "state": "present, missing or excluded",
            "missing_since": "when it was first found missing",
            "first_seen_at": "when a scan first saw it",
            "digest": "BLAKE3 of the bytes, in hexadecimal",
            "media": "1 for a photo or video, 0 for anything else; null until the file is read",
            "reason": "why it is not a photo or video",
        },
        sql=f"""SELECT file.id AS id, asset.photo_id AS photo_id, {_PATH} AS path, volume.label AS volume,
    volume.id AS volume_id, file.size_bytes AS size, {utc_text("file.mtime_ns / 1e9")} AS mtime, file.state AS state,
    {utc_text("file.missing_since")} AS missing_since, {utc_text("file.first_seen_at")} AS first_seen_at,
    {hex_text_or_null("asset.digest")} AS digest, file.media AS media, file.reason AS reason
FROM {_FILE_WITH_LOCATION} LEFT JOIN asset ON asset.id = file.asset_id""",
    ),
    View(
        name="v_content",
        help="one row per content of a photo: RAW, picture, movie, edit, an earlier content of an edited file",
        columns={
            "id": "content id",
            "photo_id": "its photo",
            "digest": "BLAKE3 of the bytes, in hexadecimal",
            "kind": "image, raw or video",
            "format": "short lower-case name: jpeg, heic, cr2, mp4",
            "role": "primary (represents the photo), raw, movie, edit, original, alternate, companion, backup, superseded",
            "why": "why it belongs to its photo, if it is not the primary content",
            "facts": "JSON: embedded source -> fact -> value",
            "regions": "JSON array of marked faces and other parts",
        },
        sql=f"""SELECT asset.id AS id, asset.photo_id AS photo_id, {hex_text("asset.digest")} AS digest, asset.kind AS kind,
    asset.format AS format, asset.role AS role, asset.pair_reason AS why, asset.facts AS facts, asset.regions AS regions
FROM asset""",
    ),
    View(
        name="v_sidecar",
        help="one row per sidecar and file that it refers to",
        columns={
            "id": "id of the sidecar's file, as in v_file",
            "path": "of the sidecar",
            "kind": "xmp, aae, takeout or picasa",
            "of_file_id": "the file that it refers to; null if none was found",
            "why": "why it belongs to that file",
            "facts": "JSON: fact -> value",
            "regions": "JSON array of marked faces and other parts",
        },
        sql=f"""SELECT sidecar.file_id AS id, {_PATH} AS path, sidecar.kind AS kind, sidecar_link.file_id AS of_file_id,
    sidecar_link.why AS why, coalesce(sidecar_part.facts, sidecar.facts) AS facts,
    coalesce(sidecar_part.regions, sidecar.regions) AS regions
FROM sidecar JOIN {_FILE_WITH_LOCATION.replace("file JOIN", "file ON file.id = sidecar.file_id JOIN", 1)}
LEFT JOIN sidecar_link ON sidecar_link.sidecar_id = sidecar.file_id
LEFT JOIN sidecar_part ON sidecar_part.sidecar_id = sidecar.file_id AND sidecar_part.name = sidecar_link.part""",
    ),
    View(
        name="v_task",
        help="one row per task: one stage's work on one file or content",
        columns={
            "id": "task id",
            "stage": "ingest, ...",
            "state": "pending, running, done, failed or quarantined",
            "path": "of the file, or of the content's first file",
            "attempts": "number of attempts",
            "error_class": "kind of the last error",
            "error": "message of the last error",
            "seconds": "duration of the last attempt",
            "updated_at": "last change of the task",
            "dismissed_at": "when a person dismissed it (state stays quarantined)",
            "variant": "JSON of everything that changes the stage's result",
            "subject_kind": "file, asset or library",
            "subject_id": "id of the file or content",
        },
        sql=f"""SELECT task.id AS id, task.stage AS stage, task.state AS state,
    (SELECT {_PATH} FROM {_FILE_WITH_LOCATION} WHERE file.id = CASE task.subject_kind
        WHEN 'file' THEN task.subject_id
        WHEN 'asset' THEN (SELECT min(one.id) FROM file AS one WHERE one.asset_id = task.subject_id) END) AS path,
    task.attempts AS attempts, task.error_class AS error_class, task.error AS error, task.seconds AS seconds,
    {utc_text("task.updated_at")} AS updated_at, {utc_text("task.dismissed_at")} AS dismissed_at,
    variant.key AS variant, task.subject_kind AS subject_kind, task.subject_id AS subject_id
FROM task JOIN variant ON variant.id = task.variant_id""",
    ),
    View(
        name="v_volume",
        help="one row per volume: a disk or share that holds originals",
        columns={
            "id": "volume id",
            "label": "display name",
            "mount_point": "where it was last seen",
            "identity": "what it is recognised by: file system UUID or network source",
            "file_system": "ext4, nfs, ...",
            "last_seen_at": "when a scan last saw it",
        },
        sql=f"""SELECT volume.id AS id, volume.label AS label, {path_text("volume.mount_point")} AS mount_point,
    volume.identity AS identity, volume.file_system AS file_system,
    {utc_text("volume.last_seen_at")} AS last_seen_at
FROM volume""",
    ),
    View(
        name="v_journal",
        help="one row per operation by a person that changed the library",
        columns={
            "id": "entry id, as in `photoindex undo ID`",
            "at": "when",
            "command": "the operation",
            "summary": "description of what it did",
            "changes": "number of rows it changed",
            "undoes": "the entry that this one undid",
            "undone_by": "the entry that undid this one",
        },
        sql=f"""SELECT journal.id AS id, {utc_text("journal.at")} AS at, journal.command AS command,
    journal.summary AS summary,
    (SELECT count(*) FROM journal_change WHERE journal_change.journal_id = journal.id) AS changes,
    journal.undoes AS undoes, journal.undone_by AS undone_by
FROM journal""",
    ),
    *PEOPLE_VIEWS,
    *WORDS_VIEWS,
)
"""Every documented view, in the order of docs/sql.md."""


def create(connection: Connection) -> None:
    """Re-create every view; call this after creating or migrating the tables."""
    drop(connection)
    for view in VIEWS:
        # Straight to the driver: SQLAlchemy's text() would take the colons of a time format for parameters.
        connection.exec_driver_sql(f"CREATE VIEW {view.name} AS {view.sql}")


def drop(connection: Connection) -> None:
    """Drop the views; call this before a migration, because SQLite cannot rename a table that a view uses."""
    for view in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view.name}")
