"""Runs that find made-up faces, without a model."""

from __future__ import annotations

from typing import Any

import numpy as np

from photoindex.store.people import spaces
from photoindex.store.people.regions import RegionWriter
from photoindex.store.tasks import queue
from photoindex.types import DetectedRegion
from tests.face_rows import FaceRows, faces_of

BOX = (0.2, 0.2, 0.1, 0.15)
BESIDE = (0.6, 0.2, 0.1, 0.15)


class FaceRuns(FaceRows):
    """Faces of one model in a library, and runs that find others."""

    def look(
        self, found: dict[int, list[DetectedRegion]], *, model: str = "by-hand", adds_to: int | None = None
    ) -> int:
        """Write what a run of a model found (content -> faces); return its variant."""
        with self.writing() as connection:
            variant_id = queue.ensure_variant(connection, "faces", {"model": model})
            space = spaces.ensure(connection, model=model, comparable={"model": model}, dim=self.dim)
            RegionWriter(space, variant_id, adds_to).put(connection, found)
        return variant_id

    def faces(self, asset_id: int) -> list[tuple[Any, ...]]:
        """Return id, left edge, space and variant of a content's faces."""
        return self.query(
            "SELECT id, round(x, 3), space_id, variant_id FROM region WHERE asset_id = ? ORDER BY id", asset_id
        )

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        connection = self.library.database.raw_connection()
        try:
            return list(connection.execute(statement, values))
        finally:
            connection.close()

    def faces_of_photo(self, asset_id: int) -> int | None:
        ((count,),) = self.query("SELECT faces FROM photo WHERE primary_asset_id = ?", asset_id)
        return count  # type: ignore[no-any-return]

    def add_content(self, name: str = "one.jpg") -> int:
        """Add a photo of 4000 x 3000 pixels and return its content."""
        return self.asset_of(self.add_whole_photo(name, asset_width=4000, asset_height=3000))


def face(box: tuple[float, ...] = BOX, person: int = 1, shot: int = 0, **values: Any) -> DetectedRegion:
    """A face of a made-up person."""
    landmarks = np.full((5, 2), 0.25, np.float32)
    vector = faces_of(person, 1, first=shot)[0]
    found: dict[str, Any] = {"score": 0.9, "vector": vector, "landmarks": landmarks, "sharpness": 120.0}
    return DetectedRegion("face", *box, **(found | {"yaw": 1.0, "roll": 2.0} | values))
