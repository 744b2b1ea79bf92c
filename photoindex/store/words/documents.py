"""The words of a photo that its files do not say, and keywords that nobody rejected, as full-text documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, update

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import as_parameter, is_given, numbers
from photoindex.store.schema.tables import (
    asset,
    asset_tag,
    asset_text,
    assignment,
    individual,
    label,
    photo,
    photo_text,
    region,
    tag,
    tag_rejection,
)
from photoindex.text import fold

_NOT_OF_FILES = ("people", "tags", "labels", "caption", "ocr")
COLUMNS = ("keywords", *_NOT_OF_FILES)
"""The columns of `photo_text` that this module writes."""
CAPTION, OCR = "caption", "ocr"
"""Kinds of `asset_text`."""

_CHUNK = 500


def refresh(connection: Connection, photo_ids: Collection[int]) -> None:
    """Write what is known now about photos into their documents; only documents that change are written."""
    for some in chunks(sorted(set(photo_ids)), _CHUNK):
        rows = connection.execute(_documents, {"photo_ids": as_parameter(some)}).mappings()
        changed = [
            {"wanted": row["id"]} | new
            for row in rows
            if (new := _folded(row)) != {name: row[f"old_{name}"] for name in COLUMNS}
        ]
        if changed:
            connection.execute(_update, changed)


def refresh_assets(connection: Connection, asset_ids: Collection[int]) -> None:
    """Refresh the documents of photos that these contents represent; the others' words are not searched."""
    for some in chunks(sorted(set(asset_ids)), _CHUNK):
        of_primary = select(photo.c.id).where(photo.c.primary_asset_id.in_(numbers(some)))
        refresh(connection, connection.execute(of_primary).scalars().all())


def _columns() -> tuple[ColumnElement[Any], ...]:
    """Return the texts of a photo by kind, one word or line of text each, in the order of _NOT_OF_FILES."""
    contents = select(asset.c.id).where(asset.c.photo_id == photo.c.id).correlate(photo)
    rejected = select(tag_rejection.c.tag_id).where(tag_rejection.c.asset_id.in_(contents))
    people = select(individual.c.name).distinct().select_from(assignment).join(individual).join(region)
    tags = select(tag.c.name).distinct().select_from(asset_tag).join(tag).where(asset_tag.c.asset_id.in_(contents))
    labels = (
        select(tag.c.name)
        .distinct()
        .select_from(label)
        .join(tag)
        .where(label.c.asset_id == photo.c.primary_asset_id, label.c.shown)
    )
    described_by = func.coalesce(photo.c.sources["description"].as_string(), "")
    captions, ocr = (
        select(asset_text.c.text).where(asset_text.c.asset_id == photo.c.primary_asset_id, asset_text.c.kind == kind)
        for kind in (CAPTION, OCR)
    )
    return (
        _joined(people.where(region.c.asset_id == photo.c.primary_asset_id, individual.c.name.is_not(None))),
        _joined(tags),
        _joined(labels.where(tag.c.id.not_in(rejected))),
        _joined(captions.where(described_by != "person")),  # a person's word beats a model's
        _joined(ocr),
    )


def _joined(texts: Select[Any]) -> ColumnElement[Any]:
    """Return the texts that a query finds for the photo of the statement around it, one a line."""
    found = texts.correlate(photo).subquery()
    return select(func.aggregate_strings(next(iter(found.c)), "\n")).scalar_subquery()


def _select_documents() -> Select[Any]:
    old = [photo_text.c[name].label(f"old_{name}") for name in COLUMNS]
    new = [column.label(name) for name, column in zip(_NOT_OF_FILES, _columns(), strict=True)]
    statement = select(photo.c.id, photo.c.keywords, *old, *new).join(photo_text, photo_text.c.photo_id == photo.c.id)
    return statement.where(is_given(photo.c.id, "photo_ids"))


_documents = _select_documents()  # built once: building it costs more than running it
_update = (
    update(photo_text)
    .where(photo_text.c.photo_id == bindparam("wanted"))
    .values({name: bindparam(name) for name in COLUMNS})
)


def _folded(row: Mapping[Any, Any]) -> dict[str, str]:
    texts = {**row, "keywords": "\n".join(row["keywords"])}
    return {name: fold(texts[name] or "") for name in COLUMNS}
