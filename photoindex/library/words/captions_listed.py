"""The captions of photos: a person's own, and what each model said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.timestamps import utc
from photoindex.paths import to_text
from photoindex.stages.caption import KIND
from photoindex.store.photos.details import photo_by_id
from photoindex.store.search.targets import path_of_content
from photoindex.store.words import texts
from photoindex.store.words.texts import TextRow


@dataclass(frozen=True, slots=True)
class PhotoCaptions:
    """The captions of one photo.

    path: of a file of the content that represents it. description: a person's, or that of a file; source: where from.
    by_models: newest first.
    """

    photo_id: int
    path: str | None
    description: str | None
    source: str | None
    by_models: tuple[TextRow, ...]


def captions_of(library: Library, photo_ids: Sequence[int]) -> Iterator[PhotoCaptions]:
    """Yield the captions of each photo, in the given order; photos without any are left out."""
    with library.database.read() as connection:
        for photo_id in photo_ids:
            found = _of_photo(connection, photo_id)
            if found is not None:
                yield found


def _of_photo(connection: Connection, photo_id: int) -> PhotoCaptions | None:
    photo = photo_by_id(connection, photo_id)
    if photo is None or photo.primary_asset_id is None:
        return None
    by_models = texts.of_assets(connection, [photo.primary_asset_id], KIND).get(photo.primary_asset_id, [])
    described = photo.resolved.description
    if not described and not by_models:
        return None
    path = path_of_content(connection, photo.primary_asset_id)
    source = photo.resolved.sources.get("description") if described else None
    return PhotoCaptions(photo_id, None if path is None else to_text(path), described or None, source, tuple(by_models))


def as_json(one: PhotoCaptions) -> dict[str, object]:
    """Return the documented JSON object of a photo's captions."""
    return {
        "schema": 1,
        "id": one.photo_id,
        "path": one.path,
        "description": one.description,
        "source": one.source,
        "captions": captions_as_json(one.by_models),
    }


def captions_as_json(rows: Sequence[TextRow]) -> list[dict[str, object]]:
    """Return the documented JSON objects of models' captions."""
    return [
        {
            "model": row.model,
            "text": row.text,
            "language": row.language,
            "prompt": row.variant.get("prompt") or None,
            "at": utc(row.at),
            "raw": row.raw,
        }
        for row in rows
    ]
