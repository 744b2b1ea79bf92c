"""The documented read-only views that other programs (Datasette, DuckDB, sqlite3) can rely on.

Their names and columns are stable; columns may be added at the end. A path whose bytes are not UTF-8 is shown lossily: each
byte that is no character becomes the character of that number or U+FFFD. Times are UTC in ISO 8601 unless the
column says otherwise.
"""

# ruff: noqa: S608  the statements are put together from this module's own constants alone

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.store.engine.view_sql import path_text, utc_text


@dataclass(frozen=True, slots=True)
class View:
    """One view: its SELECT, and what each of its columns means, in order."""

    name: str
    help: str
    columns: dict[str, str]
    sql: str


_PATH = f"""rtrim({path_text("volume.mount_point")}, '/') || '/' ||
    CASE WHEN length(folder.path) = 0 THEN '' ELSE {path_text("folder.path")} || '/' END || {path_text("file.name")}"""

_FILE_WITH_PLACE = "file JOIN folder ON folder.id = file.folder_id JOIN volume ON volume.id = folder.volume_id"


VIEWS: tuple[View, ...] = (
    View(
        name="v_photo",
        help="one row a photo: what a person calls one picture or video",
        columns={
            "id": "the photo's number, as `photoindex show ID` takes it",
            "path": "of its first present file, else of a file that was there last",
            "kind": "image, raw or video",
            "format": "short lower-case name: jpeg, heic, cr2, mp4",
            "width": "pixels, as shown (after orientation)",
            "height": "pixels, as shown",
            "orientation": "EXIF number, 1 to 8",
            "duration_seconds": "of a video",
            "size": "bytes of the original",
            "taken_at": "ISO 8601 wall time where it was taken, with offset where known",
            "taken_at_source": "the source that gave taken_at",
            "taken_at_confidence": "0 to 1",
            "latitude": "degrees, WGS 84",
            "longitude": "degrees, WGS 84",
            "altitude_m": "metres above sea level",
            "place": "name of the place",
            "camera_make": "as the camera wrote it",
            "camera_model": "as the camera wrote it",
            "lens": "as the camera wrote it",
            "iso": "sensitivity",
            "aperture": "f-number",
            "exposure_seconds": "exposure time in seconds",
            "focal_length_mm": "focal length in millimetres",
            "rating": "stars",
            "title": "title",
            "description": "description",
            "keywords": "JSON array of text",
            "added_at": "when the photo was first taken in",
            "is_missing": "1 where none of its files is present",
            "taken_at_utc": "the instant, where it is known",
            "taken_at_precision": "second, minute, day, month or year",
            "utc_offset_minutes": "where known",
            "zone": "IANA name of the zone at the position",
            "zone_source": "the source that gave the offset",
            "city": "nearest place, by GeoNames",
            "region": "its state or district",
            "country": "its country, in English",
            "country_code": "two letters, ISO 3166-1",
            "burst": "the same for the photos of one burst",
            "motion": "1 where the picture's file holds a short video",
        },
        sql=f"""SELECT photo.id AS id,
    (SELECT {_PATH} FROM {_FILE_WITH_PLACE}
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
    place.city AS city, place.region AS region, place.country AS country, place.country_code AS country_code,
    photo.burst AS burst, photo.motion AS motion
FROM photo LEFT JOIN place ON place.id = photo.place_id""",
    ),
    View(
        name="v_file",
        help="one row a file: one path on one volume",
        columns={
            "id": "number of the file",
            "photo_id": "its photo; null until the file is read, and for what is not a photo or video",
            "path": "absolute, where the volume was last seen",
            "volume": "label of the volume",
            "volume_id": "number of the volume",
            "size": "bytes",
            "mtime": "last change of the file's content",
            "state": "present, missing or excluded",
            "missing_since": "when it was first found missing",
            "first_seen_at": "when a scan first saw it",
            "digest": "BLAKE3 of the bytes, in hexadecimal",
            "media": "1: a photo or video, 0: not; null until it is read",
            "reason": "why it is not taken in",
        },
        sql=f"""SELECT file.id AS id, asset.photo_id AS photo_id, {_PATH} AS path, volume.label AS volume,
    volume.id AS volume_id, file.size_bytes AS size, {utc_text("file.mtime_ns / 1e9")} AS mtime, file.state AS state,
    {utc_text("file.missing_since")} AS missing_since, {utc_text("file.first_seen_at")} AS first_seen_at,
    lower(nullif(hex(asset.digest), '')) AS digest, file.media AS media, file.reason AS reason
FROM {_FILE_WITH_PLACE} LEFT JOIN asset ON asset.id = file.asset_id""",
    ),
    View(
        name="v_content",
        help="one row a content of a photo: RAW, picture, movie, edit, an earlier content of an edited file",
        columns={
            "id": "number of the content",
            "photo_id": "its photo",
            "digest": "BLAKE3 of the bytes, in hexadecimal",
            "kind": "image, raw or video",
            "format": "short lower-case name: jpeg, heic, cr2, mp4",
            "role": "primary (it stands for the photo), raw, movie, edit, original, alternate, superseded",
            "why": "why it belongs to its photo, where it does not stand for it",
            "facts": "JSON: embedded source, fact, value",
            "regions": "JSON array of marked faces and other parts",
        },
        sql="""SELECT asset.id AS id, asset.photo_id AS photo_id, lower(hex(asset.digest)) AS digest, asset.kind AS kind,
    asset.format AS format, asset.role AS role, asset.pair_reason AS why, asset.facts AS facts, asset.regions AS regions
FROM asset""",
    ),
    View(
        name="v_sidecar",
        help="one row a sidecar and a file that it speaks of",
        columns={
            "id": "number of the sidecar's file, as in v_file",
            "path": "of the sidecar",
            "kind": "xmp, aae or takeout",
            "of_file_id": "the file that it speaks of; null where none was found",
            "why": "why it belongs to that file",
            "facts": "JSON: fact, value",
            "regions": "JSON array of marked faces and other parts",
        },
        sql=f"""SELECT sidecar.file_id AS id, {_PATH} AS path, sidecar.kind AS kind, sidecar_link.file_id AS of_file_id,
    sidecar_link.why AS why, sidecar.facts AS facts, sidecar.regions AS regions
FROM sidecar JOIN {_FILE_WITH_PLACE.replace("file JOIN", "file ON file.id = sidecar.file_id JOIN", 1)}
LEFT JOIN sidecar_link ON sidecar_link.sidecar_id = sidecar.file_id""",
    ),
    View(
        name="v_task",
        help="one row a task: one stage's work on one file or content",
        columns={
            "id": "number of the task",
            "stage": "ingest, ...",
            "state": "pending, running, done, failed or quarantined",
            "path": "of the file, or of the content's first file",
            "attempts": "how often it was tried",
            "error_class": "kind of the last error",
            "error": "the last error in words",
            "seconds": "what the last attempt took",
            "updated_at": "last change of the task",
            "dismissed_at": "when a person said: leave it so (state stays quarantined)",
            "variant": "JSON of everything that changes the stage's result",
            "subject_kind": "file, asset or library",
            "subject_id": "number of the file or asset",
        },
        sql=f"""SELECT task.id AS id, task.stage AS stage, task.state AS state,
    (SELECT {_PATH} FROM {_FILE_WITH_PLACE} WHERE file.id = CASE task.subject_kind
        WHEN 'file' THEN task.subject_id
        WHEN 'asset' THEN (SELECT min(one.id) FROM file AS one WHERE one.asset_id = task.subject_id) END) AS path,
    task.attempts AS attempts, task.error_class AS error_class, task.error AS error, task.seconds AS seconds,
    {utc_text("task.updated_at")} AS updated_at, {utc_text("task.dismissed_at")} AS dismissed_at,
    variant.key AS variant, task.subject_kind AS subject_kind, task.subject_id AS subject_id
FROM task JOIN variant ON variant.id = task.variant_id""",
    ),
    View(
        name="v_volume",
        help="one row a volume: a disk or share that holds originals",
        columns={
            "id": "number of the volume",
            "label": "name for people",
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
        help="one row an operation of a person's that changed the library",
        columns={
            "id": "number of the entry, as `photoindex undo` takes it",
            "at": "when",
            "command": "the operation",
            "summary": "what it did, in words",
            "changes": "how many rows it changed",
            "undoes": "the entry that this one undid",
            "undone_by": "the entry that undid this one",
        },
        sql=f"""SELECT journal.id AS id, {utc_text("journal.at")} AS at, journal.command AS command,
    journal.summary AS summary,
    (SELECT count(*) FROM journal_change WHERE journal_change.journal_id = journal.id) AS changes,
    journal.undoes AS undoes, journal.undone_by AS undone_by
FROM journal""",
    ),
)
"""Every documented view, in the order of docs/sql.md."""


def create(connection: Connection) -> None:
    """Make every view anew; to be called after the tables are made or migrated."""
    drop(connection)
    for view in VIEWS:
        # The driver's own call: SQLAlchemy's text() would take the colons of a time format for parameters.
        connection.exec_driver_sql(f"CREATE VIEW {view.name} AS {view.sql}")


def drop(connection: Connection) -> None:
    """Remove the views; to be called before a migration, because SQLite renames no table that a view mentions."""
    for view in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view.name}")
