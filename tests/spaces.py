"""Spaces with vectors, written without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select

from photoindex.library.handle import Library
from photoindex.store.schema.tables import asset, variant, vector
from photoindex.store.vectors import spaces, vectors
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.types import Vector
from tests.rows import VolumeRows
from tests.vectors import DIM


class SpaceRows:
    """A space in a library; contents for its vectors are created as needed."""

    def __init__(self, library: Library, originals: Path, name: str = "clip", dim: int = DIM) -> None:
        self.library = library
        self.volume_rows = VolumeRows(library, originals)
        self._photo_id = self.volume_rows.add_photo()
        with library.database.write() as connection:
            key = connection.execute(insert(variant).values(stage="embed", key=f'{{"model":"{name}"}}', created_at=0.0))
            assert key.inserted_primary_key is not None
            self.row: SpaceRow = spaces.ensure_space(
                connection, model=name, variant_id=key.inserted_primary_key[0], dim=dim
            )

    def add(self, values: NDArray[np.float16]) -> NDArray[np.int64]:
        """Add vectors of new contents; return their ids."""
        with self.library.database.write() as connection:
            row = {"size_bytes": 7, "kind": "image", "format": "jpeg", "facts": {}, "notes": [], "derived": True}
            row |= {
                "variant_id": self.volume_rows.variant_id,
                "role": "primary",
                "added_at": 0.0,
                "photo_id": self._photo_id,
            }
            first = len(connection.execute(select(asset.c.id)).all()) + 1
            made = range(first, first + len(values))
            connection.execute(insert(asset), [{"id": one, "digest": one.to_bytes(32, "big"), **row} for one in made])
            vectors.put(
                connection, self.row.id, [(one, Vector(value)) for one, value in zip(made, values, strict=True)]
            )
        return self.ids()[-len(values) :]

    def ids(self) -> NDArray[np.int64]:
        """Return the ids of all vectors in the space."""
        with self.library.database.read() as connection:
            statement = select(vector.c.id).where(vector.c.space_id == self.row.id).order_by(vector.c.id)
            return np.array(connection.execute(statement).scalars().all(), np.int64)

    def remove(self, ids: Sequence[int]) -> None:
        """Remove vectors, as pruning photos does."""
        with self.library.database.write() as connection:
            connection.execute(delete(vector).where(vector.c.id.in_(list(ids))))

    @property
    def folder(self) -> Path:
        """The folder of the index."""
        return self.library.indices_folder / str(self.row.id)

    @property
    def generation(self) -> str:
        """The name of the current generation; empty if there is none."""
        current = self.folder / "CURRENT"
        return current.read_text().split()[0] if current.exists() else ""
