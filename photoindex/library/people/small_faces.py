"""Looks for faces in originals, where previews show small ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.originals.larger import LargerOriginals
from photoindex.stages.faces import STAGE
from photoindex.store.people import small_faces
from photoindex.store.people.small_faces import SmallFaces
from photoindex.store.tasks.asset_tasks import StageVariant

LONGEST_PX = 2048
"""Longest side of the pictures that are decoded."""
PICTURE: Mapping[str, object] = {"of": "original", "longest_px": LONGEST_PX}
"""The picture that is looked through, for the variant's key."""
BATCH_MAX = 8
"""Pictures per batch; these are four times as large as previews."""


def with_small_faces(library: Library, previews: int) -> LargerOriginals:
    """Return the originals of photos whose preview shows small faces. previews: the variant that looked through these."""
    return LargerOriginals(library, LONGEST_PX, partial(_find, library, previews))


def _find(library: Library, previews: int, connection: Connection, variant_id: int) -> list[tuple[int, int | None]]:
    config = library.config
    return small_faces.contents_with(
        connection,
        SmallFaces(config.faces.small_face_px, config.derived.preview_px),
        found_by=StageVariant(STAGE.name, previews),
        without_task=StageVariant(STAGE.name, variant_id),
    )
