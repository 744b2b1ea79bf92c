"""Hand-written vectors for photos and queries, so that no model is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from photoindex.library.handle import Library
from photoindex.store.schema.tables import photo_text, vector
from photoindex.store.tasks import queue
from photoindex.store.vectors import query_vector_cache, spaces
from photoindex.store.vectors import vectors as vector_rows
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.types import Vector
from tests.rows import VolumeRows

DIM = 8
AXES = {
    name: np.eye(DIM, dtype=np.float32)[number] for number, name in enumerate(("dog", "cat", "beach", "car", "red"))
}
"""The vectors of the words used in tests; the other axes are unused."""


def unit(**shares: float) -> NDArray[np.float32]:
    """Return the unit vector of a mix of meanings: unit(dog=2, beach=1)."""
    total = np.sum([share * AXES[name] for name, share in shares.items()], axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


class SemanticRows(VolumeRows):
    """A volume with rows, and an active space, `space`, whose query cache holds the words of AXES."""

    def __init__(self, library: Library, originals: Path) -> None:
        super().__init__(library, originals)
        with self.writing() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"model": "by-hand"})
            self.space: SpaceRow = spaces.ensure_space(connection, model="by-hand", variant_id=variant_id, dim=DIM)
        self.cache_queries(AXES)

    def cache_queries(self, texts: Mapping[str, NDArray[np.float32]]) -> None:
        """Cache the vectors of texts, as if they had been queried before."""
        with self.writing() as connection:
            query_vector_cache.keep(connection, self.space.id, texts)

    def add_embedded_photo(self, name: str, values: NDArray[np.float32], **more: object) -> int:
        """Add a photo with one vector; `text_*` values are set on its texts."""
        texts = {key.removeprefix("text_"): str(more.pop(key)) for key in list(more) if key.startswith("text_")}
        photo_id = self.add_whole_photo(name, **more)
        self.add_vector(self.asset_of(photo_id), values)
        with self.writing() as connection:
            row = photo_text.update().where(photo_text.c.photo_id == photo_id)
            connection.execute(row.values(name=name.rpartition("/")[2], **texts))
        return photo_id

    def add_vector(self, asset_id: int, *values: NDArray[np.float32]) -> None:
        """Add the vectors of a content, one per frame."""
        new = [(asset_id, Vector(each.astype(np.float16), frame=number)) for number, each in enumerate(values)]
        with self.writing() as connection:
            vector_rows.put(connection, self.space.id, new)

    def switch_to_new_space(self, connection: Connection) -> SpaceRow:
        """Create another space and use it for new vectors; the previous one stays active."""
        variant_id = queue.ensure_variant(connection, "embed", {"model": "by-hand", "revision": 2})
        self.space = spaces.ensure_space(connection, model="by-hand", variant_id=variant_id, dim=DIM)
        query_vector_cache.keep(connection, self.space.id, AXES)
        return self.space

    def vectors(self) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Return the ids and values of all vectors."""
        with self.library.database.read() as connection:
            rows = connection.execute(select(vector.c.id, vector.c.data).order_by(vector.c.id)).all()
        values = np.array([np.frombuffer(row.data, np.float16) for row in rows]).reshape(len(rows), DIM)
        return np.array([row.id for row in rows], np.int64), values


def photo_ids(found: Sequence[object]) -> list[int]:
    """Return the ids of ranked photos."""
    return [one.photo_id for one in found]  # type: ignore[attr-defined]
