"""Shows everything about a photo, each fact with its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from photoindex import file_access
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume, find_file, find_named, volumes_now
from photoindex.library.photos import shown_faces
from photoindex.library.photos.shown_faces import ShownFace
from photoindex.library.timestamps import utc
from photoindex.library.words import text_shown
from photoindex.library.words.captions_listed import captions_as_json
from photoindex.paths import display, shell_word, to_text
from photoindex.pipeline.ingest.derived_files import preview_path, thumbnail_path
from photoindex.pipeline.resolve.evidence import gather, with_path_dates
from photoindex.store.files.locations import NamedFile
from photoindex.store.photos.details import (
    AssetDetails,
    FileRecord,
    PhotoRow,
    assets_of_photo,
    file_by_id,
    files_of_photo,
    photo_by_id,
    photos_of_burst,
)
from photoindex.store.photos.sidecars import LinkedSidecar
from photoindex.store.tasks.admin import TaskRow, tasks_of
from photoindex.store.words import texts
from photoindex.store.words.albums import AlbumRow, albums_of_photo
from photoindex.store.words.documents import CAPTION, OCR
from photoindex.store.words.photo_tags import PhotoTag, tags_of
from photoindex.store.words.texts import TextRow
from photoindex.types import Facts

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One photo, or one file without a photo (`photo` is None for a file that was not ingested).

    asked: the PATH as given, or the path of the photo's main file if an ID was given. content: the primary asset. contents:
    all assets, including earlier ones. facts: every value of every source, including sidecars, corrections and the path.
    burst: the photos of the same burst. captions, ocr: what models said of the primary asset, and the text in it. faces: of the primary asset.
    face_notes: on marked faces that are not used. tags: also rejected ones. preview, thumbnail: None if they are not on disk. online: by volume id.
    """

    asked: bytes
    photo: PhotoRow | None
    content: AssetDetails | None
    files: tuple[FileRecord, ...]
    tasks: tuple[TaskRow, ...]
    online: dict[int, bool]
    preview: Path | None
    thumbnail: Path | None
    contents: tuple[AssetDetails, ...] = ()
    facts: Facts = field(default_factory=dict)
    sidecars: tuple[LinkedSidecar, ...] = ()
    burst: tuple[int, ...] = ()
    faces: tuple[ShownFace, ...] = ()
    face_notes: tuple[str, ...] = ()
    ocr: tuple[TextRow, ...] = ()
    captions: tuple[TextRow, ...] = ()
    tags: tuple[PhotoTag, ...] = ()
    albums: tuple[AlbumRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A PATH or ID that is not in the library, with a message."""

    asked: bytes
    message: str


def show(library: Library, tokens: Sequence[bytes]) -> Iterator[Shown | Unknown]:
    """Yield everything about each PATH or ID, in the given order.

    A token of digits is a photo id unless a file of that name exists. A name that no file has here is that of the one photo in the library
    that has it, in any case and with or without its extension.
    """
    with library.database.read() as connection:
        volumes = volumes_now(connection)
        for token in tokens:
            if _is_id(token):
                yield _show_id(library, connection, volumes, token)
            else:
                yield _show_path(library, connection, volumes, token)


def _is_id(token: bytes) -> bool:
    return token.isdigit() and not file_access.exists(token)


def _show_id(
    library: Library, connection: Connection, volumes: dict[int, KnownVolume], token: bytes
) -> Shown | Unknown:
    found = photo_by_id(connection, int(token))
    if found is None:
        return Unknown(token, f"there is no photo with the id {display(token)}")
    return _show_photo(library, connection, volumes, found, asked=None)


def _show_path(
    library: Library, connection: Connection, volumes: dict[int, KnownVolume], token: bytes
) -> Shown | Unknown:
    file_id = find_file(connection, token)
    if file_id is None:
        named = [] if b"/" in token or file_access.exists(token) else find_named(connection, token)
        if len(named) != 1:
            return Unknown(token, _several(token, named) if named else _unknown(token))
        file_id, token = named[0].file_id, named[0].path
    row = file_by_id(connection, file_id)
    found = None if row.photo_id is None else photo_by_id(connection, row.photo_id)
    if found is not None:
        return _show_photo(library, connection, volumes, found, asked=token)
    return Shown(
        asked=token,
        photo=None,
        content=None,
        files=(row,),
        tasks=tuple(tasks_of(connection, file_ids=[row.id], asset_ids=[])),
        online={row.volume_id: volumes[row.volume_id].online},
        preview=None,
        thumbnail=None,
    )


def _unknown(token: bytes) -> str:
    return f"{display(token)} is not in the library; see: photoindex why {shell_word(token)}"


def _several(token: bytes, named: Sequence[NamedFile]) -> str:
    lines = [f"{one.photo_id or '-':>8}  {display(one.path)}" for one in named[:_NAMED]]
    more = [f"{'':>8}  and {len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
    by = "id" if any(one.photo_id for one in named) else "path"
    return "\n".join([f"{len(named):,} photos are named {display(token)}; name one by its {by}:", *lines, *more])


def _show_photo(
    library: Library,
    connection: Connection,
    volumes: dict[int, KnownVolume],
    found: PhotoRow,
    *,
    asked: bytes | None,
) -> Shown:
    files = files_of_photo(connection, found.id)
    assets = assets_of_photo(connection, found.id)
    content = next((one for one in assets if one.id == found.primary_asset_id), assets[-1] if assets else None)
    tasks = tasks_of(connection, file_ids=[one.id for one in files], asset_ids=[one.id for one in assets])
    evidence = gather(connection, found.id)
    return Shown(
        asked=asked if asked is not None else _main_path(files, content),
        photo=found,
        content=content,
        files=tuple(files),
        tasks=tuple(tasks),
        online={one.volume_id: volumes[one.volume_id].online for one in files},
        preview=None if content is None else _existing(preview_path(library.derived_folder, content.digest)),
        thumbnail=None if content is None else _existing(thumbnail_path(library.derived_folder, content.digest)),
        contents=tuple(assets),
        facts={} if evidence is None else with_path_dates(evidence),
        sidecars=() if evidence is None else tuple(evidence.sidecars),
        burst=() if found.burst is None else tuple(photos_of_burst(connection, found.burst)),
        faces=() if evidence is None else tuple(shown_faces.faces_of(connection, evidence)),
        face_notes=() if evidence is None else tuple(evidence.marks.notes),
        ocr=() if content is None else tuple(texts.of_assets(connection, [content.id], OCR).get(content.id, ())),
        captions=()
        if content is None
        else tuple(texts.of_assets(connection, [content.id], CAPTION).get(content.id, ())),
        tags=tuple(tags_of(connection, found.id)),
        albums=tuple(albums_of_photo(connection, found.id)),
    )


def _main_path(files: Sequence[FileRecord], content: AssetDetails | None) -> bytes:
    """Return the path that `search` shows: of a present file first, and of the primary content."""
    order = lambda one: (one.state != "present", content is None or one.asset_id != content.id, one.id)  # noqa: E731
    best = min(files, key=order, default=None)
    return b"" if best is None else best.path


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def file_as_json(one: FileRecord, *, online: bool) -> dict[str, object]:
    """Return the JSON object of one file; its times are UTC in ISO 8601."""
    return {
        "path": to_text(one.path),
        "size": one.size_bytes,
        "digest": None if one.digest is None else one.digest.hex(),
        "role": one.role,
        "state": one.state,
        "media": one.media,
        "reason": one.reason,
        "mtime": utc(one.mtime_ns / 1e9),
        "missing_since": utc(one.missing_since),
        "volume": one.volume_label,
        "online": online,
    }


def task_as_json(one: TaskRow) -> dict[str, object]:
    """Return the JSON object of one task; its times are UTC in ISO 8601."""
    return {
        "id": one.id,
        "stage": one.stage,
        "state": one.state,
        "path": None if one.path is None else to_text(one.path),
        "attempts": one.attempts,
        "error_class": one.error_class,
        "error": one.error,
        "seconds": one.seconds,
        "updated_at": utc(one.updated_at),
        "dismissed_at": utc(one.dismissed_at),
        "variant": one.variant,
    }


def as_json(shown: Shown) -> dict[str, object]:
    """Return the documented JSON object of one photo; unknown values are None, keywords are a list."""
    photo, content = shown.photo, shown.content
    resolved = None if photo is None else photo.resolved
    facts = {source: dict(values) for source, values in shown.facts.items()}
    value: dict[str, object] = {"schema": 1, "id": None if photo is None else photo.id, "path": to_text(shown.asked)}
    value["files"] = [file_as_json(one, online=shown.online[one.volume_id]) for one in shown.files]
    for name in ("kind", "format", "width", "height", "orientation", "duration_seconds"):
        value[name] = getattr(photo, name, None)
    for name in RESOLVED_NAMES:
        value[name] = getattr(resolved, name, None)
    value["keywords"] = list(resolved.keywords) if resolved else []
    value["favourite"] = resolved is not None and resolved.favourite
    value["tags"] = [_tag_as_json(one) for one in shown.tags]
    value["albums"] = [{"name": one.name, "kind": one.kind, "origin": one.origin} for one in shown.albums]
    value["sources"] = dict(resolved.sources) if resolved else {}
    value["facts"] = facts
    value["tasks"] = [task_as_json(one) for one in shown.tasks]
    value["preview"] = None if shown.preview is None else str(shown.preview)
    value["thumbnail"] = None if shown.thumbnail is None else str(shown.thumbnail)
    has_hash = content is not None and content.perceptual_hash is not None
    value["perceptual_hash"] = f"{content.perceptual_hash:016x}" if content is not None and has_hash else None
    value["contents"] = [_content_as_json(one) for one in shown.contents]
    value["sidecars"] = [_sidecar_as_json(one) for one in shown.sidecars]
    value["regions"] = [] if content is None else [dict(region) for region in content.regions]
    value["faces"] = shown_faces.as_json(shown.faces)
    value["ocr"] = text_shown.as_json(shown.ocr)
    value["captions"] = captions_as_json(shown.captions)
    value["burst"] = list(shown.burst)
    value["motion"] = photo is not None and photo.motion
    value["notes"] = [*([] if content is None else content.notes), *shown.face_notes]
    return value


def _tag_as_json(one: PhotoTag) -> dict[str, object]:
    return {
        "tag": one.tag.name,
        "source": one.source,
        "confidence": one.confidence,
        "calibrated": one.calibrated,
        "shown": one.shown,
        "rejected": one.rejected,
    }


def _content_as_json(one: AssetDetails) -> dict[str, object]:
    return {
        "id": one.id,
        "digest": one.digest.hex(),
        "kind": one.kind,
        "format": one.format,
        "role": one.role,
        "why": one.pair_reason,
    }


def _sidecar_as_json(one: LinkedSidecar) -> dict[str, object]:
    return {
        "path": to_text(one.path),
        "kind": one.kind,
        "why": one.why,
        "facts": dict(one.facts),
        "regions": [dict(region) for region in one.regions],
        "notes": list(one.notes),
    }


RESOLVED_NAMES: tuple[str, ...] = (
    "taken_at", "taken_at_source", "taken_at_confidence", "taken_at_precision", "taken_at_utc", "utc_offset_minutes",
    "zone", "zone_source", "latitude", "longitude", "altitude_m", "place", "camera_make",
    "camera_model", "lens", "iso", "aperture", "exposure_seconds", "focal_length_mm", "rating", "title", "description",
)  # fmt: skip
"""The facts of a photo with a single value, in the order they are shown."""
