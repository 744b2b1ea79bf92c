"""Assets and photos: one asset row per content, one photo row per picture or video as a person sees it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from photoindex.store.engine.database import new_id
from photoindex.store.engine.statements import as_parameter, is_given, upsert
from photoindex.store.people import counts, summaries
from photoindex.store.schema.tables import asset, photo, photo_text
from photoindex.store.words import documents
from photoindex.types import Described, Facts, Resolved

PRIMARY = "primary"
SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class AssetRow:
    """What the pipeline needs to know about a content it has seen before."""

    id: int
    photo_id: int
    role: str
    derived: bool
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Made:
    """What a variant of ingest derived from an asset's pixels; perceptual_hash: None if there is none."""

    variant_id: int
    perceptual_hash: int | None
    derived: bool
    notes: tuple[str, ...]


_known = select(asset.c.id, asset.c.photo_id, asset.c.role, asset.c.derived, asset.c.replaced_by)
_by_digest = _known.where(asset.c.digest == bindparam("wanted_digest"))


def by_digest(connection: Connection, digest: bytes) -> AssetRow | None:
    """Return the asset with this BLAKE3 digest (32 bytes), None if the content is new."""
    row = connection.execute(_by_digest, {"wanted_digest": digest}).first()
    return AssetRow(*row) if row else None


def by_id(connection: Connection, asset_id: int) -> AssetRow | None:
    """Return one asset, None if there is no such id."""
    row = connection.execute(_known.where(asset.c.id == asset_id)).first()
    return AssetRow(*row) if row else None


_insert_photo, _insert_asset = insert(photo), insert(asset)


def add_photo(connection: Connection, described: Described, size_bytes: int) -> int:
    """Insert a photo without facts and return its id; `store_resolutions` fills it in."""
    values = {"kind": str(described.media.kind), "format": described.media.format, "size_bytes": size_bytes}
    values |= {"keywords": [], "sources": {}, "added_at": time.time()}
    return new_id(connection.execute(_insert_photo, values))


def add_asset(
    connection: Connection,
    *,
    digest: bytes,
    size_bytes: int,
    described: Described,
    made: Made,
    photo_id: int,
) -> int:
    """Add a content as the primary asset of a photo and return its id."""
    values = {"digest": digest, "size_bytes": size_bytes, "photo_id": photo_id, "role": PRIMARY}
    values |= {"added_at": time.time(), **_asset_values(described, made)}
    return new_id(connection.execute(_insert_asset, values))


def update_asset(connection: Connection, asset_id: int, *, described: Described, made: Made) -> None:
    """Replace the facts and derived values of a content that was read again."""
    connection.execute(update(asset).where(asset.c.id == asset_id).values(**_asset_values(described, made)))


def _asset_values(described: Described, made: Made) -> dict[str, Any]:
    return {
        "kind": str(described.media.kind),
        "format": described.media.format,
        "width": described.width,
        "height": described.height,
        "orientation": described.orientation,
        "duration_seconds": described.duration_seconds,
        "facts": {source: dict(values) for source, values in described.facts.items()},
        "notes": [*described.notes, *made.notes],
        "perceptual_hash": _signed(made.perceptual_hash),
        "derived": made.derived,
        "variant_id": made.variant_id,
        "regions": [asdict(region) for region in described.regions] or None,
        "content_identifier": _identifier(described.facts, "content_identifier"),
        "burst_identifier": _identifier(described.facts, "burst_identifier"),
    }


def _identifier(facts: Facts, name: str) -> str | None:
    """Return an identifier from the first embedded source that has it."""
    for source in ("exif", "xmp", "container"):
        value = facts.get(source, {}).get(name)
        if isinstance(value, str):
            return value.upper()
    return None


def _signed(value: int | None) -> int | None:
    """Reinterpret an unsigned 64-bit hash as signed, as SQLite's integers are."""
    if value is None:
        return None
    return value - (1 << 64) if value >= 1 << 63 else value


def take_place_of(connection: Connection, asset_id: int, *, earlier: AssetRow) -> None:
    """Replace `earlier` by `asset_id`, which a file that had `earlier` now has.

    `asset_id` gets the role of `earlier` in the photo, and a person's decisions about `earlier` apply to it. `earlier`
    stays with the photo, as superseded.
    """
    connection.execute(update(asset).where(asset.c.id == asset_id).values(role=earlier.role, replaced_by=None))
    values = {"role": SUPERSEDED, "pair_reason": None, "replaced_by": asset_id}
    connection.execute(update(asset).where(asset.c.id == earlier.id).values(values))


def stand_alone(connection: Connection, asset_id: int, *, photo_id: int) -> None:
    """Make a content the primary one of its own photo."""
    values = {"photo_id": photo_id, "role": PRIMARY, "replaced_by": None, "pair_reason": None}
    connection.execute(update(asset).where(asset.c.id == asset_id).values(values))


