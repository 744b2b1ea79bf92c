"""The captions of photos: a person's own, and what each model said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.timestamps import utc
from photoindex.paths import to_text
from photoindex.stages.caption import KIND
from photoindex.store.engine.chunks import chunks
from photoindex.store.search.targets import descriptions_of, first_paths
from photoindex.store.words import texts
from photoindex.store.words.texts import TextRow

_CHUNK = 200


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
    """Yield the captions of photos, by id; photos without any are left out.

    No connection is open while the caller takes them: a pager may wait for hours.
    """
    for some in chunks(photo_ids, _CHUNK):
        with library.database.read() as connection:
            found = _of_photos(connection, some)
        yield from found


def _of_photos(connection: Connection, photo_ids: Sequence[int]) -> list[PhotoCaptions]:
    photos = descriptions_of(connection, photo_ids)
    by_models = texts.of_assets(connection, [one.asset_id for one in photos if one.asset_id is not None], KIND)
    described = [(one, said) for one in photos if (said := by_models.get(one.asset_id or 0, [])) or one.description]
    paths = first_paths(connection, [one.photo_id for one, _ in described])
    return [
        PhotoCaptions(
            photo_id=one.photo_id,
            path=None if (path := paths.get(one.photo_id)) is None else to_text(path),
            description=one.description or None,
            source=(one.sources or {}).get("description") if one.description else None,
            by_models=tuple(said),
        )
        for one, said in described
    ]


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