def latest(connection: Connection, known: AssetRow) -> AssetRow:
    """Follow `replaced_by` from a superseded content to the newest one; `known` itself if nothing replaced it."""
    seen = {known.id}
    while known.role == SUPERSEDED and known.replaced_by is not None and known.replaced_by not in seen:
        seen.add(known.replaced_by)
        following = by_id(connection, known.replaced_by)
        if following is None:
            break
        known = following
    return known


@dataclass(frozen=True, slots=True)
class PhotoContent:
    """One content of a photo, and the facts that the photo got from neighbouring photos.

    regions: those marked in it (`types.Region` as mappings).
    """

    asset_id: int
    role: str
    size_bytes: int
    facts: Facts
    regions: Sequence[Mapping[str, Any]]
    values: Mapping[str, Any]
    neighbours: Mapping[str, str] | None


_CONTENT_VALUES = ("kind", "format", "width", "height", "orientation", "duration_seconds")
_current = (
    select(
        asset.c.photo_id, asset.c.id, asset.c.role, asset.c.size_bytes, asset.c.facts, asset.c.regions, photo.c.neighbours,
        *(asset.c[name] for name in _CONTENT_VALUES),
    )
    .join(photo, photo.c.id == asset.c.photo_id)
    .where(is_given(asset.c.photo_id, "photo_ids"), asset.c.role != SUPERSEDED)
    .order_by(asset.c.role != PRIMARY, asset.c.id)
)  # fmt: skip


def current_contents(connection: Connection, photo_ids: Collection[int]) -> dict[int, list[PhotoContent]]:
    """Return photo -> its contents, without superseded ones, the primary one first; photos without are left out."""
    found: dict[int, list[PhotoContent]] = {}
    for row in connection.execute(_current, {"photo_ids": as_parameter(photo_ids)}):
        found.setdefault(row.photo_id, []).append(
            PhotoContent(
                asset_id=row.id,
                role=row.role,
                size_bytes=row.size_bytes,
                facts=row.facts,
                regions=row.regions or (),
                values={name: getattr(row, name) for name in _CONTENT_VALUES},
                neighbours=row.neighbours,
            )
        )
    return found


_RESOLVED_COLUMNS = (
    "primary_asset_id",
    "size_bytes",
    "place_id",
    "motion",
    "faces",
    *_CONTENT_VALUES,
    *Resolved.__slots__,
)
# Built once: building statements with so many values costs more than SQLite's work on them.
_store_facts = (
    update(photo)
    .where(photo.c.id == bindparam("wanted_photo"))
    .values({photo.c[name]: bindparam(f"new_{name}") for name in _RESOLVED_COLUMNS})
)
_own_texts = [column for column in photo_text.c if column.name not in documents.COLUMNS]
_texts = upsert(photo_text).values({column: bindparam(column.name) for column in (*_own_texts, photo_text.c.keywords)})
_texts_of_photos = select(*_own_texts).where(is_given(photo_text.c.photo_id, "photo_ids"))
_store_texts = _texts.on_conflict_do_update(
    index_elements=["photo_id"],
    set_={column.name: _texts.excluded[column.name] for column in _own_texts if not column.primary_key},
)


class Resolution(NamedTuple):
    """What a photo was resolved to; content: the primary one, document: the texts of its files."""

    photo_id: int
    content: PhotoContent
    resolved: Resolved
    document: Mapping[str, str]
    place_id: int | None


def store_resolutions(connection: Connection, resolutions: Sequence[Resolution]) -> None:
    """Write the facts of up to a few hundred photos, and what changes of the texts in their full-text documents."""
    if not resolutions:
        return
    faces = counts.faces_of(connection, [one.content.asset_id for one in resolutions])
    connection.execute(_store_facts, [_facts_row(one, faces[one.content.asset_id]) for one in resolutions])
    photo_ids = [one.photo_id for one in resolutions]
    # To write a document means to index its words again, which takes longer than all the rest.
    stored = connection.execute(_texts_of_photos, {"photo_ids": as_parameter(photo_ids)}).mappings()
    known = {row["photo_id"]: dict(row) for row in stored}
    documents_now = ({"photo_id": one.photo_id, **one.document} for one in resolutions)
    changed = [one for one in documents_now if not _is_stored(one, known.get(one["photo_id"]))]
    if changed:
        connection.execute(_store_texts, changed)
    summaries.forget_of_photos(connection, photo_ids)


def _is_stored(document: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    return known is not None and all(document[name] == value for name, value in known.items())


def _facts_row(one: Resolution, faces: int | None) -> dict[str, Any]:
    content, resolved = one.content, one.resolved
    values = {name: getattr(resolved, name) for name in Resolved.__slots__}
    values["keywords"] = list(resolved.keywords)
    values["sources"] = dict(resolved.sources)
    values |= content.values
    values["primary_asset_id"] = content.asset_id
    values["size_bytes"] = content.size_bytes
    values["place_id"] = one.place_id
    values["faces"] = faces
    values["motion"] = bool(content.facts.get("container", {}).get("motion_bytes"))
    return {"wanted_photo": one.photo_id, **{f"new_{name}": value for name, value in values.items()}}
